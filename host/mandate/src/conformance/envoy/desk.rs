//! What Envoy asks by `ext_authz`: the door of `mandate serve` over gRPC, with the plugin on the
//! ground of each case.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::post;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use mandate_authn::LoadError;
use mandate_host::gate::Emission;
use mandate_host::{Plugin, Policy};

use super::clock;
use super::ground::{Ground, Grounds};
use crate::conformance::patient_limits;
use crate::feed::ListenAddress;
use crate::server::ExtAuthzSettings;
use crate::server::ext_authz::{
    AttributeContext, CHECK, CheckResponse, GrpcStatus, answer, judge, read, write,
};

/// The door, and what was decided at it.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    shared: Arc<Shared>,
    pub(super) port: u16,
}

#[derive(Debug)]
struct Shared {
    plugin: Plugin,
    settings: ExtAuthzSettings,
    /// By the ground's number; a trust that does not load keeps a server from starting.
    policies: Mutex<BTreeMap<String, Result<Policy, String>>>,
    decided: Mutex<BTreeMap<String, Vec<Decided>>>,
    sequence: AtomicU64,
}

/// What was decided for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) reason: String,
    /// The audit record.
    pub(super) record: Option<String>,
}

impl Desk {
    /// Serves on a port of its own until the process ends.
    pub(super) fn serve(plugin: Plugin) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("the door of ext_authz")?;
        let address = listener.local_addr()?;
        let settings = ExtAuthzSettings {
            listen: ListenAddress::Tcp(address),
            tls: None,
            proxies: Vec::new(),
            peer_address: false,
            client_certificate: false,
        };
        let shared = Arc::new(Shared {
            plugin,
            settings,
            policies: Mutex::default(),
            decided: Mutex::default(),
            sequence: AtomicU64::new(1),
        });
        let router = Router::new().route(CHECK, post(check)).with_state(Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        listener.set_nonblocking(true)?;
        thread::spawn(move || runtime.block_on(accept(listener, router)));
        Ok(Self { shared, port: address.port() })
    }

    /// Puts these grounds in the place of those before.
    pub(super) fn put(&self, grounds: &Grounds) {
        let stand = |(number, ground): (&usize, &Ground)| {
            (authority(*number), stand(&self.shared.plugin, ground))
        };
        let policies = grounds.iter().map(stand).collect();
        *self.shared.policies.lock().unwrap_or_else(PoisonError::into_inner) = policies;
    }

    /// What was decided for requests to a host.
    pub(super) fn take(&self, host: &str) -> Vec<Decided> {
        let mut decided = self.shared.decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.remove(host).unwrap_or_default()
    }

    /// Why a ground cannot be stood on.
    pub(super) fn refused(&self, number: usize) -> Option<String> {
        let policies = self.shared.policies.lock().unwrap_or_else(PoisonError::into_inner);
        policies.get(&authority(number))?.as_ref().err().cloned()
    }
}

/// By which name Envoy calls the door of a ground.
pub(super) fn authority(number: usize) -> String {
    format!("ground-{number}")
}

/// The plugin with what a server would have. It seals no sessions, and so has no secret.
fn stand(plugin: &Plugin, ground: &Ground) -> Result<Policy, String> {
    let policy = Policy::new(plugin.clone(), patient_limits()).map_err(|it| it.to_string())?;
    policy.load_trust(&ground.trust.to_string()).map_err(|error| {
        let error = LoadError { path: error.path, message: error.message }.under("trust");
        format!("the configuration is refused: {error}")
    })?;
    policy.configure_state(&ground.state.to_string()).map_err(|error| error.to_string())?;
    let (snapshot, deltas) = ground.containers.split_first().unzip();
    // What is refused is not in force: the answer says so.
    drop(snapshot.map(|snapshot| policy.load_state(snapshot)));
    for delta in deltas.unwrap_or_default() {
        drop(policy.apply_delta(delta));
    }
    Ok(policy)
}

async fn accept(listener: TcpListener, router: Router) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            // What breaks off is seen by who asked.
            drop(builder.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn check(State(shared): State<Arc<Shared>>, request: Request) -> axum::response::Response {
    answer(answered(shared, request).await)
}

async fn answered(shared: Arc<Shared>, request: Request) -> Result<CheckResponse, GrpcStatus> {
    let ground = request.uri().authority().map(|authority| authority.host().to_owned());
    let attributes = read(request).await?;
    let deciding = move || shared.decide(&ground.unwrap_or_default(), attributes);
    tokio::task::spawn_blocking(deciding).await.map_err(|_| GrpcStatus::Unavailable)?
}

impl Shared {
    fn decide(
        &self,
        ground: &str,
        attributes: AttributeContext,
    ) -> Result<CheckResponse, GrpcStatus> {
        let policies = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = policies.get(ground).and_then(|policy| policy.as_ref().ok()).cloned();
        drop(policies);
        let policy = policy.ok_or(GrpcStatus::Unavailable)?;
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let emission = Emission {
            decision_id: format!("conformance/{sequence}"),
            source: "conformance".to_owned(),
            sequence,
        };
        let host = attributes.authority().unwrap_or_default();
        let outcome = judge(attributes, &self.settings, &emission, |request| {
            policy.decide(request, &emission, clock::seconds())
        });
        let decided = Decided { reason: outcome.reason, record: outcome.audit };
        let mut all = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(host).or_default().push(decided);
        drop(all);
        Ok(write(outcome.verdict))
    }
}
