//! Token validation: bytes, key sets, expectations and now, to a [`VerifiedToken`] or a
//! [`Refusal`].
//!
//! The rules are those of `contract/CONTRACT.md`: RFC 7519 and RFC 8725, RFC 9068 access tokens,
//! RFC 8693 `act`. Nothing here does I/O, reads a clock, or panics on input; work is bounded by the
//! token's size. A check cannot be configured away: a contract that tries does not load.

#![forbid(unsafe_code)]

mod algorithm;
pub mod base64url;
mod cache;
mod claims;
mod compact;
mod contract;
mod header;
mod json;
mod key;
mod key_set;
pub mod limits;
mod load_error;
mod pointer;
mod reason_code;
mod refusal;
mod signature;
mod signed_statement;
mod text;
mod trust;
mod unverified;
mod validator;
mod verified_token;
pub mod wire;

pub use crate::algorithm::Algorithm;
pub use crate::contract::{App, Contract, Issuer, Route, Status, read as read_document};
pub use crate::json::{CanonicalObject, Json, JsonError, Object, object as json_object};
pub use crate::key::{KeyUnfit, PublicKey};
pub use crate::key_set::KeySet;
pub use crate::load_error::LoadError;
pub use crate::reason_code::*;
pub use crate::refusal::{ClaimProblem, KeysState, Malformation, Part, Refusal};
pub use crate::signature::{RingBackend, SignatureBackend, SignatureInvalid, VerifyingKey};
pub use crate::signed_statement::SignedStatement;
pub use crate::trust::Trust;
pub use crate::unverified::UnverifiedToken;
pub use crate::validator::{Request, TrustStatus, Validation, Validator, verify_jws};
pub use crate::verified_token::{Actor, Confirmation, MayAct, Role, VerifiedToken};
