//! One issuer's key set: when it is asked for, and which answers are none.

use super::{Arrived, KeySetAddress, Unused};
use crate::fields::Fields;
use crate::host::{Buffer, Get, Host, HostProblem, Level, Map};
use crate::metrics::Metrics;

/// Asks for one issuer's key set.
#[derive(Debug)]
pub(crate) struct Fetch {
    address: KeySetAddress,
    asked: Option<u32>,
    /// Nanoseconds since the epoch, failures included.
    last_attempt: Option<u64>,
    /// Nanoseconds from the last attempt to the next one that nobody asks for.
    interval: u64,
    failures: u32,
    /// The tag of the set in force.
    tag: Option<String>,
    wanted: bool,
}

/// A good answer, and when it came in seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fetched<'t> {
    /// A set, as it came. It may still be no key set.
    Set { text: &'t str, at: u64 },
    /// The set in force is still the newest.
    Same { at: u64 },
}

/// How long a good answer lasts.
struct Taken {
    same: bool,
    interval: u64,
}

/// Why an answer is none.
enum Failure {
    Answer(&'static str),
    Unused(Unused),
}

impl Fetch {
    pub(crate) const fn new(address: KeySetAddress) -> Self {
        Self {
            address,
            asked: None,
            last_attempt: None,
            interval: SHORTEST_INTERVAL,
            failures: 0,
            tag: None,
            wanted: false,
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.address.issuer
    }

    /// Somebody needs a newer set than the one in force.
    pub(crate) const fn want(&mut self) {
        self.wanted = true;
    }

    /// The last attempt was then, in seconds since the epoch: this VM was loaded anew.
    pub(crate) const fn attempted(&mut self, seconds: u64) {
        self.last_attempt = Some(seconds.saturating_mul(NANOSECONDS));
    }

    /// Seconds since the epoch of the last attempt.
    pub(crate) const fn last_attempt(&self) -> Option<u64> {
        match self.last_attempt {
            None => None,
            Some(last) => Some(crate::worker::seconds(last)),
        }
    }

    pub(crate) fn on_tick(&mut self, host: &dyn Host, metrics: &mut Metrics, now: u64) {
        // A clock that was set back must neither stop fetches for long nor allow a storm.
        let since = self.last_attempt.map(|last| now.abs_diff(last));
        let due = since.is_none_or(|since| {
            since >= self.interval || (self.wanted && since >= SHORTEST_INTERVAL)
        });
        if self.asked.is_none() && due {
            self.ask(host, metrics, now);
        }
    }

    fn ask(&mut self, host: &dyn Host, metrics: &mut Metrics, now: u64) {
        self.last_attempt = Some(now);
        self.wanted = false;
        let KeySetAddress { cluster, authority, path, .. } = &self.address;
        let get = Get {
            cluster,
            authority,
            path,
            if_none_match: self.tag.as_deref(),
            timeout_milliseconds: TIMEOUT_MILLISECONDS,
        };
        match host.get(&get) {
            Ok(call) => self.asked = Some(call),
            Err(problem) => self.failed(host, metrics, now, &problem.into()),
        }
    }

    /// An answer; `false` where it is not to this one's request. `take` puts it in force, or says why
    /// it cannot.
    pub(crate) fn on_call_response(
        &mut self,
        host: &dyn Host,
        metrics: &mut Metrics,
        arrived: &Arrived,
        take: impl FnOnce(&dyn Host, &str, Fetched<'_>) -> Result<(), Unused>,
    ) -> bool {
        if self.asked != Some(arrived.call) {
            return false;
        }
        self.asked = None;
        let now = host.now().unwrap_or_else(|_| self.last_attempt.unwrap_or(0));
        match self.answered(host, arrived, now, take) {
            Ok(Taken { same, interval }) => {
                self.failures = 0;
                self.interval = with_jitter(interval, now);
                metrics.count(host, "keys", if same { "unchanged" } else { "fetched" });
            }
            Err(failure) => self.failed(host, metrics, now, &failure),
        }
        true
    }

    fn answered(
        &mut self,
        host: &dyn Host,
        arrived: &Arrived,
        now: u64,
        take: impl FnOnce(&dyn Host, &str, Fetched<'_>) -> Result<(), Unused>,
    ) -> Result<Taken, Failure> {
        // Reset, timed out, or over the limit: asking for its fields would be an error.
        if arrived.fields == 0 {
            return Err(Failure::Answer("broken"));
        }
        let fields = Fields::parse(host.fields(Map::CallResponse)?)?;
        let text = |name| fields.only(name).and_then(|value| std::str::from_utf8(value).ok());
        let interval = interval(text("cache-control"));
        let at = crate::worker::seconds(now);
        match text(":status") {
            Some("304") if self.tag.is_some() => {
                take(host, &self.address.issuer, Fetched::Same { at })?;
                return Ok(Taken { same: true, interval });
            }
            Some("200") => {}
            Some(_) => return Err(Failure::Answer("refused")),
            None => return Err(Failure::Answer("malformed")),
        }
        if arrived.body > SET_BYTES {
            return Err(Failure::Answer("too-large"));
        }
        if fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding")) {
            return Err(Failure::Answer("malformed"));
        }
        let body = host.buffer(Buffer::CallResponse, 0..SET_BYTES)?;
        let set = std::str::from_utf8(&body).map_err(|_| Failure::Answer("malformed"))?;
        take(host, &self.address.issuer, Fetched::Set { text: set, at })?;
        self.tag = text("etag").map(str::to_owned);
        Ok(Taken { same: false, interval })
    }

    /// The set in force stays, and is asked for again after ever longer waits.
    fn failed(&mut self, host: &dyn Host, metrics: &mut Metrics, now: u64, failure: &Failure) {
        let (why, detail) = match failure {
            Failure::Answer(why) => (*why, String::new()),
            Failure::Unused(Unused::Host(problem)) => ("host", format!(": {problem}")),
            Failure::Unused(Unused::Set(problem)) => ("unusable", format!(": {problem}")),
        };
        metrics.count(host, "keys", why);
        if self.failures == 0 {
            let issuer = &self.address.issuer;
            host.log(Level::Warn, &format!("the key set of `{issuer}`: {why}{detail}"));
        }
        let doubled = SHORTEST_INTERVAL.checked_shl(self.failures).unwrap_or(LONGEST_WAIT);
        self.interval = with_jitter(doubled.min(LONGEST_WAIT), now);
        self.failures = self.failures.saturating_add(1).min(MOST_DOUBLINGS);
    }
}

impl From<HostProblem> for Failure {
    fn from(problem: HostProblem) -> Self {
        Self::Unused(Unused::Host(problem))
    }
}

impl From<Unused> for Failure {
    fn from(unused: Unused) -> Self {
        Self::Unused(unused)
    }
}

/// Nanoseconds that a set need not be asked for: what the server says, as far as the contract allows.
/// A server that wants every use confirmed gets what one gets that says nothing.
fn interval(cache_control: Option<&str>) -> u64 {
    let directives = cache_control.unwrap_or_default().split(',').map(str::trim);
    let ages = directives.filter_map(|one| {
        let (name, value) = one.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.parse::<u64>().ok()).flatten()
    });
    let stated = ages.min().filter(|seconds| *seconds > 0);
    let nanoseconds =
        stated.map_or(ROUTINE_INTERVAL, |seconds| seconds.saturating_mul(NANOSECONDS));
    nanoseconds.clamp(SHORTEST_INTERVAL, ROUTINE_INTERVAL)
}

/// Up to a tenth more, so that not all proxies ask at once. The module draws no randomness: the low
/// digits of the moment differ between them.
fn with_jitter(nanoseconds: u64, now: u64) -> u64 {
    let tenth = (nanoseconds / 10).max(1);
    nanoseconds.saturating_add(now.checked_rem(tenth).unwrap_or(0))
}

const NANOSECONDS: u64 = 1_000_000_000;
/// Between two attempts at one issuer, whoever asks. Contract: contract/CONTRACT.md#keys, 6.
const SHORTEST_INTERVAL: u64 = 30 * NANOSECONDS;
/// After which a set is fetched anew. Contract: contract/CONTRACT.md#keys, 8.
const ROUTINE_INTERVAL: u64 = 300 * NANOSECONDS;
/// Between two attempts that nobody asks for, while they fail: requests that need keys ask sooner.
const LONGEST_WAIT: u64 = 120 * NANOSECONDS;
/// Doublings after which the longest wait is reached, and more.
const MOST_DOUBLINGS: u32 = 8;
/// Contract: contract/CONTRACT.md#keys, 2.
const SET_BYTES: usize = 256 * 1024;
const TIMEOUT_MILLISECONDS: u32 = 5000;
