//! A model as files: one text in OpenFGA's language or JSON, or the modules of an `fga.mod`.

use std::path::Path;

use anyhow::anyhow;
use mandate_authz::model::{LocatedModel, Manifest, Model, ModelError, ModuleFile};

use crate::commands::input_file;

/// How a model is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Dsl,
    Json,
    Modules,
}

impl Form {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Dsl => "dsl",
            Self::Json => "json",
            Self::Modules => "modules",
        }
    }

    /// By the name `….mod`; else JSON is what begins like an object.
    fn of(path: &Path, text: &str) -> Self {
        if path.extension().is_some_and(|extension| extension == "mod") {
            Self::Modules
        } else if text.trim_start().starts_with('{') {
            Self::Json
        } else {
            Self::Dsl
        }
    }
}

/// A model that is well formed; whether it is sound, [`ModelFile::sound`] says.
#[derive(Debug)]
pub(crate) struct ModelFile {
    pub(crate) form: Form,
    pub(crate) located: LocatedModel,
    name: String,
}

/// Why there is no model.
#[derive(Debug)]
pub(crate) enum ModelRefusal {
    /// A file cannot be read.
    Unreadable(anyhow::Error),
    /// What is wrong with it; never empty.
    Wrong { name: String, errors: Vec<ModelError> },
}

impl ModelFile {
    /// Reads a model.
    ///
    /// # Errors
    /// A file that cannot be read, or everything that keeps the texts from being a model.
    pub(crate) fn read(path: &Path) -> Result<Self, ModelRefusal> {
        let name = path.display().to_string();
        let text = input_file::read_text("model", path).map_err(ModelRefusal::Unreadable)?;
        let form = Form::of(path, &text);
        let located = match form {
            Form::Dsl => LocatedModel::parse_dsl(&text),
            Form::Json => Model::from_json(&text).map(LocatedModel::from),
            Form::Modules => match Manifest::parse(&text) {
                Ok(manifest) => LocatedModel::from_modules(&modules(path, manifest)?),
                Err(errors) => Err(errors),
            },
        };
        match located {
            Ok(located) => Ok(Self { form, located, name }),
            Err(errors) => Err(ModelRefusal::Wrong { name, errors }),
        }
    }

    /// Reads a model that passes OpenFGA's validator.
    ///
    /// # Errors
    /// As [`ModelFile::read`], and everything that is wrong with the model.
    pub(crate) fn sound(path: &Path) -> Result<Model, ModelRefusal> {
        let file = Self::read(path)?;
        match file.located.validate() {
            Ok(()) => Ok(file.located.into_model()),
            Err(errors) => Err(ModelRefusal::Wrong { name: file.name, errors }),
        }
    }
}

impl From<ModelRefusal> for anyhow::Error {
    fn from(refusal: ModelRefusal) -> Self {
        match refusal {
            ModelRefusal::Unreadable(error) => error,
            ModelRefusal::Wrong { name, errors } => anyhow!("model `{name}`: {}", first(&errors)),
        }
    }
}

/// The first of several errors, and how many more there are.
pub(crate) fn first(errors: &[ModelError]) -> String {
    let first = errors.first().map(ToString::to_string).unwrap_or_default();
    match errors.len() {
        0 | 1 => first,
        all => format!("{first} (and {} more: `mandate model lint`)", all.saturating_sub(1)),
    }
}

/// The files that a manifest lists, beside it.
fn modules(manifest: &Path, listed: Manifest) -> Result<Vec<ModuleFile>, ModelRefusal> {
    let folder = manifest.parent().unwrap_or_else(|| Path::new(""));
    let read = |name: String| {
        let text = input_file::read_text("module", &folder.join(&name));
        Ok(ModuleFile { name, text: text.map_err(ModelRefusal::Unreadable)? })
    };
    listed.files.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_told_by_its_name_or_its_first_character() {
        assert_eq!(Form::of(Path::new("a/fga.mod"), "{"), Form::Modules);
        assert_eq!(Form::of(Path::new("model.fga"), "\n {}"), Form::Json);
        assert_eq!(Form::of(Path::new("model.json"), "model\n"), Form::Dsl);
    }
}
