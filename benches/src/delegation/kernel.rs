//! The lower bound: the rule of the workload, and nothing else, hard-wired over the same bytes.
//!
//! It reads a body as docs/snapshot.md says, knows every relation of the model by its column, and
//! answers yes or no. It has no budget, no path, no overlay, no conditions and no circles: what a
//! general evaluation costs beyond it is the price of those.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "the fewest instructions, over a body that was validated"
)]

use anyhow::{Context as _, Result};
use siphasher::sip::SipHasher13;

use super::workload::Query;
use super::{Decider, World};

/// A body, with the places of what the rule reads.
#[derive(Debug)]
pub struct Kernel {
    body: Vec<u8>,
    /// Where each section starts, in words, and where the last one ends.
    sections: Vec<usize>,
    key: [u64; 2],
    slots: usize,
    position_bits: u32,
    agent: Type,
    node: Type,
    team: Type,
    tenant: Type,
    tool: Type,
    user: Type,
}

/// A type of the model.
#[derive(Clone, Copy, Debug)]
struct Type {
    number: u32,
    first_object: u32,
    /// Its first block among the offsets.
    first_offset: usize,
    /// Bytes of an end.
    width: usize,
    columns: usize,
}

/// A little-endian word where it lies.
type Word = [u8; 4];

/// Sections by their place in the table.
const TYPES: usize = 1;
const OFFSETS: usize = 9;
const ROWS: usize = 10;
const NAMES: usize = 14;
const SLOTS: usize = 15;

/// Columns of the model's relations that store something: sorted by name within their type.
mod column {
    pub(super) const AGENT_DELEGATE_OF: usize = 0;
    pub(super) const AGENT_GLOBAL_IN: usize = 1;
    pub(super) const AGENT_OWNER: usize = 2;
    pub(super) const AGENT_SHARED_WITH: usize = 3;
    pub(super) const NODE_EDITOR: usize = 0;
    pub(super) const NODE_PARENT: usize = 1;
    pub(super) const NODE_VIEWER: usize = 3;
    pub(super) const TEAM_MEMBER: usize = 0;
    pub(super) const TENANT_MEMBER: usize = 0;
    pub(super) const TOOL_ALLOWED: usize = 0;
}

/// Columns of each type: agent, node, team, tenant, tool, user.
const COLUMNS: [usize; 6] = [4, 4, 2, 1, 1, 0];

/// The upper bit of a subject word where users and teams share a row.
const TEAM: u32 = 1 << 31;

impl Kernel {
    /// Finds the places.
    ///
    /// # Errors
    /// A body that is not one of the workload's model.
    pub fn open(body: Vec<u8>) -> Result<Self> {
        let word = |at: usize| read(body.as_chunks().0[at]);
        let mut at = 3 + word(2) as usize;
        let mut sections = Vec::new();
        for section in 0..word(2) as usize {
            sections.push(at);
            at += (word(3 + section) as usize).div_ceil(4);
        }
        sections.push(at);
        let first = sections[SLOTS];
        let key =
            [0, 2].map(|at| u64::from(word(first + at + 1)) << 32 | u64::from(word(first + at)));
        let slots = sections[SLOTS + 1] - first - 4;
        let names = sections[NAMES + 1] - sections[NAMES];
        let position_bits = usize::BITS - (names + 1).leading_zeros();
        let types = types(&body.as_chunks().0[sections[TYPES]..sections[TYPES + 1]]);
        let [agent, node, team, tenant, tool, user] =
            types.try_into().ok().context("the model has six types")?;
        Ok(Self {
            body,
            sections,
            key,
            slots,
            position_bits,
            agent,
            node,
            team,
            tenant,
            tool,
            user,
        })
    }

    fn words(&self) -> &[Word] {
        self.body.as_chunks().0
    }

    fn may_act(&self, agent: u32, user: u32) -> bool {
        let row = |column| self.row(self.agent, agent, column);
        let member = |of, group: &Word, column| contains(self.row(of, read(*group), column), user);
        contains(row(column::AGENT_DELEGATE_OF), user)
            || contains(row(column::AGENT_OWNER), user)
            || row(column::AGENT_SHARED_WITH)
                .iter()
                .any(|team| member(self.team, team, column::TEAM_MEMBER))
            || row(column::AGENT_GLOBAL_IN)
                .iter()
                .any(|tenant| member(self.tenant, tenant, column::TENANT_MEMBER))
    }

    fn may_reach(&self, mut node: u32, user: u32, edit: bool) -> bool {
        loop {
            if self.granted(node, column::NODE_EDITOR, user)
                || (!edit && self.granted(node, column::NODE_VIEWER, user))
            {
                return true;
            }
            match self.row(self.node, node, column::NODE_PARENT) {
                [parent] => node = read(*parent),
                _ => return false,
            }
        }
    }

    fn granted(&self, node: u32, column: usize, user: u32) -> bool {
        self.row(self.node, node, column).iter().any(|subject| {
            let subject = read(*subject);
            subject == user
                || (subject & TEAM != 0
                    && contains(self.row(self.team, subject & !TEAM, column::TEAM_MEMBER), user))
        })
    }

    fn row(&self, of: Type, object: u32, column: usize) -> &[Word] {
        let words = self.words();
        let at = self.sections[OFFSETS] + of.first_offset + object as usize;
        let (start, end) = (read(words[at]), read(words[at + 1]));
        if start == end {
            return &[];
        }
        let block = &words[self.sections[ROWS]..][start as usize..end as usize];
        let ends = block.as_flattened();
        let end_of = |column: usize| match of.width {
            1 => usize::from(ends[column]),
            2 => usize::from(u16::from_le_bytes(ends.as_chunks().0[column])),
            _ => read(block[column]) as usize,
        };
        let subjects = &block[(of.columns * of.width).div_ceil(4)..];
        let first = if column == 0 { 0 } else { end_of(column - 1) };
        &subjects[first..end_of(column)]
    }

    fn find(&self, of: Type, id: &str) -> Option<u32> {
        let hasher = SipHasher13::new_with_keys(self.key[0] ^ u64::from(of.number), self.key[1]);
        let hash = hasher.hash(id.as_bytes());
        let slots = &self.words()[self.sections[SLOTS] + 4..][..self.slots];
        let mut at = (((hash >> 32) * self.slots as u64) >> 32) as usize;
        let fingerprint = hash as u32 >> self.position_bits;
        loop {
            let slot = read(slots[at]);
            if slot == u32::MAX {
                return None;
            }
            if slot >> self.position_bits == fingerprint {
                let position = slot & !(u32::MAX << self.position_bits);
                let record = &self.words()[self.sections[NAMES] + position as usize..];
                let [number, rest @ ..] = record else { return None };
                let rest = rest.as_flattened();
                let length = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
                if rest[2..2 + length] == *id.as_bytes() {
                    return Some(read(*number) - of.first_object);
                }
            }
            at = if at + 1 == self.slots { 0 } else { at + 1 };
        }
    }
}

impl Decider for Kernel {
    fn allows(&mut self, query: &Query) -> bool {
        let Some(agent) = self.find(self.agent, &query.agent) else { return false };
        let Some(user) = self.find(self.user, &query.user) else { return false };
        let Some(tool) = self.find(self.tool, &query.tool) else { return false };
        let Some(node) = self.find(self.node, &query.node) else { return false };
        self.may_act(agent, user)
            && contains(self.row(self.tool, tool, column::TOOL_ALLOWED), agent)
            && self.may_reach(node, user, query.edit)
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.body.len())
    }
}

/// Loads the world's body.
///
/// # Errors
/// As [`Kernel::open`].
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    Ok(Box::new(Kernel::open(world.body.clone())?))
}

const fn read(word: Word) -> u32 {
    u32::from_le_bytes(word)
}

/// Whether an ascending row holds a word.
fn contains(row: &[Word], word: u32) -> bool {
    if row.len() <= 16 {
        row.contains(&word.to_le_bytes())
    } else {
        row.binary_search_by_key(&word, |word| read(*word)).is_ok()
    }
}

fn types(words: &[Word]) -> Vec<Type> {
    let (mut first_object, mut first_offset) = (0, 0);
    let entries = words.as_chunks::<10>().0.iter().enumerate();
    let types = entries.map(|(number, entry)| {
        let entry = entry.map(read);
        let columns = COLUMNS.get(number).copied().unwrap_or_default();
        let width = entry[9] as usize;
        let own = Type { number: number as u32, first_object, first_offset, width, columns };
        first_object += entry[2];
        first_offset += if columns > 0 { entry[2] as usize } else { 0 };
        own
    });
    types.collect()
}
