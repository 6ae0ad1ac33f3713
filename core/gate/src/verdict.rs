//! What a host does with a request, and what it writes down.

use mandate_authn::ReasonCode;

use crate::audit::AuditRecord;
use crate::response::ResponseDuty;

/// The gate's answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What to do.
    pub verdict: Verdict,
    /// `ok`, or why not. Where a denial is only observed, the verdict passes and this says why it
    /// would not have.
    pub reason: ReasonCode,
    /// The operator's line; empty for `ok`. Never for the caller.
    pub detail: String,
    /// What to write down; absent for what is open to everybody.
    pub audit: Option<AuditRecord>,
    /// The issuer whose key set should be fetched again.
    pub refresh: Option<String>,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answer it here: nothing of it goes upstream.
    Reply(Reply),
    /// Let it go upstream, changed as [`Pass`] says.
    Pass(Box<Pass>),
}

/// An answer that the gate gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header fields: names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// How a request goes upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Header fields to remove, every occurrence: names as they came, in lower case.
    pub remove: Vec<String>,
    /// Trailer fields to remove.
    pub remove_trailers: Vec<String>,
    /// Header fields to set, after the removal: each replaces every value of its name.
    pub set: Vec<(&'static str, String)>,
    /// What the response needs.
    pub response: ResponseDuty,
}
