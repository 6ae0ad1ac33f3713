//! Writing the section: native only.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use mandate_authn::{Json, PublicKey};

use super::TAG_BITS;
use super::key::{Key, bucket, fingerprint};
use super::layout::{
    BUCKET_ENTRIES, INDEX_BITS, NEVER, NONE, VERSION, credential_flags, identity_flags, mode_flags,
};
use super::view::{MODES, mode_flag};
use crate::name::ObjectName;
use crate::record::{Credential, DelegationMode, Grant, Holder, Identity, Kind, Scope, Status};
use crate::snapshot::Object;

/// What the section needs to know of the snapshot that it becomes a part of.
#[derive(Clone, Copy, Debug)]
pub struct Encoding<'e> {
    /// The secret key of the hash indexes: random, one a snapshot.
    pub seed: [u8; 16],
    /// The type of tenants; `None` where the snapshot has none.
    pub tenant_type: Option<&'e str>,
}

/// Why records cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The identity's object, or the credential's id.
    pub item: String,
    /// What is wrong: one line, lower case.
    pub problem: String,
}

impl RecordError {
    fn new(item: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self { item: item.to_string(), problem: problem.into() }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.item, self.problem)
    }
}

impl std::error::Error for RecordError {}

/// Writes identities and credentials as the section of a snapshot's body. `resolve` gives the
/// handle of an object; it must know every identity, its tenants and its sole user.
///
/// # Errors
/// The first record that contradicts itself or another: two identities that one token would name, a
/// machine with several tenants, a credential of nobody, a key that could not verify.
pub fn encode(
    encoding: &Encoding<'_>,
    identities: &[Identity],
    credentials: &[Credential],
    resolve: &dyn Fn(&ObjectName) -> Option<Object>,
) -> Result<Vec<u8>, RecordError> {
    let mut sorted = Vec::with_capacity(identities.len());
    for identity in identities {
        let object = resolve(&identity.object);
        let object = object.ok_or_else(|| RecordError::new(&identity.object, "has no object"))?;
        sorted.push((object, identity));
    }
    sorted.sort_by_key(|(object, _)| *object);
    let of = credentials_by_identity(credentials, &sorted)?;
    let mut writer = Writer::new(encoding, resolve);
    for (number, (object, identity)) in sorted.iter().enumerate() {
        let owned = of.get(object).map(Vec::as_slice).unwrap_or_default();
        writer.identity(number, *object, identity, owned)?;
    }
    writer.finish()
}

fn credentials_by_identity<'c>(
    credentials: &'c [Credential],
    identities: &[(Object, &Identity)],
) -> Result<BTreeMap<Object, Vec<&'c Credential>>, RecordError> {
    let objects: HashMap<&ObjectName, Object> =
        identities.iter().map(|(object, identity)| (&identity.object, *object)).collect();
    let mut by_identity: BTreeMap<Object, Vec<&Credential>> = BTreeMap::new();
    for credential in credentials {
        let object = objects.get(&credential.identity);
        let object = object
            .ok_or_else(|| RecordError::new(&credential.id, "belongs to an unknown identity"))?;
        by_identity.entry(*object).or_default().push(credential);
    }
    by_identity.values_mut().for_each(|owned| owned.sort_by(|a, b| a.id.cmp(&b.id)));
    Ok(by_identity)
}

/// The parts as they grow.
struct Writer<'w> {
    encoding: &'w Encoding<'w>,
    resolve: &'w dyn Fn(&ObjectName) -> Option<Object>,
    identities: Vec<u32>,
    holders: Vec<u32>,
    handles: Vec<u32>,
    scopes: Vec<u32>,
    names: Vec<u32>,
    credentials: Vec<u32>,
    text: Vec<u8>,
    identity_entries: Vec<(u64, u32)>,
    credential_entries: Vec<(u64, u32)>,
    known_scopes: HashMap<Vec<u32>, u32>,
    known_lists: HashMap<Vec<String>, u32>,
    known_texts: HashMap<String, u32>,
    seen: Seen,
}

/// What may occur once.
#[derive(Default)]
struct Seen {
    objects: BTreeSet<Object>,
    subjects: BTreeSet<Holder>,
    clients: BTreeSet<Holder>,
    credentials: BTreeSet<String>,
    certificates: BTreeMap<[u8; 32], Object>,
}

impl<'w> Writer<'w> {
    fn new(encoding: &'w Encoding<'w>, resolve: &'w dyn Fn(&ObjectName) -> Option<Object>) -> Self {
        Self {
            encoding,
            resolve,
            identities: Vec::new(),
            holders: Vec::new(),
            handles: Vec::new(),
            scopes: Vec::new(),
            names: Vec::new(),
            credentials: Vec::new(),
            text: Vec::new(),
            identity_entries: Vec::new(),
            credential_entries: Vec::new(),
            known_scopes: HashMap::new(),
            known_lists: HashMap::new(),
            known_texts: HashMap::new(),
            seen: Seen::default(),
        }
    }

    fn identity(
        &mut self,
        number: usize,
        object: Object,
        identity: &Identity,
        credentials: &[&Credential],
    ) -> Result<(), RecordError> {
        let fail = |problem: &str| RecordError::new(&identity.object, problem);
        if !self.seen.objects.insert(object) {
            return Err(fail("has two identity records"));
        }
        if identity.kind != Kind::User && identity.tenants.len() > 1 {
            return Err(fail("has several tenants, and only people may"));
        }
        let number = count(number);
        let (handles, holders) = (count(self.handles.len() / 2), count(self.holders.len() / 4));
        let first_credential = count(self.credentials.len() / CREDENTIAL_WORDS);
        self.tenants(identity)?;
        let scope = match &identity.scope {
            None => NONE,
            Some(scope) => self.scope(scope).map_err(|problem| fail(&problem))?,
        };
        self.enter_identity(&Key::Object(object), number);
        self.holders(number, identity, &identity.subjects, false)?;
        self.holders(number, identity, &identity.clients, true)?;
        for credential in credentials {
            self.credential(number, object, credential)?;
        }
        let [type_index, local] = object.to_words();
        let [expiry_low, expiry_high] = halves(identity.expires_at);
        self.identities.extend([
            type_index,
            local,
            flags(identity),
            scope,
            expiry_low,
            expiry_high,
            handles,
            count(identity.tenants.len()),
            holders,
            count(identity.subjects.len()),
            count(identity.clients.len()),
            first_credential,
            count(credentials.len()),
        ]);
        Ok(())
    }

    fn tenants(&mut self, identity: &Identity) -> Result<(), RecordError> {
        let fail = |problem: String| RecordError::new(&identity.object, problem);
        let mut seen = BTreeSet::new();
        for tenant in &identity.tenants {
            let tenant_type = self.encoding.tenant_type;
            let tenant_type = tenant_type
                .ok_or_else(|| fail("has a tenant, and the snapshot none".to_owned()))?;
            if !seen.insert(tenant) {
                return Err(fail(format!("lists the tenant `{tenant}` twice")));
            }
            self.handle(&ObjectName::new(tenant_type, tenant.as_str()), identity)?;
        }
        match &identity.sole_user {
            Some(_) if identity.kind != Kind::Agent => {
                Err(fail("has a sole user, and only agents may".to_owned()))
            }
            Some(user) => self.handle(user, identity),
            None => Ok(()),
        }
    }

    fn handle(&mut self, name: &ObjectName, identity: &Identity) -> Result<(), RecordError> {
        let unknown = || RecordError::new(&identity.object, format!("names the unknown `{name}`"));
        self.handles.extend((self.resolve)(name).ok_or_else(unknown)?.to_words());
        Ok(())
    }

    fn holders(
        &mut self,
        number: u32,
        identity: &Identity,
        holders: &[Holder],
        clients: bool,
    ) -> Result<(), RecordError> {
        for holder in holders {
            let Holder { issuer, name } = holder;
            let seen = if clients { &mut self.seen.clients } else { &mut self.seen.subjects };
            if !seen.insert(holder.clone()) {
                let problem = format!("has `{name}` of `{issuer}`, which is registered twice");
                return Err(RecordError::new(&identity.object, problem));
            }
            let key =
                if clients { Key::Client { issuer, name } } else { Key::Subject { issuer, name } };
            let holder_number = count(self.holders.len() / 4);
            self.enter_identity(&key, holder_number);
            let [at, length] = self.put_text(name);
            let issuer = self.put_name(issuer);
            self.holders.extend([issuer, at, length, number]);
        }
        Ok(())
    }

    fn credential(
        &mut self,
        number: u32,
        owner: Object,
        credential: &Credential,
    ) -> Result<(), RecordError> {
        let fail = |problem: &str| RecordError::new(&credential.id, problem);
        if !self.seen.credentials.insert(credential.id.clone()) {
            return Err(fail("is the id of two credentials"));
        }
        let own = count(self.credentials.len() / CREDENTIAL_WORDS);
        self.enter_credential(&Key::Credential(&credential.id), own);
        if let Some(thumbprint) = &credential.thumbprint {
            match self.seen.certificates.insert(*thumbprint, owner) {
                None => self.enter_credential(&Key::Thumbprint(thumbprint), own),
                Some(other) if other == owner => {}
                Some(_) => return Err(fail("registers another identity's certificate")),
            }
        }
        if let Some(key) = &credential.context_key {
            check_key(key).map_err(|problem| fail(&problem))?;
        }
        let mut token_ids = credential.token_ids.clone();
        token_ids.sort();
        token_ids.dedup();
        let thumbprint = credential.thumbprint.unwrap_or_default();
        let thumbprint = thumbprint.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
        let [id_at, id_length] = self.put_text(&credential.id);
        self.credentials.extend([number, id_at, id_length, credential_bits(credential)]);
        self.credentials.extend(thumbprint);
        let first_token_id = self.put_list(&token_ids);
        self.credentials.extend([first_token_id, count(token_ids.len())]);
        for holder in [&credential.client, &credential.subject] {
            let words = match holder {
                None => [0; 3],
                Some(holder) => {
                    let [at, length] = self.put_text(&holder.name);
                    [self.put_name(&holder.issuer), at, length]
                }
            };
            self.credentials.extend(words);
        }
        let key = self.put_text(credential.context_key.as_deref().unwrap_or_default());
        self.credentials.extend(key);
        self.credentials.extend(halves(credential.expires_at));
        self.credentials.extend(halves(credential.revoked_at));
        Ok(())
    }

    fn scope(&mut self, scope: &Scope) -> Result<u32, String> {
        let mut words = Vec::new();
        let lists = [
            ("workspaces", &scope.workspaces),
            ("boards", &scope.boards),
            ("actions", &scope.actions),
        ];
        for (what, grant) in lists {
            match grant {
                Grant::All => words.extend([0, NONE]),
                Grant::Listed(names) => {
                    let names = sorted(what, names)?;
                    words.extend([self.put_list(&names), count(names.len())]);
                }
            }
        }
        words.push(modes(&scope.modes)?);
        let next = count(self.known_scopes.len());
        let number = *self.known_scopes.entry(words.clone()).or_insert(next);
        if number == next {
            self.scopes.extend(words);
        }
        Ok(number)
    }

    /// The number of the first of these names, which follow each other.
    fn put_list(&mut self, names: &[String]) -> u32 {
        if names.is_empty() {
            return 0;
        }
        if let Some(first) = self.known_lists.get(names) {
            return *first;
        }
        let first = count(self.names.len() / 2);
        for name in names {
            let text = self.put_text(name);
            self.names.extend(text);
        }
        self.known_lists.insert(names.to_vec(), first);
        first
    }

    fn put_name(&mut self, name: &str) -> u32 {
        self.put_list(&[name.to_owned()])
    }

    /// Start and length. Equal texts lie in one place.
    fn put_text(&mut self, text: &str) -> [u32; 2] {
        let length = count(text.len());
        if let Some(start) = self.known_texts.get(text) {
            return [*start, length];
        }
        let start = count(self.text.len());
        self.text.extend_from_slice(text.as_bytes());
        self.known_texts.insert(text.to_owned(), start);
        [start, length]
    }

    fn enter_identity(&mut self, key: &Key<'_>, number: u32) {
        self.identity_entries.push(entry(key, self.encoding.seed, number));
    }

    fn enter_credential(&mut self, key: &Key<'_>, number: u32) {
        self.credential_entries.push(entry(key, self.encoding.seed, number));
    }

    fn finish(self) -> Result<Vec<u8>, RecordError> {
        let (identity_bits, identity_index) = index_words(self.identity_entries)?;
        let (credential_bits, credential_index) = index_words(self.credential_entries)?;
        let mut words = vec![VERSION];
        let key = self.encoding.seed;
        words.extend(key.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)));
        words.extend([
            count(self.identities.len() / IDENTITY_WORDS),
            count(self.holders.len() / 4),
            count(self.handles.len() / 2),
            count(self.scopes.len() / 7),
            count(self.names.len() / 2),
            count(self.credentials.len() / CREDENTIAL_WORDS),
            identity_bits,
            entries_in(&identity_index, identity_bits),
            credential_bits,
            entries_in(&credential_index, credential_bits),
            count(self.text.len()),
        ]);
        for part in [self.identities, self.holders, self.handles, self.scopes, self.names] {
            words.extend(part);
        }
        words.extend(self.credentials);
        words.extend(identity_index);
        words.extend(credential_index);
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(self.text);
        if u32::try_from(bytes.len()).is_err() {
            return Err(RecordError::new("records", "are more than 4 GiB"));
        }
        Ok(bytes)
    }
}

const IDENTITY_WORDS: usize = 13;
const CREDENTIAL_WORDS: usize = 26;

fn entry(key: &Key<'_>, seed: [u8; 16], number: u32) -> (u64, u32) {
    (key.hash(seed), number << TAG_BITS | u32::from(key.tag()))
}

/// Buckets of four entries on average: their starts, then the entries in the order of bucket,
/// fingerprint and number.
fn index_words(mut entries: Vec<(u64, u32)>) -> Result<(u32, Vec<u32>), RecordError> {
    let buckets = entries.len().div_ceil(4).next_power_of_two();
    let bits = buckets.checked_ilog2().unwrap_or_default().min(INDEX_BITS);
    entries.sort_by_key(|(hash, number)| (bucket(*hash, bits), fingerprint(*hash), *number));
    let mut starts = vec![0_u32; (1_usize << bits).saturating_add(1)];
    for (hash, _) in &entries {
        if let Some(start) = starts.get_mut(bucket(*hash, bits).saturating_add(1)) {
            *start = start.saturating_add(1);
        }
    }
    if starts.iter().any(|length| *length > BUCKET_ENTRIES) {
        return Err(RecordError::new("records", "crowd one bucket of the index: use another seed"));
    }
    let mut end = 0_u32;
    for start in &mut starts {
        end = end.saturating_add(*start);
        *start = end;
    }
    starts.extend(entries.into_iter().flat_map(|(hash, number)| [fingerprint(hash), number]));
    Ok((bits, starts))
}

fn entries_in(index: &[u32], bits: u32) -> u32 {
    let buckets = (1_usize << bits).saturating_add(1);
    count(index.len().saturating_sub(buckets) / 2)
}

fn flags(identity: &Identity) -> u32 {
    let kind = match identity.kind {
        Kind::Agent => 0,
        Kind::Service => 1,
        Kind::User => 2,
    };
    let status = match identity.status {
        Status::Active => 0,
        Status::Retired => 1,
        Status::Suspended => 2,
    };
    let mode = match identity.delegation {
        DelegationMode::OnInvoke => identity_flags::ON_INVOKE,
        DelegationMode::Stored => 0,
    };
    let sole_user = if identity.sole_user.is_some() { identity_flags::SOLE_USER } else { 0 };
    kind << identity_flags::KIND.0 | status << identity_flags::STATUS.0 | mode | sole_user
}

fn credential_bits(credential: &Credential) -> u32 {
    let bit = |present: bool, flag: u32| if present { flag } else { 0 };
    bit(credential.thumbprint.is_some(), credential_flags::THUMBPRINT)
        | bit(credential.client.is_some(), credential_flags::CLIENT)
        | bit(credential.subject.is_some(), credential_flags::SUBJECT)
        | bit(credential.context_key.is_some(), credential_flags::CONTEXT_KEY)
}

fn modes(grant: &Grant) -> Result<u32, String> {
    let Grant::Listed(names) = grant else { return Ok(mode_flags::ALL) };
    let names = sorted("modes", names)?;
    names.iter().try_fold(0, |modes, name| match mode_flag(name) {
        0 => Err(format!("has the unknown mode `{name}`: {} and `*` exist", MODES.join(", "))),
        flag => Ok(modes | flag),
    })
}

/// The names of a grant in ascending order, each once.
fn sorted(what: &str, names: &[String]) -> Result<Vec<String>, String> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    match names.iter().find(|name| name.is_empty() || *name == "*") {
        None => Ok(names),
        Some(_) => Err(format!("has an empty name or `*` among others in its {what}")),
    }
}

/// Requires a JWK that may verify, and nothing private in it.
fn check_key(text: &str) -> Result<(), String> {
    const DEPTH: usize = 4;
    let json = Json::parse(text.as_bytes(), DEPTH)
        .map_err(|error| format!("has a context key that {}", error.describe()))?;
    let members = json.as_object().ok_or("has a context key that is no object")?;
    if members.contains_key("d") {
        return Err("has a context key with its private part".to_owned());
    }
    PublicKey::from_jwk(members)
        .map(|_| ())
        .map_err(|unfit| format!("has an unfit context key: {}", unfit.describe()))
}

fn halves(moment: Option<u64>) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = moment.unwrap_or(NEVER).to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// A count as a word. What does not fit makes a section that is refused as too long.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
