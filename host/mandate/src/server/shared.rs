//! What every request finds: the plugin with trust and state, the registry, the audit, counters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, available_parallelism};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use mandate_authn::Contract;
use mandate_authz::container::PinnedKey;
use mandate_authz::model::Model;
use mandate_authz::policy::Policy as Tables;
use mandate_host::{Limits, Policy};
use tokio::sync::Semaphore;

use super::Deployment;
use super::answer::{Answer, busy, unavailable};
use super::audit_log::AuditLog;
use super::journal::Journal;
use super::metrics::Metrics;
use super::notifier;
use super::publisher::{Line, Publisher};
use super::registries::{CallError, Registries};
use super::settings::Settings;
use super::trust::TrustKeeper;
use super::workers::Workers;
use crate::feed::Feed;

/// What every request finds.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    /// What the contract says, for reading tables. It decides nothing here.
    pub(super) tables: Tables,
    /// What facts are read by.
    pub(super) model: Model,
    pub(super) policy: Policy,
    pub(super) deciders: Workers,
    pub(super) registries: Registries,
    pub(super) trust: Arc<TrustKeeper>,
    pub(super) audit: AuditLog,
    /// What signs segments of the audit.
    pub(super) audit_keys: Arc<[PinnedKey]>,
    /// One walk along a chain at a time: it holds a connection to the registry for as long as the
    /// chain is.
    pub(super) verifying: Arc<Semaphore>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) journal: Journal,
    pub(super) requests: Semaphore,
    pub(super) feeds: BTreeMap<String, Arc<Feed>>,
    /// Threads that wait for news of the feed.
    pub(super) polls: Workers,
    stopping: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Requests for news of the feed that may wait at once.
const POLLS: usize = 256;

impl Shared {
    /// Connects, publishes a first snapshot, loads it and the trust. Blocks.
    pub(super) fn start(settings: Settings, deployment: Deployment) -> anyhow::Result<Arc<Self>> {
        let Deployment { contract, model, open, key, slices, plugin, hooks } = deployment;
        let checked =
            Contract::parse(&contract.to_string()).map_err(|error| anyhow!("contract: {error}"))?;
        let tables =
            Tables::from_contract(&checked).map_err(|error| anyhow!("contract: {error}"))?;
        let tables = tables.context("contract: `authz`: is missing")?;
        settings.check(&checked, &tables)?;
        let (journal, metrics) = (Journal, Arc::new(Metrics::default()));
        let limits = Limits {
            memory_bytes: settings.limits.instance_mib.saturating_mul(1024 * 1024),
            ..Limits::default()
        };
        let policy = Policy::new(plugin, limits)?;
        let trust = Arc::new(TrustKeeper::start(contract, &settings, policy.clone(), journal)?);
        let mut registry = open()?;
        let pinned = PinnedKey::parse(&key.to_public_jwk()).context("`feed.key`")?;
        let pinned: Arc<[PinnedKey]> = Arc::from([pinned]);
        let (version, counters) = (checked.version(), Arc::clone(&metrics));
        let mut publisher = Publisher::new(key, Arc::clone(&pinned), version, counters, journal);
        publisher.add(Line::of_policy(policy.clone()));
        let mut feeds = BTreeMap::new();
        for slice in slices {
            let feed = Arc::new(Feed::new(crate::feed::FeedOptions::default())?);
            feeds.insert(slice.name().to_owned(), Arc::clone(&feed));
            publisher.add(Line::of_feed(slice, feed));
        }
        publisher.begin(&mut registry)?;
        let audit = AuditLog::new(settings.limits.audit_records)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let threads = vec![
            publisher.follow(registry, Arc::clone(&open), Arc::clone(&stopping)),
            audit
                .write_to(Arc::clone(&open), Arc::clone(&metrics), journal)
                .context("the audit cannot be written")?,
            trust.follow(Arc::clone(&stopping)),
            notifier::follow(hooks, Arc::clone(&open), journal, Arc::clone(&stopping)),
        ];
        let processors = available_parallelism().map_or(2, usize::from);
        Ok(Arc::new(Self {
            tables,
            model,
            policy,
            // As many as there are instances; a decision takes a millisecond at most.
            deciders: Workers::new(processors.saturating_mul(2).max(4), 256),
            registries: Registries::new(open, settings.limits.registry_connections),
            trust,
            audit,
            audit_keys: pinned,
            verifying: Arc::new(Semaphore::new(1)),
            metrics,
            journal,
            requests: Semaphore::new(settings.limits.requests),
            feeds,
            polls: Workers::new(POLLS, 0),
            stopping,
            threads: Mutex::new(threads),
            settings,
        }))
    }

    /// The answer where the registry gave none; the operator learns why.
    pub(super) fn failed(&self, error: &CallError) -> Answer {
        let error = match error {
            CallError::Busy => return busy(),
            CallError::Registry(error) => error.to_string(),
            CallError::Unreachable(error) => error.clone(),
        };
        self.journal.event("registry", &[("error", &error)]);
        unavailable("registry", "the registry does not answer")
    }

    /// Answers whoever waits for news.
    pub(super) fn stop_waiting(&self) {
        for feed in self.feeds.values() {
            feed.stop();
        }
    }

    /// Ends the threads, the last record of the audit written. Blocks.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.audit.close();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Sleeps in steps, so that a stop is noticed; whether it may go on.
pub(super) fn pause(stopping: &AtomicBool, time: Duration) -> bool {
    const STEP: Duration = Duration::from_millis(50);
    let mut left = time;
    while !left.is_zero() {
        if stopping.load(Ordering::SeqCst) {
            return false;
        }
        let step = left.min(STEP);
        std::thread::sleep(step);
        left = left.saturating_sub(step);
    }
    !stopping.load(Ordering::SeqCst)
}
