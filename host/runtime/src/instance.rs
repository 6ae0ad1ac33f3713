//! One instance of the plugin: it answers one call at a time, and no more after a failure.

use std::fmt;
use std::time::Duration;

use wasmtime::Store;

use crate::answer::{JwsCheck, Validation};
use crate::bindings::{self, authn, types};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::plugin::Plugin;
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
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authn().call_validate(store, token, &request.into())
        })?;
        Validation::read(answer, request)
    }

    pub(crate) fn verify_jws(&mut self, keys: &str, token: &str) -> Result<JwsCheck, Failure> {
        let answer = self.call(self.deadline, |policy, store| {
            policy.mandate_policy_authn().call_verify_jws(store, keys, token)
        })?;
        JwsCheck::read(answer)
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
