//! One request with everything that its decision may look at.

use std::cell::OnceCell;

use mandate_authn::{Confirmation, FailingLine, ReasonCode, VerifiedToken};
use serde_json::{Map, Value};

use super::{Assertion, Evidence, Mapped, Request, inputs};
use crate::condition;
use crate::decision::Failure;
use crate::evaluate::{Budget, Holding, InputSource, Path};
use crate::policy::{IssuerRules, Policy, Route};
use crate::records::Records;
use crate::snapshot::{Object, Relation, Snapshot};

/// By which door the request came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door<'d> {
    Assertion(Assertion<'d>),
    Token(Evidence<'d>),
}

impl<'d> Door<'d> {
    /// The token, if there is one.
    pub(crate) const fn token(&self) -> Option<&'d VerifiedToken> {
        match self {
            Self::Assertion(_) => None,
            Self::Token(evidence) => Some(evidence.token),
        }
    }

    /// A verified token was verified for one audience, at one moment; a host that kept it must not
    /// use it for another.
    pub(super) fn require_current_token(
        &self,
        audience: &str,
        now: u64,
        skew: u64,
    ) -> Result<(), Failure> {
        let Self::Token(evidence) = self else { return Ok(()) };
        let token = evidence.token;
        if !token.audiences().iter().any(|known| known == audience) {
            return Err(Failure::new(ReasonCode::TokenAudience, "the token is for another route"));
        }
        if now >= token.expires_at().saturating_add(skew) {
            return Err(Failure::new(ReasonCode::TokenExpired, "the token has expired since"));
        }
        let bound = token.confirmation().map(Confirmation::thumbprint);
        if bound.is_some() && bound != evidence.certificate_sha256.as_ref() {
            let detail = "the token is bound to a certificate of another connection";
            return Err(Failure::new(ReasonCode::TokenBinding, detail));
        }
        Ok(())
    }
}

/// A request that fits the contract's tables, and a state that is fresh enough to decide it.
#[derive(Debug)]
pub(crate) struct Case<'c> {
    pub(crate) door: &'c Door<'c>,
    pub(crate) request: &'c Request<'c>,
    pub(crate) now: u64,
    pub(crate) policy: &'c Policy,
    pub(crate) route: &'c Route,
    pub(crate) mapped: Mapped<'c>,
    pub(crate) snapshot: &'c Snapshot,
    pub(crate) records: Records<'c>,
    /// The rules of the token's issuer.
    pub(crate) issuer: Option<&'c IssuerRules>,
    /// The resources, in the order of the mapping; `None` for what the snapshot does not know.
    pub(crate) resources: Vec<Option<Object>>,
    /// The tool that is called, and the server, where the snapshot knows them.
    pub(crate) tool: Option<Object>,
    pub(crate) server: Option<Object>,
    /// What conditions are told, once one has asked.
    inputs: OnceCell<Map<String, Value>>,
}

impl<'c> Case<'c> {
    pub(super) fn new(
        door: &'c Door<'c>,
        request: &'c Request<'c>,
        now: u64,
        policy: &'c Policy,
        route: &'c Route,
        mapped: Mapped<'c>,
        snapshot: &'c Snapshot,
    ) -> Self {
        let issuer = door.token().and_then(|token| policy.issuer(token.issuer()));
        let records = snapshot.records();
        let resources = mapped.resources.iter();
        let resources = resources.map(|(type_name, id)| snapshot.find(type_name, id)).collect();
        let types = policy.types();
        let find = |type_name: &Option<String>, id: Option<&str>| {
            type_name.as_ref().zip(id).and_then(|(type_name, id)| snapshot.find(type_name, id))
        };
        let tool = find(&types.tool, mapped.call.tool_object().as_deref());
        let server = find(&types.server, mapped.call.server());
        Self {
            door,
            request,
            now,
            policy,
            route,
            mapped,
            snapshot,
            records,
            issuer,
            resources,
            tool,
            server,
            inputs: OnceCell::new(),
        }
    }

    pub(crate) const fn token(&self) -> Option<&'c VerifiedToken> {
        self.door.token()
    }

    /// The relationships by which `subject` has `relation` to `object`; `None` where it does not.
    ///
    /// # Errors
    /// That nobody can say, at the line that asks: it denies.
    pub(crate) fn holds(
        &self,
        object: Object,
        relation: &str,
        subject: Object,
        line: FailingLine,
    ) -> Result<Option<Path>, Failure> {
        match self.snapshot.relation(object, relation) {
            Some(relation) => self.holds_relation(object, relation, subject, line),
            None => Ok(None),
        }
    }

    /// The same for a relation that was looked up before.
    ///
    /// # Errors
    /// That nobody can say, at the line that asks: it denies.
    pub(crate) fn holds_relation(
        &self,
        object: Object,
        relation: Relation,
        subject: Object,
        line: FailingLine,
    ) -> Result<Option<Path>, Failure> {
        match self.snapshot.holds_with(object, relation, subject, self, &mut Budget::new()) {
            Holding::DoesNotHold => Ok(None),
            Holding::Failed(failure) => Err(Failure::evaluation(&failure, line)),
            Holding::Holds(path) => Ok(Some(path)),
        }
    }
}

impl InputSource for Case<'_> {
    fn context(&self) -> &Map<String, Value> {
        self.inputs.get_or_init(|| {
            let declared = declared_inputs(self.snapshot);
            inputs::collect(&declared, self.token(), self.request, self.now)
        })
    }
}

/// The parameters of the model's conditions; most models have few.
fn declared_inputs(snapshot: &Snapshot) -> Vec<&str> {
    let view = snapshot.view();
    let count = u32::try_from(snapshot.schema().conditions.len()).unwrap_or(u32::MAX);
    let codes = (0..count).filter_map(|condition| view.code(condition));
    codes.flat_map(|(_, code)| condition::parameters(code)).map(|(name, _)| name).collect()
}
