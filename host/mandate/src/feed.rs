//! The feed: snapshots, deltas and heartbeats over plain HTTP (docs/feed.md).
//!
//! A [`Feed`] knows what is published and answers questions about it; it does no I/O but signing.
//! [`FeedServer`] puts it on a socket, [`Folder`] fills it from files. Whoever has another source
//! fills it with the same [`Feed::publish`].

mod container;
mod feed_state;
mod folder;
mod history;
mod http;
mod query;
mod routes;
mod server;
mod socket;

pub use container::{Container, Rejected};
pub use feed_state::{Deltas, Feed, FeedOptions, HEARTBEAT_SECONDS};
pub use folder::{EXTENSION, Folder};
pub use history::{History, Published};
pub use query::Query as DeltasQuery;
pub use routes::matches_tag;
pub use server::{FeedServer, ServerOptions};
pub use socket::ListenAddress;
