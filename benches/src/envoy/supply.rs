//! The feed of a world: the one of `mandate snapshot serve`, filled from memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use mandate::feed::{
    Container, Feed, FeedOptions, FeedServer, History, ListenAddress, ServerOptions,
};
use mandate_authz::container::{Kind, PinnedKey, Position, SigningKey, Statement, seal};
use serde_json::{Value, json};

use super::deployment::{NAME, World};
use super::tokens::now;

/// A feed on a port of its own.
#[derive(Debug)]
pub struct Supply {
    feed: Arc<Feed>,
    _server: FeedServer,
    slice: &'static str,
    /// Where it listens.
    pub port: u16,
}

impl Supply {
    /// Serves nothing yet.
    ///
    /// # Errors
    /// When there is no port.
    pub fn empty(slice: &'static str) -> Result<Self> {
        let options = FeedOptions { key: Some(key()?) };
        let feed = Feed::new(options).map_err(|problem| anyhow!("{problem:?}"))?;
        let port = super::process::free_port()?;
        let listen = ListenAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let feed = Arc::new(feed);
        let server = FeedServer::start(Arc::clone(&feed), &ServerOptions { listen })?;
        Ok(Self { feed, _server: server, slice, port })
    }

    /// Serves a world.
    ///
    /// # Errors
    /// As [`Supply::empty`], or when it cannot be signed.
    pub fn of(world: &World) -> Result<Self> {
        let supply = Self::empty(world.size.slice)?;
        supply.publish(&world.body, 1)?;
        Ok(supply)
    }

    /// Publishes a snapshot of an epoch, which follows on nothing. Its bytes in all.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn publish(&self, body: &[u8], epoch: u64) -> Result<usize> {
        let statement = Statement {
            kind: Kind::Snapshot,
            raw: false,
            deployment: NAME.to_owned(),
            slice: self.slice.to_owned(),
            position: Position::new(1, epoch),
            contract_version: [1, 0, 0],
            issued_at: now()?,
        };
        let key = key()?;
        let bytes = seal(&statement, body, &key).map_err(|problem| anyhow!("{problem:?}"))?;
        let length = bytes.len();
        let pinned = PinnedKey::parse(&key.to_public_jwk()).map_err(|it| anyhow!("{it:?}"))?;
        let container = Container::verify(bytes, &[pinned]).map_err(|it| anyhow!("{it:?}"))?;
        self.feed.publish(History::arrange(&[container]).history, now()?);
        Ok(length)
    }

    /// Whose state it is, as the filter is told.
    ///
    /// # Errors
    /// When there is no key.
    pub fn state(&self) -> Result<Value> {
        let key: Value = serde_json::from_str(&key()?.to_public_jwk()).context("a JWK")?;
        Ok(json!({"deployment": NAME, "slice": self.slice, "keys": [key]}))
    }
}

fn key() -> Result<SigningKey> {
    SigningKey::from_seed([1; 32]).map_err(|problem| anyhow!("{problem:?}"))
}
