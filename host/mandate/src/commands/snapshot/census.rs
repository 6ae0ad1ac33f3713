//! How much of what a snapshot holds.

use std::collections::BTreeMap;

use mandate_authz::record::{Credential, Identity, Status};
use mandate_authz::snapshot::{Snapshot, Tenancy};
use serde_json::{Value, json};

use crate::output::Page;

/// Counts of a snapshot.
#[derive(Debug)]
pub(super) struct Census {
    types: Vec<TypeCount>,
    tenants: BTreeMap<String, TenantCount>,
    identities: BTreeMap<&'static str, u64>,
    inactive_identities: u64,
    credentials: u64,
    void_credentials: u64,
    body_bytes: usize,
}

#[derive(Debug)]
struct TypeCount {
    name: String,
    objects: u64,
    /// By relation.
    relationships: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct TenantCount {
    objects: u64,
    relationships: u64,
}

impl Census {
    /// Counts everything, once. `now` tells what has expired.
    pub(super) fn take(snapshot: &Snapshot, now: u64) -> Self {
        let identities = snapshot.identities();
        let credentials = snapshot.credentials();
        let mut census = Self {
            types: Vec::new(),
            tenants: BTreeMap::new(),
            identities: BTreeMap::new(),
            inactive_identities: count(identities.iter().filter(|one| !is_active(one, now))),
            credentials: count(credentials.iter()),
            void_credentials: count(credentials.iter().filter(|one| is_void(one, now))),
            body_bytes: snapshot.body_bytes(),
        };
        for identity in &identities {
            add(census.identities.entry(identity.kind.as_str()).or_default());
        }
        let names: Vec<String> = snapshot.type_names().map(str::to_owned).collect();
        for name in names {
            let counted = census.count_type(snapshot, name);
            census.types.push(counted);
        }
        census
    }

    fn count_type(&mut self, snapshot: &Snapshot, name: String) -> TypeCount {
        let mut counted = TypeCount { objects: 0, relationships: BTreeMap::new(), name };
        for relation in snapshot.storing_relations(&counted.name) {
            counted.relationships.insert(relation.to_owned(), 0);
        }
        for object in snapshot.objects(&counted.name) {
            add(&mut counted.objects);
            let tenant = match snapshot.tenancy(object) {
                Tenancy::Of(tenant) => snapshot.name(tenant).id,
                Tenancy::Several => "(several)".to_owned(),
                Tenancy::Shared => "(shared)".to_owned(),
                Tenancy::Unknown => "(unknown)".to_owned(),
            };
            let of_tenant = self.tenants.entry(tenant).or_default();
            add(&mut of_tenant.objects);
            for tuple in snapshot.stored_tuples(object) {
                add(&mut of_tenant.relationships);
                add(counted.relationships.entry(tuple.relation).or_default());
            }
        }
        counted
    }

    fn relationships(&self) -> u64 {
        self.types.iter().map(TypeCount::relationships).fold(0, u64::saturating_add)
    }

    /// The counts for people.
    pub(super) fn write(&self, page: &mut Page) {
        let mut rows =
            vec![["type", "objects", "relationships", "by relation"].map(str::to_owned).to_vec()];
        for of_type in &self.types {
            let stored = of_type.relationships.iter().filter(|(_, count)| **count > 0);
            let stored: Vec<String> =
                stored.map(|(relation, count)| format!("{relation} {count}")).collect();
            let relationships = of_type.relationships().to_string();
            let name = of_type.name.clone();
            rows.push(vec![name, of_type.objects.to_string(), relationships, stored.join(", ")]);
        }
        page.table(&rows);
        page.line("");
        let mut rows = vec![["tenant", "objects", "relationships"].map(str::to_owned).to_vec()];
        for (tenant, TenantCount { objects, relationships }) in &self.tenants {
            rows.push(vec![tenant.clone(), objects.to_string(), relationships.to_string()]);
        }
        page.table(&rows);
        page.line("");
        page.rows(&[
            ("relationships", self.relationships().to_string()),
            ("identities", self.identity_text()),
            ("credentials", format!("{} ({} void)", self.credentials, self.void_credentials)),
            ("size", self.size_text()),
        ]);
    }

    fn size_text(&self) -> String {
        let bytes = self.body_bytes;
        let relationships = usize::try_from(self.relationships()).unwrap_or(usize::MAX);
        match bytes.checked_div(relationships) {
            Some(each) => format!("{bytes} bytes, {each} a relationship, everything counted"),
            None => format!("{bytes} bytes"),
        }
    }

    fn identity_text(&self) -> String {
        let kinds: Vec<String> =
            self.identities.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let all: u64 = self.identities.values().fold(0, |sum, count| sum.saturating_add(*count));
        let kinds =
            if kinds.is_empty() { String::new() } else { format!("{}; ", kinds.join(", ")) };
        format!("{all} ({kinds}{} may not act)", self.inactive_identities)
    }

    /// The counts for programs.
    pub(super) fn to_json(&self) -> Value {
        let types: Vec<Value> = self
            .types
            .iter()
            .map(|of| json!({ "type": of.name, "objects": of.objects, "relationships": of.relationships }))
            .collect();
        let tenants: Vec<Value> = self
            .tenants
            .iter()
            .map(|(tenant, of)| {
                json!({ "tenant": tenant, "objects": of.objects, "relationships": of.relationships })
            })
            .collect();
        json!({
            "types": types,
            "tenants": tenants,
            "relationships": self.relationships(),
            "identities": self.identities,
            "inactive_identities": self.inactive_identities,
            "credentials": self.credentials,
            "void_credentials": self.void_credentials,
            "body_bytes": self.body_bytes,
        })
    }
}

impl TypeCount {
    fn relationships(&self) -> u64 {
        self.relationships.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

fn is_active(identity: &Identity, now: u64) -> bool {
    identity.status == Status::Active && identity.expires_at.is_none_or(|at| at > now)
}

fn is_void(credential: &Credential, now: u64) -> bool {
    credential.revoked_at.is_some() || credential.expires_at.is_some_and(|at| at <= now)
}

fn add(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
