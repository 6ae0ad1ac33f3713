//! What decides, behind one face: core in this process, or the plugin.
//!
//! Questions and answers are the JSON of docs/authorize.md and docs/abi.md, so that every
//! implementation can be asked in the same words.

mod component;
mod local_state;
mod module;
mod native;

pub use self::component::ComponentEngine;
pub use self::local_state::LocalState;
pub use self::module::ModuleEngine;
pub use self::native::NativeEngine;

use anyhow::Result;
use mandate_authn::LoadError;

/// Something that decides.
pub trait Engine {
    /// Replaces trust and policy.
    ///
    /// # Errors
    /// The first member that is wrong; then what was loaded before stays in force.
    fn load_trust(&mut self, trust: &str) -> Result<(), EngineError>;

    /// Says whose state it takes: docs/snapshot-container.md#configuration.
    ///
    /// # Errors
    /// The first member that is wrong.
    fn configure_state(&mut self, config: &str) -> Result<(), EngineError>;

    /// Loads a snapshot.
    ///
    /// # Errors
    /// Why it is not in force.
    fn load(&mut self, container: &[u8]) -> Result<(), EngineError>;

    /// Applies a delta or a heartbeat.
    ///
    /// # Errors
    /// Why it was not applied.
    fn apply_delta(&mut self, container: &[u8]) -> Result<(), EngineError>;

    /// Decides a request that came with a token.
    ///
    /// # Errors
    /// When there is no answer.
    fn authorize(&mut self, question: &str) -> Result<String>;

    /// Decides a request for somebody that the question names.
    ///
    /// # Errors
    /// When there is no answer.
    fn decide_for(&mut self, question: &str) -> Result<String>;

    /// Gives the secret that seals session ids: docs/abi.md#gate.
    ///
    /// # Errors
    /// That it is too short.
    fn configure_sealing(&mut self, question: &str) -> Result<(), EngineError>;

    /// Decides a request at the gate: docs/abi.md#gate.
    ///
    /// # Errors
    /// When there is no answer.
    fn gate_decide(&mut self, question: &str) -> Result<String>;

    /// Filters the answer to a request for a list.
    ///
    /// # Errors
    /// When there is no answer.
    fn filter_list(&mut self, question: &str) -> Result<String>;

    /// Filters the next bytes of a stream of events.
    ///
    /// # Errors
    /// When there is no answer.
    fn filter_stream(&mut self, question: &str) -> Result<String>;

    /// Seals the session id that a server gave.
    ///
    /// # Errors
    /// When there is no answer.
    fn seal_session(&mut self, question: &str) -> Result<String>;

    /// OpenFGA's Check. It authorizes nobody.
    ///
    /// # Errors
    /// When there is no answer.
    fn relation_holds(&mut self, question: &str) -> Result<String>;

    /// OpenFGA's ListObjects. It authorizes nobody.
    ///
    /// # Errors
    /// When there is no answer.
    fn list_objects(&mut self, question: &str) -> Result<String>;
}

/// Why something was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// A member of a document is wrong.
    Document(LoadError),
    /// A snapshot or delta was refused.
    State {
        /// The reason code.
        reason: String,
        /// One line.
        message: String,
    },
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Document(error) => error.fmt(formatter),
            Self::State { reason, message } => write!(formatter, "{reason}: {message}"),
        }
    }
}

impl std::error::Error for EngineError {}
