//! How what is in force is replaced: snapshots in steps or at once, deltas, heartbeats.

use super::{Current, Meta, State, StateRefusal};
use crate::container::{
    ArrivingBody, ContainerProblem, Header, Kind, Position, Statement, VerifiedHeader, open,
};
use crate::delta;
use crate::limits;
use crate::snapshot::Opening;

/// A snapshot whose header is verified, and which is not in force.
#[derive(Debug)]
pub(super) struct Arriving {
    header: VerifiedHeader,
    stage: Stage,
}

/// What is being done with its body.
#[derive(Debug)]
enum Stage {
    /// It has not come whole, as far as anybody has asked.
    Body(Box<ArrivingBody>),
    /// It is validated.
    Opening(Box<Opening>),
}

impl State {
    /// Begins to load a snapshot: takes exactly the header with its signature, the first
    /// [`Header::total_bytes`] of the file. A load that was begun before is dropped.
    ///
    /// # Errors
    /// Why this snapshot cannot be loaded; what is in force stays.
    pub fn load_begin(&mut self, header: &[u8]) -> Result<(), StateRefusal> {
        self.arriving = None;
        let begun = self.begin(header);
        self.arriving = Some(self.remember(begun)?);
        Ok(())
    }

    /// Takes the next bytes of the body, in their order and at most 1 MiB a step. Pieces need not
    /// end where chunks do: smaller pieces make shorter steps.
    ///
    /// # Errors
    /// [`StateRefusal::NotBegun`], or in what the bytes are not those that were signed; then the
    /// load is dropped and what is in force stays.
    pub fn load_chunk(&mut self, piece: &[u8]) -> Result<(), StateRefusal> {
        let arriving = self.arriving.take();
        let taken =
            arriving.ok_or(StateRefusal::NotBegun).and_then(|arriving| arriving.push(piece));
        self.arriving = Some(self.remember(taken)?);
        Ok(())
    }

    /// Validates the next part of a body that has come whole: one step of bounded work. Whether
    /// nothing is left for [`State::load_commit`] but to put it in force; it does what is left
    /// otherwise, so that who may wait need not ask.
    ///
    /// # Errors
    /// [`StateRefusal::NotBegun`], [`ContainerProblem::Truncated`] and [`StateRefusal::Snapshot`];
    /// then the load is dropped and what is in force stays.
    pub fn load_validate(&mut self) -> Result<bool, StateRefusal> {
        let arriving = self.arriving.take();
        let advanced = arriving.ok_or(StateRefusal::NotBegun).and_then(Arriving::advance);
        let (arriving, done) = self.remember(advanced)?;
        self.arriving = Some(arriving);
        Ok(done)
    }

    /// Puts the snapshot in force, once all of its body has come: it is opened, which validates
    /// every byte that will be read.
    ///
    /// # Errors
    /// [`StateRefusal::NotBegun`], [`ContainerProblem::Truncated`], [`StateRefusal::Snapshot`], and
    /// [`StateRefusal::Rollback`] if deltas have meanwhile gone further; then the load is dropped
    /// and what is in force stays.
    pub fn load_commit(&mut self) -> Result<&Meta, StateRefusal> {
        let arriving = self.arriving.take();
        let current = arriving
            .ok_or(StateRefusal::NotBegun)
            .and_then(|arriving| self.require_not_older(&arriving.header).map(|()| arriving))
            .and_then(Arriving::finish);
        let current = self.remember(current)?;
        let position = current.meta.position;
        self.floor = self.floor.max(Some(position));
        self.ahead = self.ahead.filter(|ahead| *ahead > position);
        self.refused = None;
        let issued_at = self.issued_at_in(position.era);
        if let Some(before) = self.current.take() {
            self.spare = before.snapshot.into_body_bytes();
        }
        Ok(&self.current.insert(current.issued_at_least_at(issued_at)).meta)
    }

    /// Loads a snapshot that is whole in memory.
    ///
    /// # Errors
    /// As the three steps.
    pub fn load(&mut self, container: &[u8]) -> Result<&Meta, StateRefusal> {
        let split = Header::total_bytes(container)
            .and_then(|total| container.split_at_checked(total).ok_or(ContainerProblem::Truncated))
            .map_err(StateRefusal::Container);
        self.arriving = None;
        let (header, body) = self.remember(split)?;
        self.load_begin(header)?;
        let step = usize::try_from(limits::CHUNK_BYTES).unwrap_or(usize::MAX);
        for piece in body.chunks(step) {
            self.load_chunk(piece)?;
        }
        self.load_commit()
    }

    /// Applies a delta or a heartbeat.
    ///
    /// # Errors
    /// Why it cannot be applied; what is in force stays as it was, and as old as it was. After
    /// [`StateRefusal::Rollback`] nothing is amiss: it came twice, or late. After
    /// [`StateRefusal::Gap`], [`StateRefusal::Base`], [`StateRefusal::Contract`],
    /// [`StateRefusal::Delta`] and [`StateRefusal::Row`] only a snapshot helps.
    pub fn apply_delta(&mut self, container: &[u8]) -> Result<&Meta, StateRefusal> {
        let (header, body) = open(container, &self.config.keys).map_err(StateRefusal::Container)?;
        let statement = &header.header().statement;
        self.config.require_ours(statement)?;
        let current = self.current.as_mut().ok_or(StateRefusal::Missing)?;
        let applied = current.apply(statement, body);
        let position = current.meta.position;
        let signed = self.ahead.max(Some(statement.position));
        self.ahead = signed.filter(|ahead| *ahead > position);
        applied?;
        self.floor = self.floor.max(Some(position));
        if !current.signers.contains(&header.header().key) {
            current.signers.push(header.header().key);
        }
        Ok(&current.meta)
    }

    fn begin(&mut self, header: &[u8]) -> Result<Arriving, StateRefusal> {
        let header =
            VerifiedHeader::verify(header, &self.config.keys).map_err(StateRefusal::Container)?;
        let statement = &header.header().statement;
        if statement.kind != Kind::Snapshot {
            return Err(StateRefusal::Container(ContainerProblem::Kind));
        }
        self.config.require_ours(statement)?;
        self.require_not_older(&header)?;
        if header.header().body_bytes > self.config.maximum_bytes {
            return Err(StateRefusal::Container(ContainerProblem::TooLarge));
        }
        let spare = std::mem::take(&mut self.spare);
        let body = match &self.current {
            None => ArrivingBody::reserve(&header),
            Some(_) => ArrivingBody::reserve_again(&header, spare),
        };
        let body = body.map_err(|bytes| StateRefusal::Memory { bytes })?;
        Ok(Arriving { header, stage: Stage::Body(Box::new(body)) })
    }

    /// Order is (era, epoch): a snapshot must include all that was ever in force.
    fn require_not_older(&self, header: &VerifiedHeader) -> Result<(), StateRefusal> {
        let found = header.header().statement.position;
        match self.floor {
            Some(floor) if found < floor => Err(StateRefusal::Rollback { floor, found }),
            _ => Ok(()),
        }
    }

    /// The newest signed word, if it is about the same era: a snapshot that is loaded again does not
    /// take back what heartbeats have said since it was built. After a restart of history they say
    /// nothing.
    fn issued_at_in(&self, era: u64) -> u64 {
        let same_era = self.meta().filter(|meta| meta.position.era == era);
        same_era.map_or(0, |meta| meta.issued_at)
    }

    /// Keeps why a load failed, for questions while nothing is in force. Steps without a load say
    /// nothing new: the load before them has failed or is whole.
    fn remember<T>(&mut self, loaded: Result<T, StateRefusal>) -> Result<T, StateRefusal> {
        if let Err(refusal) = &loaded
            && *refusal != StateRefusal::NotBegun
        {
            self.refused = Some(refusal.clone());
        }
        loaded
    }
}

impl Arriving {
    fn push(mut self, piece: &[u8]) -> Result<Self, StateRefusal> {
        let pushed = match &mut self.stage {
            Stage::Body(body) => body.push(piece, &self.header),
            Stage::Opening(_) if piece.is_empty() => Ok(()),
            Stage::Opening(_) => Err(ContainerProblem::Trailing),
        };
        pushed.map_err(StateRefusal::Container)?;
        Ok(self)
    }

    /// Validates one step more; the first one requires the body to be whole.
    fn advance(self) -> Result<(Self, bool), StateRefusal> {
        let (header, mut opening) = self.open()?;
        let done = opening.advance(limits::VALIDATION_WORDS).map_err(StateRefusal::Snapshot)?;
        Ok((Self { header, stage: Stage::Opening(opening) }, done))
    }

    fn open(self) -> Result<(VerifiedHeader, Box<Opening>), StateRefusal> {
        let Self { header, stage } = self;
        let opening = match stage {
            Stage::Body(body) => {
                let body = body.finish(&header).map_err(StateRefusal::Container)?;
                Box::new(Opening::begin(body).map_err(StateRefusal::Snapshot)?)
            }
            Stage::Opening(opening) => opening,
        };
        Ok((header, opening))
    }

    fn finish(self) -> Result<Current, StateRefusal> {
        let (header, opening) = self.open()?;
        let snapshot = opening.finish().map_err(StateRefusal::Snapshot)?;
        let header = header.header();
        let statement = &header.statement;
        let meta = Meta {
            deployment: statement.deployment.clone(),
            slice: statement.slice.clone(),
            position: statement.position,
            snapshot_epoch: statement.position.epoch,
            contract_version: statement.contract_version,
            issued_at: statement.issued_at,
            raw: statement.raw,
        };
        Ok(Current { snapshot, meta, signers: vec![header.key] })
    }
}

impl Current {
    fn apply(&mut self, statement: &Statement, body: &[u8]) -> Result<(), StateRefusal> {
        require_next(statement, &self.meta)?;
        let rows = delta::decode(body).map_err(StateRefusal::Delta)?;
        // A heartbeat has no rows: nothing to apply.
        if !rows.is_empty() {
            self.snapshot.apply(&rows).map_err(StateRefusal::Row)?;
        }
        self.meta.position = statement.position;
        self.meta.issued_at = self.meta.issued_at.max(statement.issued_at);
        Ok(())
    }

    fn issued_at_least_at(mut self, issued_at: u64) -> Self {
        self.meta.issued_at = self.meta.issued_at.max(issued_at);
        self
    }
}

/// Whether a delta follows on exactly what is in force.
fn require_next(statement: &Statement, meta: &Meta) -> Result<(), StateRefusal> {
    let Kind::Delta { base, from } = statement.kind else {
        return Err(StateRefusal::Container(ContainerProblem::Kind));
    };
    let found = statement.position;
    let position = meta.position;
    let from = Position::new(found.era, from);
    // What is in force includes it already: it came twice, or late.
    if found < position || (found == position && from < position) {
        return Err(StateRefusal::Rollback { floor: position, found });
    }
    if from != position {
        return Err(StateRefusal::Gap { from, position });
    }
    if base > meta.snapshot_epoch {
        return Err(StateRefusal::Base { base, snapshot: meta.snapshot_epoch });
    }
    if statement.contract_version != meta.contract_version {
        return Err(StateRefusal::Contract {
            delta: statement.contract_version,
            snapshot: meta.contract_version,
        });
    }
    if statement.raw == meta.raw { Ok(()) } else { Err(StateRefusal::Raw) }
}
