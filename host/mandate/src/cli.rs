//! The command line: arguments, dispatch and exit codes.

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::commands::audit::AuditCommand;
use crate::commands::check::CheckCommand;
use crate::commands::config::ConfigCommand;
use crate::commands::conformance::ConformanceCommand;
use crate::commands::contract::ContractCommand;
use crate::commands::credential::CredentialCommand;
#[cfg(feature = "dev")]
use crate::commands::demo::DemoCommand;
#[cfg(feature = "dev")]
use crate::commands::dev_issuer::DevIssuerCommand;
use crate::commands::envoy::EnvoyCommand;
use crate::commands::facts::FactsCommand;
use crate::commands::identity::IdentityCommand;
use crate::commands::init::InitCommand;
use crate::commands::inspect::InspectCommand;
use crate::commands::migrate::MigrateCommand;
use crate::commands::model::ModelCommand;
use crate::commands::outbox::OutboxCommand;
use crate::commands::person::PersonCommand;
use crate::commands::probe::ProbeCommand;
use crate::commands::registry::RegistryCommand;
use crate::commands::relationship::RelationshipCommand;
use crate::commands::replay::ReplayCommand;
use crate::commands::serve::ServeCommand;
use crate::commands::snapshot::SnapshotCommand;
use crate::commands::tenant::TenantCommand;
use crate::commands::token::TokenCommand;
use crate::commands::validate::ValidateCommand;
use crate::output;

/// May this agent, acting for this user, with this credential, do this action, now?
///
/// Exit codes: 0 allow, 1 deny, 2 usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "mandate", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// One variant a verb; each verb lives in its own file under `commands/`.
#[derive(Debug, Subcommand)]
enum Command {
    Audit(AuditCommand),
    Check(CheckCommand),
    Config(ConfigCommand),
    Conformance(ConformanceCommand),
    Contract(ContractCommand),
    #[cfg(feature = "dev")]
    Demo(DemoCommand),
    #[cfg(feature = "dev")]
    DevIssuer(DevIssuerCommand),
    Envoy(EnvoyCommand),
    Init(InitCommand),
    Inspect(InspectCommand),
    Migrate(MigrateCommand),
    Model(ModelCommand),
    Probe(ProbeCommand),
    Replay(ReplayCommand),
    Serve(ServeCommand),
    Snapshot(SnapshotCommand),
    Token(TokenCommand),
    Credential(CredentialCommand),
    Facts(FactsCommand),
    Identity(IdentityCommand),
    Outbox(OutboxCommand),
    Person(PersonCommand),
    Registry(RegistryCommand),
    Relationship(RelationshipCommand),
    Tenant(TenantCommand),
    Validate(ValidateCommand),
}

impl Command {
    fn run(self) -> ExitCode {
        match self {
            Self::Audit(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::Conformance(command) => command.run(),
            Self::Contract(command) => command.run(),
            #[cfg(feature = "dev")]
            Self::Demo(command) => command.run(),
            #[cfg(feature = "dev")]
            Self::DevIssuer(command) => command.run(),
            Self::Envoy(command) => command.run(),
            Self::Init(command) => command.run(),
            Self::Inspect(command) => command.run(),
            Self::Migrate(command) => command.run(),
            Self::Model(command) => command.run(),
            Self::Probe(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Snapshot(command) => command.run(),
            Self::Token(command) => command.run(),
            Self::Credential(command) => command.run(),
            Self::Facts(command) => command.run(),
            Self::Identity(command) => command.run(),
            Self::Outbox(command) => command.run(),
            Self::Person(command) => command.run(),
            Self::Registry(command) => command.run(),
            Self::Relationship(command) => command.run(),
            Self::Tenant(command) => command.run(),
            Self::Validate(command) => command.run(),
        }
    }
}

/// Runs the command line and returns 0 for allow, 1 for deny, 2 for usage or configuration.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => arguments.command.run(),
        Err(error) => refuse(&error),
    }
}

/// Answers `--help` and `--version`; says in one line what is wrong with any other arguments.
#[expect(clippy::wildcard_enum_match_arm, reason = "clap's kinds are open; each is a refusal")]
fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::print(&error.render().to_string())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody reads a failure to write to stderr.
            let _ = write!(std::io::stderr(), "{}", error.render());
            ExitCode::from(output::USAGE)
        }
        _ => output::fail(&one_line(&error.render().to_string())),
    }
}

/// clap's message up to its first empty line, as one line. A long word could be a secret that was
/// typed in the wrong place: it is not repeated.
fn one_line(rendered: &str) -> String {
    let message = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let words = message.lines().take_while(|line| !line.is_empty()).flat_map(str::split_whitespace);
    let words: Vec<&str> =
        words.map(|word| if is_long(word) { "(withheld)" } else { word }).collect();
    format!("{}; see `--help`", words.join(" "))
}

/// Longer than any flag.
fn is_long(word: &str) -> bool {
    const LONGEST: usize = 48;
    word.chars().count() > LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let arguments = std::iter::once("mandate").chain(arguments.iter().copied());
        one_line(&Arguments::try_parse_from(arguments).unwrap_err().render().to_string())
    }

    #[test]
    fn wrong_arguments_are_named_in_one_line() {
        assert_eq!(
            refused(&["validate", "--contrakt", "a"]),
            "unexpected argument '--contrakt' found; see `--help`"
        );
        assert_eq!(
            refused(&["validate"]),
            "the following required arguments were not provided: --contract <FILE>; see `--help`"
        );
    }

    #[test]
    fn a_long_word_in_the_wrong_place_is_not_repeated() {
        let long = "x".repeat(49);
        assert_eq!(
            refused(&["validate", "--contract", "a", &long]),
            "unexpected argument (withheld) found; see `--help`"
        );
    }
}
