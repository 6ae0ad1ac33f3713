//! An OpenFGA server of our own: started on free ports of the loopback, ended when dropped.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mandate_authz::model::Model;
use mandate_authz::tuple::Tuple;
use serde_json::{Value, json};

use super::engine::{Extra, Listing, Question};
use super::skip::skip;

/// The server's program; says aloud that `part` is skipped where nobody named one.
pub(crate) fn program(part: &str) -> Option<PathBuf> {
    let program = std::env::var_os("MANDATE_OPENFGA").map(PathBuf::from);
    if program.is_none() {
        skip(part, "MANDATE_OPENFGA names no OpenFGA server");
    }
    program
}

/// A running server with its memory store.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: String,
    agent: ureq::Agent,
}

impl Server {
    /// Starts a server. A port that was free may be taken by the time the server wants it, so that
    /// it gets a second and a third chance.
    pub(crate) fn start(program: &PathBuf) -> Self {
        let started = (0..3).find_map(|_| Self::try_start(program));
        started.expect("the OpenFGA server answers within 30 s")
    }

    fn try_start(program: &PathBuf) -> Option<Self> {
        let [http, grpc] = free_ports();
        let (http, grpc) = (format!("127.0.0.1:{http}"), format!("127.0.0.1:{grpc}"));
        let child = Command::new(program)
            .args(["run", "--http-addr", &http, "--grpc-addr", &grpc, "--log-level=none"])
            .args(["--playground-enabled=false", "--metrics-enabled=false"])
            .args(["--request-timeout=60s", "--http-upstream-timeout=60s"])
            .arg("--listObjects-deadline=60s")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program named by MANDATE_OPENFGA starts");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(60))).build().into();
        let mut server = Self { child, address: format!("http://{http}"), agent };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(30) {
            if server.child.try_wait().expect("the child can be asked").is_some() {
                return None;
            }
            let health = server.agent.get(format!("{}/healthz", server.address)).call();
            if health.is_ok_and(|answer| answer.status() == 200) {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// Makes an empty store.
    pub(crate) fn store(&self) -> Store<'_> {
        let created = self.post("/stores", &json!({ "name": "world" })).expect("a store");
        let id = created["id"].as_str().expect("a store's id");
        Store { server: self, path: format!("/stores/{id}") }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Value> {
        let request = self.agent.post(format!("{}{path}", self.address));
        let request = request.content_type("application/json");
        let mut answer = request.send(body.to_string()).expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("the answer can be read");
        let value = serde_json::from_str(&text).expect("the answer is JSON");
        if answer.status().is_success() { Ok(value) } else { Err(value) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// A store of the server.
#[derive(Debug)]
pub(crate) struct Store<'s> {
    server: &'s Server,
    path: String,
}

impl Store<'_> {
    /// Writes a model, which holds from now on; gives the reason where the server refuses it.
    pub(crate) fn write_model(&self, model: &Model) -> Result<(), String> {
        let answer =
            self.server.post(&format!("{}/authorization-models", self.path), &model.to_json());
        answer.map(drop).map_err(|error| error.to_string())
    }

    /// Writes relationships, each of which the model must allow.
    pub(crate) fn write(&self, tuples: &[Tuple]) {
        for tuples in tuples.chunks(100) {
            let body = json!({ "writes": { "tuple_keys": keys(tuples) } });
            let answer = self.server.post(&format!("{}/write", self.path), &body);
            answer.unwrap_or_else(|error| panic!("{error}: {tuples:?}"));
        }
    }

    /// Asks one question; an error is OpenFGA's name of it. A malformed one fails alone.
    pub(crate) fn ask(&self, question: &Question) -> Result<bool, String> {
        let Question { user, relation, object, extra } = question;
        let mut body = extra_json(extra);
        body["tuple_key"] = json!({ "user": user, "relation": relation, "object": object });
        let answer = self.server.post(&format!("{}/check", self.path), &body);
        answer.map(|answer| answer["allowed"] == true).map_err(|error| text(&error["code"]))
    }

    /// Asks up to 50 questions at once; an error is OpenFGA's name of it.
    pub(crate) fn check(&self, questions: &[Question]) -> Vec<Result<bool, String>> {
        let checks = questions.iter().enumerate().map(|(at, question)| {
            let Question { user, relation, object, extra } = question;
            let mut check = extra_json(extra);
            check["correlation_id"] = json!(at.to_string());
            check["tuple_key"] = json!({ "user": user, "relation": relation, "object": object });
            check
        });
        let body = json!({ "checks": checks.collect::<Vec<_>>() });
        let answer = self.server.post(&format!("{}/batch-check", self.path), &body);
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {questions:?}"));
        (0..questions.len()).map(|at| verdict(&answer["result"][at.to_string()])).collect()
    }

    /// Lists objects; an error is OpenFGA's name of it.
    pub(crate) fn list_objects(&self, listing: &Listing) -> Result<BTreeSet<String>, String> {
        let mut body = extra_json(&listing.extra);
        body["user"] = json!(listing.user);
        body["relation"] = json!(listing.relation);
        body["type"] = json!(listing.type_name);
        let answer = self.server.post(&format!("{}/list-objects", self.path), &body);
        let objects = answer.map_err(|error| text(&error["code"]))?;
        Ok(objects["objects"].as_array().expect("objects").iter().map(text).collect())
    }
}

fn verdict(result: &Value) -> Result<bool, String> {
    match result["error"].as_object() {
        None => Ok(result["allowed"] == true),
        Some(error) => Err(error
            .iter()
            .filter(|(name, _)| *name != "message")
            .map(|(_, code)| text(code))
            .collect()),
    }
}

fn extra_json(extra: &Extra) -> Value {
    json!({ "context": extra.context, "contextual_tuples": { "tuple_keys": keys(&extra.tuples) } })
}

fn keys(tuples: &[Tuple]) -> Vec<Value> {
    let key = |tuple: &Tuple| {
        let mut key = json!({
            "user": tuple.subject.to_string(),
            "relation": tuple.relation,
            "object": tuple.object.to_string(),
        });
        if let Some(condition) = &tuple.condition {
            key["condition"] = json!({ "name": condition.name, "context": condition.context });
        }
        key
    };
    tuples.iter().map(key).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
