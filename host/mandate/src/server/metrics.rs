//! Counters, as Prometheus reads them (text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), Requests>>,
    decisions: Mutex<BTreeMap<String, u64>>,
    pub(super) busy: AtomicU64,
    pub(super) audit_failures: AtomicU64,
    pub(super) publication_failures: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    count: u64,
    microseconds: u64,
}

/// What is read off at the moment of the question.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gauges {
    pub(super) era: u64,
    pub(super) epoch: u64,
    pub(super) state_age_seconds: Option<u64>,
    pub(super) audit_waiting: u64,
}

impl Metrics {
    pub(super) fn request(&self, endpoint: &'static str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = requests.entry((endpoint, status)).or_default();
        entry.count = entry.count.saturating_add(1);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        entry.microseconds = entry.microseconds.saturating_add(took);
    }

    /// A decision, by its reason: a closed list, so that nobody makes labels.
    pub(super) fn decision(&self, reason: &str) {
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        match decisions.get_mut(reason) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(decisions.insert(reason.to_owned(), 1)),
        }
    }

    pub(super) fn render(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        text.push_str("# TYPE mandate_requests_total counter\n");
        for ((endpoint, status), Requests { count, .. }) in &requests {
            let labels = format!("{{endpoint=\"{endpoint}\",status=\"{status}\"}}");
            let _ = writeln!(text, "mandate_requests_total{labels} {count}");
        }
        text.push_str("# TYPE mandate_request_microseconds_total counter\n");
        for ((endpoint, status), Requests { microseconds, .. }) in &requests {
            let labels = format!("{{endpoint=\"{endpoint}\",status=\"{status}\"}}");
            let _ = writeln!(text, "mandate_request_microseconds_total{labels} {microseconds}");
        }
        text.push_str("# TYPE mandate_decisions_total counter\n");
        let decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (reason, count) in &decisions {
            let _ = writeln!(text, "mandate_decisions_total{{reason=\"{reason}\"}} {count}");
        }
        for (name, counter) in [
            ("mandate_busy_total", &self.busy),
            ("mandate_audit_failures_total", &self.audit_failures),
            ("mandate_publication_failures_total", &self.publication_failures),
        ] {
            let value = counter.load(Ordering::Relaxed);
            let _ = write!(text, "# TYPE {name} counter\n{name} {value}\n");
        }
        let age = gauges.state_age_seconds;
        for (name, value) in [
            ("mandate_state_era", Some(gauges.era)),
            ("mandate_state_epoch", Some(gauges.epoch)),
            ("mandate_state_age_seconds", age),
            ("mandate_audit_waiting", Some(gauges.audit_waiting)),
        ] {
            let Some(value) = value else { continue };
            let _ = write!(text, "# TYPE {name} gauge\n{name} {value}\n");
        }
        text
    }
}
