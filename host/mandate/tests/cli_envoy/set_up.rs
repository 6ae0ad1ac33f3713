//! A deployment: a contract with a gate, keys, and the filter's module.

use std::path::PathBuf;

use mandate_host::Sha256Digest;
use serde_json::{Value, json};

use super::authz_world::{World, authz_contract};
use super::cli::{AUDIENCE, Folder, ISSUER, jwks};

/// Files of one test, and what the verbs are told of them.
pub(crate) struct SetUp {
    pub(crate) world: World,
    pub(crate) module: String,
    pub(crate) digest: String,
    /// `ISSUER=FILE`.
    pub(crate) keys: String,
}

impl SetUp {
    /// With some file for a module: the verbs read its digest alone.
    pub(crate) fn new(test: &str) -> Self {
        let world = World::new(test);
        let module = PathBuf::from(world.folder.write("module.wasm", "a module"));
        Self::around(world, &module)
    }

    /// With the real module.
    pub(crate) fn with_module(test: &str, module: &std::path::Path) -> Self {
        Self::around(World::new(test), module)
    }

    fn around(world: World, module: &std::path::Path) -> Self {
        world.folder.write("contract.json", contract().to_string());
        let keys = world.folder.write("jwks.json", jwks().to_string());
        let keys = format!("{ISSUER}={keys}");
        let digest = Sha256Digest::of(&std::fs::read(module).unwrap()).to_string();
        Self { keys, module: module.to_str().unwrap().to_owned(), digest, world }
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.world.folder
    }

    /// `envoy config` with all that it needs, and key sets from files.
    pub(crate) fn usual(&self) -> Vec<&str> {
        let mut usual = self.filter_only();
        usual.extend(["--listen", "127.0.0.1:8080", "--upstream", "http://127.0.0.1:9000"]);
        usual
    }

    /// As [`SetUp::usual`] without what the filter alone does not need.
    pub(crate) fn filter_only(&self) -> Vec<&str> {
        let mut bare = self.bare();
        bare.extend(["--feed", "http://127.0.0.1:9001", "--keys", &self.keys]);
        bare
    }

    /// What is always needed but the feed and keys.
    pub(crate) fn bare(&self) -> Vec<&str> {
        vec![
            "envoy",
            "config",
            "--contract",
            &self.world.contract,
            "--deployment",
            "test",
            "--key",
            &self.world.public,
            "--emitter",
            "edge-1",
            "--module",
            &self.module,
            "--module-digest",
            &self.digest,
        ]
    }
}

/// The usual contract, with a gate before its MCP server.
fn contract() -> Value {
    let mut contract = authz_contract();
    contract["authz"]["actions"]["ping"] = json!({"mode": "read", "on": "session"});
    contract["gate"] = json!({
        "methods": {"tasks": {"session": "ping", "server": "list_boards"}},
        "routes": {"tasks": {
            "audience": AUDIENCE,
            "metadata": "https://board.example/.well-known/oauth-protected-resource",
            "path": "/mcp",
        }},
    });
    contract
}
