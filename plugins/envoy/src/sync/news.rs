//! What one answer of the feed brings: deltas and heartbeats, applied in their order.

use mandate_authz::container::split_first;
use mandate_authz::state::{State, StateRefusal};

/// What of an answer was new.
#[derive(Debug)]
pub(super) struct News<'b> {
    /// Deltas that are in force now, one after the other.
    pub(super) deltas: Vec<u8>,
    /// The newest heartbeat.
    pub(super) beat: Option<&'b [u8]>,
    /// What ended the answer before its end.
    pub(super) refused: Option<StateRefusal>,
}

impl<'b> News<'b> {
    /// Applies containers until one is refused.
    pub(super) fn apply(state: &mut State, containers: &'b [u8]) -> Self {
        let mut news = Self { deltas: Vec::new(), beat: None, refused: None };
        let mut rest = containers;
        while !rest.is_empty() && news.refused.is_none() {
            match split_first(rest) {
                Ok((first, others)) => {
                    news.take(state, first);
                    rest = others;
                }
                Err(problem) => news.refused = Some(StateRefusal::Container(problem)),
            }
        }
        news
    }

    /// Whether anything came that was not in force before.
    pub(super) const fn is_empty(&self) -> bool {
        self.deltas.is_empty() && self.beat.is_none()
    }

    fn take(&mut self, state: &mut State, container: &'b [u8]) {
        let before = state.meta().map(|meta| (meta.position, meta.issued_at));
        match (state.apply_delta(container), before) {
            (Ok(meta), Some((position, _))) if position != meta.position => {
                self.deltas.extend(container);
            }
            (Ok(meta), Some((_, issued_at))) if issued_at < meta.issued_at => {
                self.beat = Some(container);
            }
            // It came twice.
            (Ok(_) | Err(StateRefusal::Rollback { .. }), _) => {}
            (Err(refusal), _) => self.refused = Some(refusal),
        }
    }
}
