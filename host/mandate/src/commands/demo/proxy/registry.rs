//! What stands in for the registry: a signed snapshot of facts, and a feed of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use mandate_authn::Contract;
use mandate_authz::container::{PinnedKey, SigningKey};
use mandate_authz::delta;
use mandate_authz::facts::Facts;
use mandate_authz::policy::Policy as Rules;
use mandate_authz::snapshot::Snapshot;
use serde_json::Value;

use crate::commands::demo::now;
use crate::commands::demo::secret::random_bytes;
use crate::commands::snapshot::Difference;
use crate::conformance::shared_model;
use crate::engine::LocalState;
use crate::feed::{
    Container, Feed, FeedOptions, FeedServer, History, ListenAddress, ServerOptions,
};

/// Facts under a key of this run alone, served on loopback.
pub(super) struct Registry {
    rules: Rules,
    state: LocalState,
    pin: PinnedKey,
    /// The body of the first snapshot, and the snapshot.
    body: Vec<u8>,
    snapshot: Vec<u8>,
    feed: Arc<Feed>,
    server: FeedServer,
}

impl Registry {
    pub(super) fn start(contract: &Value, facts: &Value) -> Result<Self> {
        let contract = Contract::parse(&contract.to_string()).context("the contract")?;
        let rules = Rules::from_contract(&contract).context("the contract")?;
        let rules = rules.context("the contract says nothing about decisions")?;
        let seed = random_bytes()?;
        let state = LocalState::with_seed(seed, false, contract.version())?;
        let key = SigningKey::from_seed(seed)?;
        let pin = PinnedKey::parse(&key.to_public_jwk())?;
        let body = body(facts, &rules)?;
        let snapshot = state.snapshot_at(&body, now())?;
        let feed = Arc::new(Feed::new(FeedOptions { key: Some(key) })?);
        let listen = ListenAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let server = FeedServer::start(Arc::clone(&feed), &ServerOptions { listen })?;
        let registry = Self { rules, state, pin, body, snapshot, feed, server };
        registry.publish(&[&registry.snapshot])?;
        Ok(registry)
    }

    /// Where the feed is.
    pub(super) fn url(&self) -> String {
        self.server.address().url()
    }

    /// Whose state it is, and signed with which key.
    pub(super) fn config(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.state.config()?)?)
    }

    /// Publishes what these facts change, as a signed delta: once a run.
    pub(super) fn change(&self, facts: &Value) -> Result<()> {
        let before = Snapshot::from_body(self.body.clone())?;
        let after = Snapshot::from_body(body(facts, &self.rules)?)?;
        let rows = delta::encode(&Difference::between(&before, &after)?.rows())?;
        self.publish(&[&self.snapshot, &self.state.delta(&rows, now())?])
    }

    fn publish(&self, containers: &[&[u8]]) -> Result<()> {
        let verified = containers.iter().map(|bytes| {
            Container::verify(bytes.to_vec(), std::slice::from_ref(&self.pin))
                .map_err(|rejected| anyhow::anyhow!("a container of our own: {rejected:?}"))
        });
        let published = History::arrange(&verified.collect::<Result<Vec<_>>>()?);
        if let Some((_, rejected)) = published.rejected.first() {
            bail!("a container of our own: {rejected:?}");
        }
        self.feed.publish(published.history, now());
        Ok(())
    }
}

fn body(facts: &Value, rules: &Rules) -> Result<Vec<u8>> {
    // JSON is YAML.
    let facts = Facts::parse(&facts.to_string()).context("facts")?;
    let world = facts.into_world(shared_model()?, rules).context("facts")?;
    Ok(world.build([0; 16])?)
}
