use super::*;
use crate::fixture::{self, PLUGIN};

fn module(limits: Limits) -> CoreModule {
    let bytes = fixture::plugin_bytes();
    let options = PluginOptions::default();
    CoreModule::from_bytes(&bytes, &Sha256Digest::of(&bytes), &options, limits).unwrap()
}

fn refusal(text: &str) -> PluginError {
    let bytes = wat::parse_str(text).unwrap();
    let options = PluginOptions::default();
    CoreModule::from_bytes(&bytes, &Sha256Digest::of(&bytes), &options, Limits::default())
        .unwrap_err()
}

fn unusable(what: &str) -> Result<String, Failure> {
    Err(Failure::Unusable(what.to_owned()))
}

const DENY: &str = r#"{"verdict":"deny"}"#;

#[test]
fn the_module_inside_the_component_answers() {
    let mut module = module(Limits::default());
    for export in ["mandate_load_trust", "mandate_validate", "mandate_verify_jws"] {
        assert_eq!(module.call(export, "deny"), Ok(DENY.to_owned()));
    }
    assert_eq!(module.describe(), Ok(DENY.to_owned()));
}

#[test]
fn a_module_answers_as_it_is() {
    let bytes = wat::parse_str(PLUGIN).unwrap();
    let options = PluginOptions { fuel: true, ..PluginOptions::default() };
    let digest = Sha256Digest::of(&bytes);
    let mut module = CoreModule::from_bytes(&bytes, &digest, &options, Limits::default()).unwrap();
    assert_eq!(module.call("mandate_validate", "deny"), Ok(DENY.to_owned()));
    assert!(module.fuel_used().is_some_and(|fuel| fuel > 0));
}

#[test]
fn every_answers_buffer_is_given_back() {
    let mut module = module(Limits::default());
    // Asking for the count frees a buffer too, after it was counted.
    let counts = [0; 3].map(|_| module.call("mandate_validate", "count").unwrap());
    assert_eq!(counts, ["0", "1", "2"]);
}

#[test]
fn a_fresh_module_shares_the_code_and_no_instance() {
    let mut module = module(Limits::default());
    assert_eq!(module.call_bytes("mandate_validate", b"deny"), Ok(DENY.to_owned()));
    let mut fresh = module.fresh();
    let count = |module: &mut CoreModule| module.call("mandate_validate", "count").unwrap();
    assert_eq!((count(&mut fresh), count(&mut module)), ("0".to_owned(), "1".to_owned()));
}

#[test]
fn an_answer_outside_the_memory_is_a_failure() {
    let mut module = module(Limits::default());
    let outside = "the answer is outside the plugin's memory";
    let failures = [
        ("p: it ends outside", outside),
        ("s: it starts at the end of the address space", outside),
        ("w: it is as large as the address space", "the answer is too large"),
    ];
    for (token, failure) in failures {
        let failure = unusable(failure);
        assert_eq!(module.call("mandate_validate", token), failure, "{token}");
        assert_eq!(module.call("mandate_validate", "count"), Ok("0".to_owned()), "after {token}");
    }
}

#[test]
fn an_answer_that_is_not_utf_8_is_a_failure() {
    let answer = module(Limits::default()).call("mandate_validate", "utf-8");
    assert_eq!(answer, unusable("the answer is not UTF-8"));
}

#[test]
fn a_buffer_that_is_missing_or_outside_the_memory_is_a_failure() {
    let mut module = module(Limits::default());
    assert_eq!(
        module.call("mandate_validate", "13 bytes long"),
        unusable("the plugin gave no buffer for the input")
    );
    assert_eq!(
        module.call("mandate_validate", "14 bytes long."),
        unusable("out of bounds memory access")
    );
}

#[test]
fn traps_and_limits_are_failures_and_the_next_call_is_answered() {
    let deadline = Duration::from_millis(50);
    let mut module = module(Limits { deadline, load_deadline: deadline, ..Limits::default() });
    let trap = |what: &str| Failure::Trap(format!("wasm trap: {what}"));
    let failures = [
        ("trap", trap("wasm `unreachable` instruction executed")),
        ("loop", Failure::Deadline(deadline)),
        ("memory", Failure::Memory(64 * 1024 * 1024)),
        ("recursion", trap("call stack exhausted")),
    ];
    for (token, failure) in failures {
        for export in ["mandate_validate", "mandate_load_trust"] {
            assert_eq!(module.call(export, token), Err(failure.clone()));
            assert_eq!(module.call(export, "count"), Ok("0".to_owned()), "after {token}");
        }
    }
}

#[test]
fn an_export_that_is_missing_or_of_another_type_is_a_failure() {
    let mut module = module(Limits::default());
    for export in ["mandate_decide", "mandate_free", "memory"] {
        let answer = module.call(export, "{}");
        assert!(matches!(answer, Err(Failure::Unusable(_))), "{answer:?}");
    }
}

#[test]
fn a_module_that_does_not_fit_is_refused() {
    assert_eq!(
        refusal(r#"(module (import "env" "clock" (func)))"#).to_string(),
        "plugin must have no imports, has `env.clock`"
    );
    assert_eq!(
        refusal(&PLUGIN.replace(
            r#""mandate_abi_version") (result i32) (i32.const 1)"#,
            r#""mandate_abi_version") (result i32) (i32.const 2)"#
        ))
        .to_string(),
        "plugin speaks ABI 2, this host knows ABI 1"
    );
    assert_eq!(
        refusal("(module)").to_string(),
        "plugin cannot describe itself: the plugin is unusable: no memory is exported"
    );
    assert_eq!(
        refusal("(component)").to_string(),
        "plugin does not compile: the component has no core module"
    );
    let bytes = fixture::plugin_bytes();
    let other = Sha256Digest::of(b"other");
    let options = PluginOptions::default();
    let error = CoreModule::from_bytes(&bytes, &other, &options, Limits::default()).unwrap_err();
    assert!(matches!(error, PluginError::Digest { .. }), "{error}");
}
