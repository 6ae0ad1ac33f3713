//! The query of a request for deltas.

use std::time::Duration;

use mandate_authz::container::Position;

/// `from=ERA.EPOCH&wait=SECONDS`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The position in force at the consumer.
    pub from: Position,
    /// How long it is ready to wait.
    pub wait: Duration,
}

/// Seconds that anybody may wait.
const LONGEST_WAIT: u64 = 60;

impl Query {
    /// Reads it strictly: what is unknown, repeated or malformed is refused.
    ///
    /// # Errors
    /// One line about the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut from, mut wait) = (None, None);
        for parameter in text.split('&').filter(|_| !text.is_empty()) {
            let repeated = match parameter.split_once('=') {
                Some(("from", value)) => {
                    let position = Position::parse(value).ok_or("`from` must be ERA.EPOCH")?;
                    from.replace(position).is_some()
                }
                Some(("wait", value)) => {
                    let seconds = seconds(value).ok_or("`wait` must be a number of seconds")?;
                    wait.replace(seconds).is_some()
                }
                Some(_) | None => return Err("parameters are `from` and `wait`"),
            };
            if repeated {
                return Err("a parameter is repeated");
            }
        }
        let from = from.ok_or("`from` is missing")?;
        Ok(Self { from, wait: Duration::from_secs(wait.unwrap_or(0)) })
    }
}

/// Decimal digits, more than a minute being a minute.
fn seconds(text: &str) -> Option<u64> {
    let digits = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?.map(|seconds: u64| seconds.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_strictly() {
        let query = |epoch, seconds| {
            let (from, wait) = (Position::new(1, epoch), Duration::from_secs(seconds));
            Ok(Query { from, wait })
        };
        assert_eq!(Query::parse("from=1.5"), query(5, 0));
        assert_eq!(Query::parse("wait=30&from=1.5"), query(5, 30));
        assert_eq!(Query::parse("from=1.5&wait=9999"), query(5, 60));
        assert_eq!(Query::parse(""), Err("`from` is missing"));
        assert_eq!(Query::parse("wait=1"), Err("`from` is missing"));
        assert_eq!(Query::parse("from=1"), Err("`from` must be ERA.EPOCH"));
        assert_eq!(Query::parse("from=1.05"), Err("`from` must be ERA.EPOCH"));
        assert_eq!(Query::parse("from=1.5&from=1.5"), Err("a parameter is repeated"));
        assert_eq!(Query::parse("from=1.5&"), Err("parameters are `from` and `wait`"));
        assert_eq!(Query::parse("from=1.5&x=1"), Err("parameters are `from` and `wait`"));
        for wait in ["", "-1", "+1", "1.5", "99999999999999999"] {
            let text = format!("from=1.5&wait={wait}");
            assert_eq!(Query::parse(&text), Err("`wait` must be a number of seconds"), "{wait}");
        }
    }
}
