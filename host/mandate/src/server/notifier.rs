//! Tells those who asked, from the outbox of the registry.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use mandate_registry::Registry;
use mandate_registry::outbox::Attempt;

use super::OpenRegistry;
use super::clock;
use super::journal::Journal;
use super::shared::pause;
use crate::webhook::{Hook, deliver_due};

/// How often the outbox is looked at.
const POLL: Duration = Duration::from_secs(1);

/// Delivers until the server stops. A message that is under way then is sent to its end.
pub(super) fn follow(
    hooks: Vec<Hook>,
    open: OpenRegistry,
    journal: Journal,
    stopping: Arc<AtomicBool>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut registry: Option<Registry> = None;
        let mut failing = false;
        while !hooks.is_empty() && pause(&stopping, POLL) {
            let outcome = look(&mut registry, &hooks, &open, journal);
            if let Err(error) = &outcome {
                registry = None;
                if !failing {
                    journal.event("outbox", &[("error", &format!("{error:#}"))]);
                }
            }
            failing = outcome.is_err();
        }
    })
}

fn look(
    registry: &mut Option<Registry>,
    hooks: &[Hook],
    open: &OpenRegistry,
    journal: Journal,
) -> anyhow::Result<()> {
    let registry = match registry {
        Some(registry) => registry,
        None => registry.insert(open()?),
    };
    deliver_due(registry, hooks, clock::now, |delivery, attempt| {
        let outcome = match attempt {
            Attempt::Delivered => "delivered",
            Attempt::Failed(problem) | Attempt::Refused(problem) => problem,
        };
        let members =
            [("hook", &*delivery.hook), ("message", &delivery.message), ("outcome", outcome)];
        journal.event("notification", &members);
    })
}
