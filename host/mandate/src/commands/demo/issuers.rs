//! The demo's issuers, and the tokens that they give by the standard grants.

use anyhow::{Context as _, anyhow};
use serde_json::{Map, Value, json};

use crate::commands::demo::attack::algorithm;
use crate::commands::demo::oidc_provider::{NodeIssuer, OidcProvider};
use crate::commands::demo::{BOARD, FILES, TENANT};
use crate::commands::token::{TokenRequest, ask};
use crate::dev_issuer::{DevIssuer, Options, Registration};
use crate::keys::{Client, ClientOptions};

/// Our own issuer, and the certified one where there is Node.
pub(super) struct Issuers {
    client: Client,
    own: DevIssuer,
    certified: Option<OidcProvider>,
}

/// A token, and how it was got.
pub(super) struct Obtained {
    pub(super) issuer: &'static str,
    pub(super) grant: &'static str,
    pub(super) algorithm: &'static str,
    pub(super) token: String,
}

impl Issuers {
    pub(super) fn start(node: Option<&NodeIssuer>) -> anyhow::Result<Self> {
        let service = Registration {
            tenant: Some(TENANT.to_owned()),
            scopes: vec!["board:read".to_owned()],
            audiences: vec![BOARD.to_owned(), FILES.to_owned()],
            ..Registration::new(SERVICE, BOARD)
        };
        let agent = Registration {
            scopes: vec!["board:read".to_owned(), "board:write".to_owned()],
            audiences: vec![BOARD.to_owned(), AGENT.to_owned()],
            token_exchange: true,
            algorithm: Some("EdDSA".to_owned()),
            ..Registration { client_id: AGENT.to_owned(), ..service.clone() }
        };
        let trial = Registration {
            client_id: TRIAL_AGENT.to_owned(),
            audiences: vec![BOARD.to_owned(), TRIAL_AGENT.to_owned()],
            ..agent.clone()
        };
        let own = DevIssuer::start(Options::new(vec![service, agent, trial]))?;
        let certified = node.map(|node| OidcProvider::start(node.clone())).transpose()?;
        Ok(Self { client: Client::new(&ClientOptions::default())?, own, certified })
    }

    /// The issuers' identifiers.
    pub(super) fn urls(&self) -> Vec<&str> {
        let certified = self.certified.as_ref().map(OidcProvider::url);
        std::iter::once(self.own.url()).chain(certified).collect()
    }

    /// One token by each grant of each issuer.
    pub(super) fn obtain(&self) -> anyhow::Result<Vec<Obtained>> {
        let own = self.own.url();
        let service = self.client_credentials(own, SERVICE, self.secret(SERVICE)?, BOARD)?;
        let mut obtained = vec![
            ("dev-issuer", "client credentials", service),
            ("dev-issuer", "token exchange", self.exchange(AGENT, "alice")?),
        ];
        if let Some(certified) = &self.certified {
            let (url, secret) = (certified.url(), certified.client_secret());
            let token = self.client_credentials(url, OidcProvider::CLIENT, secret, BOARD)?;
            obtained.push(("oidc-provider", "client credentials", token));
        }
        let named = |(issuer, grant, token): (_, _, String)| {
            let algorithm = algorithm(&token)?.as_str();
            Ok(Obtained { issuer, grant, algorithm, token })
        };
        obtained.into_iter().map(named).collect()
    }

    /// New keys at every issuer; the old ones are withdrawn at once.
    pub(super) fn rotate_keys(&mut self) -> anyhow::Result<()> {
        self.own.rotate(true)?;
        self.certified.as_mut().map_or(Ok(()), OidcProvider::restart)
    }

    /// The agent's exchange: the user's token and its own, for one that says who acts for whom.
    pub(super) fn exchange(&self, agent: &str, user: &str) -> anyhow::Result<String> {
        let (own, secret) = (self.own.url(), self.secret(agent)?);
        let actor = self.client_credentials(own, agent, secret, agent)?;
        let subject = self.own.mint(&signed_in(user, agent))?;
        let mut request = TokenRequest::default();
        request.add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        request.add("subject_token", &subject);
        request.add("subject_token_type", ACCESS_TOKEN);
        request.add("actor_token", &actor);
        request.add("actor_token_type", ACCESS_TOKEN);
        request.add("audience", BOARD);
        request.authenticate_basic(agent, secret);
        self.ask(own, &request)
    }

    fn client_credentials(
        &self,
        issuer: &str,
        client_id: &str,
        secret: &str,
        resource: &str,
    ) -> anyhow::Result<String> {
        let mut request = TokenRequest::default();
        request.add("grant_type", "client_credentials");
        // oidc-provider grants no scope that was not asked for.
        request.add("scope", "board:read");
        request.add("resource", resource);
        request.authenticate_basic(client_id, secret);
        self.ask(issuer, &request)
    }

    fn ask(&self, issuer: &str, request: &TokenRequest<'_>) -> anyhow::Result<String> {
        let answer = ask(&self.client, issuer, request, &[]);
        answer.map(|answer| answer.text(false)).map_err(|failure| anyhow!("{issuer}: {failure}"))
    }

    fn secret(&self, client_id: &str) -> anyhow::Result<&str> {
        let made = self.own.made_secrets().iter().find(|(id, _)| id == client_id);
        made.map(|(_, secret)| secret.as_str()).context("a client without a secret")
    }
}

/// What the user's session gave the agent: the development issuer has no sign-in page, so the token
/// is minted. `may_act` lets this one agent exchange it; whether it may act is the registry's.
fn signed_in(user: &str, agent: &str) -> Map<String, Value> {
    let claims = json!({
        "sub": user,
        "aud": agent,
        "client_id": "board-web",
        "scope": "openid board:read",
        "tenant": TENANT,
        "may_act": { "client_id": agent },
    });
    claims.as_object().cloned().unwrap_or_default()
}

pub(super) const SERVICE: &str = "report-service";
pub(super) const AGENT: &str = "mail-agent";
/// An agent whose identity has expired; its client at the issuer has not.
pub(super) const TRIAL_AGENT: &str = "trial-agent";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
