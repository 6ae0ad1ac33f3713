//! What many cases share, made once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Result;
use mandate_authz::model::Model;
use sha2::{Digest as _, Sha256};

use super::case::ModelRecipe;

/// Models by recipe, and bodies of snapshots by everything that they are built of.
#[derive(Default)]
pub(super) struct Memory {
    models: RefCell<Vec<(ModelRecipe, Model)>>,
    bodies: RefCell<BTreeMap<[u8; 32], Vec<u8>>>,
}

impl Memory {
    /// The model of a recipe.
    pub(super) fn model(&self, recipe: &ModelRecipe) -> Result<Model> {
        if let Some((_, model)) = self.models.borrow().iter().find(|(known, _)| known == recipe) {
            return Ok(model.clone());
        }
        let model = recipe.model()?;
        self.models.borrow_mut().push((recipe.clone(), model.clone()));
        Ok(model)
    }

    /// The body that is built of these texts.
    pub(super) fn body(
        &self,
        texts: &[&str],
        build: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let mut digest = Sha256::new();
        for text in texts {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        }
        let key = digest.finalize().into();
        if let Some(body) = self.bodies.borrow().get(&key) {
            return Ok(body.clone());
        }
        let body = build()?;
        self.bodies.borrow_mut().insert(key, body.clone());
        Ok(body)
    }
}
