//! What has to hold of the records before anything is read from them: one pass over each part.

use super::layout::{
    BUCKET_ENTRIES, HandleRecord, NONE, credential_flags, identity_flags, index, mode_flags, read,
    slice,
};
use super::{Index, Parts, TAG, TAG_BITS};
use crate::snapshot::Object;

type Problem = &'static str;

pub(super) fn validate(parts: &Parts<'_>, within: &dyn Fn(Object) -> bool) -> Result<(), Problem> {
    let text = std::str::from_utf8(parts.text).map_err(|_| "are not UTF-8")?;
    let checked = Checked { parts, text };
    checked.names()?;
    checked.handles(within)?;
    checked.identities(within)?;
    checked.holders()?;
    checked.scopes()?;
    checked.credentials()?;
    let identities = parts.identities.len();
    let holders = parts.holders.len();
    index_of(&parts.identity_index, [identities, holders, holders])?;
    let credentials = parts.credentials.len();
    index_of(&parts.credential_index, [credentials, credentials, 0])
}

struct Checked<'p, 's> {
    parts: &'p Parts<'s>,
    text: &'s str,
}

impl Checked<'_, '_> {
    fn text(&self, start: u32, length: u32) -> Result<(), Problem> {
        let end = index(start).checked_add(index(length));
        let found = end.and_then(|end| self.text.get(index(start)..end));
        found.map(|_| ()).ok_or("have a text out of range")
    }

    fn names(&self) -> Result<(), Problem> {
        self.parts.names.iter().try_for_each(|[start, length]| self.text(read(start), read(length)))
    }

    fn name_range(&self, first: u32, count: u32) -> Result<(), Problem> {
        slice(self.parts.names, first, count).map(|_| ()).ok_or("have a list out of range")
    }

    fn handles(&self, within: &dyn Fn(Object) -> bool) -> Result<(), Problem> {
        let known = |[type_index, local]: &HandleRecord| {
            within(Object::from_words([read(type_index), read(local)]))
        };
        self.parts.handles.iter().all(known).then_some(()).ok_or("name an object out of range")
    }

    /// Identities are in the order of their objects, and what belongs to them follows theirs.
    fn identities(&self, within: &dyn Fn(Object) -> bool) -> Result<(), Problem> {
        let mut before = None;
        let (mut handles, mut holders, mut credentials) = (0_u32, 0_u32, 0_u32);
        for record in self.parts.identities {
            let [type_index, local, flags, scope, _, _, rest @ ..] = record;
            let [of_handles, tenants, of_holders, subjects, clients, of_credentials, count] = rest;
            let object = Object::from_words([read(type_index), read(local)]);
            if before.is_some_and(|before| before >= object) || !within(object) {
                return Err("have identities out of order or range");
            }
            before = Some(object);
            let flags = check_flags(read(flags))?;
            if read(scope) != NONE && index(read(scope)) >= self.parts.scopes.len() {
                return Err("have a scope out of range");
            }
            let starts = [read(of_handles), read(of_holders), read(of_credentials)];
            if starts != [handles, holders, credentials] {
                return Err("have lists that do not follow each other");
            }
            let sole_user = u32::from(flags & identity_flags::SOLE_USER != 0);
            handles = total(handles, [read(tenants), sole_user])?;
            holders = total(holders, [read(subjects), read(clients)])?;
            credentials = total(credentials, [read(count), 0])?;
        }
        let ends = [index(handles), index(holders), index(credentials)];
        let parts = self.parts;
        let lengths = [parts.handles.len(), parts.holders.len(), parts.credentials.len()];
        if ends == lengths { Ok(()) } else { Err("have lists that belong to nobody") }
    }

    fn holders(&self) -> Result<(), Problem> {
        for (number, [issuer, start, length, identity]) in self.parts.holders.iter().enumerate() {
            if index(read(issuer)) >= self.parts.names.len() {
                return Err("have an issuer out of range");
            }
            self.text(read(start), read(length))?;
            let record = self.parts.identities.get(index(read(identity)));
            let [.., first, subjects, clients, _, _] =
                record.ok_or("have a holder out of range")?;
            let count = total(read(subjects), [read(clients), 0])?;
            owned(number, read(first), count)?;
        }
        Ok(())
    }

    fn scopes(&self) -> Result<(), Problem> {
        for [workspaces, of_workspaces, boards, of_boards, actions, of_actions, modes] in
            self.parts.scopes
        {
            let lists = [(workspaces, of_workspaces), (boards, of_boards), (actions, of_actions)];
            for (first, count) in lists {
                if read(count) != NONE {
                    self.name_range(read(first), read(count))?;
                }
            }
            let all = mode_flags::READ | mode_flags::WRITE | mode_flags::ADMIN | mode_flags::ALL;
            if read(modes) & !all != 0 {
                return Err("have an unknown mode");
            }
        }
        Ok(())
    }

    fn credentials(&self) -> Result<(), Problem> {
        for (number, record) in self.parts.credentials.iter().enumerate() {
            let [identity, id, id_length, flags, rest @ ..] = record;
            let [_, _, _, _, _, _, _, _, first, count, holders @ .., key, key_length, _, _, _, _] =
                rest;
            let [client, client_at, client_length, subject, subject_at, subject_length] = holders;
            let all = credential_flags::THUMBPRINT
                | credential_flags::CLIENT
                | credential_flags::SUBJECT
                | credential_flags::CONTEXT_KEY;
            if read(flags) & !all != 0 {
                return Err("have an unknown flag");
            }
            for (start, length) in [
                (id, id_length),
                (client_at, client_length),
                (subject_at, subject_length),
                (key, key_length),
            ] {
                self.text(read(start), read(length))?;
            }
            self.name_range(read(first), read(count))?;
            for (flag, issuer) in
                [(credential_flags::CLIENT, client), (credential_flags::SUBJECT, subject)]
            {
                let named = read(flags) & flag != 0;
                if named && index(read(issuer)) >= self.parts.names.len() {
                    return Err("have an issuer out of range");
                }
            }
            let owner = self.parts.identities.get(index(read(identity)));
            let [.., first, count] = owner.ok_or("have a credential out of range")?;
            owned(number, read(first), read(count))?;
        }
        Ok(())
    }
}

fn check_flags(flags: u32) -> Result<u32, Problem> {
    let field = |(shift, mask): (u32, u32)| flags >> shift & mask;
    let all = (1 << 6) - 1;
    let known = field(identity_flags::KIND) < 3 && field(identity_flags::STATUS) < 3;
    if known && flags & !all == 0 { Ok(flags) } else { Err("have an unknown kind, status or flag") }
}

fn total(sum: u32, more: [u32; 2]) -> Result<u32, Problem> {
    more.into_iter().try_fold(sum, u32::checked_add).ok_or("are too many")
}

/// Requires the record with this number to be one of those of its owner.
fn owned(number: usize, first: u32, count: u32) -> Result<(), Problem> {
    let position = number.checked_sub(index(first));
    if position.is_some_and(|position| position < index(count)) {
        Ok(())
    } else {
        Err("have a record that another identity owns")
    }
}

/// Buckets ascend from the first entry to the last, each of bounded length; entries of a tag name
/// one of that tag's records.
fn index_of(index_parts: &Index<'_>, counts: [usize; 3]) -> Result<(), Problem> {
    let entries = index_parts.entries;
    let mut before = 0;
    for (bucket, start) in index_parts.buckets.iter().enumerate() {
        let start = read(start);
        let length = start.checked_sub(before).ok_or("have an index out of order")?;
        if length > BUCKET_ENTRIES || (bucket == 0 && start != 0) {
            return Err("have an index with a bucket that is too long");
        }
        before = start;
    }
    if index(before) != entries.len() {
        return Err("have an index that does not end with its entries");
    }
    for [_, entry] in entries {
        let entry = read(entry);
        let count = counts.get(index(entry & TAG)).copied().unwrap_or_default();
        if index(entry >> TAG_BITS) >= count {
            return Err("have an index entry out of range");
        }
    }
    Ok(())
}
