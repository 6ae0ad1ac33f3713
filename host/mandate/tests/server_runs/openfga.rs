//! An OpenFGA server with the model and the relationships of the tests.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mandate_authz::tuple::Tuple;
use serde_json::{Value, json};

use crate::cli::{mandate, skip};
use crate::world::{World, agent};

pub(crate) struct OpenFga {
    pub(crate) process: Child,
    pub(crate) address: String,
    store: String,
    model: String,
}

impl Drop for OpenFga {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl OpenFga {
    /// Starts it with what the world has; `None` where there is none.
    pub(crate) fn start(world: &World, tuples: &[Tuple]) -> Option<Self> {
        let Some(program) = std::env::var_os("MANDATE_OPENFGA") else {
            skip("the server beside OpenFGA: MANDATE_OPENFGA is not set");
            return None;
        };
        let free = [0, 1].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let [http, grpc] = free.each_ref().map(|it| it.local_addr().unwrap().to_string());
        drop(free);
        let process = Command::new(program)
            .args(["run", "--http-addr", &http, "--grpc-addr", &grpc, "--log-level=none"])
            .args(["--playground-enabled=false", "--metrics-enabled=false"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server =
            Self { process, address: http, store: String::new(), model: String::new() };
        let begun = Instant::now();
        while !server.is_up() {
            assert!(begun.elapsed() < Duration::from_secs(30), "OpenFGA does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        server.store = text(&server.post("/stores", &json!({ "name": "world" }))["id"]);
        let converted = mandate(&["model", "convert", &world.folder.path("acme/model/fga.mod")]);
        assert_eq!(converted.code, 0, "{converted:?}");
        let model: Value = serde_json::from_str(&converted.stdout).unwrap();
        let path = format!("/stores/{}", server.store);
        let written = server.post(&format!("{path}/authorization-models"), &model);
        server.model = text(&written["authorization_model_id"]);
        for tuples in tuples.chunks(50) {
            let key = |tuple: &Tuple| {
                let text = tuple.to_string();
                let (object, rest) = text.split_once('#').unwrap();
                let (relation, user) = rest.split_once('@').unwrap();
                json!({ "user": user, "relation": relation, "object": object })
            };
            let keys: Vec<Value> = tuples.iter().map(key).collect();
            server.post(&format!("{path}/write"), &json!({ "writes": { "tuple_keys": keys } }));
        }
        Some(server)
    }

    /// Where one check is asked, and its body.
    pub(crate) fn check(&self, user: &str, relation: &str, object: &str) -> (String, String) {
        let key = json!({ "user": user, "relation": relation, "object": object });
        let body = json!({ "authorization_model_id": self.model, "tuple_key": key });
        (format!("/stores/{}/check", self.store), body.to_string())
    }

    fn is_up(&self) -> bool {
        let health = agent().get(format!("http://{}/healthz", self.address)).call();
        health.is_ok_and(|answer| answer.status() == 200)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = agent().post(format!("http://{}{path}", self.address));
        let request = request.content_type("application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path} {text}");
        serde_json::from_str(&text).unwrap()
    }
}
