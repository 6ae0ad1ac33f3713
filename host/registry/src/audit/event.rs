//! One record, before it is in the chain.

use mandate_authn::{Json, JsonError, Object};
use mandate_authz::container::Position;

use crate::error::RegistryError;
use crate::limits::{COLUMN_CHARACTERS, RECORD_BYTES, RECORD_DEPTH, TEXT_BYTES};
use crate::registry::Act;
use crate::writing::Deed;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A change of the registry.
    Change,
    /// A record whose id had come before with other content.
    Conflict,
    /// A decision.
    Decision,
}

impl EventKind {
    /// As the database and the chain write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Conflict => "conflict",
            Self::Decision => "decision",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let kinds = [Self::Change, Self::Conflict, Self::Decision];
        kinds.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A record, checked: canonical JSON, and the members by which it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(super) kind: EventKind,
    pub(super) tenant: String,
    pub(super) record: String,
    pub(super) columns: Columns,
}

/// The members that are columns. They are copies: the record is what is chained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) decision_id: String,
    pub(super) time: u64,
    pub(super) source: Option<String>,
    pub(super) source_sequence: Option<u64>,
    pub(super) machine_identity_id: Option<String>,
    pub(super) credential_id: Option<String>,
    pub(super) user: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) verdict: Option<String>,
    pub(super) reason: Option<String>,
}

impl Event {
    /// Reads the record of a decision (contract/CONTRACT.md#audit), strictly: what it does not know
    /// may be a secret.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`] for more than 8 KiB, what is no strict JSON object, a member that
    /// is unknown, missing or of another form.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let members = read(text)?;
        if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(invalid(&format!("has the unknown member `{}`", shortened(name))));
        }
        let columns = Columns::of(&members)?;
        if columns.source.is_none() || columns.source_sequence.is_none() {
            return Err(invalid("lacks `source` or `source_sequence`"));
        }
        if !matches!(columns.verdict.as_deref(), Some("allow" | "deny")) {
            return Err(invalid("has no `verdict` that is `allow` or `deny`"));
        }
        if columns.reason.is_none() {
            return Err(invalid("has no `reason`"));
        }
        Self::new(EventKind::Decision, members, columns)
    }

    /// The record of a change.
    pub(crate) fn of_change(
        deed: &Deed,
        act: &Act,
        position: Position,
        deployment: &str,
        number: usize,
    ) -> Result<Self, RegistryError> {
        let name = |object: &Option<mandate_authz::name::ObjectName>| {
            object.as_ref().map(|object| Json::from(object.to_string()))
        };
        let text = |text: &Option<String>| text.as_deref().map(Json::from);
        let members = mandate_authn::json_object([
            ("actor", Some(act.actor.to_string().into())),
            ("change", Some(deed.change.into())),
            ("credential_id", text(&deed.credential)),
            ("decision_id", Some(format!("registry/{deployment}/{position}/{number}").into())),
            ("epoch", Some(position.epoch.into())),
            ("era", Some(position.era.into())),
            ("item", text(&deed.item)),
            ("machine_identity_id", name(&deed.identity)),
            ("tenant", text(&deed.tenant)),
            ("time", Some(act.now.into())),
            ("user", name(&deed.user)),
        ]);
        let Json::Object(members) = members else { return Err(invalid("is no object")) };
        let columns = Columns::of(&members)?;
        Self::new(EventKind::Change, members, columns)
    }

    fn new(kind: EventKind, members: Object, columns: Columns) -> Result<Self, RegistryError> {
        let tenant = text_of(&members, "tenant")?.unwrap_or_default();
        let record = Json::Object(members).to_canonical();
        if record.len() > RECORD_BYTES {
            return Err(invalid("is longer than 8 KiB"));
        }
        Ok(Self { kind, tenant, record, columns })
    }
}

impl Columns {
    /// The columns of a record that was stored.
    pub(super) fn of_record(text: &str) -> Result<(String, Self), RegistryError> {
        let members = read(text)?;
        let tenant = text_of(&members, "tenant")?.unwrap_or_default();
        Ok((tenant, Self::of(&members)?))
    }

    fn of(members: &Object) -> Result<Self, RegistryError> {
        let needed = |name: &'static str| move || invalid(&format!("has no `{name}`"));
        Ok(Self {
            decision_id: text_of(members, "decision_id")?.ok_or_else(needed("decision_id"))?,
            time: number_of(members, "time")?.ok_or_else(needed("time"))?,
            source: text_of(members, "source")?,
            source_sequence: number_of(members, "source_sequence")?,
            machine_identity_id: key_of(members, "machine_identity_id")?,
            credential_id: key_of(members, "credential_id")?,
            user: key_of(members, "user")?,
            tool: key_of(members, "tool")?,
            verdict: text_of(members, "verdict")?,
            reason: text_of(members, "reason")?,
        })
    }
}

fn read(text: &str) -> Result<Object, RegistryError> {
    if text.len() > RECORD_BYTES {
        return Err(invalid("is longer than 8 KiB"));
    }
    let json = Json::parse(text.as_bytes(), RECORD_DEPTH)
        .map_err(|error: JsonError| invalid(error.describe()))?;
    let Json::Object(members) = json else { return Err(invalid("is no object")) };
    if members.values().any(has_other_number) {
        return Err(invalid("has a number that is no integer of at most 2^53 - 1"));
    }
    Ok(members)
}

/// Two writers would not spell it alike.
fn has_other_number(json: &Json) -> bool {
    match json {
        Json::OtherNumber => true,
        Json::Array(elements) => elements.iter().any(has_other_number),
        Json::Object(members) => members.values().any(has_other_number),
        Json::Bool(_) | Json::Integer(_) | Json::Null | Json::String(_) => false,
    }
}

fn text_of(members: &Object, name: &str) -> Result<Option<String>, RegistryError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let text = value.as_str().filter(|text| {
        !text.is_empty() && text.len() <= TEXT_BYTES && !text.contains(char::is_control)
    });
    let wrong = || invalid(&format!("has no short text as `{name}`"));
    text.map(|text| Some(text.to_owned())).ok_or_else(wrong)
}

/// What callers can make long or strange is cut for the column, and whole in the record: nobody gets
/// out of the audit by a name.
fn key_of(members: &Object, name: &str) -> Result<Option<String>, RegistryError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let wrong = || invalid(&format!("has no text as `{name}`"));
    let text = value.as_str().ok_or_else(wrong)?;
    let plain =
        |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    Ok(Some(text.chars().take(COLUMN_CHARACTERS).map(plain).collect()))
}

fn number_of(members: &Object, name: &str) -> Result<Option<u64>, RegistryError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let wrong = || invalid(&format!("has no integer as `{name}`"));
    value.as_seconds().map(Some).ok_or_else(wrong)
}

fn invalid(what: &str) -> RegistryError {
    RegistryError::Invalid(format!("the audit record {what}"))
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}

/// Members of a decision's record: contract/CONTRACT.md#audit.
const MEMBERS: [&str; 28] = [
    "action",
    "actor_chain",
    "binding_mode",
    "client_id",
    "client_request_id",
    "contract_version",
    "credential_id",
    "decision_id",
    "delegation",
    "enforced",
    "epoch",
    "era",
    "failing_line",
    "machine_identity_id",
    "reason",
    "relation_path",
    "resource",
    "server",
    "source",
    "source_sequence",
    "tenant",
    "time",
    "token_id",
    "tool",
    "traceparent",
    "truncated",
    "user",
    "verdict",
];
