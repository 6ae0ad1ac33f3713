//! The gate: a request in, and what to do with it out.
//!
//! A middleware asks [`Policy::body_limit`](crate::Policy::body_limit) with the head, reads so much
//! of the body, asks [`Policy::decide`](crate::Policy::decide), and does what [`Answer`] says.

mod answer;
mod event_stream;
mod request;

pub use self::answer::{
    Answer, Header, ListReply, Pass, Reply, ResponseDuty, SessionDuty, StreamPiece, Verdict,
};
pub use self::event_stream::EventStream;
pub use self::request::{Emission, Field, Head, Request};
