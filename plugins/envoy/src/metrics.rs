//! Counters, gauges and histograms. None of them decides: where the host has none, nothing is
//! counted.

use std::collections::BTreeMap;

use mandate_authn::ReasonCode;

use crate::host::{Host, MetricKind};

/// Metrics of one VM: Envoy adds those of its workers up, but for gauges, which the last one sets.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    ids: BTreeMap<(&'static str, &'static str), Option<u32>>,
}

impl Metrics {
    /// A decision, and the microseconds that it took.
    pub(crate) fn decided(
        &mut self,
        host: &dyn Host,
        verdict: &'static str,
        reason: ReasonCode,
        microseconds: u64,
    ) {
        self.count(host, verdict, reason.as_str());
        self.record(host, MetricKind::Histogram, "decision_us", microseconds);
    }

    /// Something that happened, by what it was.
    pub(crate) fn count(&mut self, host: &dyn Host, what: &'static str, which: &'static str) {
        self.add(host, what, which, 1);
    }

    /// Something that happened several times.
    pub(crate) fn add(
        &mut self,
        host: &dyn Host,
        what: &'static str,
        which: &'static str,
        amount: i64,
    ) {
        if amount > 0
            && let Some(id) = self.id(host, MetricKind::Counter, what, which)
        {
            // A metric that cannot be counted is no reason to deny.
            let _ = host.add_metric(id, amount);
        }
    }

    /// A value of now, or one of many.
    pub(crate) fn record(
        &mut self,
        host: &dyn Host,
        kind: MetricKind,
        name: &'static str,
        value: u64,
    ) {
        if let Some(id) = self.id(host, kind, name, "") {
            let _ = host.record_metric(id, value);
        }
    }

    fn id(
        &mut self,
        host: &dyn Host,
        kind: MetricKind,
        what: &'static str,
        which: &'static str,
    ) -> Option<u32> {
        *self.ids.entry((what, which)).or_insert_with(|| {
            let separator = if which.is_empty() { "" } else { "." };
            host.define_metric(kind, &format!("mandate.{what}{separator}{which}")).ok()
        })
    }
}
