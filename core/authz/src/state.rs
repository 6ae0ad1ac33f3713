//! What one instance holds: the snapshot in force, how fresh it is, and what may replace it.
//!
//! Whatever fails changes nothing: what was in force stays. Time is an argument of the questions,
//! never of the loading.

mod config;
mod freshness;
mod loading;
mod refusal;

pub use self::config::StateConfig;
pub use self::freshness::Freshness;
pub use self::refusal::StateRefusal;

use self::loading::Arriving;
use mandate_authn::{Json, json_object};

use crate::container::{KeyId, Position};
use crate::snapshot::Snapshot;

/// The relationships in force, with all that decides whether they may answer: a snapshot, the
/// deltas since, and the newest signed word on how recent they are.
///
/// # Example
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use mandate_authz::state::{Freshness, State, StateConfig, StateRefusal};
///
/// let config = StateConfig::parse(
///     r#"{"deployment":"globex","slice":"all","keys":[{"kty":"OKP","crv":"Ed25519",
///         "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
/// )?;
/// let state = State::new(config);
/// // Nothing is loaded yet.
/// assert_eq!(state.fresh(&Freshness::at(1_767_225_600)).err(), Some(StateRefusal::Missing));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct State {
    config: StateConfig,
    /// The highest position that was ever in force, restarts included where the host keeps it.
    floor: Option<Position>,
    current: Option<Current>,
    arriving: Option<Arriving>,
    /// The memory of the snapshot that was in force before: the next one takes its place. Given back, it
    /// would be cut up, and in a memory that never shrinks a third place would have to be found.
    spare: Vec<u8>,
    /// A position that a pinned key has signed and that is not in force yet.
    ahead: Option<Position>,
    /// Why the last load failed: what a question is answered while nothing is in force.
    refused: Option<StateRefusal>,
}

/// What is in force.
#[derive(Debug)]
struct Current {
    snapshot: Snapshot,
    meta: Meta,
    /// The keys that vouched for any of it.
    signers: Vec<KeyId>,
}

/// What is in force, apart from the relationships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The deployment.
    pub deployment: String,
    /// The set of tenants.
    pub slice: String,
    /// What is included: the snapshot and every delta since.
    pub position: Position,
    /// The epoch of the snapshot, without deltas.
    pub snapshot_epoch: u64,
    /// major, minor, patch of the contract.
    pub contract_version: [u32; 3],
    /// The newest signed issued-at, in seconds since the epoch.
    pub issued_at: u64,
    /// Without tenants: serves `relation-holds` and `list-objects` only.
    pub raw: bool,
}

impl Meta {
    /// The wire form: docs/abi.md#state.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let [major, minor, patch] = self.contract_version;
        json_object([
            ("contract_version", Some(format!("{major}.{minor}.{patch}").into())),
            ("deployment", Some(self.deployment.as_str().into())),
            ("epoch", Some(self.position.epoch.into())),
            ("era", Some(self.position.era.into())),
            ("issued_at", Some(self.issued_at.into())),
            ("raw", Some(Json::Bool(self.raw))),
            ("slice", Some(self.slice.as_str().into())),
            ("snapshot_epoch", Some(self.snapshot_epoch.into())),
        ])
    }
}

impl Default for State {
    /// A state without configuration: nothing can be loaded into it.
    fn default() -> Self {
        Self::new(StateConfig::absent())
    }
}

impl State {
    /// A state that holds nothing yet.
    #[must_use]
    pub const fn new(config: StateConfig) -> Self {
        let floor = config.floor;
        Self {
            config,
            floor,
            current: None,
            arriving: None,
            spare: Vec::new(),
            ahead: None,
            refused: None,
        }
    }

    /// Takes a new configuration: other keys, a higher floor.
    ///
    /// What is in force stays if it is of the same deployment and slice, not below the floor, and
    /// every key that vouched for it is still pinned; otherwise it is dropped, because an operator
    /// who withdraws a key withdraws what it signed. A load that was begun is dropped. The floor
    /// never falls while deployment and slice are the same.
    pub fn reconfigure(&mut self, config: StateConfig) {
        let before = std::mem::replace(self, Self::new(config));
        let config = &self.config;
        if before.config.deployment != config.deployment || before.config.slice != config.slice {
            return;
        }
        self.floor = self.floor.max(before.floor);
        self.ahead = before.ahead;
        self.refused = before.refused;
        let Some(current) = before.current else { return };
        let found = current.meta.position;
        let pinned = |signer: &KeyId| config.keys.iter().any(|key| key.id() == *signer);
        if let Some(floor) = self.floor.filter(|floor| *floor > found) {
            self.refused = Some(StateRefusal::Rollback { floor, found });
        } else if current.signers.iter().all(pinned) {
            self.current = Some(current);
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &StateConfig {
        &self.config
    }

    /// The relationships in force, fresh or not: for the names of what a decision refers to, and for
    /// raw evaluation. Decisions take them from [`State::fresh`].
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.current.as_ref().map(|current| &current.snapshot)
    }

    /// What is in force, if anything is.
    #[must_use]
    pub fn meta(&self) -> Option<&Meta> {
        self.current.as_ref().map(|current| &current.meta)
    }

    /// The highest position that was ever in force. A host with a disk keeps it and gives it back
    /// with the configuration, so that a restart cannot be used to go back.
    #[must_use]
    pub const fn floor(&self) -> Option<Position> {
        self.floor
    }

    /// A later position that a pinned key has signed, when changes are missing in between: a host
    /// that sees one fetches a snapshot.
    #[must_use]
    pub const fn ahead(&self) -> Option<Position> {
        self.ahead
    }
}
