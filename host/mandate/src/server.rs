//! The server: Mandate's decision by standard doors (docs/server.md).
//!
//! Every decision is made by the plugin through `mandate-host`; what is here reads requests, looks
//! things up, and writes answers. Calls that block (the plugin, the registry) run on threads whose
//! number is bounded, and so is the number of those who wait for one.

#![expect(
    clippy::result_large_err,
    reason = "an error is the answer that goes out: made once for a request, and moved to where it is sent"
)]

mod admin;
mod answer;
mod audit_intake;
mod audit_log;
mod authzen;
mod body;
mod caller;
mod clock;
mod connection;
mod contract;
mod endpoint;
mod evaluation;
pub(crate) mod ext_authz;
mod feeds;
mod form;
mod health;
mod introspection;
mod journal;
mod listener;
mod metrics;
mod notifier;
mod openapi;
mod permit;
mod publisher;
mod query;
mod registries;
mod router;
mod settings;
mod shared;
mod tls;
mod trust;
mod workers;

use std::sync::Arc;

use anyhow::Context as _;
use mandate_authz::container::SigningKey;
use mandate_authz::model::Model;
use mandate_host::Plugin;
use mandate_registry::Registry;
use mandate_registry::content::Slice;
use rustls::ServerConfig;
use serde_json::Value;

pub use self::endpoint::{Admission, Body, ENDPOINTS, Endpoint, Form, Parameter};
pub use self::ext_authz::ExtAuthzSettings;
pub use self::openapi::document as openapi;
pub use self::settings::{LimitSettings, Settings, TlsSettings};

use self::connection::Door;
use self::shared::Shared;
use crate::webhook::Hook;

/// Opens one more connection to the registry.
pub type OpenRegistry = Arc<dyn Fn() -> anyhow::Result<Registry> + Send + Sync>;

/// What a server is made of, beside its settings.
pub struct Deployment {
    /// The contract as written.
    pub contract: Value,
    /// The model as read.
    pub model: Model,
    /// Connects to the registry.
    pub open: OpenRegistry,
    /// Signs what the feed publishes.
    pub key: SigningKey,
    /// What the feed serves.
    pub slices: Vec<Slice>,
    /// What decides.
    pub plugin: Plugin,
    /// Who is told of what happens to the contract.
    pub hooks: Vec<Hook>,
}

impl std::fmt::Debug for Deployment {
    // The key is a secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Deployment").field("slices", &self.slices).finish_non_exhaustive()
    }
}

/// Reads certificate, key and authorities, and keeps nothing of them.
///
/// # Errors
/// The first file that is wrong.
pub fn check_tls(settings: &Settings) -> anyhow::Result<()> {
    tls_of(settings).map(drop)
}

type Tls = Option<Arc<ServerConfig>>;

/// TLS of the server's listener, and of that of proxies.
fn tls_of(settings: &Settings) -> anyhow::Result<(Tls, Tls)> {
    let configure =
        |place, tls: Option<&TlsSettings>| tls.map(|tls| tls::configure(place, tls)).transpose();
    let proxies = settings.ext_authz.as_ref().and_then(|proxies| proxies.tls.as_ref());
    Ok((configure("serve.tls", settings.tls.as_ref())?, configure("serve.ext_authz.tls", proxies)?))
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    door: Door,
    /// That of proxies.
    ext_authz: Option<Door>,
}

impl Server {
    /// Connects, publishes a first snapshot, and listens. It answers once [`Server::run`] is called.
    ///
    /// # Errors
    /// One line: a setting that does not fit the contract, a port in use, a bad certificate, a
    /// registry that cannot be reached.
    pub async fn start(settings: Settings, deployment: Deployment) -> anyhow::Result<Self> {
        let (tls, tls_of_proxies) = tls_of(&settings)?;
        let door = Door::open(("serve", &settings.listen), tls, &settings.limits).await?;
        let ext_authz = match &settings.ext_authz {
            None => None,
            Some(ExtAuthzSettings { listen, .. }) => {
                let place = ("serve.ext_authz", listen);
                Some(Door::open(place, tls_of_proxies, &settings.limits).await?)
            }
        };
        let started = tokio::task::spawn_blocking(move || Shared::start(settings, deployment));
        let shared = started.await.context("the start was interrupted")??;
        Ok(Self { shared, door, ext_authz })
    }

    /// Where it listens, as whoever asks it writes it.
    #[must_use]
    pub fn address(&self) -> String {
        self.door.url()
    }

    /// Where it listens for proxies.
    #[must_use]
    pub fn ext_authz(&self) -> Option<String> {
        self.ext_authz.as_ref().map(Door::url)
    }

    /// Answers until `stop` is there; then takes nothing new, and answers what it has taken.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { shared, door, ext_authz } = self;
        shared.journal.event("ready", &[("listen", &door.url())]);
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let first = async {
            let stop = async { drop((stop.await, stopping)) };
            door.serve(&shared, router::router(&shared), stop).await;
        };
        let second = async {
            let Some(door) = ext_authz else { return };
            door.serve(&shared, ext_authz::router(&shared), async { drop(stopped.await) }).await;
        };
        tokio::join!(first, second);
        let stopping = Arc::clone(&shared);
        // Joins threads, which blocks.
        let _ = tokio::task::spawn_blocking(move || stopping.stop()).await;
        shared.journal.event("stopped", &[]);
        let journal = shared.journal;
        let _ = tokio::task::spawn_blocking(move || journal.flush()).await;
    }
}
