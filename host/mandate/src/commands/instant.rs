//! Moments on the command line: seconds, RFC 3339 in UTC, or from now on.

use std::str::FromStr;

use mandate_authz::facts::parse_moment;

/// A moment that a flag names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instant {
    /// Seconds since the epoch.
    At(u64),
    /// Seconds after now: `+8h`.
    In(u64),
}

impl Instant {
    /// Seconds since the epoch.
    pub(super) const fn at(self, now: u64) -> u64 {
        match self {
            Self::At(seconds) => seconds,
            Self::In(seconds) => now.saturating_add(seconds),
        }
    }
}

impl FromStr for Instant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = match text.strip_prefix('+') {
            Some(span) => seconds(span).map(Self::In),
            None => text.parse().ok().or_else(|| parse_moment(text)).map(Self::At),
        };
        found.ok_or("must be seconds since 1970, 2027-01-31T00:00:00Z, or +30m, +8h, +7d")
    }
}

/// `90s`, `30m`, `8h`, `7d`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let (count, unit) = units
        .into_iter()
        .find_map(|(letter, unit)| text.strip_suffix(letter).map(|count| (count, unit)))?;
    count.parse::<u64>().ok()?.checked_mul(unit)
}

/// A span of time that a flag names.
pub(super) fn span(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().or_else(|| seconds(text)).ok_or("must be seconds, or 90s, 30m, 8h, 7d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_in_three_ways() {
        assert_eq!("12".parse(), Ok(Instant::At(12)));
        assert_eq!("1970-01-01T00:01:00Z".parse(), Ok(Instant::At(60)));
        assert_eq!("+2h".parse::<Instant>().map(|instant| instant.at(1)), Ok(7_201));
        for wrong in ["", "+", "+5", "5h", "tomorrow", "+-5h", "+99999999999999999999d"] {
            assert!(wrong.parse::<Instant>().is_err(), "{wrong}");
        }
    }
}
