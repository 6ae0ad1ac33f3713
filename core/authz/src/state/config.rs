//! What an instance is told before anything is loaded: whose state it takes, and signed by whom.

use mandate_authn::{Json, LoadError, Object};

use super::StateRefusal;
use crate::container::{PinnedKey, Position, Statement};
use crate::limits;

/// Whose state an instance takes. Keys come from here and never from the feed.
#[derive(Debug)]
pub struct StateConfig {
    pub(super) deployment: String,
    pub(super) slice: String,
    pub(super) keys: Vec<PinnedKey>,
    pub(super) maximum_bytes: u64,
    pub(super) floor: Option<Position>,
}

impl StateConfig {
    /// The configuration before one is given: no key is pinned, so that nothing can be loaded.
    pub(super) const fn absent() -> Self {
        Self {
            deployment: String::new(),
            slice: String::new(),
            keys: Vec::new(),
            maximum_bytes: 0,
            floor: None,
        }
    }

    /// Parses the configuration: a JSON object of `deployment`, `slice`, `keys` (one or two public
    /// Ed25519 JWKs), and if wanted `maximum_bytes` and `floor` (`{"era","epoch"}`). Its members are
    /// specified in docs/snapshot-container.md#configuration.
    ///
    /// # Errors
    /// The first member that is missing, unknown or wrong.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        const DEPTH: usize = 8;
        let json = Json::parse(text.as_bytes(), DEPTH).map_err(|problem| {
            LoadError::new("", format!("the document {}", problem.describe()))
        })?;
        let members = object("", &json)?;
        only(members, "", &["deployment", "floor", "keys", "maximum_bytes", "slice"])?;
        let keys = required(members, "keys")?;
        let keys = keys.as_array().ok_or_else(|| LoadError::new("keys", "expected an array"))?;
        Ok(Self {
            deployment: name(members, "deployment")?,
            slice: name(members, "slice")?,
            keys: pinned_keys(keys)?,
            maximum_bytes: maximum_bytes(members)?,
            floor: members.get("floor").map(floor).transpose()?,
        })
    }

    /// The deployment.
    #[must_use]
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// The set of tenants.
    #[must_use]
    pub fn slice(&self) -> &str {
        &self.slice
    }

    /// Bytes of a snapshot's body, at most.
    #[must_use]
    pub const fn maximum_bytes(&self) -> u64 {
        self.maximum_bytes
    }

    /// The pinned keys.
    #[must_use]
    pub fn keys(&self) -> &[PinnedKey] {
        &self.keys
    }

    /// Signed, but for somebody else: one key may sign for several deployments and slices.
    pub(super) fn require_ours(&self, statement: &Statement) -> Result<(), StateRefusal> {
        if statement.deployment != self.deployment {
            return Err(StateRefusal::Deployment { found: statement.deployment.clone() });
        }
        if statement.slice != self.slice {
            return Err(StateRefusal::Slice { found: statement.slice.clone() });
        }
        Ok(())
    }
}

fn pinned_keys(keys: &[Json]) -> Result<Vec<PinnedKey>, LoadError> {
    if keys.is_empty() || keys.len() > limits::PINNED_KEYS {
        return Err(LoadError::new("keys", "must be one or two"));
    }
    let mut pinned: Vec<PinnedKey> = Vec::with_capacity(keys.len());
    for (position, key) in keys.iter().enumerate() {
        let at = format!("keys[{position}]");
        let jwk = object(&at, key)?;
        let key =
            PinnedKey::from_jwk(jwk).map_err(|problem| LoadError::new(&at, problem.to_string()))?;
        if pinned.iter().any(|earlier| earlier.id() == key.id()) {
            return Err(LoadError::new(&at, "is listed twice"));
        }
        only(jwk, &at, &["alg", "crv", "key_ops", "kid", "kty", "use", "x"])?;
        pinned.push(key);
    }
    Ok(pinned)
}

fn maximum_bytes(members: &Object) -> Result<u64, LoadError> {
    const MEMBER: &str = "maximum_bytes";
    let Some(value) = members.get(MEMBER) else {
        return Ok(limits::SNAPSHOT_BYTES);
    };
    match value.as_seconds() {
        Some(bytes) if bytes <= limits::SNAPSHOT_BYTES => Ok(bytes),
        Some(_) => {
            Err(LoadError::new(MEMBER, format!("above the limit of {}", limits::SNAPSHOT_BYTES)))
        }
        None => Err(LoadError::new(MEMBER, "expected an integer")),
    }
}

fn floor(value: &Json) -> Result<Position, LoadError> {
    let members = object("floor", value)?;
    only(members, "floor", &["epoch", "era"])?;
    let number = |member: &str| {
        let at = format!("floor.{member}");
        let value = members.get(member).ok_or_else(|| LoadError::new(&at, "is missing"))?;
        value.as_seconds().ok_or_else(|| LoadError::new(&at, "expected an integer"))
    };
    Ok(Position::new(number("era")?, number("epoch")?))
}

fn name(members: &Object, member: &str) -> Result<String, LoadError> {
    let text = required(members, member)?.as_str();
    let text = text.ok_or_else(|| LoadError::new(member, "expected a string"))?;
    if Statement::is_name(text) {
        return Ok(text.to_owned());
    }
    let problem = format!("must be 1 to {} bytes of plain text", limits::STATE_NAME_BYTES);
    Err(LoadError::new(member, problem))
}

fn object<'j>(path: &str, json: &'j Json) -> Result<&'j Object, LoadError> {
    json.as_object().ok_or_else(|| LoadError::new(path, "expected an object"))
}

fn required<'j>(members: &'j Object, member: &str) -> Result<&'j Json, LoadError> {
    members.get(member).ok_or_else(|| LoadError::new(member, "is missing"))
}

/// A member that nobody knows may be a misspelt one that somebody relies on.
fn only(members: &Object, path: &str, known: &[&str]) -> Result<(), LoadError> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => {
            let shown: String = unknown.chars().take(64).collect();
            Err(LoadError::new(path, format!("has the unknown member `{shown}`")))
        }
        None => Ok(()),
    }
}
