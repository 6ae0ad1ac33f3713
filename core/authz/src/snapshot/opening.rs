//! A body on its way to be a snapshot: validated in steps of bounded work.

use super::body::{Body, Section};
use super::schema::Schema;
use super::validate::Progress;
use super::{Object, Overlay, Snapshot, SnapshotError};
use crate::records::{RecordOverlay, RecordTable};

/// A body of which some has been validated: every offset, range, order and free slot, before
/// anything is read by them.
#[derive(Debug)]
pub struct Opening {
    body: Body,
    schema: Schema,
    progress: Progress,
    records: Option<RecordTable>,
}

impl Opening {
    /// Checks the section table and the model.
    ///
    /// # Errors
    /// The first section that is malformed.
    pub fn begin(body: Vec<u8>) -> Result<Self, SnapshotError> {
        let body = Body::open(body)?;
        let schema = Schema::decode(&body)?;
        let progress = Progress::begin(&body);
        Ok(Self { body, schema, progress, records: None })
    }

    /// Goes on for about so many words of the body, one at least; whether nothing is left. The
    /// records are one step, and an object's relationships are not divided.
    ///
    /// # Errors
    /// The first section that is malformed. Nothing can be made of the body then.
    pub fn advance(&mut self, words: usize) -> Result<bool, SnapshotError> {
        if self.records.is_some() {
            return Ok(true);
        }
        if self.progress.advance(&self.body, &self.schema, words.max(1))? {
            self.records = Some(self.validate_records()?);
        }
        Ok(false)
    }

    /// The snapshot; validates whatever is left.
    ///
    /// # Errors
    /// The first section that is malformed.
    pub fn finish(mut self) -> Result<Snapshot, SnapshotError> {
        while !self.advance(usize::MAX)? {}
        let Self { body, schema, records, .. } = self;
        let overlay = Overlay::new(&schema, body.words(Section::Slots));
        let records = records.unwrap_or_default();
        Ok(Snapshot { body, schema, records, overlay, record_overlay: RecordOverlay::default() })
    }

    fn validate_records(&self) -> Result<RecordTable, SnapshotError> {
        let within = |object: Object| {
            let table = self.schema.type_table(object.type_index);
            table.is_some_and(|table| object.local < table.count)
        };
        RecordTable::validate(self.body.bytes(Section::Records), &within)
            .map_err(|problem| SnapshotError::new("records", problem))
    }
}
