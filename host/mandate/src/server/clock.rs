//! The one clock of the server: decisions get their time from here.

use std::time::SystemTime;

/// Seconds since the epoch; 0 before it, when nothing is fresh and everything is denied.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}
