//! What two snapshots decide otherwise.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::past_request::PastRequest;
use crate::output::{self, Page};

/// A request with its two decisions.
pub(super) struct Flip {
    pub(super) request: PastRequest,
    pub(super) before: Value,
    pub(super) after: Value,
}

/// How a replay went.
#[derive(Default)]
pub(super) struct Report {
    requests: usize,
    /// Other verdicts.
    flips: Vec<Flip>,
    /// Denied both times, for other reasons.
    reasons: Vec<Flip>,
}

impl Report {
    pub(super) fn add(&mut self, flip: Flip) {
        self.requests = self.requests.saturating_add(1);
        if verdict(&flip.before) != verdict(&flip.after) {
            self.flips.push(flip);
        } else if reason(&flip.before) != reason(&flip.after) {
            self.reasons.push(flip);
        }
    }

    /// In the order of the file.
    pub(super) fn sort(&mut self) {
        self.flips.sort_by_key(|flip| flip.request.line);
        self.reasons.sort_by_key(|flip| flip.request.line);
    }

    /// Prints: 0 the same verdicts, 1 some differ.
    pub(super) fn print(&self, json: bool, reasons: bool) -> ExitCode {
        let printed = output::print_either(json, &self.to_json(), &self.page(reasons));
        let denied = !self.flips.is_empty() && printed == ExitCode::SUCCESS;
        if denied { ExitCode::from(output::DENY) } else { printed }
    }

    fn page(&self, reasons: bool) -> Page {
        let mut page = Page::new();
        let shown = self.flips.iter().chain(self.reasons.iter().filter(|_| reasons));
        for flip in shown {
            let Flip { request, before, after } = flip;
            let (name, before, after) = (request.name(), outcome(before), outcome(after));
            page.line(&format!("{name}: {before} -> {after}: {}", request.summary()));
            page.rows(&details(flip));
        }
        let (allowed, denied) = self.directions();
        let Self { requests, flips, reasons } = self;
        page.line(&format!(
            "{requests} requests: {} flips ({allowed} now allowed, {denied} now denied), {} denied \
             for another reason",
            flips.len(),
            reasons.len()
        ));
        page
    }

    fn directions(&self) -> (usize, usize) {
        let allowed = self.flips.iter().filter(|flip| verdict(&flip.after) == "allow").count();
        (allowed, self.flips.len().saturating_sub(allowed))
    }

    fn to_json(&self) -> Value {
        let (now_allowed, now_denied) = self.directions();
        let all = |flips: &[Flip]| flips.iter().map(Flip::to_json).collect::<Vec<_>>();
        json!({
            "requests": self.requests,
            "flips": all(&self.flips),
            "now_allowed": now_allowed,
            "now_denied": now_denied,
            "reasons": all(&self.reasons),
        })
    }
}

impl Flip {
    fn to_json(&self) -> Value {
        let Self { request, before, after } = self;
        json!({
            "line": request.line,
            "id": request.id,
            "request": request.summary(),
            "before": before,
            "after": after,
        })
    }
}

/// Why it is denied, on either side.
fn details(flip: &Flip) -> Vec<(&'static str, String)> {
    let detail = |answer: &Value| {
        let text = answer.get("detail").and_then(Value::as_str).unwrap_or_default();
        Some(text.to_owned()).filter(|text| !text.is_empty())
    };
    let rows = [("  before", detail(&flip.before)), ("  after", detail(&flip.after))];
    rows.into_iter().filter_map(|(name, detail)| Some((name, detail?))).collect()
}

fn outcome(answer: &Value) -> String {
    match verdict(answer) {
        "allow" => "allow".to_owned(),
        verdict => format!("{verdict} {}", reason(answer)),
    }
}

fn verdict(answer: &Value) -> &str {
    answer.get("verdict").and_then(Value::as_str).unwrap_or_default()
}

fn reason(answer: &Value) -> &str {
    answer.get("reason").and_then(Value::as_str).unwrap_or_default()
}
