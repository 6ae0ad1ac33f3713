//! The built plugin in the reference host: every door gives the same answer, under load, after
//! failures, and from the cache of compiled code.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "tests"
)]

use std::sync::{LazyLock, OnceLock};
use std::thread;
use std::time::Duration;

use mandate::mint::{KeyRing, TokenRecipe, mint};
use mandate_authn::{Validator, wire};
use mandate_host::{
    CoreModule, Limits, Origin, Plugin, PluginError, PluginOptions, Policy, Sha256Digest,
    ValidateRequest,
};
use mandate_tests::guests;
use serde_json::{Value, json};

const NOW: u64 = 1_780_000_000;
const AUDIENCE: &str = "https://board.example";
const KEYS: [&str; 3] = ["rsa-2048-runtime", "p256-runtime", "ed25519-runtime"];

static RING: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::with_keys(KEYS).unwrap());

fn trust() -> Value {
    let keys: Vec<Value> = KEYS.iter().map(|name| RING.key(name).unwrap().jwk()).collect();
    json!({
        "contract": {
            "contract": "mandate",
            "version": "1.0.0",
            "status": "draft",
            "issuers": [{
                "issuer": "https://idp.example",
                "algorithms": ["RS256", "ES256", "EdDSA"],
                "tenant_claim": "/tenant",
                "role_claims": ["/realm_access/roles"],
                "tenants": ["acme"],
            }],
            "apps": [{"name": "board", "audience": AUDIENCE}],
        },
        "key_sets": [{"issuer": "https://idp.example", "keys": {"keys": keys}}],
    })
}

/// A token with everything in it, signed by this key, with these claims on top.
fn token(key: &str, claims: &Value) -> String {
    let claims = mandate::mint::merge_patch(
        &json!({
            "iss": "https://idp.example",
            "sub": "user-1",
            "aud": [AUDIENCE, "https://other.example"],
            "exp": NOW + 300,
            "iat": NOW - 10,
            "jti": "token-1",
            "client_id": "board-web",
            "tenant": "acme",
            "scope": "board:read board:write",
            "realm_access": {"roles": ["member", "editor"]},
            "act": {"sub": "agent-1", "client_id": "agent", "act": {"sub": "agent-0"}},
            "may_act": {"sub": "agent-1"},
        }),
        claims,
    );
    let algorithm = RING.key(key).unwrap().usual_algorithm();
    let recipe: TokenRecipe = serde_json::from_value(json!({
        "sign": {"key": {"name": key}},
        "header": {"typ": "at+jwt", "alg": algorithm, "kid": key},
        "claims": claims,
    }))
    .unwrap();
    mint(&recipe, &RING).unwrap()
}

/// Tokens with their names: one good token a key, and what can be wrong with one.
fn tokens() -> Vec<(String, String)> {
    let mut tokens: Vec<_> =
        KEYS.iter().map(|key| ((*key).to_owned(), token(key, &json!({})))).collect();
    let changes = [
        ("expired", json!({"exp": NOW - 3600})),
        ("not yet valid", json!({"nbf": NOW + 3600})),
        ("another audience", json!({"aud": "https://other.example"})),
        ("another issuer", json!({"iss": "https://other.example"})),
        ("another tenant", json!({"tenant": "other"})),
        ("no subject", json!({"sub": null})),
        ("bound to a certificate", json!({"cnf": {"x5t#S256": "A".repeat(43)}})),
        ("too large", json!({"fill": "x".repeat(20_000)})),
    ];
    for (name, change) in changes {
        tokens.push((name.to_owned(), token(KEYS[2], &change)));
    }
    let good = token(KEYS[2], &json!({}));
    tokens.push(("signed by nobody".to_owned(), good[..good.len() - 8].to_owned()));
    tokens.push(("empty".to_owned(), String::new()));
    tokens.push(("no token".to_owned(), "ünicode \u{0} \u{1f511}".to_owned()));
    tokens.push(("a megabyte".to_owned(), "a".repeat(1 << 20)));
    tokens
}

/// A machine under load must not fail these tests; deadlines have tests of their own.
fn patient() -> Limits {
    let deadline = Duration::from_secs(60);
    Limits { deadline, load_deadline: deadline, wait: deadline, ..Limits::default() }
}

/// The plugin, and every way to ask it.
struct Doors {
    native: Validator,
    policy: Policy,
    fresh: Policy,
    module: CoreModule,
}

impl Doors {
    fn open(part: &str) -> Option<Self> {
        let bytes = guests::read("mandate-policy.wasm", part)?;
        let (digest, options) = (Sha256Digest::of(&bytes), PluginOptions::default());
        // Compiling takes longer than all that is asked of it: once for all tests.
        static PLUGIN: OnceLock<Plugin> = OnceLock::new();
        let plugin = PLUGIN.get_or_init(|| Plugin::from_bytes(&bytes, &digest, &options).unwrap());
        let fresh = Limits {
            calls_per_instance: Limits::fresh_instance_per_call().calls_per_instance,
            ..patient()
        };
        let mut doors = Self {
            native: Validator::new(),
            policy: Policy::new(plugin.clone(), patient()).unwrap(),
            fresh: Policy::new(plugin.clone(), fresh).unwrap(),
            module: CoreModule::from_bytes(&bytes, &digest, &options, patient()).unwrap(),
        };
        doors.load(&trust().to_string());
        Some(doors)
    }

    /// Loads the trust at every door; the status or the error, the same everywhere.
    fn load(&mut self, trust: &str) -> Value {
        let native = parse(&wire::load_trust(&mut self.native, trust));
        let module = parse(&self.module.call("mandate_load_trust", trust).unwrap());
        assert_eq!(module, native);
        for policy in [&self.policy, &self.fresh] {
            let component = match policy.load_trust(trust) {
                Ok(status) => json!(status),
                Err(error) => json!({ "error": error }),
            };
            assert_eq!(component, native);
        }
        native
    }

    /// Validates at every door; the answer, the same everywhere.
    fn validate(&mut self, name: &str, token: &str, request: &ValidateRequest) -> Value {
        let mut asked = json!(request);
        asked["token"] = json!(token);
        let asked = asked.to_string();
        let native = parse(&wire::validate(&mut self.native, &asked));
        let module = parse(&self.module.call("mandate_validate", &asked).unwrap());
        assert_eq!(module, native, "module, {name}");
        assert_eq!(json!(self.policy.validate(token, request)), native, "component, {name}");
        native
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn request() -> ValidateRequest {
    ValidateRequest::new(AUDIENCE, NOW)
}

#[test]
fn the_plugin_says_what_it_was_built_from() {
    let Some(bytes) = guests::read("mandate-policy.wasm", "the plugin's identity") else { return };
    let sums = guests::read("SHA256SUMS", "the plugin's identity").unwrap();
    let sums = String::from_utf8(sums).unwrap();
    let listed = sums.lines().find_map(|line| line.strip_suffix("  mandate-policy.wasm")).unwrap();
    let digest: Sha256Digest = listed.parse().unwrap();
    let plugin = Plugin::from_bytes(&bytes, &digest, &PluginOptions::default()).unwrap();
    let build = json!(plugin.describe());
    assert_eq!((&build["contract_version"], &build["abi_version"]), (&json!("1.0.0"), &json!(1)));
    for member in ["source_digest", "toolchain_digest"] {
        assert!(build[member].as_str().unwrap().parse::<Sha256Digest>().is_ok(), "{build}");
    }
    let mut module =
        CoreModule::from_bytes(&bytes, &digest, &PluginOptions::default(), patient()).unwrap();
    assert_eq!(parse(&module.describe().unwrap()), build);
}

#[test]
fn one_changed_byte_makes_it_another_plugin() {
    let Some(mut bytes) = guests::read("mandate-policy.wasm", "the plugin's digest") else {
        return;
    };
    let digest = Sha256Digest::of(&bytes);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let error = Plugin::from_bytes(&bytes, &digest, &PluginOptions::default()).unwrap_err();
    assert!(matches!(error, PluginError::Digest { expected, .. } if expected == digest), "{error}");
}

#[test]
fn every_door_gives_every_token_the_same_answer() {
    let Some(mut doors) = Doors::open("native, component and module on one set of tokens") else {
        return;
    };
    let mut allowed = Vec::new();
    for (name, token) in tokens() {
        // Twice: the second time, a token that passed is answered from the cache.
        let answers = [0; 2].map(|_| doors.validate(&name, &token, &request()));
        assert_eq!(answers[0], answers[1], "{name}");
        assert_eq!(json!(doors.fresh.validate(&token, &request())), answers[0], "fresh, {name}");
        assert_ne!(answers[0]["reason"], "internal", "{name}: {}", answers[0]);
        if answers[0]["verdict"] == "allow" {
            allowed.push(name);
        }
    }
    assert_eq!(allowed, KEYS);
}

#[test]
fn a_certificate_reaches_the_plugin_by_every_door() {
    let Some(mut doors) = Doors::open("certificate-bound tokens at every door") else { return };
    let bound = token(KEYS[2], &json!({"cnf": {"x5t#S256": "A".repeat(43)}}));
    let ask = |doors: &mut Doors, request: &ValidateRequest| {
        doors.validate("bound", &bound, request)["reason"].clone()
    };
    assert_eq!(ask(&mut doors, &request().with_certificate_sha256([0; 32])), "ok");
    assert_eq!(ask(&mut doors, &request().with_certificate_sha256([1; 32])), "token-binding");
    assert_eq!(ask(&mut doors, &request()), "token-binding");
}

#[test]
fn every_door_refuses_a_trust_for_the_same_reason_and_keeps_the_one_before() {
    let Some(mut doors) = Doors::open("trust documents at every door") else { return };
    let mut without_issuers = trust();
    without_issuers["contract"]["issuers"] = json!([]);
    let mut with_hmac = trust();
    with_hmac["contract"]["issuers"][0]["algorithms"] = json!(["HS256"]);
    for wrong in
        [&json!({}).to_string(), "no JSON", &without_issuers.to_string(), &with_hmac.to_string()]
    {
        let answer = doors.load(wrong);
        assert!(answer["error"]["message"].is_string(), "{answer}");
        let (name, token) = (KEYS[2], token(KEYS[2], &json!({})));
        assert_eq!(doors.validate(name, &token, &request())["reason"], "ok");
    }
    assert_eq!(doors.load(&trust().to_string())["generation"], 2);
}

// The component and native code must not differ on any malformed token either: a byte that is
// wrong anywhere in it gives the same reason, and never an allow.
#[test]
fn a_wrong_byte_anywhere_is_refused_alike_by_every_door() {
    let Some(mut doors) = Doors::open("mutated tokens at every door") else { return };
    let good = token(KEYS[2], &json!({}));
    for position in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let answer = doors.validate("mutated", &changed, &request());
        assert_eq!(answer["verdict"], "deny", "byte {position}");
    }
}

#[test]
fn threads_get_the_answers_that_one_thread_gets() {
    let Some(mut doors) = Doors::open("the plugin under several threads") else { return };
    let expected: Vec<(String, Value)> = tokens()
        .into_iter()
        .map(|(name, token)| {
            let answer = doors.validate(&name, &token, &request());
            (token, answer)
        })
        .collect();
    thread::scope(|scope| {
        for start in 0..4 {
            let (policy, expected) = (doors.policy.clone(), &expected);
            scope.spawn(move || {
                for (token, answer) in expected.iter().cycle().skip(start).take(60) {
                    assert_eq!(json!(policy.validate(token, &request())), *answer);
                }
            });
        }
        for _ in 0..5 {
            doors.policy.load_trust(&trust().to_string()).unwrap();
        }
    });
}

#[test]
fn a_plugin_without_enough_memory_denies() {
    let Some(bytes) = guests::read("mandate-policy.wasm", "the plugin's memory limit") else {
        return;
    };
    let plugin =
        Plugin::from_bytes(&bytes, &Sha256Digest::of(&bytes), &PluginOptions::default()).unwrap();
    let policy = Policy::new(plugin, Limits { memory_bytes: 4 << 20, ..patient() }).unwrap();
    policy.load_trust(&trust().to_string()).unwrap();
    let answer = json!(policy.validate(&"a".repeat(8 << 20), &request()));
    assert_eq!(
        answer,
        json!({
            "verdict": "deny",
            "reason": "internal",
            "detail": "the plugin exceeded its memory limit of 4194304 bytes",
        })
    );
    assert_eq!(policy.validate(&token(KEYS[2], &json!({})), &request()).reason, "ok");
}

#[test]
fn compiled_code_from_the_cache_answers_as_compiled_now() {
    let part = "the plugin from the cache of compiled code";
    let Some(mut doors) = Doors::open(part) else { return };
    let bytes = guests::read("mandate-policy.wasm", part).unwrap();
    let directory = std::env::temp_dir().join(format!("mandate-runtime-{}", std::process::id()));
    let options =
        PluginOptions { cache_directory: Some(directory.clone()), ..PluginOptions::default() };
    let load = || Plugin::from_bytes(&bytes, &Sha256Digest::of(&bytes), &options).unwrap();
    assert_eq!(*load().origin(), Origin::Compiled);
    let plugin = load();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(*plugin.origin(), Origin::Cache);
    doors.policy = Policy::new(plugin, patient()).unwrap();
    doors.policy.load_trust(&trust().to_string()).unwrap();
    for (name, token) in tokens() {
        doors.validate(&name, &token, &request());
    }
}

// Fuel counts instructions: what it says on one machine it says on all, so that a change of cost
// is a change of the plugin.
#[test]
fn the_same_call_costs_the_same_fuel() {
    let Some(bytes) = guests::read("mandate-policy.wasm", "the plugin's fuel") else { return };
    let options = PluginOptions { fuel: true, ..PluginOptions::default() };
    let fuel = || {
        let plugin = Plugin::from_bytes(&bytes, &Sha256Digest::of(&bytes), &options).unwrap();
        let policy = Policy::new(plugin, Limits { instances: 1, ..patient() }).unwrap();
        policy.load_trust(&trust().to_string()).unwrap();
        KEYS.map(|key| {
            assert_eq!(policy.validate(&token(key, &json!({})), &request()).reason, "ok");
            policy.fuel_used().unwrap()
        })
    };
    let first = fuel();
    assert!(first.iter().all(|fuel| *fuel > 0), "{first:?}");
    assert_eq!(fuel(), first);
}
