//! A case at another moment: for implementations that have a clock of their own.

use serde_json::{Map, Value};

/// Moves a case and what it expects, so that its `now` is this moment.
pub(super) fn move_to(moment: u64, document: &mut Value, expect: &mut Map<String, Value>) {
    let Some(now) = document.get("now").and_then(Value::as_u64) else { return };
    let shift = Shift { now, moment };
    shift.value(document);
    expect.values_mut().for_each(|value| shift.value(value));
}

/// From one moment to another. Whatever lies around the first is moved with it.
#[derive(Clone, Copy)]
struct Shift {
    now: u64,
    moment: u64,
}

impl Shift {
    fn value(self, value: &mut Value) {
        match value {
            Value::Number(number) => {
                if let Some(moved) = number.as_u64().and_then(|seconds| self.moved(seconds)) {
                    *value = Value::from(moved);
                }
            }
            Value::Array(entries) => entries.iter_mut().for_each(|entry| self.value(entry)),
            Value::Object(members) => members.values_mut().for_each(|member| self.value(member)),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }

    /// A whole number within a year of the case's moment is a moment; a fixture has no other number
    /// of that size.
    fn moved(self, seconds: u64) -> Option<u64> {
        let near = seconds.abs_diff(self.now) <= YEAR;
        near.then(|| self.moment.saturating_add(seconds).saturating_sub(self.now))
    }
}

/// Seconds.
const YEAR: u64 = 366 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::move_to;

    #[test]
    fn moments_move_together_and_nothing_else_does() {
        let mut case = json!({
            "now": 1_767_225_600,
            "token": {"claims": {"exp": 1_767_225_870, "iat": 1_767_225_570.5, "jti": "1767225600"}},
            "gate": {"body": {"id": 7}, "times": 1_048_576, "version": 20_260_728},
        });
        let mut expect = json!({"ends_at": 1_767_225_900, "status": 403}).as_object().cloned();
        let expect = expect.as_mut().unwrap();
        move_to(1_800_000_000, &mut case, expect);
        assert_eq!(
            case,
            json!({
                "now": 1_800_000_000,
                "token": {"claims": {"exp": 1_800_000_270, "iat": 1_767_225_570.5, "jti": "1767225600"}},
                "gate": {"body": {"id": 7}, "times": 1_048_576, "version": 20_260_728},
            })
        );
        assert_eq!(json!(expect), json!({"ends_at": 1_800_000_300, "status": 403}));
    }
}
