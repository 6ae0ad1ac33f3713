//! The JOSE header: RFC 7515 section 4.

use crate::algorithm::Algorithm;
use crate::json::{Json, Object};
use crate::refusal::{Malformation, Refusal};

/// The header parameters that decide. `jku`, `x5u`, `jwk` and `x5c` are never read: a token does
/// not choose its own key (RFC 8725 section 3.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    algorithm: Option<Json>,
    critical: Option<&'static str>,
    pub(crate) kid: Option<String>,
    typ: Option<Json>,
}

impl Header {
    pub(crate) fn from_members(mut members: Object) -> Result<Self, Refusal> {
        let kid = match members.remove("kid") {
            None => None,
            Some(Json::String(kid)) => Some(kid),
            Some(_) => return Err(Refusal::Malformed(Malformation::KeyId)),
        };
        // `b64` (RFC 7797) changes what is signed and is only valid inside `crit`: present in any
        // form, somebody reads this token differently.
        let critical =
            ["crit", "b64"].into_iter().find(|parameter| members.contains_key(*parameter));
        Ok(Self { algorithm: members.remove("alg"), critical, kid, typ: members.remove("typ") })
    }

    /// The `alg`, if any issuer could use it.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, Refusal> {
        let name = self.algorithm.as_ref().and_then(Json::as_str);
        name.and_then(Algorithm::parse)
            .ok_or_else(|| Refusal::AlgorithmUnsupported { algorithm: name.map(str::to_owned) })
    }

    /// Refuses extensions: none is supported, so each must be rejected (RFC 7515 section 4.1.11).
    pub(crate) const fn refuse_critical(&self) -> Result<(), Refusal> {
        match self.critical {
            None => Ok(()),
            Some(parameter) => Err(Refusal::Critical { parameter }),
        }
    }

    /// Requires `typ` to be one of the issuer's, exactly (RFC 8725 section 3.11).
    pub(crate) fn require_type(&self, accepted: &[String], absent: bool) -> Result<(), Refusal> {
        let typ = self.typ.as_ref().map(Json::as_str);
        let fits = match typ {
            None => absent,
            Some(None) => false,
            Some(Some(typ)) => accepted.iter().any(|accepted| accepted == typ),
        };
        if fits { Ok(()) } else { Err(Refusal::Type { typ: typ.flatten().map(str::to_owned) }) }
    }
}
