//! A request as it was asked.

use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use mandate_authn::Json;
use serde_json::Value;

/// A line of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PastRequest {
    /// Its number, from 1.
    pub(super) line: usize,
    /// What the file calls it.
    pub(super) id: Option<Value>,
    /// When it was asked.
    pub(super) now: u64,
    /// The question of docs/authorize.md.
    pub(super) question: Value,
}

impl PastRequest {
    /// Reads every line that is not empty.
    ///
    /// # Errors
    /// The first line that is no question, by its number.
    pub(super) fn read_all(path: &Path, bytes: &[u8]) -> anyhow::Result<Vec<Self>> {
        let name = || format!("requests `{}`", path.display());
        let text = str::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8", name()))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let requests: anyhow::Result<Vec<Self>> = lines
            .map(|(at, text)| {
                let line = at.saturating_add(1);
                Self::read(line, text).with_context(|| format!("{}: line {line}", name()))
            })
            .collect();
        let requests = requests?;
        ensure!(!requests.is_empty(), "{} has no requests", name());
        Ok(requests)
    }

    fn read(line: usize, text: &str) -> anyhow::Result<Self> {
        const DEPTH: usize = 32;
        Json::parse(text.as_bytes(), DEPTH)
            .map_err(|problem| anyhow!("the document {}", problem.describe()))?;
        let mut question: Value = serde_json::from_str(text)?;
        let members = question.as_object_mut().context("a request is a JSON object")?;
        let id = members.remove("id");
        // Answers need no explanation here: only verdicts are compared.
        members.remove("explain");
        let now = members.get("now").and_then(Value::as_u64).context("`now`: is missing")?;
        let asks = members.contains_key("assertion") != members.contains_key("token");
        ensure!(asks, "either `token` or `assertion`");
        ensure!(members.contains_key("request"), "`request`: is missing");
        Ok(Self { line, id, now, question })
    }

    /// By its id, else by its line.
    pub(super) fn name(&self) -> String {
        match &self.id {
            Some(Value::String(id)) => id.clone(),
            Some(id) => id.to_string(),
            None => format!("line {}", self.line),
        }
    }

    /// Who wants to do what, as far as the question says it.
    pub(super) fn summary(&self) -> String {
        let text = |pointer: &str| self.question.pointer(pointer).and_then(Value::as_str);
        let mut words: Vec<String> = Vec::new();
        match text("/assertion/subject") {
            Some(subject) => words.push(subject.to_owned()),
            None => words.push("token".to_owned()),
        }
        words.extend(text("/assertion/agent").map(|agent| format!("through {agent}")));
        words.extend(text("/request/action").map(str::to_owned));
        words.extend(text("/request/tool").map(|tool| format!("with {tool}")));
        let resources = self.question.pointer("/request/resources").and_then(Value::as_array);
        words.extend(resources.into_iter().flatten().filter_map(resource));
        words.join(" ")
    }
}

fn resource(resource: &Value) -> Option<String> {
    let text = |member: &str| resource.get(member).and_then(Value::as_str);
    match (text("type"), text("argument")) {
        (Some(name), _) => Some(format!("{name}:{}", text("id").or_else(|| text("text"))?)),
        (None, Some(argument)) => Some(format!("{argument}={}", text("value")?)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let read = PastRequest::read_all(Path::new("r"), text.as_bytes());
        format!("{:#}", read.unwrap_err())
    }

    #[test]
    fn a_line_that_is_no_question_is_named() {
        let good = r#"{"now":1,"assertion":{"subject":"user:a"},"request":{}}"#;
        assert_eq!(problem("\n \n"), "requests `r` has no requests");
        assert_eq!(
            problem(&format!("{good}\n[]")),
            "requests `r`: line 2: a request is a JSON object"
        );
        assert_eq!(
            problem(r#"{"request":{},"token":"a"}"#),
            "requests `r`: line 1: `now`: is missing"
        );
        assert_eq!(
            problem(r#"{"now":1,"request":{}}"#),
            "requests `r`: line 1: either `token` or `assertion`"
        );
        assert_eq!(
            problem(r#"{"now":1,"now":2,"request":{},"token":"a"}"#),
            "requests `r`: line 1: the document has a duplicate member"
        );
    }

    #[test]
    fn a_request_is_told_in_one_line() {
        let text = r#"{"id":7,"now":1,"assertion":{"subject":"user:anne","agent":"agent:a"},
            "request":{"action":"view","tool":"read","resources":[{"type":"board","id":"b"},
            {"argument":"/uri","value":"x"}]}}"#
            .replace('\n', " ");
        let requests = PastRequest::read_all(Path::new("r"), text.as_bytes()).unwrap();
        let [request] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(
            (request.name(), request.summary()),
            ("7".to_owned(), "user:anne through agent:a view with read board:b /uri=x".to_owned())
        );
    }
}
