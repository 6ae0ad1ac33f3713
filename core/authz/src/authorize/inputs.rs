//! Inputs of conditions: what the host, the token and the caller say, each under its own prefix, so
//! that none can pass for another.

use mandate_authn::VerifiedToken;
use serde_json::{Map, Value};

use super::Request;

/// Collects the inputs that some condition of the model declares.
pub(super) fn collect(
    declared: &[&str],
    token: Option<&VerifiedToken>,
    request: &Request<'_>,
    now: u64,
) -> Map<String, Value> {
    let mut inputs = Map::new();
    for name in declared {
        if let Some(value) = input(name, token, request, now) {
            inputs.insert((*name).to_owned(), value);
        }
    }
    inputs
}

fn input(
    name: &str,
    token: Option<&VerifiedToken>,
    request: &Request<'_>,
    now: u64,
) -> Option<Value> {
    if let Some(name) = name.strip_prefix("caller_") {
        return request.caller?.get(name).cloned();
    }
    if let Some(name) = name.strip_prefix("token_") {
        return of_token(token?, name);
    }
    match name {
        "host_address" => request.peer_address.map(Value::from),
        "host_time" => Some(timestamp(now)),
        _ => None,
    }
}

fn of_token(token: &VerifiedToken, name: &str) -> Option<Value> {
    match name {
        "client_id" => token.client_id().map(Value::from),
        "expires_at" => Some(timestamp(token.expires_at())),
        "issued_at" => token.issued_at().map(timestamp),
        "issuer" => Some(token.issuer().into()),
        "scopes" => Some(token.scopes().to_vec().into()),
        "subject" => Some(token.subject().into()),
        "tenant" => token.tenant().map(Value::from),
        "token_id" => token.token_id().map(Value::from),
        _ => None,
    }
}

/// RFC 3339, in UTC. Beyond the year 9999 the moment is written as the end of that year.
fn timestamp(seconds: u64) -> Value {
    const LAST: u64 = 253_402_300_799;
    const DAY: u64 = 86_400;
    let seconds = seconds.min(LAST);
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let [year, month, day] = date(days);
    let (hour, minute, second) =
        (rest.div_euclid(3600), rest.div_euclid(60).rem_euclid(60), rest.rem_euclid(60));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z").into()
}

/// Year, month and day of a day since 1970-01-01 in the Gregorian calendar.
///
/// Years are counted from March, so that a leap day is the last of its year; an era is 400 years.
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn date(days: u64) -> [u64; 3] {
    const TO_ERA: u64 = 719_468;
    const ERA: u64 = 146_097;
    let days = days.saturating_add(TO_ERA);
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let leap = day_of_era
        .saturating_sub(day_of_era.div_euclid(1460))
        .saturating_add(day_of_era.div_euclid(36_524))
        .saturating_sub(day_of_era.div_euclid(146_096));
    let year_of_era = leap.div_euclid(365);
    let before = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era.div_euclid(4))
        .saturating_sub(year_of_era.div_euclid(100));
    let day_of_year = day_of_era.saturating_sub(before);
    let shifted = day_of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let start = shifted.saturating_mul(153).saturating_add(2).div_euclid(5);
    let day = day_of_year.saturating_sub(start).saturating_add(1);
    let month = if shifted < 10 { shifted.saturating_add(3) } else { shifted.saturating_sub(9) };
    let year = year_of_era.saturating_add(era.saturating_mul(400));
    [year.saturating_add(u64::from(month <= 2)), month, day]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds), Value::from(text));
        }
    }

    #[test]
    fn a_caller_cannot_speak_for_host_or_token() {
        let caller = Map::from_iter([
            ("host_time".to_owned(), Value::from("2000-01-01T00:00:00Z")),
            ("ticket".to_owned(), Value::from("t-1")),
        ]);
        let request = Request {
            audience: "",
            action: "",
            tool: None,
            resources: &[],
            on_behalf_of: None,
            caller: Some(&caller),
            peer_address: Some("192.0.2.1"),
            minimum_epoch: None,
        };
        let declared =
            ["host_time", "host_address", "host_name", "caller_ticket", "caller_host_time", "x"];
        let inputs = collect(&declared, None, &request, 0);
        let expected = Map::from_iter([
            ("caller_host_time".to_owned(), Value::from("2000-01-01T00:00:00Z")),
            ("caller_ticket".to_owned(), Value::from("t-1")),
            ("host_address".to_owned(), Value::from("192.0.2.1")),
            ("host_time".to_owned(), Value::from("1970-01-01T00:00:00Z")),
        ]);
        assert_eq!(inputs, expected);
    }
}
