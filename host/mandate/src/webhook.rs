//! Webhooks: those who asked are told, by Standard Webhooks 1.0.0 (docs/notifications.md).
//!
//! A message is in the registry's outbox before anybody is told; it is sent until its receiver has it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use mandate_registry::Registry;
use mandate_registry::contract::{ContractVersion, Stage};
use mandate_registry::outbox::{Announcement, Attempt, Delivery};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use crate::configuration::read_secret;
use crate::keys::{Client, ClientOptions, Endpoint, FetchError};
use crate::moment;

/// What one may be told of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A version of the contract is in force.
    #[serde(rename = "contract.deployed")]
    ContractDeployed,
    /// Services may be built on a version of the contract.
    #[serde(rename = "contract.frozen")]
    ContractFrozen,
}

impl Topic {
    /// What is told when a contract gets there.
    #[must_use]
    pub const fn of(stage: Stage) -> Self {
        match stage {
            Stage::Deployed => Self::ContractDeployed,
            Stage::Frozen => Self::ContractFrozen,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::ContractDeployed => "contract.deployed",
            Self::ContractFrozen => "contract.frozen",
        }
    }
}

/// Who asked to be told of what: the member `notify` of the configuration.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, expecting = "`name`, `url` and `secret_file`")]
pub struct HookSource {
    /// By which the outbox calls it.
    pub name: String,
    /// Where messages go: `https://…`, or `http://…` on loopback.
    pub url: String,
    /// The file with the secret that signs, `whsec_…`.
    pub secret_file: PathBuf,
    /// Of what; of everything where it is left out.
    pub events: Option<BTreeSet<Topic>>,
    /// Certificate authorities (PEM) to trust instead of the public ones.
    pub authorities: Option<PathBuf>,
}

impl HookSource {
    /// With its files found from a folder.
    #[must_use]
    pub fn beside(mut self, folder: &Path) -> Self {
        self.secret_file = folder.join(self.secret_file);
        self.authorities = self.authorities.map(|path| folder.join(path));
        self
    }

    /// The first name that two have.
    #[must_use]
    pub fn twice(hooks: &[Self]) -> Option<&str> {
        let mut seen = BTreeSet::new();
        hooks.iter().map(|hook| hook.name.as_str()).find(|name| !seen.insert(*name))
    }

    fn wants(&self, topic: Topic) -> bool {
        self.events.as_ref().is_none_or(|events| events.contains(&topic))
    }
}

/// That a version of the contract got somewhere, for everybody who wants to know.
#[must_use]
pub fn announcement(
    hooks: &[HookSource],
    deployment: &str,
    contract: &ContractVersion,
    stage: Stage,
    now: u64,
) -> Announcement {
    let topic = Topic::of(stage);
    let payload = json!({
        "type": topic.as_str(),
        "timestamp": moment::utc(now),
        "data": {
            "deployment": deployment, "version": contract.version, "digest": contract.digest,
            "status": stage.as_str(),
        },
    });
    let hooks = hooks.iter().filter(|hook| hook.wants(topic)).map(|hook| hook.name.clone());
    Announcement { hooks: hooks.collect(), payload: payload.to_string() }
}

/// A hook that can be told.
pub struct Hook {
    name: String,
    endpoint: Endpoint,
    secret: Vec<u8>,
    client: Client,
}

/// What begins a secret.
const PREFIX: &str = "whsec_";
/// Bytes of a secret: between 192 and 512 bits, says the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

impl Hook {
    /// Reads every secret and every URL.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn open_all(sources: &[HookSource]) -> anyhow::Result<Vec<Self>> {
        let open =
            |source| Self::open(source).with_context(|| format!("`notify`: `{}`", source.name));
        sources.iter().map(open).collect()
    }

    fn open(source: &HookSource) -> anyhow::Result<Self> {
        let endpoint = Endpoint::parse(&source.url).map_err(|error| anyhow!("`url`: {error}"))?;
        let text = read_secret("secret file", &source.secret_file)?;
        let encoded = text.strip_prefix(PREFIX);
        let secret = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let secret = secret.with_context(|| {
            let file = source.secret_file.display();
            format!("secret file `{file}` holds no `{PREFIX}` with base64")
        })?;
        ensure!(SECRET_BYTES.contains(&secret.len()), "the secret must have 24 to 64 bytes");
        let options =
            ClientOptions { authorities: source.authorities.clone(), ..ClientOptions::default() };
        let client = Client::new(&options)?;
        Ok(Self { name: source.name.clone(), endpoint, secret, client })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a message once.
    fn send(&self, delivery: &Delivery, now: u64) -> Attempt {
        let time = now.to_string();
        let signature = self.sign(&delivery.message, &time, &delivery.payload);
        let headers = [
            ("webhook-id", delivery.message.as_str()),
            ("webhook-timestamp", &time),
            ("webhook-signature", &signature),
        ];
        const GONE: u16 = 410;
        // Not the error's own words: a URL may be a secret.
        match self.client.post_json(&self.endpoint, &headers, &delivery.payload) {
            Ok(answer) if (200..300).contains(&answer.status) => Attempt::Delivered,
            Ok(answer) if answer.status == GONE => Attempt::Refused(format!("status {GONE}")),
            Ok(answer) => Attempt::Failed(format!("status {}", answer.status)),
            Err(FetchError::Redirect { status, .. }) => Attempt::Failed(format!("status {status}")),
            Err(FetchError::Timeout { .. }) => Attempt::Failed("no answer in time".to_owned()),
            Err(FetchError::TooLarge { .. }) => Attempt::Failed("an answer too large".to_owned()),
            Err(_) => Attempt::Failed("cannot be reached".to_owned()),
        }
    }

    /// `v1,` and HMAC-SHA256 of id, time and body, in base64.
    fn sign(&self, id: &str, time: &str, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret).map(|mut mac| {
            mac.update(format!("{id}.{time}.{body}").as_bytes());
            mac.finalize().into_bytes()
        });
        // A key of any length is one.
        mac.map(|mac| format!("v1,{}", STANDARD.encode(mac))).unwrap_or_default()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hook({})", self.name)
    }
}

/// A new secret.
///
/// # Errors
/// When the system has no randomness.
pub fn new_secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::getrandom(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// Sends what is due, each message once, and says what became of each.
///
/// # Errors
/// What the registry says. What was sent before it failed is told, and perhaps sent again.
pub fn deliver_due(
    registry: &mut Registry,
    hooks: &[Hook],
    now: impl Fn() -> u64,
    mut told: impl FnMut(&Delivery, &Attempt),
) -> anyhow::Result<()> {
    for hook in hooks {
        while let Some(delivery) = registry.claim_delivery(&hook.name, now())? {
            let attempt = hook.send(&delivery, now());
            told(&delivery, &attempt);
            registry.settle_delivery(&delivery, &attempt, now())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_specification_shows() {
        // standard-webhooks/spec: the example of its libraries' tests.
        let secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let hook = Hook {
            name: "anne".to_owned(),
            endpoint: Endpoint::parse("https://hooks.example").unwrap(),
            secret: STANDARD.decode(secret).unwrap(),
            client: Client::new(&ClientOptions::default()).unwrap(),
        };
        let signature =
            hook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{hook:?}"), "Hook(anne)");
    }

    #[test]
    fn a_secret_has_256_bits() {
        let secret = new_secret().unwrap();
        assert_eq!(STANDARD.decode(secret.strip_prefix(PREFIX).unwrap()).unwrap().len(), 32);
        assert_ne!(secret, new_secret().unwrap());
    }
}
