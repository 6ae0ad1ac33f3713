//! What one plugin of one VM holds: the gate, what supplies its state, and its own count.

use mandate_authn::{LoadError, ReasonCode, SignatureBackend};
use mandate_gate::{Answer, Emission, Gate, Request, Verdict};

use crate::configuration::{Configuration, RouteName};
use crate::host::{Host, HostProblem, MetricKind};
use crate::metrics::Metrics;
use crate::sync::{Arrived, Keys, Shelf, Sync, Turn};

/// A plugin that is configured.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) gate: Gate,
    pub(crate) metrics: Metrics,
    pub(crate) route: RouteName,
    pub(crate) client_certificate: bool,
    pub(crate) peer_address: bool,
    source: String,
    sequence: u64,
    verifications: u32,
    tick_milliseconds: u32,
    turn: Turn,
    sync: Sync,
    pub(crate) keys: Keys,
}

/// Why a plugin cannot be configured: Envoy refuses the configuration, or answers 503.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unconfigured(pub(crate) String);

impl Worker {
    /// Reads the configuration, takes a number among the VMs, and takes up at once what is shared.
    ///
    /// `backend` verifies the signatures of tokens.
    pub(crate) fn configure(
        host: &dyn Host,
        text: &str,
        backend: Box<dyn SignatureBackend>,
    ) -> Result<Self, Unconfigured> {
        let configuration = Configuration::parse(text)?;
        let mut gate = Gate::with_backend(backend);
        gate.authorizer_mut()
            .configure_state(&configuration.state)
            .map_err(|error| error.under("state"))?;
        let without_keys = match &configuration.trust {
            None => None,
            Some(trust) => {
                let loaded = gate.load_trust(trust).map_err(|error| error.under("trust"))?;
                Some(loaded.issuers_without_keys)
            }
        };
        if let Some(secret) = &configuration.session_secret {
            gate.configure_sealing(secret).map_err(|error| error.under("session_secret"))?;
        }
        let supply = &configuration.supply;
        let shelf = (configuration.must_share() || is_shared_with_ours_alone(host)?)
            .then(|| Shelf::of(gate.authorizer().state().config()));
        let keys = Keys::new(configuration.key_sets, shelf.clone(), without_keys.as_deref())?;
        let (emitter, now) = (&configuration.emitter, host.now()?);
        let source = format!("{emitter}.{now:x}.{}", number_among_vms(host)?);
        let mut worker = Self {
            turn: Turn::new(supply, shelf.as_ref(), &source),
            sync: Sync::new(supply, shelf),
            keys,
            gate,
            metrics: Metrics::default(),
            route: configuration.route,
            client_certificate: configuration.client_certificate,
            peer_address: configuration.peer_address,
            source,
            sequence: 0,
            verifications: configuration.verifications,
            tick_milliseconds: configuration.tick_milliseconds,
        };
        // A VM that was loaded anew after a trap decides again before its first tick.
        worker.on_tick(host);
        Ok(worker)
    }

    /// Milliseconds between two ticks.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "the module's own"))]
    pub(crate) const fn tick_milliseconds(&self) -> u32 {
        self.tick_milliseconds
    }

    /// Looks for news, and allows the next checks of signatures.
    pub(crate) fn on_tick(&mut self, host: &dyn Host) {
        let validator = self.gate.authorizer_mut().validator();
        let left = validator.verifications_left().unwrap_or(self.verifications);
        let checked = self.verifications.saturating_sub(left);
        validator.allow_verifications(Some(self.verifications));
        self.metrics.add(host, "signatures", "checked", i64::from(checked));
        let Ok(now) = host.now() else { return };
        let turn = (now, self.turn.is_ours(host, now));
        let state = self.gate.authorizer_mut().state_mut();
        self.sync.on_tick(host, state, &mut self.metrics, turn);
        let validator = self.gate.authorizer_mut().validator();
        self.keys.on_tick(host, validator, &mut self.metrics, turn);
        self.state_metrics(host, now);
    }

    /// An answer of the feed, or a key set.
    pub(crate) fn on_call_response(
        &mut self,
        host: &dyn Host,
        call: u32,
        fields: u32,
        body: usize,
    ) {
        let arrived = Arrived { call, fields, body };
        // Between two ticks it may have become another VM's turn.
        let answer = (&arrived, host.now().is_ok_and(|now| self.turn.is_ours(host, now)));
        let validator = self.gate.authorizer_mut().validator();
        if self.keys.on_call_response(host, validator, &mut self.metrics, answer) {
            return;
        }
        let state = self.gate.authorizer_mut().state_mut();
        self.sync.on_call_response(host, state, &mut self.metrics, answer);
    }

    /// Decides a request, and counts it.
    pub(crate) fn decide(
        &mut self,
        host: &dyn Host,
        request: &Request<'_>,
    ) -> Result<Answer, HostProblem> {
        let now = host.now()?;
        let sequence = self.sequence.saturating_add(1);
        let decision_id = format!("{}.{sequence}", self.source);
        let emission = Emission { decision_id: &decision_id, source: &self.source, sequence };
        let answer = self.gate.decide(request, seconds(now), &emission);
        if answer.audit.is_some() {
            // The count has no gaps: what leaves no record takes no number.
            self.sequence = sequence;
        }
        if let Some(issuer) = &answer.refresh {
            self.keys.want(issuer);
        }
        let verdict = match answer.verdict {
            Verdict::Reply(_) if answer.reason == ReasonCode::Ok => "answered",
            Verdict::Reply(_) => "denied",
            Verdict::Pass(_) if answer.reason == ReasonCode::Ok => "allowed",
            Verdict::Pass(_) => "observed",
        };
        let took = host.now().map_or(0, |then| then.saturating_sub(now)) / 1000;
        self.metrics.decided(host, verdict, answer.reason, took);
        Ok(answer)
    }

    fn state_metrics(&mut self, host: &dyn Host, now: u64) {
        let Some(meta) = self.gate.authorizer().state().meta() else { return };
        let (epoch, age) = (meta.position.epoch, seconds(now).saturating_sub(meta.issued_at));
        self.metrics.record(host, MetricKind::Gauge, "state.epoch", epoch);
        self.metrics.record(host, MetricKind::Gauge, "state.age_seconds", age);
    }
}

/// Whether what is shared belongs to a `vm_id` that somebody chose: with none it belongs to all plugins
/// that have none, of whomever.
fn is_shared_with_ours_alone(host: &dyn Host) -> Result<bool, HostProblem> {
    let name = host.property(&["plugin_vm_id"])?;
    Ok(name.is_some_and(|name| !name.is_empty()))
}

/// Seconds of the nanoseconds that the host counts.
pub(crate) const fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds / 1_000_000_000
}

/// A number among the VMs of this process. Together with the moment, in nanoseconds, decision ids begin
/// with it: the very first two VMs may get the same number, since the host compares no version where
/// there is no value yet.
fn number_among_vms(host: &dyn Host) -> Result<u64, Unconfigured> {
    const KEY: &str = "mandate/vms";
    // As many workers as a machine has cores configure themselves at once.
    const ATTEMPTS: u32 = 1000;
    for _ in 0..ATTEMPTS {
        let (known, version) = match host.shared(KEY)? {
            None => (0, 0),
            Some((bytes, version)) => {
                let number = bytes.try_into().map(u64::from_le_bytes);
                (number.map_err(|_| Unconfigured(format!("`{KEY}` is somebody else's")))?, version)
            }
        };
        let number = known.saturating_add(1);
        if host.share(KEY, &number.to_le_bytes(), version)? {
            return Ok(number);
        }
    }
    Err(Unconfigured("no number among the VMs was to be had".to_owned()))
}

impl From<LoadError> for Unconfigured {
    fn from(error: LoadError) -> Self {
        Self(format!("the configuration is refused: {error}"))
    }
}

impl From<HostProblem> for Unconfigured {
    fn from(problem: HostProblem) -> Self {
        Self(problem.to_string())
    }
}
