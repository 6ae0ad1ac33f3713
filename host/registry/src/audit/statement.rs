//! What Mandate says of a chain, signed: one line of canonical JSON, to be kept elsewhere.

use mandate_authn::{Json, Object, base64url};
use mandate_authz::container::{PinnedKey, SigningKey};

/// A sort of statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    /// What is signed begins with this: no container, no record and no other sort begins so.
    pub(super) domain: &'static [u8],
    /// The member that holds the statement.
    pub(super) member: &'static str,
}

/// Why a text is no statement of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Malformed,
    Signature,
}

impl Sort {
    /// Signs a statement: one line, without its end.
    pub(super) fn seal(self, statement: Json, key: &SigningKey) -> String {
        let signature = base64url::encode(&key.sign(&self.message(&statement)));
        mandate_authn::json_object([
            (self.member, Some(statement)),
            ("signature", Some(signature.into())),
        ])
        .to_canonical()
    }

    /// The members of a statement that one of the keys has signed.
    pub(super) fn open(self, text: &str, keys: &[PinnedKey]) -> Result<Object, Unfit> {
        const DEPTH: usize = 4;
        let json =
            Json::parse(text.trim_ascii().as_bytes(), DEPTH).map_err(|_| Unfit::Malformed)?;
        let members = json.as_object().ok_or(Unfit::Malformed)?;
        let statement = members.get(self.member).ok_or(Unfit::Malformed)?;
        let signature = members.get("signature").and_then(Json::as_str).ok_or(Unfit::Malformed)?;
        let signature = base64url::decode(signature.as_bytes()).ok_or(Unfit::Malformed)?;
        let message = self.message(statement);
        if !keys.iter().any(|key| key.verify(&message, &signature).is_ok()) {
            return Err(Unfit::Signature);
        }
        statement.as_object().cloned().ok_or(Unfit::Malformed)
    }

    fn message(self, statement: &Json) -> Vec<u8> {
        [self.domain, statement.to_canonical().as_bytes()].concat()
    }
}

/// A member that is a text.
pub(super) fn text(members: &Object, name: &str) -> Option<String> {
    members.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// A member that is a number.
pub(super) fn number(members: &Object, name: &str) -> Option<u64> {
    members.get(name).and_then(Json::as_seconds)
}

/// A member that is a hash, base64url.
pub(super) fn hash(members: &Object, name: &str) -> Option<super::chain::Hash> {
    base64url::decode(members.get(name)?.as_str()?.as_bytes())?.try_into().ok()
}
