//! Keycloak in a process of its own, with the part of its admin API that a test needs.
//!
//! The distribution comes from Maven Central and is made ready by `cargo xtask campaign keycloak`;
//! nothing is written to it. Every run has its own folder, its own database in memory, and a port
//! of loopback; it ends with the value.

mod process;
mod realm;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Method, Request, StatusCode};

pub use realm::{Realm, Service, audience, claim};

use crate::commands::demo::keycloak::process::{ADMINISTRATOR, Process};
use crate::commands::demo::secret::random_secret;

/// A running Keycloak.
pub struct Keycloak {
    process: Process,
    agent: Agent,
    password: String,
    session: Mutex<Option<(Instant, String)>>,
}

/// What becomes of keys that sign no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// Out of the published set at once.
    Disabled,
    /// Still published, for the tokens that they have signed.
    Passive,
}

impl std::fmt::Debug for Keycloak {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the password and the administrator's token.
        formatter.debug_struct("Keycloak").field("process", &self.process).finish_non_exhaustive()
    }
}

impl Keycloak {
    /// Starts a server of the distribution and waits until it answers.
    ///
    /// # Errors
    /// When it does not start; with the end of its log.
    pub fn start(distribution: &Path) -> anyhow::Result<Self> {
        let password = random_secret()?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE));
        let agent: Agent = config.build().into();
        let mut process = Process::start(distribution, &password)?;
        process.wait(&agent)?;
        Ok(Self { process, agent, password, session: Mutex::new(None) })
    }

    /// The issuer that a realm is.
    #[must_use]
    pub fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.process.url())
    }

    /// Makes a realm.
    ///
    /// # Errors
    /// When Keycloak refuses it.
    pub fn create_realm(&self, realm: &Realm) -> anyhow::Result<()> {
        self.admin(&Method::POST, "", Some(realm.as_json())).map(drop)
    }

    /// Asks the admin API at `/admin/realms` and below; an answer without a body is `null`.
    ///
    /// # Errors
    /// When the answer is not a success.
    pub fn admin(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/admin/realms{path}", self.process.url());
        let authorization = format!("Bearer {}", self.administrator()?);
        let request =
            Request::builder().method(method).uri(&url).header("Authorization", authorization);
        let mut answer = match body {
            None => self.agent.run(request.body(())?)?,
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_string())?)?
            }
        };
        let text = answer.body_mut().read_to_string()?;
        if !answer.status().is_success() {
            bail!("{method} {url}: {} {text}", answer.status());
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// Asks a realm's token endpoint as a confidential client.
    ///
    /// # Errors
    /// When it refuses; with its answer.
    pub fn token(
        &self,
        realm: &str,
        (client, secret): (&str, &str),
        form: &[(&str, &str)],
    ) -> anyhow::Result<Value> {
        let url = format!("{}/protocol/openid-connect/token", self.issuer(realm));
        let client = [("client_id", client), ("client_secret", secret)];
        let form = [client.as_slice(), form].concat();
        let mut answer = self.agent.post(&url).send_form(form)?;
        let text = answer.body_mut().read_to_string()?;
        if answer.status() != StatusCode::OK {
            bail!("{url}: {} {text}", answer.status());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// The user info of an access token, as the client of that token has it sent.
    ///
    /// # Errors
    /// When Keycloak refuses the token.
    pub fn user_info(&self, realm: &str, token: &str) -> anyhow::Result<String> {
        let url = format!("{}/protocol/openid-connect/userinfo", self.issuer(realm));
        let request = self.agent.get(&url).header("Authorization", format!("Bearer {token}"));
        let mut answer = request.call()?;
        let text = answer.body_mut().read_to_string()?;
        if answer.status() != StatusCode::OK {
            bail!("{url}: {} {text}", answer.status());
        }
        Ok(text)
    }

    /// New signing keys before the old ones, which are retired.
    ///
    /// # Errors
    /// When the admin API refuses.
    pub fn rotate_keys(&self, realm: &str, retired: Retired) -> anyhow::Result<()> {
        let components = format!("/{realm}/components");
        let listed = format!("{components}?type={}", realm::KEY_PROVIDER);
        let old = self.admin(&Method::GET, &listed, None)?;
        let old = old.as_array().context("no list of key providers")?;
        let signing = |key: &&Value| {
            let provider = key.get("providerId").and_then(Value::as_str);
            provider.is_some_and(realm::is_signing_provider)
        };
        let old: Vec<&Value> = old.iter().filter(signing).collect();
        let highest = old.iter().filter_map(|key| priority(key)).max().unwrap_or_default();
        for mut key in realm::signing_keys(highest.saturating_add(1)) {
            let members = key.as_object_mut().context("a key that is no object")?;
            members.insert("providerType".to_owned(), json!(realm::KEY_PROVIDER));
            self.admin(&Method::POST, &components, Some(&key))?;
        }
        let setting = match retired {
            Retired::Disabled => "enabled",
            Retired::Passive => "active",
        };
        for key in old {
            let id = key.get("id").and_then(Value::as_str).context("a key without id")?;
            let mut key = key.clone();
            let config = key.get_mut("config").and_then(Value::as_object_mut);
            config.context("a key without config")?.insert(setting.to_owned(), json!(["false"]));
            self.admin(&Method::PUT, &format!("{components}/{id}"), Some(&key))?;
        }
        Ok(())
    }

    /// The administrator's token: it lives for a minute.
    fn administrator(&self) -> anyhow::Result<String> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, token)) = &*session
            && since.elapsed() < HALF_ITS_LIFE
        {
            return Ok(token.clone());
        }
        let url = format!("{}/protocol/openid-connect/token", self.issuer("master"));
        let form = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", ADMINISTRATOR),
            ("password", &self.password),
        ];
        let since = Instant::now();
        let answer: Value = serde_json::from_str(
            &self.agent.post(&url).send_form(form)?.body_mut().read_to_string()?,
        )?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.context("no token for Keycloak's administrator")?;
        *session = Some((since, token.to_owned()));
        Ok(token.to_owned())
    }
}

fn priority(key: &Value) -> Option<u32> {
    key.pointer("/config/priority/0")?.as_str()?.parse().ok()
}

/// Keycloak on a busy machine, making its first keys.
const PATIENCE: Duration = Duration::from_secs(120);
const HALF_ITS_LIFE: Duration = Duration::from_secs(30);
