//! The clock that Envoy reads too.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
pub(super) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

/// Waits until a second begins.
pub(super) fn wait_for(moment: u64) {
    let begins = UNIX_EPOCH.checked_add(Duration::from_secs(moment));
    // A sleep may end early, and the clock may be set.
    while seconds() < moment {
        let left = begins.and_then(|begins| begins.duration_since(SystemTime::now()).ok());
        thread::sleep(left.unwrap_or_default().min(Duration::from_secs(1)));
    }
}
