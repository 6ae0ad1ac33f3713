//! `mandate dev-issuer`: a development OIDC issuer on loopback.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::commands::private_file::{create_private_folder, write_private};
use crate::dev_issuer::{DevIssuer, Options, Registration, SigningAlgorithm};
use crate::keys::{plain, quoted};
use crate::output;
use crate::stop::{stop_on_end_of_input, stop_on_signal};

/// Run a development OIDC issuer on this machine.
///
/// It prints one line of JSON when it is ready and runs until SIGTERM or SIGINT. Secrets are made
/// at start and written to files that only you can read.
#[derive(Debug, Args)]
pub struct DevIssuerCommand {
    /// Where to listen: a loopback address; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// JSON file of clients (docs/dev-issuer.md); without it there is one, `dev-client`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["audience", "scope", "tenant"])]
    clients: Option<PathBuf>,
    /// Audience of `dev-client`'s tokens; may be repeated.
    #[arg(long, value_name = "URL", default_value = "https://app.example")]
    audience: Vec<String>,
    /// Scopes of `dev-client`, separated by spaces.
    #[arg(long, value_name = "SCOPES", default_value = "")]
    scope: String,
    /// Tenant claim of `dev-client`'s tokens.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// What tokens are signed with.
    #[arg(long, value_enum, default_value = "RS256")]
    algorithm: SigningAlgorithm,
    /// How long tokens live.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lifetime: u64,
    /// Rotate the keys this often.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    rotate_every: Option<u64>,
    /// How long an old key stays published after a rotation; as long as tokens live when absent.
    #[arg(long, value_name = "SECONDS", conflicts_with = "drop_old")]
    overlap: Option<u64>,
    /// Withdraw old keys at once when rotating, as after a leak.
    #[arg(long)]
    drop_old: bool,
    /// New folder for the secrets; a fresh one in the temporary folder when absent.
    #[arg(long, value_name = "DIR")]
    secrets_dir: Option<PathBuf>,
    /// Stop when standard input closes, so that the issuer ends with whatever started it.
    #[arg(long)]
    stop_with_stdin: bool,
}

impl DevIssuerCommand {
    /// Serves until told to stop: 0 after an orderly stop, 2 when it cannot start.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => output::fail(&message),
        }
    }

    fn serve(self) -> Result<(), String> {
        let stop_with_stdin = self.stop_with_stdin;
        let secrets_dir = self.secrets_dir.clone();
        let options = self.options()?;
        let clients: Vec<String> =
            options.clients.iter().map(|client| client.client_id.clone()).collect();
        let (stop, stopped) = channel();
        // Before the ready line: a signal that follows it must find its handler.
        stop_on_signal(stop.clone()).map_err(|error| error.to_string())?;
        let issuer = DevIssuer::start(options).map_err(|error| error.to_string())?;
        let secrets = Secrets::write(secrets_dir, &issuer)?;
        let url = issuer.url();
        let ready = json!({
            "issuer": url,
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/jwks"),
            "clients": clients,
            "secrets_dir": secrets.folder,
        });
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{ready}")
            .and_then(|()| stdout.flush())
            .map_err(|error| error.to_string())?;
        if stop_with_stdin {
            stop_on_end_of_input(stop);
        }
        // Either a stop arrives or nobody can send one any more: both end the run.
        let _ = stopped.recv();
        issuer.stop();
        Ok(())
    }

    fn options(self) -> Result<Options, String> {
        let clients = match &self.clients {
            Some(file) => read_clients(file)?,
            None => vec![Registration {
                tenant: self.tenant,
                scopes: self.scope.split_whitespace().map(str::to_owned).collect(),
                accepts: self.audience.clone(),
                audiences: self.audience,
                token_exchange: true,
                ..Registration::new("dev-client", "")
            }],
        };
        let overlap = if self.drop_old { 0 } else { self.overlap.unwrap_or(self.lifetime) };
        Ok(Options {
            listen: self.listen,
            clients,
            algorithm: self.algorithm,
            lifetime: self.lifetime,
            overlap,
            rotate_every: self.rotate_every.map(Duration::from_secs),
        })
    }
}

fn read_clients(file: &Path) -> Result<Vec<Registration>, String> {
    let name = quoted(&file.display().to_string());
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("--clients: {name} cannot be read: {error}"))?;
    Registration::parse_file(&text)
        .map_err(|problem| format!("--clients: {name} cannot be used: {}", plain(&problem)))
}

/// The secrets' files; they go when the issuer goes.
struct Secrets {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Secrets {
    fn write(folder: Option<PathBuf>, issuer: &DevIssuer) -> Result<Self, String> {
        let folder = folder.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("mandate-dev-issuer-{}", std::process::id()))
        });
        let failed = |path: &Path, error: std::io::Error| {
            format!("secrets: {} cannot be made: {error}", quoted(&path.display().to_string()))
        };
        create_private_folder(&folder).map_err(|error| failed(&folder, error))?;
        let mut secrets = Self { folder, files: Vec::new() };
        secrets.add("admin", issuer.admin_secret(), failed)?;
        for (client, secret) in issuer.made_secrets() {
            secrets.add(client, secret, failed)?;
        }
        Ok(secrets)
    }

    fn add(
        &mut self,
        name: &str,
        secret: &str,
        failed: impl Fn(&Path, std::io::Error) -> String,
    ) -> Result<(), String> {
        let is_file_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !name.bytes().all(is_file_name) || name.starts_with('.') {
            return Err(format!(
                "client {} cannot name a secret's file: give it a `client_secret`",
                quoted(name)
            ));
        }
        let file = self.folder.join(format!("{name}.secret"));
        write_private(&file, &format!("{secret}\n")).map_err(|error| failed(&file, error))?;
        self.files.push(file);
        Ok(())
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        let _ = std::fs::remove_dir(&self.folder);
    }
}
