//! The agent context: a short-lived statement, signed by an agent's own key, that names the user it
//! acts for in this one call. Contract: contract/CONTRACT.md#agent-context.

use mandate_authn::{Json, Object as Claims, SignedStatement, base64url};
use ring::digest;

use crate::limits;
use crate::name::ObjectName;
use crate::records::{CredentialView, Records};
use crate::snapshot::Object;

/// The header's `typ`. No issuer can list it: it is no access token's.
const TYPE: &str = "agent-context+jwt";

/// What a context must have been signed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'c> {
    /// The route's audience.
    pub(crate) audience: &'c str,
    /// The MCP server, if any.
    pub(crate) server: Option<&'c str>,
    /// The MCP tool, if any.
    pub(crate) tool: Option<&'c str>,
    /// The access token as it came.
    pub(crate) token: &'c [u8],
    /// Seconds since the epoch.
    pub(crate) now: u64,
    /// Seconds of clock skew.
    pub(crate) skew: u64,
}

/// A context that was checked in every member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgentContext {
    pub(crate) agent: ObjectName,
    /// The object of the credential that signed.
    pub(crate) signer: Object,
    pub(crate) user: ObjectName,
    pub(crate) issued_at: u64,
    /// `jti`
    pub(crate) id: String,
}

/// Why a context is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextRefusal {
    /// The credential that signed has expired.
    CredentialExpired,
    /// The credential that signed was revoked.
    CredentialRevoked,
    /// A member is wrong, or the signature.
    Invalid(&'static str),
}

/// Verifies a context against the call that it came with.
///
/// The credential's state is looked at after the signature: who cannot sign learns nothing.
pub(crate) fn verify(
    header: &str,
    call: &Call<'_>,
    records: &Records<'_>,
) -> Result<AgentContext, ContextRefusal> {
    let invalid = ContextRefusal::Invalid;
    let statement = SignedStatement::parse(header.as_bytes(), TYPE)
        .map_err(|_| invalid("it is no statement of type `agent-context+jwt`"))?;
    let id = statement.key_id().ok_or_else(|| invalid("its header has no `kid`"))?;
    let credential =
        records.credential(id).ok_or_else(|| invalid("its `kid` is no registered credential"))?;
    let key =
        credential.context_key().ok_or_else(|| invalid("its credential signs no contexts"))?;
    let claims = statement.verify(key).map_err(|_| invalid("its signature does not verify"))?;
    let context = check_claims(&claims, &credential, call).map_err(invalid)?;
    if credential.revoked_at().is_some() {
        return Err(ContextRefusal::CredentialRevoked);
    }
    if credential.expires_at().is_some_and(|expires_at| call.now >= expires_at) {
        return Err(ContextRefusal::CredentialExpired);
    }
    Ok(context)
}

/// The members that a context has. Another one could be a limit that nobody would look at.
const MEMBERS: [&str; 10] =
    ["agent", "ath", "aud", "exp", "iat", "iss", "jti", "server", "sub", "tool"];

fn check_claims(
    claims: &Claims,
    credential: &CredentialView<'_>,
    call: &Call<'_>,
) -> Result<AgentContext, &'static str> {
    if claims.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return Err("it has a member that no context has");
    }
    require(claims, "iss", credential.id()).ok_or("its `iss` is not its credential")?;
    require(claims, "aud", call.audience).ok_or("its `aud` is not this audience")?;
    require(claims, "ath", &token_hash(call.token)).ok_or("its `ath` is not of this token")?;
    same_or_absent(claims, "server", call.server).ok_or("its `server` is not this server")?;
    same_or_absent(claims, "tool", call.tool).ok_or("its `tool` is not this tool")?;
    let issued_at = check_times(claims, call)?;
    let id = text(claims, "jti").ok_or("it has no `jti`")?;
    let named = |name: &str| text(claims, name).and_then(ObjectName::parse);
    Ok(AgentContext {
        agent: named("agent").ok_or("its `agent` is no object")?,
        signer: credential.identity().ok_or("its credential is nobody's")?,
        user: named("sub").ok_or("its `sub` is no object")?,
        issued_at,
        id: id.to_owned(),
    })
}

fn check_times(claims: &Claims, call: &Call<'_>) -> Result<u64, &'static str> {
    let seconds = |name: &str| claims.get(name).and_then(Json::as_seconds);
    let issued_at = seconds("iat").ok_or("its `iat` is missing or no integer")?;
    let expires_at = seconds("exp").ok_or("its `exp` is missing or no integer")?;
    let lifetime = expires_at.checked_sub(issued_at).filter(|lifetime| *lifetime > 0);
    if lifetime.is_none_or(|lifetime| lifetime > limits::AGENT_CONTEXT_SECONDS) {
        return Err("it serves for more than 60 s, or for none");
    }
    if issued_at > call.now.saturating_add(call.skew) {
        return Err("it was issued in the future");
    }
    if call.now >= expires_at.saturating_add(call.skew) {
        return Err("it has expired");
    }
    Ok(issued_at)
}

/// `ath`: base64url of the SHA-256 of the access token (as RFC 9449 section 4.2).
pub(crate) fn token_hash(token: &[u8]) -> String {
    base64url::encode(digest::digest(&digest::SHA256, token).as_ref())
}

fn text<'c>(claims: &'c Claims, name: &str) -> Option<&'c str> {
    claims.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn require(claims: &Claims, name: &str, wanted: &str) -> Option<()> {
    (text(claims, name)? == wanted).then_some(())
}

/// Absent exactly where the request has none.
fn same_or_absent(claims: &Claims, name: &str, wanted: Option<&str>) -> Option<()> {
    match wanted {
        None => (!claims.contains_key(name)).then_some(()),
        Some(wanted) => require(claims, name, wanted),
    }
}
