//! Records of decisions, on their way to the audit chain.
//!
//! A place is taken before a decision is made, and given back when the record is written: where there
//! is no place, nothing is decided.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::anyhow;
use mandate_host::gate::Emission;
use mandate_host::{Decision, Verdict};
use mandate_registry::Registry;
use mandate_registry::audit::Event;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::OpenRegistry;
use super::caller::{Caller, id_of};
use super::clock;
use super::journal::Journal;
use super::metrics::Metrics;

/// Records that wait to be written.
#[derive(Debug)]
pub(super) struct AuditLog {
    /// This process, since it was started: numbers are counted anew each time.
    source: String,
    sequence: AtomicU64,
    /// Numbers that were taken, and for which there is no record.
    spare: Mutex<Vec<u64>>,
    most: usize,
    places: Arc<Semaphore>,
    sender: Mutex<Option<Sender<Waiting>>>,
    receiver: Mutex<Option<Receiver<Waiting>>>,
    closed: Arc<AtomicBool>,
}

/// A place for one record.
#[derive(Debug)]
pub(super) struct Place(OwnedSemaphorePermit);

#[derive(Debug)]
struct Waiting {
    event: Event,
    _place: OwnedSemaphorePermit,
}

/// What a decision was about.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked<'a> {
    pub(super) action: &'a str,
    pub(super) resources: Vec<String>,
    pub(super) user: Option<&'a str>,
    pub(super) machine: Option<&'a str>,
}

/// Records that are written in one transaction.
const BATCH: usize = 256;
/// Tries after the server was told to stop, before records are given up.
const LAST_TRIES: u32 = 20;
/// Between two tries.
const RETRY: Duration = Duration::from_millis(250);

impl AuditLog {
    pub(super) fn new(most: usize) -> anyhow::Result<Self> {
        let mut nonce = [0_u8; 8];
        getrandom::getrandom(&mut nonce).map_err(|error| anyhow!("no randomness: {error}"))?;
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let (sender, receiver) = channel();
        Ok(Self {
            source: format!("serve/{nonce}"),
            sequence: AtomicU64::new(1),
            spare: Mutex::default(),
            most,
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            sender: Mutex::new(Some(sender)),
            receiver: Mutex::new(Some(receiver)),
            closed: Arc::default(),
        })
    }

    /// A place for a record; none where too many wait.
    pub(super) fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    pub(super) fn waiting(&self) -> u64 {
        let taken = self.most.saturating_sub(self.places.available_permits());
        u64::try_from(taken).unwrap_or(u64::MAX)
    }

    pub(super) fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Puts the record of a decision in line, and gives its id; none where that failed, and then the
    /// decision must not be answered.
    pub(super) fn record(
        &self,
        place: Place,
        decision: &Decision,
        caller: &Caller,
        asked: &Asked<'_>,
    ) -> Option<String> {
        let Emission { decision_id, sequence, .. } = self.emission();
        let mut record = members(decision, caller, asked);
        record.insert("decision_id".to_owned(), json!(decision_id));
        record.insert("source".to_owned(), json!(self.source));
        record.insert("source_sequence".to_owned(), json!(sequence));
        self.send(place, shortened(record)?).then_some(decision_id)
    }

    /// What the gate writes into its record: [`AuditLog::put`] takes it, or the number is given back.
    pub(super) fn emission(&self) -> Emission {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let sequence = spare.unwrap_or_else(|| self.sequence.fetch_add(1, Ordering::Relaxed));
        let source = self.source.clone();
        Emission { decision_id: format!("{source}/{sequence}"), source, sequence }
    }

    /// Takes back the number of a record that is not made: numbers have no gaps.
    pub(super) fn give_back(&self, emission: &Emission) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(emission.sequence);
    }

    /// Puts a record of the gate in line; whether that was done, and the decision may be answered.
    pub(super) fn put(&self, place: Place, record: &str) -> bool {
        Event::parse(record).is_ok_and(|event| self.send(place, event))
    }

    fn send(&self, place: Place, event: Event) -> bool {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = Waiting { event, _place: place.0 };
        sender.as_ref().is_some_and(|sender| sender.send(waiting).is_ok())
    }

    /// Writes what is put in line, until [`AuditLog::close`] and the last record.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(super) fn write_to(
        &self,
        open: OpenRegistry,
        metrics: Arc<Metrics>,
        journal: Journal,
    ) -> std::io::Result<JoinHandle<()>> {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closed = Arc::clone(&self.closed);
        // Named, so that what records cost can be seen from outside.
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
            let Some(receiver) = receiver else { return };
            let mut writer = Writer { open, registry: None, metrics, journal, closed };
            while let Ok(first) = receiver.recv() {
                let rest = receiver.try_iter().take(BATCH.saturating_sub(1));
                let batch: Vec<Waiting> = std::iter::once(first).chain(rest).collect();
                writer.write(&batch);
            }
        })
    }

    /// Takes no more records.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

struct Writer {
    open: OpenRegistry,
    registry: Option<Registry>,
    metrics: Arc<Metrics>,
    journal: Journal,
    closed: Arc<AtomicBool>,
}

impl Writer {
    /// Tries until it is written; while it is not, the line fills up and decisions are refused.
    fn write(&mut self, batch: &[Waiting]) {
        let events: Vec<Event> = batch.iter().map(|waiting| waiting.event.clone()).collect();
        let mut last_tries = 0_u32;
        while let Err(error) = self.append(&events) {
            self.registry = None;
            self.metrics.audit_failures.fetch_add(1, Ordering::Relaxed);
            let count = events.len().to_string();
            let members = [("records", count.as_str()), ("error", &error.to_string())];
            self.journal.event("audit", &members);
            let closed = self.closed.load(Ordering::SeqCst);
            last_tries = last_tries.saturating_add(u32::from(closed));
            if last_tries > LAST_TRIES {
                self.journal.event("audit-lost", &members);
                return;
            }
            std::thread::sleep(RETRY);
        }
    }

    fn append(&mut self, events: &[Event]) -> anyhow::Result<()> {
        let registry = match &mut self.registry {
            Some(registry) => registry,
            None => self.registry.insert((self.open)()?),
        };
        let appended = registry.append_audit(events)?;
        for id in appended.conflicts {
            self.journal.event("audit-conflict", &[("decision_id", &id)]);
        }
        Ok(())
    }
}

/// The members of contract/CONTRACT.md#audit that a decision has.
fn members(decision: &Decision, caller: &Caller, asked: &Asked<'_>) -> Map<String, Value> {
    let bound = decision.bound.as_ref();
    let machine = bound.and_then(|bound| bound.agent.as_deref().or(bound.service.as_deref()));
    let user = bound.and_then(|bound| bound.user.as_deref());
    let tenant = bound.and_then(|bound| bound.tenant.as_deref()).map(id_of);
    let path: Vec<String> = decision
        .path
        .iter()
        .map(|step| format!("{}#{}@{}", step.object, step.relation, step.subject))
        .collect();
    let allowed = decision.verdict == Verdict::Allow;
    let texts = [
        ("action", Some(asked.action)),
        ("binding_mode", bound.map(|bound| bound.mode.as_str())),
        ("contract_version", decision.contract_version.as_deref()),
        ("credential_id", bound.and_then(|bound| bound.credential.as_deref())),
        ("delegation", bound.and_then(|bound| bound.delegation.as_deref())),
        ("failing_line", decision.failing_line.as_deref()),
        ("machine_identity_id", machine.or(asked.machine)),
        ("reason", Some(decision.reason.as_str())),
        // Nobody was bound: then it is a matter of the tenant that asked.
        ("tenant", tenant.or_else(|| Some(caller.tenant_id()))),
        ("user", user.or(asked.user)),
        ("verdict", Some(if allowed { "allow" } else { "deny" })),
    ];
    let mut record = Map::new();
    for (name, text) in texts {
        if let Some(text) = text {
            record.insert(name.to_owned(), json!(text));
        }
    }
    // Who asked: the last actor.
    record.insert("actor_chain".to_owned(), json!([{ "subject": caller.object }]));
    record.insert("enforced".to_owned(), json!(true));
    record.insert("time".to_owned(), json!(clock::now()));
    for (name, list) in [("relation_path", path), ("resource", asked.resources.clone())] {
        if !list.is_empty() {
            record.insert(name.to_owned(), json!(list));
        }
    }
    if let Some(position) = decision.position {
        record.insert("era".to_owned(), json!(position.era));
        record.insert("epoch".to_owned(), json!(position.epoch));
    }
    record
}

/// The record as an event; one that is too long loses what a caller can make long.
fn shortened(mut record: Map<String, Value>) -> Option<Event> {
    for lost in ["relation_path", "resource", "action"] {
        if let Ok(event) = Event::parse(&serde_json::to_string(&record).ok()?) {
            return Some(event);
        }
        record.remove(lost);
        record.insert("truncated".to_owned(), json!(true));
    }
    Event::parse(&serde_json::to_string(&record).ok()?).ok()
}
