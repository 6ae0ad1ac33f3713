//! The feed's consumer (docs/feed.md): a snapshot, then deltas and heartbeats by long poll.

use mandate_authz::container::Position;
use mandate_authz::state::{State, StateRefusal};

use super::Arrived;
use super::loading::{Loading, Source, Step};
use super::news::News;
use super::shared::{PIECE_BYTES, Shelf, Trouble, Version};
use crate::configuration::FeedAddress;
use crate::fields::Fields;
use crate::host::{Buffer, Get, Host, HostProblem, Level, Map};
use crate::metrics::Metrics;

/// Follows one feed.
#[derive(Debug)]
pub(super) struct Feed {
    address: FeedAddress,
    /// Where what comes is shared; absent where this VM serves itself alone.
    shelf: Option<Shelf>,
    asked: Option<(u32, Question)>,
    arriving: Option<Arriving>,
    next: Question,
    /// The tag of the snapshot that was loaded last.
    tag: Option<String>,
    failures: u32,
    /// Nanoseconds since the epoch.
    wait_until: u64,
    /// What of ours is shared, or was when this VM went on with it.
    shared: Option<Version>,
    /// Deltas since the snapshot, as they are shared.
    log: Vec<u8>,
    /// Bytes of deltas beyond which a later snapshot is looked for.
    renew_at: usize,
}

/// A snapshot that is being loaded.
#[derive(Debug)]
struct Arriving {
    loading: Loading,
    tag: Option<String>,
    /// What was in force when it came.
    before: Option<(Position, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Deltas,
    Snapshot,
}

/// What an answer of the feed leads to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Ask again, at once.
    Next(Question),
    /// Go on at the next tick.
    Load,
    /// Ask again after a while.
    Wait(Question, &'static str),
}

/// The parts of an answer that matter.
#[derive(Debug)]
struct Answer {
    status: u16,
    tag: Option<String>,
    is_container: bool,
}

impl Feed {
    pub(super) const fn new(address: FeedAddress, shelf: Option<Shelf>) -> Self {
        Self {
            address,
            shelf,
            asked: None,
            arriving: None,
            next: Question::Deltas,
            tag: None,
            failures: 0,
            wait_until: 0,
            shared: None,
            log: Vec::new(),
            renew_at: LOG_BYTES,
        }
    }

    /// Whether it has shared nothing, and expects and loads nothing.
    pub(super) const fn is_idle(&self) -> bool {
        self.shared.is_none() && self.asked.is_none() && self.arriving.is_none()
    }

    pub(super) fn on_tick(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        now: u64,
    ) {
        if let Some(arriving) = self.arriving.take() {
            let outcome = self.load(host, state, arriving);
            self.follow(host, state, metrics, Question::Snapshot, outcome);
        } else if self.asked.is_none() && now >= self.wait_until {
            self.ask(host, state, metrics, now);
        }
    }

    pub(super) fn on_call_response(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        arrived: &Arrived,
    ) {
        let Some((call, question)) = self.asked else { return };
        if call != arrived.call {
            return;
        }
        self.asked = None;
        let outcome = self.answered(host, state, question, arrived);
        self.follow(host, state, metrics, question, outcome);
    }

    /// Does what an outcome asks for.
    fn follow(
        &mut self,
        host: &dyn Host,
        state: &State,
        metrics: &mut Metrics,
        question: Question,
        outcome: Result<Outcome, HostProblem>,
    ) {
        let outcome = outcome.unwrap_or_else(|problem| {
            host.log(Level::Error, &problem.to_string());
            Outcome::Wait(question, "host")
        });
        let now = host.now().unwrap_or(self.wait_until);
        match outcome {
            Outcome::Load => {}
            Outcome::Next(next) => {
                self.failures = 0;
                self.next = next;
                metrics.count(host, "feed", "answered");
                self.ask(host, state, metrics, now);
            }
            Outcome::Wait(next, why) => {
                self.next = next;
                self.wait(host, metrics, now, why);
            }
        }
    }

    fn ask(&mut self, host: &dyn Host, state: &State, metrics: &mut Metrics, now: u64) {
        let prefix = &self.address.path;
        let (path, seconds) = match (self.next, state.meta()) {
            (Question::Deltas, Some(meta)) => {
                let position = meta.position;
                (format!("{prefix}/v1/deltas?from={position}&wait={WAIT_SECONDS}"), WAIT_SECONDS)
            }
            (Question::Snapshot, _) | (Question::Deltas, None) => {
                self.next = Question::Snapshot;
                (format!("{prefix}/v1/snapshot"), SNAPSHOT_SECONDS)
            }
        };
        let get = Get {
            cluster: &self.address.cluster,
            authority: &self.address.authority,
            path: &path,
            if_none_match: self.tag.as_deref().filter(|_| self.next == Question::Snapshot),
            timeout_milliseconds: seconds.saturating_add(10).saturating_mul(1000),
        };
        match host.get(&get) {
            Ok(call) => self.asked = Some((call, self.next)),
            Err(problem) => {
                host.log(Level::Error, &problem.to_string());
                self.wait(host, metrics, now, "host");
            }
        }
    }

    /// A second, doubled each time up to 30, and up to a tenth more: not all ask at once.
    fn wait(&mut self, host: &dyn Host, metrics: &mut Metrics, now: u64, why: &'static str) {
        metrics.count(host, "feed", why);
        if self.failures == 0 && why != NOTHING_NEW {
            host.log(Level::Warn, &format!("the feed: {why}"));
        }
        let seconds = 1_u64.checked_shl(self.failures).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let nanoseconds = seconds.saturating_mul(NANOSECONDS);
        // The module draws no randomness: the low digits of the moment differ between proxies.
        let tenth = (nanoseconds / 10).max(1);
        let jitter = now.checked_rem(tenth).unwrap_or(0);
        self.wait_until = now.saturating_add(nanoseconds).saturating_add(jitter);
    }

    fn answered(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        question: Question,
        arrived: &Arrived,
    ) -> Result<Outcome, HostProblem> {
        // Reset, timed out, or over the limit: asking for its fields would be an error.
        if arrived.fields == 0 {
            return Ok(Outcome::Wait(question, "broken"));
        }
        let fields = Fields::parse(host.fields(Map::CallResponse)?)?;
        let Some(answer) = Answer::read(&fields) else {
            return Ok(Outcome::Wait(question, "malformed"));
        };
        match (question, answer.status) {
            (_, 200) if !answer.is_container => Ok(Outcome::Wait(question, "malformed")),
            (Question::Snapshot, 200) => self.snapshot(host, state, answer, arrived.body),
            (Question::Snapshot, 304) => Ok(Outcome::Wait(Question::Deltas, "unchanged")),
            (Question::Deltas, 200) => self.deltas(host, state, arrived.body),
            (Question::Deltas, 410) => Ok(Outcome::Next(Question::Snapshot)),
            (Question::Deltas, 409) => Ok(Outcome::Wait(question, "behind")),
            (_, 404) => Ok(Outcome::Wait(question, "absent")),
            _ => Ok(Outcome::Wait(question, "refused")),
        }
    }

    fn snapshot(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        answer: Answer,
        size: usize,
    ) -> Result<Outcome, HostProblem> {
        // The body alone is bounded by the configuration; a header has 32 bytes for each MiB of it.
        let most = state.config().maximum_bytes().min(SNAPSHOT_BYTES).saturating_add(HEADER_BYTES);
        if u64::try_from(size).is_ok_and(|size| size > most) || size == 0 {
            return Ok(Outcome::Wait(Question::Snapshot, "too-large"));
        }
        let before = in_force(state);
        match self.begin(host, state, size) {
            Ok(loading) => self.load(host, state, Arriving { loading, tag: answer.tag, before }),
            Err(trouble) => snapshot_refused(host, state, trouble),
        }
    }

    /// Begins to load what has come. Nobody looks at it on the shelf before a version says so.
    fn begin(&self, host: &dyn Host, state: &mut State, size: usize) -> Result<Loading, Trouble> {
        let piece = |at: usize| {
            host.buffer(Buffer::CallResponse, at..size.min(at.saturating_add(PIECE_BYTES)))
        };
        let Some(shelf) = &self.shelf else {
            let source = Source::Held(host.buffer(Buffer::CallResponse, 0..size)?);
            let first = source.piece(host, 0)?;
            let loading = Loading::begin(source, &first, state)?;
            return Ok(loading.require_size(size).map(|()| loading)?);
        };
        let snapshot = shelf.version(host)?.unwrap_or_default().snapshot.saturating_add(1);
        let first = piece(0)?;
        let loading = Loading::begin(Source::Shelf(shelf.clone(), snapshot), &first, state)?;
        loading.require_size(size)?;
        shelf.put_piece(host, (snapshot, 0), &first)?;
        for (number, at) in (0..size).step_by(PIECE_BYTES).enumerate().skip(1) {
            shelf.put_piece(host, (snapshot, number), &piece(at)?)?;
        }
        Ok(loading)
    }

    /// Loads a piece of a snapshot, and shares it when it is whole and in force.
    fn load(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        mut arriving: Arriving,
    ) -> Result<Outcome, HostProblem> {
        match arriving.loading.step(host, state) {
            Ok(Step::More) => {
                self.arriving = Some(arriving);
                return Ok(Outcome::Load);
            }
            Ok(Step::Done) => {}
            Err(trouble) => return snapshot_refused(host, state, trouble),
        }
        let shared = match (&self.shelf, self.shared) {
            (Some(shelf), None) => shelf.version(host)?,
            (_, known) => known,
        };
        let has_reached_all = self.shelf.is_none() || shared.is_some();
        // Nothing follows what is in force, and there is nothing later: not asked without a pause.
        if has_reached_all && arriving.before.is_some() && in_force(state) <= arriving.before {
            self.tag = arriving.tag;
            return Ok(Outcome::Wait(Question::Deltas, "unchanged"));
        }
        self.log.clear();
        self.renew_at = LOG_BYTES;
        if let (Some(shelf), Some(snapshot)) = (&self.shelf, arriving.loading.shelved()) {
            let version = Version { snapshot, ..Version::default() };
            shelf.put(host, "log", b"")?;
            shelf.put_version(host, version)?;
            self.shared = Some(version);
        }
        self.tag = arriving.tag;
        Ok(Outcome::Next(Question::Deltas))
    }

    fn deltas(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        size: usize,
    ) -> Result<Outcome, HostProblem> {
        if size > DELTAS_BYTES {
            return Ok(Outcome::Wait(Question::Deltas, "too-large"));
        }
        let bytes = host.buffer(Buffer::CallResponse, 0..size)?;
        let news = News::apply(state, &bytes);
        self.share(host, &news)?;
        match &news.refused {
            // A feed that answers at once with nothing new is not asked without a pause.
            None if news.is_empty() => Ok(Outcome::Wait(Question::Deltas, NOTHING_NEW)),
            None if self.log.len() > self.renew_at => {
                self.renew_at = self.log.len().saturating_add(LOG_BYTES);
                Ok(Outcome::Next(Question::Snapshot))
            }
            None => Ok(Outcome::Next(Question::Deltas)),
            Some(refusal) => {
                host.log(Level::Warn, &format!("a delta is refused: {refusal}"));
                Ok(after(refusal))
            }
        }
    }

    fn share(&mut self, host: &dyn Host, news: &News<'_>) -> Result<(), HostProblem> {
        let Some(shelf) = &self.shelf else { return Ok(()) };
        if self.shared.is_none() {
            // Another VM has shared a snapshot, and this one goes on from there.
            self.log = shelf.take(host, "log")?;
            self.shared = shelf.version(host)?;
        }
        let Some(version) = &mut self.shared else { return Ok(()) };
        if !news.deltas.is_empty() {
            self.log.extend(&news.deltas);
            shelf.put(host, "log", &self.log)?;
            version.log = u64::try_from(self.log.len()).unwrap_or(u64::MAX);
        }
        if let Some(beat) = news.beat {
            shelf.put(host, "beat", beat)?;
            version.beat = version.beat.saturating_add(1);
        }
        shelf.put_version(host, *version)
    }
}

/// How far what is in force has come.
fn in_force(state: &State) -> Option<(Position, u64)> {
    state.meta().map(|meta| (meta.position, meta.issued_at))
}

fn snapshot_refused(
    host: &dyn Host,
    state: &State,
    trouble: Trouble,
) -> Result<Outcome, HostProblem> {
    let refusal = match trouble {
        Trouble::Host(problem) => return Err(problem),
        Trouble::State(refusal) => refusal,
    };
    if matches!(refusal, StateRefusal::Rollback { .. }) && state.meta().is_some() {
        // The feed knows less than is in force: that stays, and is not shared anew.
        return Ok(Outcome::Wait(Question::Deltas, "rolled-back"));
    }
    host.log(Level::Error, &format!("the snapshot is refused: {refusal}"));
    Ok(Outcome::Wait(Question::Snapshot, "snapshot-refused"))
}

/// What helps after a container was refused: a snapshot, where something is missing in between.
const fn after(refusal: &StateRefusal) -> Outcome {
    match refusal {
        StateRefusal::Base { .. }
        | StateRefusal::Contract { .. }
        | StateRefusal::Delta(_)
        | StateRefusal::Gap { .. }
        | StateRefusal::Row(_) => Outcome::Wait(Question::Snapshot, "gap"),
        StateRefusal::Behind { .. }
        | StateRefusal::Container(_)
        | StateRefusal::Deployment { .. }
        | StateRefusal::Future { .. }
        | StateRefusal::Memory { .. }
        | StateRefusal::Missing
        | StateRefusal::NotBegun
        | StateRefusal::Raw
        | StateRefusal::Rollback { .. }
        | StateRefusal::Skew { .. }
        | StateRefusal::Slice { .. }
        | StateRefusal::Snapshot(_)
        | StateRefusal::Stale { .. } => Outcome::Wait(Question::Deltas, "delta-refused"),
    }
}

impl Answer {
    /// Reads the fields; `None` where it is compressed, or has no one status.
    fn read(fields: &Fields) -> Option<Self> {
        let text = |name| fields.only(name).and_then(|value| std::str::from_utf8(value).ok());
        if fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding")) {
            return None;
        }
        let content_type = text("content-type").unwrap_or_default();
        Some(Self {
            status: text(":status")?.parse().ok()?,
            tag: text("etag").map(str::to_owned),
            is_container: content_type.starts_with("application/vnd.mandate.container"),
        })
    }
}

/// A feed that waits less than it was asked to is slowed down, and not worth a line.
const NOTHING_NEW: &str = "nothing-new";
/// Seconds that the feed may wait for news.
const WAIT_SECONDS: u32 = 30;
/// Seconds that a snapshot may take.
const SNAPSHOT_SECONDS: u32 = 60;
/// Bytes of a snapshot. Source: decision.md section 8.
const SNAPSHOT_BYTES: u64 = 128 * 1024 * 1024;
/// Bytes of a snapshot's header, generously.
const HEADER_BYTES: u64 = 64 * 1024;
/// Bytes of one answer with deltas: docs/feed.md.
const DELTAS_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of deltas after which the snapshot is fetched anew: each change of them is copied to every VM.
const LOG_BYTES: usize = 4 * 1024 * 1024;
/// Seconds.
const LONGEST_WAIT: u64 = 30;
const NANOSECONDS: u64 = 1_000_000_000;
