//! `mandate model lint`: what is wrong with a model, and what looks like a mistake.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mandate_authz::model::{ModelError, Span, Warning};
use serde_json::{Value, json};

use crate::commands::model_file::{Form, ModelFile, ModelRefusal};
use crate::output::{self, Page};

/// Say everything that is wrong with a model, and what looks like a mistake.
///
/// Exit codes: 0 sound, perhaps with warnings, 2 not sound. One line for each finding:
/// `FILE:LINE:COLUMN: words [code]`.
#[derive(Args, Clone, Debug)]
pub(super) struct LintCommand {
    /// The model: OpenFGA's language, its JSON, or the `fga.mod` of a model of modules; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Exit with 1 if there are warnings.
    #[arg(long)]
    strict: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// A finding as it is shown.
struct Finding {
    severity: &'static str,
    file: Option<String>,
    span: Option<Span>,
    code: &'static str,
    message: String,
}

impl LintCommand {
    /// Checks: 0 sound, 1 warnings where they were asked to count, 2 not sound.
    pub(super) fn run(self) -> ExitCode {
        let (errors, warnings) = match ModelFile::read(&self.file) {
            Err(ModelRefusal::Unreadable(error)) => return output::fail(&format!("{error:#}")),
            Err(ModelRefusal::Wrong { errors, .. }) => (errors, Vec::new()),
            Ok(model) => match model.located.validate() {
                Err(errors) => (errors, Vec::new()),
                Ok(()) => return self.report(&[], &model.located.lint(), Some(&model)),
            },
        };
        self.report(&errors, &warnings, None)
    }

    fn report(
        &self,
        errors: &[ModelError],
        warnings: &[Warning],
        sound: Option<&ModelFile>,
    ) -> ExitCode {
        let findings: Vec<Finding> = errors
            .iter()
            .map(Finding::of_error)
            .chain(warnings.iter().map(Finding::of_warning))
            .collect();
        let (value, page) = (self.value(&findings, sound), self.page(&findings, sound));
        let printed = output::print_either(self.json, &value, &page);
        match sound {
            _ if printed != ExitCode::SUCCESS => printed,
            None => ExitCode::from(output::USAGE),
            Some(_) if self.strict && !warnings.is_empty() => ExitCode::from(output::DENY),
            Some(_) => printed,
        }
    }

    fn page(&self, findings: &[Finding], sound: Option<&ModelFile>) -> Page {
        let mut page = Page::new();
        for finding in findings {
            let place = self.place(finding);
            let Finding { severity, code, message, .. } = finding;
            page.line(&format!("{place}: {severity}: {message} [{code}]"));
        }
        let name = self.file.display();
        let count = match (findings.len(), sound) {
            (0, _) => "no warnings".to_owned(),
            (1, Some(_)) => "1 warning".to_owned(),
            (many, Some(_)) => format!("{many} warnings"),
            (1, None) => "1 error".to_owned(),
            (many, None) => format!("{many} errors"),
        };
        match sound {
            Some(file) => page.line(&format!("model `{name}` is sound: {}, {count}", size(file))),
            None => page.line(&format!("model `{name}` is not sound: {count}")),
        }
        page
    }

    /// `FILE:LINE:COLUMN`; modules lie beside their manifest.
    fn place(&self, finding: &Finding) -> String {
        let path = match &finding.file {
            Some(file) => self.file.with_file_name(file),
            None => self.file.clone(),
        };
        match finding.span {
            Some(Span { line, column, .. }) => format!("{}:{line}:{column}", path.display()),
            None => path.display().to_string(),
        }
    }

    fn value(&self, findings: &[Finding], sound: Option<&ModelFile>) -> Value {
        let findings: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        let mut value = json!({
            "file": self.file,
            "sound": sound.is_some(),
            "findings": findings,
        });
        if let (Some(members), Some(file)) = (value.as_object_mut(), sound) {
            let model = file.located.model();
            members.insert("form".to_owned(), json!(file.form.as_str()));
            members.insert("schema".to_owned(), json!(model.schema.as_str()));
            members.insert("types".to_owned(), json!(model.types.len()));
        }
        value
    }
}

fn size(file: &ModelFile) -> String {
    let model = file.located.model();
    let relations: usize = model.types.iter().map(|of| of.relations.len()).sum();
    let form = match file.form {
        Form::Dsl | Form::Json => "",
        Form::Modules => ", modules",
    };
    format!(
        "schema {}{form}, {} types, {relations} relations, {} conditions",
        model.schema.as_str(),
        model.types.len(),
        model.conditions.len()
    )
}

impl Finding {
    fn of_error(error: &ModelError) -> Self {
        Self {
            severity: "error",
            file: error.file.clone(),
            span: error.span,
            code: error.problem.code(),
            message: error.problem.to_string(),
        }
    }

    fn of_warning(warning: &Warning) -> Self {
        Self {
            severity: "warning",
            file: warning.file.clone(),
            span: warning.span,
            code: warning.hint.code(),
            message: warning.hint.to_string(),
        }
    }

    fn to_json(&self) -> Value {
        let span = self.span.map(|Span { line, column, length }| {
            json!({ "line": line, "column": column, "length": length })
        });
        let mut value = json!({
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
        });
        if let Some(members) = value.as_object_mut() {
            members.extend(span.map(|span| ("place".to_owned(), span)));
            members.extend(self.file.clone().map(|file| ("file".to_owned(), json!(file))));
        }
        value
    }
}
