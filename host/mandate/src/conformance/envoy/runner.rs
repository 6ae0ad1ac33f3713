//! Every case of the gate, asked of a real Envoy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use mandate_host::Plugin;

use super::attempt::Attempt;
use super::client::Protocol;
use super::clock;
use super::door::DoorKind;
use super::ground::lay;
use super::question::Question;
use super::reference::Reference;
use super::stage::Stage;
use crate::conformance::{Comparison, Exceptions, Outcome, Report, Run, Suite};

/// A stock Envoy, and what decides in it.
#[derive(Clone, Debug)]
pub struct EnvoyRunner {
    program: PathBuf,
    door: DoorKind,
}

/// What came out, by protocol and case; nothing where a case was asked too late to be itself.
pub(super) type Outcomes = BTreeMap<(Protocol, String), Option<Outcome>>;

impl EnvoyRunner {
    /// Envoy's program, and the filter as it is shipped.
    ///
    /// # Errors
    /// When there is no such module.
    pub fn new(program: PathBuf, module: PathBuf) -> Result<Self> {
        ensure!(module.is_file(), "there is no module `{}`", module.display());
        Ok(Self { program, door: DoorKind::Filter(module) })
    }

    /// Envoy's program, and the plugin that `mandate serve` answers its `ext_authz` with.
    #[must_use]
    pub const fn of_ext_authz(program: PathBuf, plugin: Plugin) -> Self {
        Self { program, door: DoorKind::ExtAuthz(plugin) }
    }

    /// Under which name exceptions and results of a protocol are kept.
    #[must_use]
    pub fn name(&self, protocol: Protocol) -> String {
        format!("{}-{}", self.door.as_str(), protocol.as_str())
    }

    /// Asks every case of the gate over each protocol: a report for each.
    ///
    /// # Errors
    /// When Envoy does not start, or a case cannot be made.
    pub fn reports(
        &self,
        suite: &Suite,
        exceptions: &[(Protocol, Exceptions)],
    ) -> Result<Vec<Report>> {
        let protocols: Vec<Protocol> = exceptions.iter().map(|(protocol, _)| *protocol).collect();
        let mut stage = self.stage(suite)?;
        let (mut outcomes, mut classes) = (Outcomes::new(), BTreeMap::new());
        let mut reference = Reference::new(matches!(self.door, DoorKind::ExtAuthz(_)));
        let mut wanted: BTreeSet<String> = suite.gate_ids().into_iter().collect();
        let mut lead = LEAD;
        for attempt in 1..=ATTEMPTS {
            let begun = clock::seconds();
            let attempt = Attempt::new(suite, &wanted, begun.saturating_add(lead), attempt)?;
            let class = |one: &Question| (one.id.clone(), one.class.clone());
            classes.extend(attempt.questions().iter().map(class));
            match attempt.run(&mut stage, &protocols, &mut reference)? {
                // This machine takes longer to begin.
                None => lead = clock::seconds().saturating_sub(begun).saturating_mul(2),
                Some(found) => outcomes.extend(found),
            }
            let missing = |id: &String| {
                let asked = |protocol| outcomes.get(&(protocol, id.clone())).cloned().flatten();
                protocols.iter().any(|protocol| asked(*protocol).is_none())
            };
            wanted.retain(missing);
            if wanted.is_empty() {
                break;
            }
        }
        let report = |(protocol, exceptions): &(Protocol, Exceptions)| {
            let run = |id: String| {
                let outcome = outcomes.get(&(*protocol, id.clone())).cloned().flatten();
                let outcome = exceptions.apply(&id, outcome.unwrap_or_else(too_late));
                Run { class: classes.get(&id).cloned().unwrap_or_default(), id, outcome }
            };
            let runs = suite.gate_ids().into_iter().map(run).collect();
            Report { runner: self.name(*protocol), comparison: Comparison::Full, runs }
        };
        Ok(exceptions.iter().map(report).collect())
    }

    /// Envoy with the ground of the first case, so that it has compiled the module.
    fn stage(&self, suite: &Suite) -> Result<Stage> {
        let first = suite.gate_ids().into_iter().next().context("there is no case of the gate")?;
        let decisions = suite.gate_at(clock::seconds(), &|id| id == first)?;
        let questions = decisions.iter().map(Question::of).collect::<Result<Vec<_>>>()?;
        let (grounds, _) = lay(&questions, 0)?;
        let ground = grounds.values().next().context("a ground")?;
        Stage::begin(&self.program, self.door.open()?, ground)
    }
}

fn too_late() -> Outcome {
    Outcome::Disagree {
        expected: "an answer within the second that the case is about".to_owned(),
        actual: format!("a later one, {ATTEMPTS} times"),
    }
}

/// Seconds until the cases are asked, in which they are made and Envoy takes them up.
const LEAD: u64 = 15;
/// How often cases are asked that are about one second and were asked after it.
const ATTEMPTS: usize = 5;
