//! Validation: the one way from token bytes to a verified token.

use std::sync::Arc;

use crate::cache::TokenCache;
use crate::claims;
use crate::compact::CompactJws;
use crate::contract::Contract;
use crate::json::{Json, Object};
use crate::key_set::KeySet;
use crate::limits;
use crate::load_error::LoadError;
use crate::reason_code::ReasonCode;
use crate::refusal::Refusal;
use crate::signature::{RingBackend, SignatureBackend};
use crate::trust::{Expectations, Trust, TrustedIssuer};
use crate::verified_token::VerifiedToken;

/// Validates tokens under the current trust, and remembers those that passed.
///
/// It reads no clock and does no I/O: trust and time are arguments.
///
/// # Example
/// ```
/// use mandate_authn::{ReasonCode, Request, Validator};
///
/// let mut validator = Validator::new();
/// let request = Request { audience: Some("https://board.example"), now: 1_767_225_600, certificate_sha256: None };
/// // Nothing is trusted before a trust document is loaded.
/// assert_eq!(validator.validate(b"a.b.c", &request).reason(), ReasonCode::KeysMissing);
/// ```
#[derive(Debug)]
pub struct Validator {
    backend: Box<dyn SignatureBackend>,
    cache: TokenCache,
    generation: u64,
    trust: Option<Trust>,
    verifications: Verifications,
}

/// How many signatures may still be checked: `None` where nothing counts them.
#[derive(Clone, Copy, Debug, Default)]
struct Verifications(Option<u32>);

/// The request's side of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'r> {
    /// The audience of the route that was called: operator's configuration. Without one, the
    /// contract must list exactly one.
    pub audience: Option<&'r str>,
    /// Seconds since the epoch.
    pub now: u64,
    /// SHA-256 of the client certificate that was verified on this connection.
    pub certificate_sha256: Option<[u8; 32]>,
}

/// The answer to a validation: a verified token, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    outcome: Result<Arc<VerifiedToken>, Refusal>,
}

/// What a load put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustStatus {
    /// Number of the load, from 1.
    pub generation: u64,
    /// The contract's version.
    pub contract_version: [u32; 3],
    /// Issuers without a key set.
    pub issuers_without_keys: Vec<String>,
}

impl Default for Validator {
    fn default() -> Self {
        Self::new()
    }
}

impl Validator {
    /// A validator that trusts nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_backend(Box::new(RingBackend))
    }

    /// A validator whose signatures another backend verifies.
    #[must_use]
    pub fn with_backend(backend: Box<dyn SignatureBackend>) -> Self {
        Self {
            backend,
            cache: TokenCache::default(),
            generation: 0,
            trust: None,
            verifications: Verifications::default(),
        }
    }

    /// Allows this many checks of signatures until it is called again; `None` allows any number.
    ///
    /// For a host whose thread serves others meanwhile: tokens that are not in the cache cost a
    /// thousand times as much as those that are, and anybody can make them up. One token too many is
    /// [`Refusal::VerificationBudget`], which is not the token's fault.
    pub const fn allow_verifications(&mut self, count: Option<u32>) {
        self.verifications = Verifications(count);
    }

    /// How many checks of signatures are still allowed; `None` where nothing counts them.
    #[must_use]
    pub const fn verifications_left(&self) -> Option<u32> {
        self.verifications.0
    }

    /// Replaces the trust whole and forgets every verified token.
    ///
    /// # Errors
    /// The first member that is wrong; then the trust before stays in force.
    pub fn load_trust(&mut self, text: &str) -> Result<TrustStatus, LoadError> {
        self.load_trust_with(text, |_| Ok(())).map(|(status, ())| status)
    }

    /// As [`Validator::load_trust`], for a caller that reads more of the contract than tokens need:
    /// both are loaded, or neither.
    ///
    /// # Errors
    /// The first member that is wrong, those that `read` refuses included.
    pub fn load_trust_with<T>(
        &mut self,
        text: &str,
        read: impl FnOnce(&Contract) -> Result<T, LoadError>,
    ) -> Result<(TrustStatus, T), LoadError> {
        let trust = Trust::parse_with(text, &*self.backend)?;
        let more = read(trust.contract()).map_err(|error| error.under("contract"))?;
        self.cache.clear();
        self.generation = self.generation.saturating_add(1);
        let status = TrustStatus {
            generation: self.generation,
            contract_version: trust.contract().version(),
            issuers_without_keys: trust.issuers_without_keys().map(str::to_owned).collect(),
        };
        self.trust = Some(trust);
        Ok((status, more))
    }

    /// Replaces the key set of one issuer whole, as it was fetched at `fetched_at` seconds since the
    /// epoch, and forgets every verified token.
    ///
    /// For a host that fetches sets one by one: the contract is not read again.
    /// Contract: contract/CONTRACT.md#keys
    ///
    /// # Errors
    /// That there is no such issuer, or what is wrong with the set; then the one before stays.
    pub fn load_keys(
        &mut self,
        issuer: &str,
        keys: &str,
        fetched_at: u64,
    ) -> Result<(), LoadError> {
        let trust = self.trust.as_mut().ok_or_else(no_trust)?;
        trust.load_keys(issuer, keys, fetched_at, &*self.backend)?;
        self.cache.clear();
        Ok(())
    }

    /// Says that the key set of one issuer is still the newest: it is as young as one that came at
    /// `fetched_at` seconds since the epoch. Nothing is forgotten, because nothing was withdrawn.
    ///
    /// # Errors
    /// That the issuer has no key set that was fetched.
    pub fn confirm_keys(&mut self, issuer: &str, fetched_at: u64) -> Result<(), LoadError> {
        let trust = self.trust.as_mut().ok_or_else(no_trust)?;
        trust.confirm_keys(issuer, fetched_at)
    }

    /// Validates a token for one audience, at one moment. The order of the checks, and so the
    /// reason where several fail, is that of `contract/CONTRACT.md#order`.
    pub fn validate(&mut self, token: &[u8], request: &Request<'_>) -> Validation {
        Validation { outcome: self.verified(token, request) }
    }

    fn verified(
        &mut self,
        token: &[u8],
        request: &Request<'_>,
    ) -> Result<Arc<VerifiedToken>, Refusal> {
        let trust = self.trust.as_ref().ok_or(Refusal::TrustMissing)?;
        let audience = trust.audience(request.audience)?;
        let expectations = trust.expectations(audience)?;
        if let Some(cached) = self.cache.find(audience, token, request.now) {
            require_still_valid(&cached, &expectations, request)?;
            return Ok(cached);
        }
        let verified = Arc::new(verify(token, &expectations, request, &mut self.verifications)?);
        self.cache.remember(audience, token, Arc::clone(&verified), request.now);
        Ok(verified)
    }
}

fn no_trust() -> LoadError {
    LoadError::new("", "no trust is loaded")
}

/// What a cached token must still meet: all that the moment or the connection decides.
fn require_still_valid(
    token: &VerifiedToken,
    expectations: &Expectations<'_>,
    request: &Request<'_>,
) -> Result<(), Refusal> {
    select_issuer(expectations, Some(token.issuer()))?.current_keys(request.now)?;
    claims::require_current(token, request.now, expectations.skew())?;
    claims::require_proof(token, request.certificate_sha256.as_ref())
}

/// The order is part of the contract: where a token fails in several ways, the first names the
/// reason, and nothing costly happens before the issuer is known.
fn verify(
    token: &[u8],
    expectations: &Expectations<'_>,
    request: &Request<'_>,
    verifications: &mut Verifications,
) -> Result<VerifiedToken, Refusal> {
    let jws = CompactJws::parse(token)?;
    let claims = jws.claims()?;
    let trusted = select_issuer(expectations, claims.get("iss").and_then(Json::as_str))?;
    let issuer = trusted.issuer;
    let algorithm = jws.header.algorithm()?;
    if !issuer.algorithms.contains(&algorithm) {
        return Err(Refusal::AlgorithmNotAllowed { algorithm });
    }
    jws.header.refuse_critical()?;
    jws.header.require_type(&issuer.types, issuer.type_absent)?;
    let key = trusted.key(jws.header.kid.as_deref(), algorithm, request.now)?;
    verifications.spend()?;
    key.verify(algorithm, jws.signing_input, &jws.signature).map_err(|_| Refusal::Signature)?;
    claims::verify(&claims, issuer, expectations, request.now, request.certificate_sha256.as_ref())
}

impl Verifications {
    /// Takes one, right before it is made: what is refused for less costs nothing.
    fn spend(&mut self) -> Result<(), Refusal> {
        if let Some(left) = &mut self.0 {
            *left = left.checked_sub(1).ok_or(Refusal::VerificationBudget)?;
        }
        Ok(())
    }
}

fn select_issuer<'t>(
    expectations: &Expectations<'t>,
    issuer: Option<&str>,
) -> Result<TrustedIssuer<'t>, Refusal> {
    let unknown = || Refusal::Issuer { issuer: issuer.map(str::to_owned) };
    issuer.and_then(|issuer| expectations.issuer(issuer)).ok_or_else(unknown)
}

impl Validation {
    /// The verified token.
    ///
    /// # Errors
    /// Why there is none.
    pub fn outcome(&self) -> Result<&VerifiedToken, &Refusal> {
        self.outcome.as_deref()
    }

    /// The verified token, to keep.
    ///
    /// # Errors
    /// Why there is none.
    pub fn into_outcome(self) -> Result<Arc<VerifiedToken>, Refusal> {
        self.outcome
    }

    /// `ok`, or the code of the refusal.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        self.outcome.as_ref().map_or_else(Refusal::code, |_| ReasonCode::Ok)
    }
}

impl From<Refusal> for Validation {
    fn from(refusal: Refusal) -> Self {
        Self { outcome: Err(refusal) }
    }
}

/// Checks a compact JWS against a JWK or JWK set: the signature layer alone.
///
/// The payload may be any bytes. It authenticates nobody: no issuer, no claims, no times.
///
/// # Errors
/// The refusal; keys that do not load are [`Refusal::Request`].
pub fn verify_jws(keys: &str, token: &[u8]) -> Result<(), Refusal> {
    let keys = load_keys(keys).ok_or_else(|| Refusal::Request { member: "keys".to_owned() })?;
    let jws = CompactJws::parse(token)?;
    let algorithm = jws.header.algorithm()?;
    jws.header.refuse_critical()?;
    let key = keys.select(jws.header.kid.as_deref(), algorithm)?;
    key.verify(algorithm, jws.signing_input, &jws.signature).map_err(|_| Refusal::Signature)
}

fn load_keys(text: &str) -> Option<KeySet> {
    let json = Json::parse(text.as_bytes(), limits::JSON_DEPTH).ok()?;
    let members: &Object = json.as_object()?;
    let loaded = if members.contains_key("keys") {
        KeySet::from_json(&json, &RingBackend)
    } else {
        KeySet::from_single(members, &RingBackend)
    };
    loaded.ok()
}
