//! All fixtures together: tokens, decisions and the gate.

use std::path::Path;

use anyhow::{Result, ensure};

use super::authz::{self, AuthzFixture, AuthzSet, Decision, Worlds};
use super::{Comparison, Concrete, Exceptions, FixtureSet, Implementation, Report};

/// The fixtures of one run.
#[derive(Clone, Debug)]
pub struct Suite {
    tokens: Option<FixtureSet>,
    /// Of authorization, and of the gate.
    decisions: Vec<AuthzSet>,
    pattern: Option<String>,
}

/// The same with their bytes.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// Tokens.
    pub tokens: Vec<Concrete>,
    /// Decisions.
    pub decisions: Vec<Decision>,
}

impl Suite {
    /// The fixtures that travel in the binary.
    ///
    /// # Errors
    /// When one of them is malformed.
    pub fn embedded() -> Result<Self> {
        let decisions = vec![AuthzSet::embedded()?, AuthzSet::embedded_gate()?];
        Ok(Self { tokens: Some(FixtureSet::embedded()?), decisions, pattern: None })
    }

    /// The fixtures of a folder: of decisions where it has `_worlds`, else of tokens; all of them,
    /// where it has folders `authn`, `authz` and perhaps `gate`.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file in it is malformed or is no fixture.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let [authn, authz, gate] = ["authn", "authz", "gate"].map(|name| folder.join(name));
        let (tokens, decisions) = if authn.is_dir() && authz.is_dir() {
            let folders = [authz, gate];
            let sets = folders.iter().filter(|folder| folder.is_dir());
            let sets = sets.map(|folder| AuthzSet::from_folder(folder)).collect::<Result<_>>()?;
            (Some(FixtureSet::from_folder(&authn)?), sets)
        } else if folder.join("_worlds").is_dir() {
            (None, vec![AuthzSet::from_folder(folder)?])
        } else {
            (Some(FixtureSet::from_folder(folder)?), Vec::new())
        };
        Ok(Self { tokens, decisions, pattern: None })
    }

    /// The fixtures whose id matches a pattern, in which `*` stands for any text.
    ///
    /// # Errors
    /// When none does.
    pub fn only(self, pattern: &str) -> Result<Self> {
        let tokens = self.tokens.map(|set| set.only(pattern));
        let left = tokens.as_ref().is_some_and(|set| !set.fixtures().is_empty());
        let decided = self.decisions.iter().any(|set| set.names(pattern));
        ensure!(left || decided, "`--only {pattern}` matches no fixture");
        let pattern = Some(pattern.to_owned());
        Ok(Self { tokens, decisions: self.decisions, pattern })
    }

    /// Makes every token, snapshot and question.
    ///
    /// # Errors
    /// When a recipe cannot be followed.
    pub fn questions(&self, worlds: Worlds) -> Result<Questions> {
        let mut questions = self.tokens()?;
        for set in &self.decisions {
            let pattern = self.pattern.as_deref().unwrap_or("*");
            questions.decisions.extend(set.decisions_of(pattern, worlds)?);
        }
        Ok(questions)
    }

    /// The ids of all requests at the gate that are to be made.
    #[must_use]
    pub fn gate_ids(&self) -> Vec<String> {
        let pattern = self.pattern.as_deref().unwrap_or("*");
        let fixtures = self.gates().flat_map(AuthzSet::fixtures);
        let ids = fixtures.flat_map(AuthzFixture::case_ids);
        ids.filter(|id| authz::is_named(pattern, id)).collect()
    }

    /// Makes the requests at the gate that are wanted, each moved so that it is asked at this moment.
    pub(super) fn gate_at(
        &self,
        moment: u64,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Decision>> {
        let pattern = self.pattern.as_deref().unwrap_or("*");
        let wanted = |id: &str| authz::is_named(pattern, id) && wanted(id);
        let mut decisions = Vec::new();
        for set in self.gates() {
            let made = set.decisions_at(&wanted, Worlds::Containers, Some(moment))?;
            decisions.extend(made);
        }
        Ok(decisions)
    }

    fn gates(&self) -> impl Iterator<Item = &AuthzSet> {
        self.decisions.iter().filter(|set| set.is_of_the_gate())
    }

    /// Makes every token, and no decision.
    ///
    /// # Errors
    /// When a recipe cannot be followed.
    pub fn tokens(&self) -> Result<Questions> {
        let tokens = self.tokens.as_ref().map(FixtureSet::concrete).transpose()?;
        Ok(Questions { tokens: tokens.unwrap_or_default(), decisions: Vec::new() })
    }
}

impl Questions {
    /// How many they are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tokens.len().saturating_add(self.decisions.len())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.decisions.is_empty()
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let tokens = self.tokens.iter().map(|concrete| concrete.fixture.id.as_str());
        tokens.chain(self.decisions.iter().map(|decision| decision.id.as_str()))
    }

    /// Asks the implementation each of them: tokens, then decisions.
    #[must_use]
    pub fn ask(
        &self,
        implementation: &mut dyn Implementation,
        exceptions: &Exceptions,
        comparison: Comparison,
    ) -> Report {
        let mut report = Report::make(implementation, &self.tokens, exceptions, comparison);
        let decided = authz::report(implementation, &self.decisions, exceptions, comparison);
        report.runs.extend(decided.runs);
        report
    }
}
