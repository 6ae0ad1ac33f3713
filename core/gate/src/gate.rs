//! What one plugin instance holds, and the way of one request through it.

use std::borrow::Cow;
use std::sync::Arc;

use mandate_authn::{
    FailingLine, LoadError, ReasonCode, Refusal, Request as TokenRequest, SignatureBackend,
    TrustStatus, VerifiedToken,
};
use mandate_authz::authorize::{self, Evidence, Resource};
use mandate_authz::authorizer::Authorizer;
use mandate_authz::container::Position;
use mandate_authz::decision::{Bound, Decision};
use mandate_authz::object_id;

use crate::audit::{Draft, Emission};
use crate::door::{self, Door, Entrance};
use crate::mcp::SealingKey;
use crate::mcp_call::McpDoor;
use crate::parties::Parties;
use crate::policy::{GatePolicy, Route, Rule};
use crate::refused::Refused;
use crate::reply::{self, Call};
use crate::response::ResponseDuty;
use crate::target::Target;
use crate::verdict::{Answer, Pass, Verdict};
use crate::view::{Head, Headers, Request};
use crate::{framing, http, hygiene};

/// Everything that decides about requests.
#[derive(Debug, Default)]
pub struct Gate {
    pub(crate) authorizer: Authorizer,
    pub(crate) policy: Option<GatePolicy>,
    pub(crate) sealing: Option<SealingKey>,
}

/// Why a request does not pass, and how its answer looks.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) reason: ReasonCode,
    pub(crate) line: FailingLine,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) refresh: Option<String>,
    /// The scopes that would have covered the action, where the token's does not.
    pub(crate) scopes: Vec<String>,
}

/// What happens to a request that nothing stopped.
pub(crate) struct Passage {
    pub(crate) pass: Pass,
    pub(crate) parties: Parties,
    /// The denial that was only observed.
    pub(crate) observed: Option<Stopped>,
}

/// A request whose token has been verified.
pub(crate) struct Verified<'r> {
    pub(crate) request: &'r Request<'r>,
    pub(crate) token: Arc<VerifiedToken>,
    pub(crate) token_text: &'r [u8],
    pub(crate) agent_contexts: Vec<&'r str>,
    pub(crate) minimum_epoch: Option<Position>,
    pub(crate) now: u64,
}

/// What a request asks for, in the operator's words.
pub(crate) struct Asking<'a> {
    pub(crate) action: &'a str,
    pub(crate) tool: Option<&'a str>,
    pub(crate) resources: Vec<Resource<'a>>,
}

impl Gate {
    /// Nothing is loaded: everything is denied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Gate::new`], with signatures of tokens that another backend verifies.
    #[must_use]
    pub fn with_backend(backend: Box<dyn SignatureBackend>) -> Self {
        Self { authorizer: Authorizer::with_backend(backend), policy: None, sealing: None }
    }

    /// Which trailers of a request whose body streamed must not go upstream: for a host that had to
    /// decide before they came. `None` where one has a name that no removal finds: then the request
    /// has to be ended.
    #[must_use]
    pub fn trailer_removals(&self, trailers: Headers<'_>) -> Option<Vec<String>> {
        framing::check_names(trailers).ok()?;
        Some(hygiene::removals(trailers, false))
    }

    /// Replaces trust, policy and gate policy, which stand in one document.
    ///
    /// # Errors
    /// The first member that is wrong; then what was loaded before stays in force.
    pub fn load_trust(&mut self, text: &str) -> Result<TrustStatus, LoadError> {
        let (status, policy) = self.authorizer.load_trust_with(text, GatePolicy::from_contract)?;
        self.policy = policy;
        Ok(status)
    }

    /// The secret that seals session ids, at least 32 bytes: from the deployment, never from the
    /// contract.
    ///
    /// # Errors
    /// That it is too short.
    pub fn configure_sealing(&mut self, secret: &[u8]) -> Result<(), LoadError> {
        self.sealing = Some(SealingKey::new(secret)?);
        Ok(())
    }

    /// Trust, policy and state.
    #[must_use]
    pub const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Trust, policy and state, to be loaded. Trust is loaded by [`Gate::load_trust`] only.
    pub const fn authorizer_mut(&mut self) -> &mut Authorizer {
        &mut self.authorizer
    }

    /// How much of the body has to be read before [`Gate::decide`], in bytes; a longer one may be
    /// cut off after one byte more. `None`: none of it, it may stream.
    #[must_use]
    pub fn body_limit(&self, head: &Head<'_>) -> Option<usize> {
        let target = Target::parse(head.target).ok()?;
        match door::find(self.policy.as_ref(), head, &target) {
            Ok(Entrance { door: Door::Mcp(mcp), .. }) if head.method == b"POST" => {
                Some(mcp.body_bytes)
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Decides a request at `now` seconds since the epoch.
    pub fn decide(&mut self, request: &Request<'_>, now: u64, emission: &Emission<'_>) -> Answer {
        let mut draft = Draft::new(emission, now, request.head.headers);
        let Self { authorizer, policy, sealing } = self;
        let target = framing::check(&request.head)
            .and_then(|()| framing::check_names(request.trailers))
            .and_then(|()| Target::parse(request.head.target))
            .map_err(Stopped::from);
        let entrance = target.and_then(|target| {
            let entrance = door::find(policy.as_ref(), &request.head, &target)?;
            Ok((target, entrance))
        });
        let (target, entrance) = match entrance {
            Ok(found) => found,
            Err(stopped) => return stopped.answer(draft, None, None),
        };
        let Entrance { name, route, door } = entrance;
        match door {
            Door::Metadata => Answer::free(Verdict::Reply(reply::metadata(route))),
            Door::Open => Answer::free(Verdict::Pass(Box::new(Pass::unidentified(request)))),
            Door::Http(rule) => {
                let walk = Walk { authorizer, route, emission };
                match walk.http(request, rule, &target, now, &mut draft) {
                    Ok(passage) => passage.answer(draft),
                    Err(stopped) => stopped.answer(draft, Some(route), None),
                }
            }
            Door::Mcp(mcp) => {
                let walk = Walk { authorizer, route, emission };
                let door = McpDoor { name, mcp, secret: sealing.as_ref() };
                door.decide(walk, request, now, draft)
            }
        }
    }
}

/// What the way through one door needs.
pub(crate) struct Walk<'g> {
    pub(crate) authorizer: &'g mut Authorizer,
    pub(crate) route: &'g Route,
    pub(crate) emission: &'g Emission<'g>,
}

impl Walk<'_> {
    fn http(
        mut self,
        request: &Request<'_>,
        rule: &Rule,
        target: &Target<'_>,
        now: u64,
        draft: &mut Draft<'_>,
    ) -> Result<Passage, Stopped> {
        if !rule.upgrade {
            framing::refuse_upgrade(request.head.headers)?;
        }
        let verified = self.verify(request, now, draft)?;
        let values = http::values(rule, target)?;
        let resources = http::resources(rule, &values);
        let asking = Asking { action: &rule.action, tool: None, resources };
        self.ask(&verified, &asking, draft)
    }

    /// Takes the token out of the request and verifies it.
    pub(crate) fn verify<'r>(
        &mut self,
        request: &'r Request<'r>,
        now: u64,
        draft: &mut Draft<'_>,
    ) -> Result<Verified<'r>, Stopped> {
        let headers = request.head.headers;
        let minimum_epoch = framing::text(headers, "mandate-minimum-epoch")?;
        let position = |text| {
            let malformed = || Refused::malformed("`mandate-minimum-epoch` is no `era.epoch`");
            Position::parse(text).ok_or_else(malformed)
        };
        let minimum_epoch = minimum_epoch.map(position).transpose()?;
        let token_text = framing::bearer(headers)?;
        let wanted = TokenRequest {
            audience: Some(&self.route.audience),
            now,
            certificate_sha256: request.connection.certificate_sha256,
        };
        let token = self.authorizer.validator().validate(token_text, &wanted).into_outcome()?;
        draft.token(&token);
        let context = |value: &'r [u8]| {
            // What is no text is no JWS either: it stays evidence, and fails.
            std::str::from_utf8(value).unwrap_or("")
        };
        let agent_contexts = headers.all("mandate-agent-context").map(context).collect();
        Ok(Verified { request, token, token_text, agent_contexts, minimum_epoch, now })
    }

    /// Asks the rule, and says how an allowed request, or one whose denial is only observed, goes
    /// upstream.
    pub(crate) fn ask(
        &self,
        verified: &Verified<'_>,
        asking: &Asking<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<Passage, Stopped> {
        draft.asked(asking.action, names(&asking.resources));
        let (policy, state) = (self.authorizer.policy(), self.authorizer.state());
        let request = asking.request(&self.route.audience, verified);
        let decision =
            authorize::authorize(&verified.evidence(), &request, verified.now, policy, state);
        let (found, snapshot) = (decision.circumstances(), state.snapshot());
        let bound = found.bound();
        let parties = bound.zip(snapshot).map(|(bound, snapshot)| Parties::of(bound, snapshot));
        draft.decided(found, snapshot, parties.as_ref());
        let observed = match decision.failing_line() {
            None => None,
            Some(line) if self.route.enforcement.lets_pass(line, verified.now) => {
                Some(Stopped::by(&decision, line))
            }
            Some(line) => {
                let mut stopped = Stopped::by(&decision, line);
                if stopped.reason == ReasonCode::ScopeToken {
                    let scopes = policy.into_iter().flat_map(|it| it.scopes_for(asking.action));
                    stopped.scopes = scopes.map(str::to_owned).collect();
                }
                return Err(stopped);
            }
        };
        let too_long =
            || Refused::new(ReasonCode::Internal, "a name is longer than a header may be");
        let parties = parties.ok_or_else(too_long)?;
        let credential = bound.and_then(Bound::credential);
        let set = hygiene::identity(&parties, credential, self.emission.decision_id);
        let set = set.ok_or_else(too_long)?;
        let Request { head, trailers, .. } = verified.request;
        let forward = self.route.forward_token
            && verified.token.audiences() == [self.route.audience.as_str()];
        let pass = Pass {
            remove: hygiene::removals(head.headers, forward),
            remove_trailers: hygiene::removals(*trailers, false),
            set,
            response: ResponseDuty::default(),
        };
        Ok(Passage { pass, parties, observed })
    }
}

impl Asking<'_> {
    fn request<'q>(
        &'q self,
        audience: &'q str,
        verified: &'q Verified<'_>,
    ) -> authorize::Request<'q> {
        authorize::Request {
            audience,
            action: self.action,
            tool: self.tool,
            resources: &self.resources,
            on_behalf_of: None,
            caller: None,
            peer_address: verified.request.connection.peer_address,
            minimum_epoch: verified.minimum_epoch,
        }
    }
}

impl<'r> Verified<'r> {
    fn evidence(&'r self) -> Evidence<'r> {
        Evidence {
            token: &self.token,
            token_text: self.token_text,
            agent_contexts: &self.agent_contexts,
            certificate_sha256: self.request.connection.certificate_sha256,
        }
    }
}

/// Resources as audit records name them.
fn names(resources: &[Resource<'_>]) -> Vec<String> {
    let name = |resource: &Resource<'_>| match resource {
        Resource::Argument { pointer, value } => format!("{pointer}={value}"),
        Resource::Id { type_name, id } => format!("{type_name}:{id}"),
        Resource::Text { type_name, text } => format!("{type_name}:{}", object_id::encode(text)),
    };
    resources.iter().map(name).collect()
}

impl Passage {
    pub(crate) fn answer(self, draft: Draft<'_>) -> Answer {
        let verdict = Verdict::Pass(Box::new(self.pass));
        let Some(Stopped { reason, line, detail, .. }) = self.observed else {
            let audit = Some(draft.finish(ReasonCode::Ok, None, true));
            return Answer { audit, ..Answer::free(verdict) };
        };
        let audit = Some(draft.finish(reason, Some(line), false));
        Answer { verdict, reason, detail: detail.into_owned(), audit, refresh: None }
    }
}

impl Stopped {
    /// What a decision says.
    fn by(decision: &Decision, line: FailingLine) -> Self {
        let detail = decision.detail().to_owned().into();
        Self { reason: decision.reason(), line, detail, refresh: None, scopes: Vec::new() }
    }

    pub(crate) fn answer(
        self,
        draft: Draft<'_>,
        route: Option<&Route>,
        call: Option<Call<'_>>,
    ) -> Answer {
        let Self { reason, line, detail, refresh, scopes } = self;
        let verdict = Verdict::Reply(reply::deny(reason, route, call, &scopes));
        let audit = Some(draft.finish(reason, Some(line), true));
        Answer { verdict, reason, detail: detail.into_owned(), audit, refresh }
    }
}

impl Answer {
    /// What needs no decision.
    fn free(verdict: Verdict) -> Self {
        Self { verdict, reason: ReasonCode::Ok, detail: String::new(), audit: None, refresh: None }
    }
}

impl Pass {
    /// A request that nobody answers for: it says nothing in our name.
    fn unidentified(request: &Request<'_>) -> Self {
        Self {
            remove: hygiene::removals(request.head.headers, false),
            remove_trailers: hygiene::removals(request.trailers, false),
            ..Self::default()
        }
    }
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        let Refused { reason, line, detail } = refused;
        Self { reason, line, detail, refresh: None, scopes: Vec::new() }
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.code();
        // The line of `budget` is that of the walk; here a token has used it up.
        let walk = refusal != Refusal::VerificationBudget;
        let line = reason.line().filter(|_| walk).unwrap_or(FailingLine::Token);
        let detail = refusal.to_string().into();
        let refresh = refusal.refresh().map(str::to_owned);
        Self { reason, line, detail, refresh, scopes: Vec::new() }
    }
}
