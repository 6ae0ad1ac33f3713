//! What cases stand on: one listener with a filter of its own for each configuration.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::question::Question;

/// A configuration of the filter, and what its feed has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ground {
    pub(super) trust: Value,
    pub(super) state: Value,
    sealing: Option<Value>,
    /// The gate's route, where the host names it.
    pub(super) route: Option<Value>,
    /// A snapshot and the deltas after it.
    pub(super) containers: Vec<Vec<u8>>,
}

/// Grounds by their numbers.
pub(super) type Grounds = BTreeMap<usize, Ground>;

/// The grounds of questions, and which of them each question stands on. They are numbered from
/// `first` on.
pub(super) fn lay(questions: &[Question], first: usize) -> Result<(Grounds, Vec<usize>)> {
    let mut grounds = Grounds::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut places = Vec::with_capacity(questions.len());
    for Question { id, line, .. } in questions {
        let part = |name: &str| line.get(name).cloned();
        let route = line.pointer("/question/request/route").cloned();
        let (trust, state) = (part("trust").unwrap_or_default(), part("state").unwrap_or_default());
        let (sealing, containers) = (part("sealing"), part("containers").unwrap_or_default());
        let key = json!([trust, state, sealing, route, containers]).to_string();
        let next = first.saturating_add(grounds.len());
        let place = *known.entry(key).or_insert(next);
        if place == next {
            let containers = decoded(&containers).with_context(|| id.clone())?;
            grounds.insert(next, Ground { trust, state, sealing, route, containers });
        }
        places.push(place);
    }
    Ok((grounds, places))
}

fn decoded(containers: &Value) -> Result<Vec<Vec<u8>>> {
    let texts = containers.as_array().context("`containers` is missing")?.iter();
    let decode = |text: &Value| Ok(STANDARD.decode(text.as_str().context("no text")?)?);
    texts.map(decode).collect()
}

impl Ground {
    /// The filter's configuration. Its feed is asked under a path of its own.
    pub(super) fn configuration(&self, number: usize) -> Value {
        let mut configuration = json!({
            "emitter": format!("conformance-{number}"),
            "trust": self.trust,
            "state": self.state,
            "feed": {"cluster": "feed", "authority": "feed.example", "path": format!("/{number}")},
            // Fixtures are not about the budget of an attacked proxy.
            "verifications_per_tick": 100_000,
        });
        let secret = self.sealing.as_ref().and_then(Value::as_str);
        let secret = secret.map(|secret| json!(URL_SAFE_NO_PAD.encode(secret)));
        if let Some(members) = configuration.as_object_mut() {
            members.extend(secret.map(|secret| ("session_secret".to_owned(), secret)));
            members.extend(self.route.clone().map(|route| ("route".to_owned(), route)));
        }
        configuration
    }
}
