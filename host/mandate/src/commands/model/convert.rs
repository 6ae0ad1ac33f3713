//! `mandate model convert`: from one form of a model to another.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::commands::model_file::{Form, ModelFile, first};
use crate::commands::output_file;
use crate::output;

/// Write a model in OpenFGA's language or as JSON.
///
/// The model must be well formed; whether it is sound, `model lint` says.
#[derive(Args, Clone, Debug)]
pub(super) struct ConvertCommand {
    /// The model: OpenFGA's language, its JSON, or the `fga.mod` of a model of modules; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The form to write. Default: the language for JSON, and JSON for anything else.
    #[arg(long, value_enum, value_name = "FORM")]
    to: Option<Target>,
    /// Name the module and file of each part in comments; for the language.
    #[arg(long)]
    sources: bool,
    /// Write to this file instead of stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// OpenFGA's language
    Dsl,
    /// OpenFGA's JSON
    Json,
}

impl ConvertCommand {
    /// Converts: 0 written, 2 not.
    pub(super) fn run(self) -> ExitCode {
        self.convert().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn convert(&self) -> anyhow::Result<ExitCode> {
        let model = ModelFile::read(&self.file)?;
        let target = self.to.unwrap_or(match model.form {
            Form::Json => Target::Dsl,
            Form::Dsl | Form::Modules => Target::Json,
        });
        if self.sources && target == Target::Json {
            bail!("`--sources` is for the language: give `--to dsl`");
        }
        let text = self.text(&model, target)?;
        let mut said = json!({ "from": model.form.as_str(), "to": target.as_str() });
        if let Some(path) = &self.output {
            output_file::replace("model", path, text.as_bytes())?;
            put(&mut said, "output", json!(path));
        } else {
            let value = match target {
                Target::Dsl => json!(text),
                Target::Json => serde_json::from_str(&text)?,
            };
            put(&mut said, "model", value);
        }
        Ok(match (&self.output, self.json) {
            (_, true) => output::print(&format!("{said}\n")),
            (None, false) => output::print(&text),
            (Some(path), false) => {
                let form = target.as_str();
                output::print(&format!("{form} written to {}\n", path.display()))
            }
        })
    }

    fn text(&self, model: &ModelFile, target: Target) -> anyhow::Result<String> {
        let model = model.located.model();
        let dsl = match target {
            Target::Json => return Ok(format!("{}\n", model.to_json_text())),
            Target::Dsl if self.sources => model.to_dsl_with_sources(),
            Target::Dsl => model.to_dsl(),
        };
        let refused =
            |errors: Vec<_>| anyhow!("model `{}`: {}", self.file.display(), first(&errors));
        let dsl = dsl.map_err(refused)?;
        Ok(if dsl.ends_with('\n') { dsl } else { format!("{dsl}\n") })
    }
}

impl Target {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dsl => "dsl",
            Self::Json => "json",
        }
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
