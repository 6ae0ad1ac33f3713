//! `mandate token`: gets an access token from a provider by a standard grant.

mod answer;
mod failure;
mod request;
mod secret;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand, ValueEnum};

use crate::commands::private_file::write_private;
pub(in crate::commands) use request::TokenRequest;

use crate::commands::token::answer::TokenAnswer;
use crate::commands::token::failure::Failure;
use crate::commands::token::secret::Secret;
use crate::keys::{Client, ClientOptions, Discovery};
use crate::output;

/// Get an access token from a provider.
#[derive(Debug, Args)]
pub struct TokenCommand {
    #[command(subcommand)]
    grant: Grant,
}

#[derive(Debug, Subcommand)]
enum Grant {
    /// A service's or agent's own token (RFC 6749 section 4.4).
    ClientCredentials(ClientCredentials),
    /// A token that says who acts for whom, from the user's and the agent's (RFC 8693).
    Exchange(Exchange),
}

#[derive(Debug, Args)]
struct ClientCredentials {
    #[command(flatten)]
    provider: Provider,
    /// Name of a service account; authentik takes it with an app password instead of a client secret.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// File with the service account's password (`-` for standard input); asked for when absent.
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Exchange {
    #[command(flatten)]
    provider: Provider,
    /// File with the user's token (`-` for standard input).
    #[arg(long, value_name = "FILE")]
    subject_token_file: PathBuf,
    /// What kind of token it is: access_token, id_token, jwt, or a URI.
    #[arg(long, value_name = "TYPE", default_value = "access_token")]
    subject_token_type: String,
    /// File with the agent's own token. Without it the provider may impersonate: no `act`.
    #[arg(long, value_name = "FILE")]
    actor_token_file: Option<PathBuf>,
    /// What kind of token it is.
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "access_token",
        requires = "actor_token_file"
    )]
    actor_token_type: String,
    /// What kind of token is wanted; the provider decides when absent.
    #[arg(long, value_name = "TYPE")]
    requested_token_type: Option<String>,
}

#[derive(Debug, Args)]
struct Provider {
    /// The issuer; its token endpoint is found by OIDC discovery.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The client's id at the provider.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// File with the client's secret (`-` for standard input); asked for when absent.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// How the client authenticates: by header, in the form, or not at all.
    #[arg(long, value_enum)]
    auth: Option<Authentication>,
    /// Scopes, separated by spaces.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The service that the token is for, by its name at the provider; may be repeated.
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// The service that the token is for, by its URL (RFC 8707); may be repeated.
    #[arg(long, value_name = "URL")]
    resource: Vec<String>,
    /// PEM file of the certificate authorities to trust instead of the public ones.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Give up on a request after this many seconds (1 to 5).
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=5))]
    timeout: u64,
    /// Print the answer as JSON: token, type, expiry, scope.
    #[arg(long)]
    json: bool,
    /// Write to this new file, readable by its owner only, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Authentication {
    /// `client_secret_basic`.
    Basic,
    /// A public client: the id alone.
    None,
    /// `client_secret_post`.
    Post,
}

impl TokenCommand {
    /// Gets the token: 0 when there is one, 1 when the provider refuses, 2 when it cannot be asked.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        let outcome = match &self.grant {
            Grant::ClientCredentials(grant) => grant.run(),
            Grant::Exchange(grant) => grant.run(),
        };
        match outcome {
            Ok(code) => code,
            Err(failure) => {
                let usage = output::fail(&failure.message);
                if failure.refused { ExitCode::from(output::DENY) } else { usage }
            }
        }
    }
}

impl ClientCredentials {
    fn run(&self) -> Result<ExitCode, Failure> {
        let password = match (&self.username, &self.password_file) {
            (Some(_), Some(file)) => Some(Secret::read("--password-file", file)?),
            (Some(_), None) => Some(Secret::prompt("password", "--password-file")?),
            (None, _) => None,
        };
        let mut request = TokenRequest::default();
        request.add("grant_type", "client_credentials");
        if let (Some(username), Some(password)) = (&self.username, &password) {
            request.add("username", username);
            request.add("password", password.reveal());
        }
        let secret = self.provider.secret(self.username.is_some())?;
        self.provider.send(request, secret.as_ref(), password.as_slice())
    }
}

impl Exchange {
    fn run(&self) -> Result<ExitCode, Failure> {
        let subject = Secret::read("--subject-token-file", &self.subject_token_file)?;
        let actor = self.actor_token_file.as_deref();
        let actor = actor.map(|file| Secret::read("--actor-token-file", file)).transpose()?;
        let (subject_type, actor_type) =
            (token_type(&self.subject_token_type), token_type(&self.actor_token_type));
        let requested = self.requested_token_type.as_deref().map(token_type);
        let mut request = TokenRequest::default();
        request.add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        request.add("subject_token", subject.reveal());
        request.add("subject_token_type", &subject_type);
        if let Some(actor) = &actor {
            request.add("actor_token", actor.reveal());
            request.add("actor_token_type", &actor_type);
        }
        if let Some(requested) = &requested {
            request.add("requested_token_type", requested);
        }
        let secret = self.provider.secret(false)?;
        let tokens: Vec<Secret> = std::iter::once(subject.clone()).chain(actor.clone()).collect();
        self.provider.send(request, secret.as_ref(), &tokens)
    }
}

impl Provider {
    /// The client's secret, unless it is a public client or a service account speaks for itself.
    fn secret(&self, by_service_account: bool) -> Result<Option<Secret>, Failure> {
        match (self.authentication(by_service_account), &self.client_secret_file) {
            (Authentication::None, Some(_)) => {
                Err(Failure::usage("--auth none takes no --client-secret-file".to_owned()))
            }
            (Authentication::None, None) => Ok(None),
            (_, Some(file)) => Secret::read("--client-secret-file", file).map(Some),
            (_, None) => Secret::prompt("client secret", "--client-secret-file").map(Some),
        }
    }

    fn authentication(&self, by_service_account: bool) -> Authentication {
        let default = if by_service_account && self.client_secret_file.is_none() {
            Authentication::None
        } else {
            Authentication::Basic
        };
        self.auth.unwrap_or(default)
    }

    fn send<'request>(
        &'request self,
        mut request: TokenRequest<'request>,
        secret: Option<&'request Secret>,
        more_secrets: &[Secret],
    ) -> Result<ExitCode, Failure> {
        if let Some(scope) = &self.scope {
            request.add("scope", scope);
        }
        request.add_all("audience", &self.audience);
        request.add_all("resource", &self.resource);
        match (secret, self.auth) {
            (Some(secret), Some(Authentication::Post)) => {
                request.add("client_id", &self.client_id);
                request.add("client_secret", secret.reveal());
            }
            (Some(secret), _) => request.authenticate_basic(&self.client_id, secret.reveal()),
            (None, _) => request.add("client_id", &self.client_id),
        }
        let client = Client::new(&ClientOptions {
            total_timeout: Duration::from_secs(self.timeout),
            authorities: self.ca.clone(),
            ..ClientOptions::default()
        })?;
        let secrets: Vec<&Secret> = secret.into_iter().chain(more_secrets).collect();
        let answer = ask(&client, &self.issuer, &request, &secrets)?;
        self.print(&answer.text(self.json))
    }

    fn print(&self, text: &str) -> Result<ExitCode, Failure> {
        let line = format!("{text}\n");
        let Some(file) = &self.output else { return Ok(output::print(&line)) };
        write_private(file, &line)
            .map_err(|error| Failure::file("--output", file, &error.to_string()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks an issuer's token endpoint, which discovery names. `secrets` never come back in an error.
pub(in crate::commands) fn ask(
    client: &Client,
    issuer: &str,
    request: &TokenRequest<'_>,
    secrets: &[&Secret],
) -> Result<TokenAnswer, Failure> {
    let endpoint = Discovery::fetch(client, issuer)?.endpoint("token_endpoint")?;
    let answer = client.post_form(&endpoint, request.fields(), request.authorization())?;
    TokenAnswer::read(&endpoint, &answer, secrets, now())
}

/// The short names of RFC 8693 section 3; anything else goes as it is.
fn token_type(name: &str) -> String {
    match name {
        "access_token" | "id_token" | "jwt" => {
            format!("urn:ietf:params:oauth:token-type:{name}")
        }
        uri => uri.to_owned(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
