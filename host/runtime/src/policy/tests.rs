use std::num::NonZeroU32;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::answer::Verdict;
use crate::fixture;
use crate::options::{PluginOptions, Pooling};

const AUDIENCE: &str = "https://board.example";

fn request() -> ValidateRequest {
    ValidateRequest::new(AUDIENCE, 1_780_000_000)
}

/// Verdict, reason and detail of one token.
fn answer(policy: &Policy, token: &str) -> (Verdict, String, String) {
    let answer = policy.validate(token, &request());
    assert_eq!(answer.token.is_some(), answer.verdict == Verdict::Allow);
    (answer.verdict, answer.reason, answer.detail)
}

fn denied(reason: &str, detail: &str) -> (Verdict, String, String) {
    (Verdict::Deny, reason.to_owned(), detail.to_owned())
}

fn allowed() -> (Verdict, String, String) {
    (Verdict::Allow, "ok".to_owned(), String::new())
}

#[test]
fn an_allowed_token_comes_with_its_claims() {
    let policy = fixture::policy(Limits::default());
    let token = policy.validate("allow", &request()).into_result().unwrap();
    assert_eq!((token.issuer.as_str(), token.subject.as_str()), ("issuer", "subject"));
    assert_eq!(token.audiences, [AUDIENCE]);
    assert_eq!(token.expires_at, 1_780_000_060);
    assert_eq!(
        serde_json::to_value(&token).unwrap(),
        serde_json::json!({
            "issuer": "issuer",
            "subject": "subject",
            "audiences": [AUDIENCE],
            "expires_at": 1_780_000_060,
            "scopes": [],
            "roles": [],
            "actor_history": [],
        })
    );
}

#[test]
fn without_a_loaded_trust_the_plugin_answers_for_itself() {
    let policy = Policy::new(fixture::plugin(), Limits::default()).unwrap();
    assert_eq!(answer(&policy, "deny"), denied("keys-missing", ""));
}

#[test]
fn a_failure_denies_and_the_next_call_is_answered_under_the_same_trust() {
    let policy =
        fixture::policy(Limits { deadline: Duration::from_millis(50), ..Limits::default() });
    let failures = [
        ("trap", "the plugin trapped: wasm trap: wasm `unreachable` instruction executed"),
        ("loop", "the plugin exceeded its deadline of 50ms"),
        ("memory", "the plugin exceeded its memory limit of 67108864 bytes"),
        ("recursion", "the plugin trapped: wasm trap: call stack exhausted"),
        ("no token", "the plugin's answer contradicts itself: allow without a token"),
        ("x", "the plugin's answer contradicts itself: allow with a reason to deny"),
        ("foreign", "the plugin's answer contradicts itself: allow for another audience"),
        ("with token", "the plugin's answer contradicts itself: deny with a token"),
        ("ok", "the plugin's answer contradicts itself: deny with the reason `ok`"),
        ("bad", "the plugin's answer contradicts itself: the reason is no reason code"),
    ];
    for (token, detail) in failures {
        assert_eq!(answer(&policy, token), denied("internal", detail), "{token}");
        assert_eq!(answer(&policy, "deny"), denied("token-signature", "good"), "after {token}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_denied() {
    let policy = fixture::policy(Limits::default());
    // `huge` is a page of memory as 512 texts: 32 MiB on the host, of an instance of 1 MiB.
    for token in ["utf-8", "pointer", "huge"] {
        let (verdict, reason, detail) = answer(&policy, token);
        assert_eq!((verdict, reason.as_str()), (Verdict::Deny, "internal"), "{token}");
        assert!(detail.starts_with("the plugin is unusable: "), "{detail}");
        assert_eq!(answer(&policy, "allow"), allowed(), "after {token}");
    }
}

#[test]
fn an_endless_call_ends_soon_after_its_deadline() {
    let policy =
        fixture::policy(Limits { deadline: Duration::from_millis(30), ..Limits::default() });
    let began = Instant::now();
    assert_eq!(
        answer(&policy, "loop"),
        denied("internal", "the plugin exceeded its deadline of 30ms")
    );
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(30), "{took:?} is before the deadline");
    assert!(took < Duration::from_secs(5), "{took:?} is long after the deadline");
}

// The deadline belongs to the call: an instance that sat idle for longer than that still answers.
#[test]
fn an_instance_that_sat_idle_past_its_deadline_answers() {
    let limits = Limits { deadline: Duration::from_millis(10), instances: 1, ..Limits::default() };
    let policy = fixture::policy(limits);
    assert_eq!(answer(&policy, "count"), denied("token-signature", "1"));
    // Real time must pass here: it is what is tested.
    thread::sleep(Duration::from_millis(120));
    assert_eq!(answer(&policy, "count"), denied("token-signature", "2"));
}

#[test]
fn a_long_lived_instance_answers_many_calls_and_a_fresh_one_a_single_call() {
    let policy = fixture::policy(Limits::default());
    let fresh = fixture::policy(Limits::fresh_instance_per_call());
    let recycled = fixture::policy(Limits {
        calls_per_instance: NonZeroU32::new(2),
        instances: 1,
        ..Limits::default()
    });
    let counts = |policy: &Policy| [0; 4].map(|_| answer(policy, "count").2);
    assert_eq!(counts(&policy), ["1", "2", "3", "4"]);
    assert_eq!(counts(&fresh), ["1", "1", "1", "1"]);
    assert_eq!(counts(&recycled), ["1", "2", "1", "2"]);
    assert_eq!(answer(&fresh, "deny"), denied("token-signature", "good"));
}

#[test]
fn a_failure_replaces_the_instance() {
    let policy = fixture::policy(Limits { instances: 1, ..Limits::default() });
    let counts = ["count", "count", "trap", "count"].map(|token| answer(&policy, token).2);
    assert_eq!(counts[..2], ["1", "2"]);
    assert_eq!(counts[3], "1");
}

#[test]
fn a_load_that_succeeds_is_in_force_for_every_later_call() {
    let policy = fixture::policy(Limits::default());
    assert_eq!(answer(&policy, "deny").2, "good");
    let status = policy.load_trust("good 2").unwrap();
    assert_eq!((status.generation, status.contract_version.as_str()), (2, "1.0.0"));
    assert_eq!(answer(&policy, "deny").2, "good 2");
}

#[test]
fn a_load_that_fails_leaves_the_trust_in_force() {
    let limits = Limits { load_deadline: Duration::from_millis(50), ..Limits::default() };
    let policy = fixture::policy(limits);
    let errors = [
        ("error", "contract: refused by the fixture"),
        ("trap", "trust: the plugin trapped: wasm trap: wasm `unreachable` instruction executed"),
        ("loop", "trust: the plugin exceeded its deadline of 50ms"),
        ("memory", "trust: the plugin exceeded its memory limit of 67108864 bytes"),
    ];
    for (trust, error) in errors {
        assert_eq!(policy.load_trust(trust).unwrap_err().to_string(), error);
        assert_eq!(answer(&policy, "deny").2, "good", "after {trust}");
    }
    assert_eq!(policy.load_trust("good again").unwrap().generation, 2);
}

#[test]
fn an_instance_that_was_busy_during_a_load_is_renewed_before_its_next_call() {
    let policy = fixture::policy(Limits { instances: 1, ..Limits::default() });
    let loaded = policy.pool.call(|_busy| Ok(policy.load_trust("good 2"))).unwrap();
    assert_eq!(loaded.unwrap().generation, 2);
    assert_eq!(answer(&policy, "deny").2, "good 2");
}

#[test]
fn an_exhausted_pool_denies_and_recovers() {
    let wait = Duration::from_millis(20);
    let policy = fixture::policy(Limits { instances: 1, wait, ..Limits::default() });
    let inner = policy.pool.call(|_busy| Ok(answer(&policy, "allow"))).unwrap();
    assert_eq!(inner, denied("internal", "no instance was free within 20ms"));
    assert_eq!(answer(&policy, "allow"), allowed());
}

#[test]
fn a_call_waits_for_an_instance_that_another_thread_returns() {
    let limits = Limits { instances: 1, wait: Duration::from_secs(60), ..Limits::default() };
    let policy = fixture::policy(limits);
    let begun = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            policy
                .pool
                .call(|_busy| {
                    begun.wait();
                    thread::sleep(Duration::from_millis(50));
                    Ok(())
                })
                .unwrap();
        });
        begun.wait();
        assert_eq!(answer(&policy, "allow"), allowed());
    });
}

#[test]
fn a_call_that_panics_gives_its_place_back() {
    let policy = fixture::policy(Limits { instances: 1, ..Limits::default() });
    let panicking = policy.clone();
    let ended = thread::spawn(move || panicking.pool.call::<()>(|_| panic!("a fault of the host")));
    assert!(ended.join().unwrap_err().is::<&str>());
    assert_eq!(answer(&policy, "count"), denied("token-signature", "1"));
}

#[test]
fn threads_share_a_policy_through_failures_and_loads() {
    let limits = Limits { wait: Duration::from_secs(60), instances: 3, ..Limits::default() };
    let policy = fixture::policy(limits);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(answer(&policy, "allow"), allowed());
                    assert_eq!(answer(&policy, "trap").1, "internal");
                    let (_, reason, detail) = answer(&policy, "deny");
                    assert_eq!(reason, "token-signature");
                    assert!(detail.starts_with("good"), "{detail}");
                }
            });
        }
        for load in 2..20 {
            assert_eq!(policy.load_trust(&format!("good {load}")).unwrap().generation, load);
        }
    });
    assert_eq!(answer(&policy, "deny").2, "good 19");
}

#[test]
fn the_signature_layer_is_asked_alone() {
    let policy = Policy::new(fixture::plugin(), Limits::default()).unwrap();
    let check = |token| {
        let check = policy.verify_jws("{}", token);
        (check.verdict, check.reason, check.detail)
    };
    assert_eq!(check("allow"), allowed());
    assert_eq!(check("deny"), denied("token-signature", ""));
    assert_eq!(
        check("x"),
        denied("internal", "the plugin's answer contradicts itself: deny with the reason `ok`")
    );
    assert_eq!(check("trap").1, "internal");
    assert_eq!(check("allow"), allowed());
}

#[test]
fn fuel_is_counted_alike_on_every_call() {
    let options = PluginOptions { fuel: true, ..PluginOptions::default() };
    let plugin = fixture::load(&fixture::plugin_bytes(), &options).unwrap();
    let policy = Policy::new(plugin, Limits::default()).unwrap();
    let fuel = || {
        assert_eq!(answer(&policy, "allow"), allowed());
        policy.fuel_used().unwrap()
    };
    let first = fuel();
    assert!(first > 0);
    assert_eq!(fuel(), first);
    assert_eq!(fixture::policy(Limits::default()).fuel_used(), None);
}

#[test]
fn the_pooling_allocator_answers_alike_and_holds_its_limits() {
    let limits = Limits { memory_bytes: 2 * 1024 * 1024, instances: 2, ..Limits::default() };
    let pooling = Some(Pooling::for_limits(&limits));
    let options = PluginOptions { pooling, ..PluginOptions::default() };
    let plugin = fixture::load(&fixture::plugin_bytes(), &options).unwrap();
    let policy = Policy::new(plugin.clone(), limits).unwrap();
    policy.load_trust("good").unwrap();
    assert_eq!(answer(&policy, "allow"), allowed());
    assert_eq!(
        answer(&policy, "memory"),
        denied("internal", "the plugin exceeded its memory limit of 2097152 bytes")
    );
    assert_eq!(answer(&policy, "deny"), denied("token-signature", "good"));
    let error = Policy::new(plugin, Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "limit `pooling.memory_bytes` must be at least that of every policy of this plugin"
    );
}

#[test]
fn a_memory_limit_below_the_plugins_own_memory_denies() {
    let limits = Limits { memory_bytes: 65_536, ..Limits::default() };
    let policy = Policy::new(fixture::plugin(), limits).unwrap();
    assert_eq!(
        answer(&policy, "allow"),
        denied("internal", "the plugin exceeded its memory limit of 65536 bytes")
    );
}

#[test]
fn limits_of_nothing_make_no_policy() {
    let limits = Limits { instances: 0, ..Limits::default() };
    let error = Policy::new(fixture::plugin(), limits).unwrap_err();
    assert_eq!(error.to_string(), "limit `instances` must be at least 1");
}
