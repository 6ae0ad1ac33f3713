//! What is published, heartbeats, and who waits for news.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mandate_authz::container::{Kind, PinnedKey, Position, SigningKey, Statement, seal};

use super::container::Container;
use super::history::{History, joined};

/// Seconds between two heartbeats. Contract: decision.md, section 3.
pub const HEARTBEAT_SECONDS: u64 = 10;

/// Bytes of one answer with deltas.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// How long a waiting request gathers what is published before it is answered.
const GATHER: Duration = Duration::from_millis(50);

/// The signing key, if this feed signs its heartbeats, with its public half.
#[derive(Debug, Default)]
pub struct FeedOptions {
    /// Signs heartbeats.
    pub key: Option<SigningKey>,
}

/// Something to serve, and those who wait for the next of it.
#[derive(Debug)]
pub struct Feed {
    key: Option<(SigningKey, Vec<PinnedKey>)>,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    history: History,
    /// When the heartbeat came, by the clock that only goes forward.
    beaten_at: Option<Instant>,
    /// The newest issued-at that was signed or passed on.
    newest_issued_at: u64,
    stopping: bool,
}

/// The answer to a question for deltas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deltas {
    /// The consumer has seen more than there is.
    Ahead {
        /// Where the chain ends.
        position: Position,
    },
    /// The chain does not reach back.
    Gone {
        /// Where the chain begins.
        begin: Position,
        /// Where it ends.
        position: Position,
    },
    /// Nothing is published.
    Nothing,
    /// Containers, one after the other.
    Since {
        /// Where the chain ends.
        position: Position,
        /// The containers.
        parts: Vec<Arc<[u8]>>,
    },
}

impl Feed {
    /// A feed that serves nothing yet.
    ///
    /// # Errors
    /// When the key cannot be pinned, which no key of `keygen` is.
    pub fn new(options: FeedOptions) -> Result<Self, mandate_authz::container::PinProblem> {
        let pinned = |key: SigningKey| Ok((PinnedKey::parse(&key.to_public_jwk())?, key));
        let key = options.key.map(pinned).transpose()?;
        let key = key.map(|(pinned, key)| (key, vec![pinned]));
        Ok(Self { key, state: Mutex::default(), news: Condvar::new() })
    }

    /// Publishes what there is now. A heartbeat that was signed for the same position stays.
    pub fn publish(&self, history: History, now: u64) {
        let mut state = self.lock();
        let moved = state.history.position() != history.position();
        let before = state.history.heartbeat().cloned();
        state.history = history;
        state.newest_issued_at = state.newest_issued_at.max(state.history.issued_at());
        let kept = before.filter(|_| !moved);
        let newer = |kept: &Container| {
            let passed_on = state.history.heartbeat().map(|new| new.statement().issued_at);
            passed_on < Some(kept.statement().issued_at)
        };
        match kept.filter(newer) {
            Some(kept) => state.history.beat(kept),
            None if state.history.heartbeat().is_some() => state.beaten_at = Some(Instant::now()),
            None => state.beaten_at = None,
        }
        if moved {
            self.sign(&mut state, now);
        }
        drop(state);
        self.news.notify_all();
    }

    /// Signs a heartbeat if one is due: ten seconds after the last.
    pub fn tick(&self, now: u64) {
        let mut state = self.lock();
        let age = state.beaten_at.map(|at| at.elapsed());
        if age.is_some_and(|age| age < Duration::from_secs(HEARTBEAT_SECONDS)) {
            return;
        }
        if self.sign(&mut state, now) {
            drop(state);
            self.news.notify_all();
        }
    }

    fn sign(&self, state: &mut State, now: u64) -> bool {
        let Some((key, pinned)) = &self.key else { return false };
        let (Some(snapshot), Some(position)) = (state.history.snapshot(), state.history.position())
        else {
            return false;
        };
        // A clock that was set back must not make what is served look older, or newer, than it is.
        if now < state.newest_issued_at {
            return false;
        }
        let kind = Kind::Delta { base: 0, from: position.epoch };
        let statement =
            Statement { kind, position, issued_at: now, ..snapshot.statement().clone() };
        let sealed = seal(&statement, &[], key).ok();
        let heartbeat = sealed.and_then(|bytes| Container::verify(bytes, pinned).ok());
        let Some(heartbeat) = heartbeat else { return false };
        state.history.beat(heartbeat);
        state.beaten_at = Some(Instant::now());
        state.newest_issued_at = now;
        true
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<Container> {
        self.lock().history.snapshot().cloned()
    }

    /// What came after a position. Where nothing did, waits until something does, a heartbeat
    /// comes, `wait` is over, or the feed stops.
    #[must_use]
    pub fn deltas(&self, from: Position, wait: Duration) -> Deltas {
        let asked_at = Instant::now();
        let mut state = self.lock();
        let mut waited = false;
        while state.waits(from, asked_at) {
            let left = wait.saturating_sub(asked_at.elapsed());
            if left.is_zero() {
                break;
            }
            waited = true;
            let (again, _) =
                self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = again;
        }
        if waited && !state.stopping && state.history.position() != Some(from) {
            drop(state);
            std::thread::sleep(GATHER);
            state = self.lock();
        }
        state.answer(from)
    }

    /// Answers whoever waits, and lets nobody wait any more.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.news.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has changed nothing by halves: histories are replaced whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there is nothing new for somebody who stands there.
    fn waits(&self, from: Position, asked_at: Instant) -> bool {
        let beaten = self.beaten_at.is_some_and(|at| at > asked_at);
        self.history.position() == Some(from) && !beaten && !self.stopping
    }

    fn answer(&self, from: Position) -> Deltas {
        let (Some(begin), Some(position)) = (self.history.begin(), self.history.position()) else {
            return Deltas::Nothing;
        };
        if from > position {
            return Deltas::Ahead { position };
        }
        let Some(deltas) = self.history.since(from) else {
            return Deltas::Gone { begin, position };
        };
        let (mut parts, whole) = joined(deltas, ANSWER_BYTES);
        if whole {
            parts.extend(self.history.heartbeat().map(Container::bytes));
        }
        Deltas::Since { position, parts }
    }
}
