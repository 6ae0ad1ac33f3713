//! Mixed traffic: every kind of request with what it may be answered.

use std::collections::BTreeMap;

use mandate::mint::{KeyRing, TestKey, TokenRecipe, mint};
use serde_json::{Value, json};

use super::client::{Answered, Connection};
use super::stage::{RESULT, call, claims};
use super::upstream::EVENTS;

/// What kinds there are.
pub(crate) const KINDS: [&str; 11] = [
    "read",
    "call",
    "read-denied",
    "call-denied",
    "new-token",
    "stream",
    "anonymous",
    "forged",
    "unknown-key",
    "broken",
    "flipping",
];

/// Kinds of which the upstream may see something.
pub(crate) const PASSING: [&str; 6] = ["read", "call", "new-token", "stream", "broken", "flipping"];

/// Statuses by kind, and what was not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) statuses: BTreeMap<(String, u16), u64>,
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        for (kind, count) in other.statuses {
            *self.statuses.entry(kind).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }
}

/// One client.
pub(crate) struct Client {
    port: u16,
    name: u64,
    connection: Option<Connection>,
    ring: KeyRing,
    /// The token of a period.
    token: Option<(u64, String)>,
    sent: u64,
    pub(crate) tally: Tally,
}

impl Client {
    /// A client that signs with the keys of so many periods.
    pub(crate) fn new(port: u16, name: u64, periods: u64) -> Self {
        let names: Vec<String> = (0..=periods).chain([STRANGER]).map(key).collect();
        let ring = KeyRing::with_keys(names.iter().map(String::as_str)).unwrap();
        let (connection, token, sent) = (None, None, 0);
        Self { port, name, connection, ring, token, sent, tally: Tally::default() }
    }

    /// A token of the first period.
    pub(crate) fn first_token(&self) -> String {
        self.mint(0)
    }

    /// Sends the next request, with a token of this period.
    pub(crate) fn step(&mut self, period: u64) {
        let kind = KINDS[usize::try_from(self.sent).unwrap() % KINDS.len()];
        self.sent += 1;
        let request = self.request(kind, period);
        let answered = self.ask(&request);
        let status = answered.as_ref().map_or(0, |answered| answered.status);
        if !answered.as_ref().is_some_and(|answered| as_it_should(kind, answered)) {
            self.tally.wrong.push(format!("{kind}: {answered:?}"));
        }
        *self.tally.statuses.entry((kind.to_owned(), status)).or_default() += 1;
    }

    /// A connection that was closed while nothing was asked is opened anew, once.
    fn ask(&mut self, request: &[u8]) -> Option<Answered> {
        for _ in 0..2 {
            let connection = match self.connection.take() {
                Some(connection) => Some(connection),
                None => Connection::open(self.port).ok(),
            };
            if let Some(mut connection) = connection
                && let Ok(answered) = connection.ask(request)
            {
                self.connection = Some(connection);
                return Some(answered);
            }
        }
        None
    }

    fn request(&mut self, kind: &str, period: u64) -> Vec<u8> {
        if self.token.as_ref().is_none_or(|(known, _)| *known != period) {
            self.token = Some((period, self.mint(period)));
        }
        let token = self.token.as_ref().map(|(_, token)| token.clone()).unwrap();
        let line = format!("x-kind: {kind}\r\n");
        let read = |token: &str, board: &str| {
            format!(
                "GET /boards/{board} HTTP/1.1\r\nhost: web.example\r\n{line}\
                 authorization: Bearer {token}\r\n\r\n"
            )
            .into_bytes()
        };
        match kind {
            "read" => read(&token, "roadmap"),
            "read-denied" => read(&token, "salaries"),
            "flipping" => read(&token, "flip"),
            "new-token" => read(&self.mint(period), "roadmap"),
            "unknown-key" => read(&self.mint(STRANGER), "roadmap"),
            "forged" => read(&forged(&token), "roadmap"),
            "anonymous" => {
                format!("GET /boards/roadmap HTTP/1.1\r\nhost: web.example\r\n{line}\r\n")
                    .into_bytes()
            }
            "call-denied" => call(&token, &line, "salaries"),
            _ => call(&token, &line, "roadmap"),
        }
    }

    fn mint(&self, period: u64) -> String {
        let recipe: TokenRecipe = serde_json::from_value(json!({
            "sign": {"key": {"name": key(period)}},
            "header": {"alg": "EdDSA", "typ": "at+jwt", "kid": key(period)},
            "claims": claims(&format!("t-{}-{}", self.name, self.sent)),
        }))
        .unwrap();
        mint(&recipe, &self.ring).unwrap()
    }
}

/// The set of a period: its own key, and the next, which is published before it signs.
pub(crate) fn key_set(period: u64) -> Value {
    let jwk = |period| TestKey::derive(&key(period)).unwrap().jwk();
    json!({"keys": [jwk(period), jwk(period + 1)]})
}

fn as_it_should(kind: &str, answered: &Answered) -> bool {
    let Answered { status, body } = answered;
    match kind {
        "read" | "call" | "new-token" => *status == 200 && body == RESULT,
        "stream" => *status == 200 && body.matches("data: ").count() == EVENTS,
        "call-denied" => *status == 200 && body.contains("\"error\""),
        "read-denied" => *status == 403,
        "anonymous" | "forged" => *status == 401,
        // Its issuer is asked for the key first: docs/envoy.md#keys.
        "unknown-key" => [401, 503].contains(status),
        "broken" => *status == 500,
        "flipping" => *status == 403 || (*status == 200 && body == RESULT),
        _ => false,
    }
}

/// The same token with another signature.
fn forged(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{input}.{first}{}", &signature[1..])
}

fn key(period: u64) -> String {
    format!("ed25519-soak{period}")
}

/// Of nobody's set.
const STRANGER: u64 = 1_000_000;
