//! What holds for any bytes, whoever wrote them. For the tests beside it, and for fuzzing.

use mandate_authz::condition::{
    ConditionFailure, evaluate, parameters, validate, validate_context,
};
use serde_json::{Map, Value};

/// Steps far beyond the limit: a loop that does not end would be seen.
const STEPS: u32 = 20_000;

/// Validates and, where that succeeds, evaluates; true where it was evaluated.
pub(crate) fn survives(code: &[u8], stored: &[u8], request: &Map<String, Value>) -> bool {
    if let Err(error) = validate(code) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        return false;
    }
    let mut steps = STEPS;
    if validate_context(code, stored).is_ok() {
        let answer = evaluate(code, stored, request, &mut steps);
        let broken = Err(ConditionFailure::Expression { problem: "the code is broken" });
        assert_ne!(answer, broken, "validated code is never broken: {code:02x?} {stored:02x?}");
    }
    let _answer = evaluate(code, &[], request, &mut { STEPS });
    assert!(steps <= STEPS);
    let _parameters = parameters(code);
    true
}
