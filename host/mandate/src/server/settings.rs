//! The member `serve` of the configuration: docs/server.md#configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use mandate_authn::Contract;
use mandate_authz::policy::{Action, ActionTarget, Policy, Protocol};
use serde::Deserialize;

use super::evaluation::is_of;
use super::ext_authz::ExtAuthzSettings;
use crate::feed::ListenAddress;

/// How the server is reached, by whom, and how much of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `ADDRESS:PORT`, or `unix:/PATH`.
    #[serde(deserialize_with = "address")]
    pub listen: ListenAddress,
    /// Where callers reach it: what the metadata says, whatever a request calls it.
    pub base_url: String,
    /// The audience of the tokens of callers: one that the contract has.
    pub audience: String,
    /// The action that callers need, on no resource.
    #[serde(default = "evaluate")]
    pub action: String,
    /// Where requests of AuthZEN are decided: the audience of a route of the contract.
    pub decisions: String,
    /// Certificate and key; without them only loopback and Unix sockets are listened at.
    pub tls: Option<TlsSettings>,
    /// Where proxies ask; without it nowhere.
    pub ext_authz: Option<ExtAuthzSettings>,
    /// Who may read which slice of the feed: objects of principals, by the slice's name.
    #[serde(default)]
    pub feed_readers: BTreeMap<String, Vec<String>>,
    /// Who may append records of decisions, of which emitters: by the object of the caller.
    #[serde(default)]
    pub audit_sources: BTreeMap<String, Vec<String>>,
    /// Who may ask about tokens of which audiences: by the object of the caller.
    #[serde(default)]
    pub introspection: BTreeMap<String, Vec<String>>,
    /// Who may register tenants and people, take over facts and begin an era: objects of people.
    #[serde(default)]
    pub operators: BTreeSet<String>,
    /// Key sets out of files, by issuer, in place of the issuer's own.
    #[serde(default)]
    pub key_sets: BTreeMap<String, PathBuf>,
    /// Certificate authorities (PEM) to trust, instead of the public ones, when fetching keys.
    pub authorities: Option<PathBuf>,
    /// How much.
    #[serde(default)]
    pub limits: LimitSettings,
}

/// TLS of the listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate with its chain: PEM.
    pub certificate: PathBuf,
    /// Its private key: PEM.
    pub key: PathBuf,
    /// Authorities of client certificates (PEM): a client may come with one.
    pub client_authorities: Option<PathBuf>,
}

impl TlsSettings {
    /// The files that it names.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.certificate, &mut self.key].into_iter().chain(&mut self.client_authorities)
    }
}

/// Bounds. Each request beyond one is refused, none waits without end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests at once.
    pub requests: usize,
    /// Milliseconds from the head of a request to its answer; long polls wait longer.
    pub request_ms: u64,
    /// Milliseconds that accepted requests have to be answered once the server stops.
    pub drain_ms: u64,
    /// Evaluations in one request.
    pub evaluations: usize,
    /// Results of one page of a search.
    pub page: usize,
    /// Candidates that one page of a search looks at.
    pub candidates: usize,
    /// Records that wait to be written to the audit chain.
    pub audit_records: usize,
    /// Connections to the registry.
    pub registry_connections: usize,
    /// MiB of one instance of the plugin.
    pub instance_mib: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            connections: 4096,
            requests: 1024,
            request_ms: 5000,
            drain_ms: 30_000,
            evaluations: 100,
            page: 100,
            candidates: 1000,
            audit_records: 16_384,
            registry_connections: 4,
            instance_mib: 256,
        }
    }
}

impl LimitSettings {
    pub(super) const fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }

    pub(super) const fn drain_time(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    fn check(&self) -> anyhow::Result<()> {
        let least_of_one = [
            ("connections", self.connections),
            ("requests", self.requests),
            ("evaluations", self.evaluations),
            ("page", self.page),
            ("candidates", self.candidates),
            ("audit_records", self.audit_records),
            ("registry_connections", self.registry_connections),
            ("instance_mib", self.instance_mib),
        ];
        for (name, value) in least_of_one {
            ensure!(value > 0, "`serve.limits.{name}`: must be at least 1");
        }
        ensure!(self.body_bytes >= 1024, "`serve.limits.body_bytes`: must be at least 1024");
        ensure!(self.request_ms >= 100, "`serve.limits.request_ms`: must be at least 100");
        ensure!(self.instance_mib <= 3072, "`serve.limits.instance_mib`: must be at most 3072");
        Ok(())
    }
}

impl Settings {
    /// Reads the member; paths are found from the folder of the configuration.
    ///
    /// # Errors
    /// The first member that is wrong.
    pub fn read(value: &serde_json::Value, folder: &Path) -> anyhow::Result<Self> {
        let mut settings: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { "serve".to_owned() } else { format!("serve.{path}") };
            anyhow!("`{place}`: {}", error.into_inner())
        })?;
        let tls = settings.tls.iter_mut().flat_map(TlsSettings::paths);
        let ext_authz = settings.ext_authz.iter_mut().flat_map(ExtAuthzSettings::paths);
        let keys = settings.key_sets.values_mut().chain(&mut settings.authorities);
        for path in tls.chain(ext_authz).chain(keys) {
            *path = folder.join(&*path);
        }
        Ok(settings)
    }

    /// Refuses what would be open, or what the contract has no place for.
    ///
    /// # Errors
    /// The first member that is wrong, and why.
    pub fn check(&self, contract: &Contract, policy: &Policy) -> anyhow::Result<()> {
        self.limits.check()?;
        self.ext_authz.as_ref().map_or(Ok(()), ExtAuthzSettings::check)?;
        if self.tls.is_none() && self.listen.is_exposed() {
            bail!("`serve.tls`: is missing, and {} is not loopback", self.listen);
        }
        let bare = self.base_url.trim_end_matches('/') == self.base_url;
        let scheme = self.base_url.starts_with("https://") || is_loopback(&self.base_url);
        let plain = !self.base_url.contains(['?', '#', ' ']);
        ensure!(
            bare && scheme && plain,
            "`serve.base_url`: must be an https URL without query and without a slash at its end"
        );
        for (member, audience) in [("audience", &self.audience), ("decisions", &self.decisions)] {
            let listed = contract.audiences().any(|(known, _)| known == audience);
            ensure!(listed, "`serve.{member}`: the contract lists no audience `{audience}`");
            let route = policy.route(audience);
            let is_http =
                route.is_some_and(|route| matches!(route.protocol, Protocol::Http { .. }));
            ensure!(
                is_http,
                "`serve.{member}`: `authz.routes` of the contract has no `http` route `{audience}`"
            );
        }
        for (caller, audiences) in &self.introspection {
            for audience in audiences {
                ensure!(
                    policy.route(audience).is_some(),
                    "`serve.introspection`: `{caller}`: the contract has no route `{audience}`"
                );
            }
        }
        let user = policy.types().user.as_str();
        for operator in &self.operators {
            ensure!(
                is_of(operator, user),
                "`serve.operators`: `{operator}` is no `{user}:ID`: only people manage"
            );
        }
        // A token for what is guarded must not open the server, nor the other way round.
        ensure!(
            self.audience != self.decisions,
            "`serve.decisions`: must be another audience than `serve.audience`"
        );
        let on_none =
            |action: &Action| matches!(action.on, ActionTarget::Nothing | ActionTarget::Session);
        ensure!(
            policy.action(&self.action).is_some_and(on_none),
            "`serve.action`: the contract has no action `{}` on `none` or `session`",
            self.action
        );
        Ok(())
    }
}

fn is_loopback(url: &str) -> bool {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
        let after = rest.strip_prefix(host);
        after.is_some_and(|after| after.is_empty() || after.starts_with([':', '/']))
    })
}

fn evaluate() -> String {
    "evaluate".to_owned()
}

pub(super) fn address<'de, D: serde::Deserializer<'de>>(
    reader: D,
) -> Result<ListenAddress, D::Error> {
    let text = String::deserialize(reader)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for url in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/pdp"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://127.0.0.1.example", "http://localhost.example", "http://pdp"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
