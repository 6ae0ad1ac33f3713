//! A row that stands in for the body's.

use crate::snapshot::View;
use crate::snapshot::object::Object;
use crate::snapshot::rows::Context;
use crate::snapshot::schema::RelationTable;

/// A row that replaces the body's.
#[derive(Clone, Debug, Default)]
pub(crate) struct OverlayRow {
    /// Subject words in ascending order.
    pub(crate) words: Vec<u32>,
    /// Contexts of those that have one, in the order of their words.
    contexts: Vec<(u32, Vec<u8>)>,
}

impl OverlayRow {
    /// What the body stores in a relation of an object.
    pub(super) fn copy(view: &View<'_>, object: Object, relation: &RelationTable) -> Self {
        let row = view.row(object, relation);
        let mut copy = Self { words: row.words().collect(), contexts: Vec::new() };
        if !relation.restrictions.iter().any(|restriction| restriction.condition.is_some()) {
            return copy;
        }
        for (position, word) in row.words().enumerate() {
            let restriction = relation.restrictions.get(relation.restriction_of(word));
            if restriction.is_some_and(|restriction| restriction.condition.is_some())
                && let Some(Context::Encoded(context)) = view.context(&row, position)
            {
                copy.contexts.push((word, context.to_vec()));
            }
        }
        copy
    }

    /// The context of the subject at a position.
    pub(crate) fn context(&self, position: usize) -> Option<Context<'_>> {
        let word = self.words.get(position)?;
        let found = self.contexts.binary_search_by_key(word, |(word, _)| *word).ok()?;
        self.contexts.get(found).map(|(_, context)| Context::Encoded(context))
    }

    /// Stores a word with its context if it has one, or removes it; returns what was stored.
    pub(super) fn set(
        &mut self,
        word: u32,
        stored: Option<Option<Vec<u8>>>,
    ) -> Option<Option<Vec<u8>>> {
        let place = self.words.binary_search(&word);
        let before = place.ok().map(|_| self.set_context(word, None));
        match (place, &stored) {
            (Ok(position), None) => drop(self.words.remove(position)),
            (Err(position), Some(_)) => self.words.insert(position, word),
            (Ok(_), Some(_)) | (Err(_), None) => {}
        }
        self.set_context(word, stored.flatten());
        before
    }

    fn set_context(&mut self, word: u32, context: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let place = self.contexts.binary_search_by_key(&word, |(word, _)| *word);
        match (place, context) {
            (Ok(position), Some(context)) => {
                self.contexts.get_mut(position).map(|(_, known)| std::mem::replace(known, context))
            }
            (Ok(position), None) => Some(self.contexts.remove(position).1),
            (Err(position), Some(context)) => {
                self.contexts.insert(position, (word, context));
                None
            }
            (Err(_), None) => None,
        }
    }
}
