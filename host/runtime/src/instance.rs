//! One instance of the plugin: it answers one call at a time, and no more after a failure.

use std::fmt;
use std::time::Duration;

use wasmtime::Store;

use crate::answer::{JwsCheck, Validation};
use crate::authorization::{Assertion, AuthorizeRequest, Decision};
use crate::bindings::{self, authn, authz, types};
use crate::failure::Failure;
use crate::gate::{Answer, Emission, Field, Head, ListReply, Request, StreamPiece};
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::relation::RelationQuery;
use crate::request::ValidateRequest;
use crate::sandbox::Sandbox;

/// An instance with its store. After any [`Failure`] it must be dropped: wasmtime lets nobody
/// enter an instance that trapped, and what it answered last may be wrong as well.
pub(crate) struct Instance {
    plugin: Plugin,
    store: Store<Sandbox>,
    policy: bindings::Policy,
    deadline: Duration,
    load_deadline: Duration,
}

impl Instance {
    pub(crate) fn new(plugin: &Plugin, limits: &Limits) -> Result<Self, Failure> {
        let (deadline, load_deadline) = (limits.deadline, limits.load_deadline);
        let mut store = plugin.engine().store(limits);
        let policy = plugin
            .engine()
            .arm(&mut store, deadline)
            .and_then(|()| plugin.policy().instantiate(&mut store))
            .map_err(|error| Failure::of(&error, deadline))?;
        Ok(Self { plugin: plugin.clone(), store, policy, deadline, load_deadline })
    }

    pub(crate) fn load_trust(
        &mut self,
        trust: &str,
    ) -> Result<Result<authn::TrustStatus, types::LoadError>, Failure> {
        self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_authn().call_load_trust(store, trust)
        })
    }

    pub(crate) fn validate(
        &mut self,
        token: &str,
        request: &ValidateRequest,
    ) -> Result<Validation, Failure> {
        let extra = request.lend_extra();
        let asked = request.lend(&extra);
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authn().call_validate(store, token, asked)
        })?;
        Validation::read(answer, request)
    }

    pub(crate) fn verify_jws(&mut self, keys: &str, token: &str) -> Result<JwsCheck, Failure> {
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authn().call_verify_jws(store, keys, token)
        })?;
        JwsCheck::read(answer)
    }

    pub(crate) fn configure_state(
        &mut self,
        config: &str,
    ) -> Result<Result<(), types::LoadError>, Failure> {
        self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_authz().call_configure_state(store, config)
        })
    }

    /// Loads a snapshot in steps, each under a deadline of its own.
    pub(crate) fn load_state(
        &mut self,
        container: &[u8],
    ) -> Result<Result<authz::StateStatus, authz::StateRefusal>, Failure> {
        // What is no container goes in whole, and is refused for what it is.
        let split = header_bytes(container).and_then(|bytes| container.split_at_checked(bytes));
        let (header, body) = split.unwrap_or((container, &[]));
        let begun = self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_authz().call_load_begin(store, header)
        })?;
        if let Err(refusal) = begun {
            return Ok(Err(refusal));
        }
        for piece in body.chunks(PIECE_BYTES) {
            let taken = self.call(self.load_deadline, |policy, store| {
                policy.mandate_policy_authz().call_load_chunk(store, piece)
            })?;
            if let Err(refusal) = taken {
                return Ok(Err(refusal));
            }
        }
        // A step looks at one word at least; the commit does whatever is left, under its deadline.
        for _ in 0..=body.len() {
            let validated = self.call(self.load_deadline, |policy, store| {
                policy.mandate_policy_authz().call_load_validate(store)
            })?;
            match validated {
                Ok(true) => break,
                Ok(false) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_authz().call_load_commit(store)
        })
    }

    pub(crate) fn apply_delta(
        &mut self,
        container: &[u8],
    ) -> Result<Result<authz::StateStatus, authz::StateRefusal>, Failure> {
        self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_authz().call_apply_delta(store, container)
        })
    }

    pub(crate) fn authorize(
        &mut self,
        token: &str,
        contexts: &[String],
        request: &AuthorizeRequest,
        now: u64,
    ) -> Result<Decision, Failure> {
        let (contexts, targets) = (texts(contexts), request.lend_targets());
        let asked = request.lend(&targets);
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authz().call_authorize(store, token, &contexts, asked, now)
        })?;
        Decision::read(answer)
    }

    pub(crate) fn authorize_many(
        &mut self,
        token: &str,
        contexts: &[String],
        requests: &[AuthorizeRequest],
        now: u64,
    ) -> Result<Vec<Decision>, Failure> {
        let contexts = texts(contexts);
        let targets: Vec<_> = requests.iter().map(AuthorizeRequest::lend_targets).collect();
        let asked = requests.iter().zip(&targets).map(|(request, targets)| request.lend(targets));
        let asked: Vec<_> = asked.collect();
        let answers = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authz().call_authorize_many(store, token, &contexts, &asked, now)
        })?;
        if answers.len() != requests.len() {
            return Err(Failure::Inconsistent("another number of answers than questions"));
        }
        answers.into_iter().map(Decision::read).collect()
    }

    pub(crate) fn decide_for(
        &mut self,
        assertion: &Assertion,
        request: &AuthorizeRequest,
        now: u64,
    ) -> Result<Decision, Failure> {
        let targets = request.lend_targets();
        let asked = request.lend(&targets);
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authz().call_decide_for(store, assertion.into(), asked, now)
        })?;
        Decision::read(answer)
    }

    pub(crate) fn relation_holds(
        &mut self,
        query: &RelationQuery,
    ) -> Result<Result<authz::RelationAnswer, authz::QueryError>, Failure> {
        let tuples = query.lend_tuples();
        self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authz().call_relation_holds(store, query.lend(&tuples))
        })
    }

    pub(crate) fn list_objects(
        &mut self,
        query: &RelationQuery,
    ) -> Result<Result<Vec<String>, authz::QueryError>, Failure> {
        let tuples = query.lend_tuples();
        self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_authz().call_list_objects(store, query.lend(&tuples))
        })
    }

    pub(crate) fn configure_sealing(
        &mut self,
        secret: &[u8],
    ) -> Result<Result<(), types::LoadError>, Failure> {
        self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_gate().call_configure_sealing(store, secret)
        })
    }

    pub(crate) fn body_limit(&mut self, head: &Head) -> Result<Option<u32>, Failure> {
        let headers = Field::lend_all(&head.headers);
        self.call(self.deadline, |policy, store| {
            policy.mandate_policy_gate().call_body_limit(store, head.lend(&headers))
        })
    }

    pub(crate) fn decide(
        &mut self,
        request: &Request,
        emission: &Emission,
        now: u64,
    ) -> Result<Answer, Failure> {
        let headers = Field::lend_all(&request.head.headers);
        let trailers = Field::lend_all(&request.trailers);
        let asked = request.lend(&headers, &trailers);
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_gate().call_decide(store, asked, emission.into(), now)
        })?;
        Answer::read(answer)
    }

    pub(crate) fn filter_list(
        &mut self,
        ticket: &str,
        content_type: Option<&str>,
        body: &[u8],
        now: u64,
    ) -> Result<ListReply, Failure> {
        // As many decisions as there are entries: the deadline of a load.
        let reply = self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_gate().call_filter_list(store, ticket, content_type, body, now)
        })?;
        Ok(ListReply::from(reply))
    }

    pub(crate) fn filter_stream(
        &mut self,
        ticket: &str,
        held: &[u8],
        chunk: &[u8],
        last: bool,
        now: u64,
    ) -> Result<Result<StreamPiece, String>, Failure> {
        let piece = self.call(self.load_deadline, |policy, store| {
            policy.mandate_policy_gate().call_filter_stream(store, ticket, held, chunk, last, now)
        })?;
        Ok(piece.map(StreamPiece::from))
    }

    pub(crate) fn seal_session(
        &mut self,
        scope: &str,
        id: &[u8],
    ) -> Result<Option<String>, Failure> {
        self.call(self.deadline, |policy, store| {
            policy.mandate_policy_gate().call_seal_session(store, scope, id)
        })
    }

    /// Fuel of the last call; `None` where it is not counted.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        self.plugin.engine().fuel_used(&self.store)
    }

    fn call<T>(
        &mut self,
        deadline: Duration,
        call: impl FnOnce(&bindings::Policy, &mut Store<Sandbox>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.plugin
            .engine()
            .arm(&mut self.store, deadline)
            .and_then(|()| call(&self.policy, &mut self.store))
            .map_err(|error| Failure::of(&error, deadline))
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Instance").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Bytes of a container's header with its signature: docs/snapshot-container.md#header.
fn header_bytes(container: &[u8]) -> Option<usize> {
    const LENGTH_AT: usize = 12;
    const SIGNATURE_BYTES: usize = 64;
    let (length, _) = container.get(LENGTH_AT..)?.split_first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*length)).ok()?.checked_add(SIGNATURE_BYTES)
}

/// Bytes of one step of loading. A MiB is allowed (docs/snapshot-container.md#steps); an instance never
/// gives back the memory in which a piece arrives, so it arrives in small ones.
const PIECE_BYTES: usize = 128 * 1024;
