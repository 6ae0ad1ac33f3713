//! Models of fixtures.

use anyhow::{Context, Result, anyhow, bail};
use include_dir::{Dir, include_dir};
use mandate_authz::model::{LocatedModel, Manifest, Model, ModelError, ModuleFile};

use super::case::ModelRecipe;

static SHARED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/model");

/// The one model that has a name.
const FOLDER: &str = "contract/model";

impl ModelRecipe {
    /// The model, sound.
    pub(super) fn model(&self) -> Result<Model> {
        let located = match self {
            Self::Lines(lines) => {
                LocatedModel::parse_dsl(&lines.join("\n")).map_err(|e| first(&e))?
            }
            Self::Folder(name) if name == FOLDER => shared()?,
            Self::Folder(name) => bail!("model `{name}`: only `{FOLDER}` has a name"),
        };
        located.validate().map_err(|errors| first(&errors))?;
        Ok(located.into_model())
    }
}

/// The shared model of the contract, as it travels in the binary.
///
/// # Errors
/// When it is not sound.
pub fn shared_model() -> Result<Model> {
    ModelRecipe::Folder(FOLDER.to_owned()).model()
}

fn shared() -> Result<LocatedModel> {
    let text = |name: &str| {
        let file = SHARED.get_file(name).with_context(|| format!("{FOLDER} has no `{name}`"))?;
        file.contents_utf8().with_context(|| format!("{name}: not UTF-8"))
    };
    let manifest = Manifest::parse(text("fga.mod")?).map_err(|errors| first(&errors))?;
    let files = manifest
        .files
        .iter()
        .map(|name| Ok(ModuleFile { name: name.clone(), text: text(name)?.to_owned() }));
    let files = files.collect::<Result<Vec<ModuleFile>>>()?;
    LocatedModel::from_modules(&files).map_err(|errors| first(&errors))
}

fn first(errors: &[ModelError]) -> anyhow::Error {
    match errors.first() {
        Some(error) => anyhow!("the model: {error}"),
        None => anyhow!("the model is wrong"),
    }
}
