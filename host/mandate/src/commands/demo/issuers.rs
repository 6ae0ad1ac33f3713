//! The demo's issuers, and the tokens that they give by the standard grants.

use anyhow::{Context as _, anyhow};
use serde_json::{Map, Value, json};

use crate::commands::demo::attack::algorithm;
use crate::commands::demo::keycloak::{Keycloak, Realm, Retired, Service, audience, claim};
use crate::commands::demo::oidc_provider::{NodeIssuer, OidcProvider};
use crate::commands::demo::secret::random_secret;
use crate::commands::demo::{BOARD, FILES, TENANT};
use crate::commands::token::{TokenRequest, ask};
use crate::dev_issuer::{DevIssuer, Options, Registration};
use crate::keys::{Client, ClientOptions};

/// Our own issuer, the certified one where there is Node, and Keycloak where it is asked for.
pub(super) struct Issuers<'keycloak> {
    client: Client,
    own: DevIssuer,
    certified: Option<OidcProvider>,
    keycloak: Option<KeycloakRealm<'keycloak>>,
}

/// The demo's realm.
struct KeycloakRealm<'keycloak> {
    server: &'keycloak Keycloak,
    issuer: String,
    secret: String,
}

/// A token, and how it was got.
pub(super) struct Obtained {
    pub(super) issuer: &'static str,
    pub(super) grant: &'static str,
    pub(super) algorithm: &'static str,
    pub(super) token: String,
}

impl<'keycloak> Issuers<'keycloak> {
    pub(super) fn start(
        node: Option<&NodeIssuer>,
        keycloak: Option<&'keycloak Keycloak>,
    ) -> anyhow::Result<Self> {
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
        let keycloak = keycloak.map(KeycloakRealm::make).transpose()?;
        Ok(Self { client: Client::new(&ClientOptions::default())?, own, certified, keycloak })
    }

    /// The identifier of our own issuer.
    pub(super) fn own_url(&self) -> &str {
        self.own.url()
    }

    /// The issuers whose services the registry knows.
    pub(super) fn registered(&self) -> Vec<&str> {
        let certified = self.certified.as_ref().map(OidcProvider::url);
        std::iter::once(self.own.url()).chain(certified).collect()
    }

    /// The issuers' identifiers, with the presets that they need.
    pub(super) fn trusted(&self) -> Vec<(&str, Option<&str>)> {
        let certified = self.certified.as_ref().map(|certified| (certified.url(), None));
        let keycloak = self.keycloak.as_ref();
        let keycloak = keycloak.map(|realm| (realm.issuer.as_str(), Some("keycloak")));
        std::iter::once((self.own.url(), None)).chain(certified).chain(keycloak).collect()
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
        if let Some(realm) = &self.keycloak {
            let token = realm.token(SERVICE, &[("grant_type", "client_credentials")])?;
            obtained.push(("keycloak", "client credentials", token));
            obtained.push(("keycloak", "token exchange", realm.exchange()?));
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
        self.certified.as_mut().map_or(Ok(()), OidcProvider::restart)?;
        let keycloak = self.keycloak.as_ref();
        keycloak.map_or(Ok(()), |realm| realm.server.rotate_keys(REALM, Retired::Disabled))
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

impl<'keycloak> KeycloakRealm<'keycloak> {
    fn make(server: &'keycloak Keycloak) -> anyhow::Result<Self> {
        let secret = random_secret()?;
        let mappers = [audience(BOARD), claim("tenant", TENANT, "String")];
        let for_agent = [mappers.as_slice(), &[audience(AGENT)]].concat();
        let clients = [
            Service::new(SERVICE, &secret, &mappers),
            Service::new(AGENT, &secret, &mappers)
                .with("standard.token.exchange.enabled", "true")
                .with("access.token.signed.response.alg", "EdDSA"),
            Service::new(WEB, &secret, &for_agent).interactive(),
        ];
        server.create_realm(&Realm::new(REALM, clients).with_user("alice", &secret))?;
        Ok(Self { server, issuer: server.issuer(REALM), secret })
    }

    /// Alice's token, exchanged by the agent. Keycloak's standard exchange writes no `act`: who
    /// acts shows in the client alone.
    fn exchange(&self) -> anyhow::Result<String> {
        let password = [("grant_type", "password"), ("username", "alice")];
        let form = [password.as_slice(), &[("password", &self.secret)]].concat();
        let signed_in = self.token(WEB, &form)?;
        self.token(
            AGENT,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", &signed_in),
                ("subject_token_type", ACCESS_TOKEN),
            ],
        )
    }

    fn token(&self, client: &str, form: &[(&str, &str)]) -> anyhow::Result<String> {
        let answer = self.server.token(REALM, (client, &self.secret), form)?;
        let token = answer.get("access_token").and_then(Value::as_str);
        token.map(str::to_owned).context("an answer of Keycloak without a token")
    }
}

/// What the user's session gave the agent: the development issuer has no sign-in page, so the token
/// is minted. `may_act` lets this one agent exchange it; whether it may act is the registry's.
fn signed_in(user: &str, agent: &str) -> Map<String, Value> {
    let claims = json!({
        "sub": user,
        "aud": agent,
        "client_id": WEB,
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
const WEB: &str = "board-web";
const REALM: &str = "demo";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
