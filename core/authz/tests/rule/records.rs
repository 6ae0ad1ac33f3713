//! The section of identities and credentials: what goes in comes out, and hostile bytes do not.

use std::sync::LazyLock;

use mandate_authz::name::ObjectName;
use mandate_authz::record::{Credential, DelegationMode, Grant, Identity, Kind, Scope, Status};
use mandate_authz::records::{
    CredentialView, Encoding, HolderView, IdentityView, RecordError, RecordOverlay, RecordTable,
    Records, encode,
};
use mandate_authz::row::Row;
use mandate_authz::snapshot::Object;
use proptest::prelude::{Just, ProptestConfig, any, prop_assert_eq};
use proptest::{prop_oneof, proptest};
use serde_json::json;

use crate::scene::jwk;
use crate::world::{
    AGENTS, LOGIN, agent, credential, everything, holder, listed, object, service, user,
};

/// Types of the registry, in the order of their numbers.
const TYPES: [&str; 4] = ["organization", "user", "agent", "service"];

/// A handle that says its name: the number of the type, and of the id.
fn resolve(name: &ObjectName) -> Option<Object> {
    let type_index = TYPES.iter().position(|known| *known == name.type_name)?;
    let local = name.id.bytes().fold(17_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    Some(Object::from_words([u32::try_from(type_index).unwrap(), local % 100_000]))
}

fn handle(name: &str) -> Object {
    resolve(&object(name)).unwrap()
}

fn section(identities: &[Identity], credentials: &[Credential]) -> Result<Vec<u8>, RecordError> {
    let encoding = Encoding { seed: [5; 16], tenant_type: Some("organization") };
    encode(&encoding, identities, credentials, &resolve)
}

fn within(object: Object) -> bool {
    let [type_index, local] = object.to_words();
    type_index < 4 && local < 100_000
}

fn machines() -> (Vec<Identity>, Vec<Credential>) {
    let mut helper = agent("helper", "acme");
    helper.expires_at = Some(1000);
    helper.status = Status::Suspended;
    helper.delegation = DelegationMode::OnInvoke;
    helper.sole_user = Some(object("user:anne"));
    helper.subjects.push(holder(LOGIN, "sa-helper"));
    helper.scope = Some(Scope {
        workspaces: listed(&["main", "lab"]),
        boards: Grant::All,
        modes: listed(&["write", "read"]),
        actions: listed(&[]),
    });
    let mut full = credential("full", "agent:helper");
    full.thumbprint = Some([9; 32]);
    full.token_ids = vec!["t-2".to_owned(), "t-1".to_owned()];
    full.client = Some(holder(AGENTS, "client-helper"));
    full.context_key = Some(jwk(3).to_string());
    full.expires_at = Some(2000);
    full.revoked_at = Some(1500);
    let identities = vec![
        service("importer", "acme"),
        user("dana", &["acme", "globex"]),
        user("anne", &["acme"]),
        helper,
        agent("plain", "globex"),
    ];
    let credentials =
        vec![full, credential("a-second", "agent:helper"), credential("c-imp", "service:importer")];
    (identities, credentials)
}

/// An identity as the views show it.
fn seen(view: &IdentityView<'_>) -> impl std::fmt::Debug + PartialEq + use<> {
    let holders = |holders: Vec<HolderView<'_>>| -> Vec<(String, String)> {
        holders.iter().map(|of| (of.issuer.to_owned(), of.name.to_owned())).collect()
    };
    let scope = view.scope().map(|scope| {
        [scope.workspaces, scope.boards, scope.modes, scope.actions].map(|grant| {
            let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
            (grant.is_all(), grant.names().map(owned))
        })
    });
    (
        (view.object(), view.kind(), view.status(), view.expires_at(), view.delegation()),
        (view.tenants().collect::<Vec<_>>(), view.sole_user(), scope),
        (holders(view.subjects().collect()), holders(view.clients().collect())),
    )
}

fn seen_credential(view: &CredentialView<'_>) -> impl std::fmt::Debug + PartialEq + use<> {
    let holder =
        |of: Option<HolderView<'_>>| of.map(|of| (of.issuer.to_owned(), of.name.to_owned()));
    (
        (view.id().to_owned(), view.identity(), view.thumbprint().copied()),
        (
            ["t-0", "t-1", "t-2"].map(|id| view.registers_token(id)),
            view.context_key().map(str::to_owned),
        ),
        (holder(view.client()), holder(view.subject()), view.expires_at(), view.revoked_at()),
    )
}

#[test]
fn what_is_written_is_read() {
    let (identities, credentials) = machines();
    let bytes = section(&identities, &credentials).unwrap();
    let table = RecordTable::validate(&bytes, &within).unwrap();
    let overlay = RecordOverlay::default();
    let records = Records::new(&bytes, &table, &overlay);
    let helper = records.by_object(handle("agent:helper")).unwrap();
    assert_eq!(helper.kind(), Kind::Agent);
    assert_eq!(helper.status(), Status::Suspended);
    assert_eq!(helper.expires_at(), Some(1000));
    assert_eq!(helper.delegation(), DelegationMode::OnInvoke);
    assert_eq!(helper.tenants().collect::<Vec<_>>(), [handle("organization:acme")]);
    assert_eq!(helper.sole_user(), Some(handle("user:anne")));
    let scope = helper.scope().unwrap();
    assert_eq!(scope.workspaces.names(), Some(vec!["lab", "main"]));
    assert!(scope.workspaces.covers("lab") && !scope.workspaces.covers("l"));
    assert!(scope.boards.is_all() && scope.boards.covers("anything"));
    assert_eq!(scope.modes.names(), Some(vec!["read", "write"]));
    assert!(scope.modes.covers("write") && !scope.modes.covers("admin") && !scope.modes.covers(""));
    assert_eq!(scope.actions.names(), Some(Vec::new()));
    for (issuer, name) in [(AGENTS, "sa-helper"), (LOGIN, "sa-helper")] {
        let found = records.by_subject(issuer, name).only().unwrap();
        assert_eq!(seen(&found), seen(&helper), "{issuer}");
    }
    assert_eq!(seen(&records.by_client(AGENTS, "client-helper").only().unwrap()), seen(&helper));
    assert!(records.by_subject(AGENTS, "client-helper").only().is_none());
    assert!(records.by_client(AGENTS, "sa-helper").only().is_none());
    assert!(records.by_subject(LOGIN, "sa-plain").only().is_none());
    assert!(records.by_object(handle("user:ghost")).is_none());
    let dana = records.by_subject(LOGIN, "dana").only().unwrap();
    let tenants = [handle("organization:acme"), handle("organization:globex")];
    assert_eq!(dana.tenants().collect::<Vec<_>>(), tenants);
    assert!(dana.scope().is_none() && dana.sole_user().is_none() && dana.expires_at().is_none());
    assert_eq!(records.identities().count(), 5);
}

#[test]
fn credentials_are_found_by_id_owner_and_certificate() {
    let (identities, credentials) = machines();
    let bytes = section(&identities, &credentials).unwrap();
    let table = RecordTable::validate(&bytes, &within).unwrap();
    let overlay = RecordOverlay::default();
    let records = Records::new(&bytes, &table, &overlay);
    let full = records.credential("full").unwrap();
    assert_eq!(full.identity(), Some(handle("agent:helper")));
    assert_eq!(full.thumbprint(), Some(&[9; 32]));
    assert!(
        full.registers_token("t-1") && full.registers_token("t-2") && !full.registers_token("t")
    );
    assert_eq!(full.client(), Some(HolderView { issuer: AGENTS, name: "client-helper" }));
    assert_eq!(full.subject(), Some(HolderView { issuer: AGENTS, name: "sa-helper" }));
    assert_eq!(full.context_key(), Some(jwk(3).to_string().as_str()));
    assert_eq!((full.expires_at(), full.revoked_at()), (Some(2000), Some(1500)));
    let second = records.credential("a-second").unwrap();
    assert_eq!((second.thumbprint(), second.client(), second.context_key()), (None, None, None));
    assert_eq!((second.expires_at(), second.revoked_at()), (None, None));
    let ids = |name: &str| -> Vec<&str> {
        records.credentials_of(handle(name)).map(|credential| credential.id()).collect()
    };
    assert_eq!(ids("agent:helper"), ["a-second", "full"]);
    assert_eq!(ids("agent:plain"), Vec::<&str>::new());
    assert_eq!(ids("agent:ghost"), Vec::<&str>::new());
    assert_eq!(records.certificate_holder(&[9; 32]), Some(handle("agent:helper")));
    assert_eq!(records.certificate_holder(&[8; 32]), None);
    assert!(records.credential("ghost").is_none());
}

#[test]
fn an_empty_section_holds_nothing() {
    let table = RecordTable::validate(&[], &within).unwrap();
    let overlay = RecordOverlay::default();
    let records = Records::new(&[], &table, &overlay);
    assert!(records.by_subject(LOGIN, "anne").only().is_none());
    assert!(records.credential("full").is_none());
    assert_eq!(records.identities().count(), 0);
    let bytes = section(&[], &[]).unwrap();
    let table = RecordTable::validate(&bytes, &within).unwrap();
    let records = Records::new(&bytes, &table, &overlay);
    assert!(records.by_object(handle("user:anne")).is_none());
}

#[test]
fn records_that_contradict_each_other_are_not_written() {
    let refused = |identities: &[Identity], credentials: &[Credential]| {
        section(identities, credentials).unwrap_err().to_string()
    };
    let helper = agent("helper", "acme");
    let with = |change: &dyn Fn(&mut Identity)| {
        let mut changed = helper.clone();
        change(&mut changed);
        vec![changed]
    };
    let scoped = |scope: Scope| with(&|identity| identity.scope = Some(scope.clone()));
    assert_eq!(
        refused(&[helper.clone(), helper.clone()], &[]),
        "`agent:helper` has two identity records"
    );
    assert_eq!(
        refused(&with(&|identity| identity.tenants.push("globex".to_owned())), &[]),
        "`agent:helper` has several tenants, and only people may"
    );
    assert_eq!(
        refused(&[user("anne", &["acme", "acme"])], &[]),
        "`user:anne` lists the tenant `acme` twice"
    );
    assert_eq!(
        refused(&with(&|identity| identity.object = object("robot:x")), &[]),
        "`robot:x` has no object"
    );
    let mut sole = user("anne", &["acme"]);
    sole.sole_user = Some(object("user:bob"));
    assert_eq!(refused(&[sole], &[]), "`user:anne` has a sole user, and only agents may");
    let mut twin = agent("twin", "acme");
    twin.subjects = helper.subjects.clone();
    assert_eq!(
        refused(&[helper.clone(), twin], &[]),
        "`agent:twin` has `sa-helper` of `https://agents.example`, which is registered twice"
    );
    assert_eq!(
        refused(&scoped(Scope { boards: listed(&["a", "*"]), ..everything() }), &[]),
        "`agent:helper` has an empty name or `*` among others in its boards"
    );
    assert_eq!(
        refused(&scoped(Scope { modes: listed(&["execute"]), ..everything() }), &[]),
        "`agent:helper` has the unknown mode `execute`: read, write, admin and `*` exist"
    );
}

#[test]
fn credentials_that_contradict_each_other_are_not_written() {
    let identities = [agent("helper", "acme"), agent("other", "acme")];
    let refused =
        |credentials: &[Credential]| section(&identities, credentials).unwrap_err().to_string();
    let one = credential("one", "agent:helper");
    assert_eq!(refused(&[one.clone(), one.clone()]), "`one` is the id of two credentials");
    assert_eq!(
        refused(&[credential("one", "agent:ghost")]),
        "`one` belongs to an unknown identity"
    );
    let mut mine = one.clone();
    mine.thumbprint = Some([1; 32]);
    let mut theirs = credential("two", "agent:other");
    theirs.thumbprint = Some([1; 32]);
    assert_eq!(refused(&[mine, theirs]), "`two` registers another identity's certificate");
    let mut keyed = one.clone();
    keyed.context_key = Some("{}".to_owned());
    assert_eq!(refused(&[keyed]), "`one` has an unfit context key: it is malformed");
    let mut private = jwk(3);
    private["d"] = json!("AAAA");
    let mut keyed = one;
    keyed.context_key = Some(private.to_string());
    assert_eq!(refused(&[keyed]), "`one` has a context key with its private part");
}

#[test]
fn a_delta_says_the_same_as_a_new_section() {
    let (mut identities, mut credentials) = machines();
    let bytes = section(&identities, &credentials).unwrap();
    let table = RecordTable::validate(&bytes, &within).unwrap();
    let mut moved = identities[3].clone();
    moved.subjects.remove(0);
    moved.status = Status::Active;
    let fresh = user("new", &["globex"]);
    let mut second = credentials[1].clone();
    second.thumbprint = Some([7; 32]);
    second.identity = object("agent:plain");
    let rows = [
        Row::PutIdentity(moved.clone()),
        Row::PutIdentity(fresh.clone()),
        Row::DeleteIdentity { object: object("user:dana") },
        Row::PutCredential(second.clone()),
        Row::DeleteCredential { id: "full".to_owned() },
    ];
    let mut overlay = RecordOverlay::default();
    for row in &rows {
        let mut known = |name: &ObjectName| resolve(name);
        overlay.apply(&table, row, Some("organization"), &mut known).unwrap();
    }
    identities[3] = moved;
    identities.remove(1);
    identities.push(fresh);
    credentials[1] = second;
    credentials.remove(0);
    let rebuilt = section(&identities, &credentials).unwrap();
    let rebuilt_table = RecordTable::validate(&rebuilt, &within).unwrap();
    let none = RecordOverlay::default();
    assert_same(
        &Records::new(&bytes, &table, &overlay),
        &Records::new(&rebuilt, &rebuilt_table, &none),
    );
}

/// Whether two readers answer every question alike.
fn assert_same(changed: &Records<'_>, fresh: &Records<'_>) {
    let names =
        ["agent:helper", "agent:plain", "user:dana", "user:anne", "user:new", "service:importer"];
    for name in names {
        let of = |records: &Records<'_>| {
            let owned: Vec<String> = records
                .credentials_of(handle(name))
                .map(|view| format!("{:?}", seen_credential(&view)))
                .collect();
            (records.by_object(handle(name)).map(|view| seen_sorted(&view)), owned)
        };
        assert_eq!(of(changed), of(fresh), "{name}");
    }
    let subjects = [
        (AGENTS, "sa-helper"),
        (LOGIN, "sa-helper"),
        (LOGIN, "dana"),
        (LOGIN, "new"),
        (LOGIN, "anne"),
    ];
    for (issuer, name) in subjects {
        let of = |records: &Records<'_>| {
            records.by_subject(issuer, name).only().and_then(|view| view.object())
        };
        assert_eq!(of(changed), of(fresh), "{issuer} {name}");
    }
    for thumbprint in [[9; 32], [7; 32]] {
        let found = changed.certificate_holder(&thumbprint);
        assert_eq!(found, fresh.certificate_holder(&thumbprint));
    }
    for id in ["full", "a-second", "c-imp"] {
        let of = |records: &Records<'_>| {
            records.credential(id).map(|view| format!("{:?}", seen_credential(&view)))
        };
        assert_eq!(of(changed), of(fresh), "{id}");
    }
    assert_eq!(changed.identities().count(), fresh.identities().count());
}

/// The same whether lists were sorted for the section or kept as a delta brought them.
fn seen_sorted(view: &IdentityView<'_>) -> String {
    let scope = view.scope().map(|scope| {
        [scope.workspaces, scope.boards, scope.modes, scope.actions].map(|grant| {
            let mut names = grant.names();
            if let Some(names) = &mut names {
                names.sort_unstable();
            }
            format!("{names:?}")
        })
    });
    let subjects: Vec<HolderView<'_>> = view.subjects().collect();
    let tenants: Vec<Object> = view.tenants().collect();
    format!("{:?} {scope:?} {subjects:?} {tenants:?} {:?}", view.object(), view.status())
}

#[test]
fn a_delta_of_an_unknown_type_or_without_tenants_is_refused() {
    let bytes = section(&[], &[]).unwrap();
    let table = RecordTable::validate(&bytes, &within).unwrap();
    let mut overlay = RecordOverlay::default();
    let mut apply = |row: &Row, tenants: Option<&str>| {
        overlay.apply(&table, row, tenants, &mut |name: &ObjectName| resolve(name))
    };
    let mut stranger = user("x", &[]);
    stranger.object = object("robot:x");
    let unknown = Err("the type is unknown".to_owned());
    assert_eq!(apply(&Row::PutIdentity(stranger), Some("organization")), unknown);
    assert_eq!(apply(&Row::DeleteIdentity { object: object("robot:x") }, None), unknown);
    assert_eq!(
        apply(&Row::PutIdentity(user("x", &["acme"])), None),
        Err("the snapshot has no tenants".to_owned())
    );
}

/// Asks a section everything that can be asked, whatever it holds.
fn ask_everything(bytes: &[u8]) {
    let Ok(table) = RecordTable::validate(bytes, &within) else { return };
    let overlay = RecordOverlay::default();
    let records = Records::new(bytes, &table, &overlay);
    for view in records.identities() {
        std::hint::black_box(format!("{:?}", seen(&view)));
        if let Some(object) = view.object() {
            for credential in records.credentials_of(object) {
                std::hint::black_box(format!("{:?}", seen_credential(&credential)));
            }
        }
    }
    for name in ["anne", "sa-helper", "client-helper", "full", ""] {
        std::hint::black_box(records.by_subject(AGENTS, name).only().is_some());
        std::hint::black_box(records.by_client(AGENTS, name).only().is_some());
        std::hint::black_box(records.credential(name).is_some());
    }
    std::hint::black_box(records.certificate_holder(&[9; 32]));
}

#[test]
fn a_section_that_is_cut_short_or_long_is_refused() {
    let (identities, credentials) = machines();
    let bytes = section(&identities, &credentials).unwrap();
    for length in 1..bytes.len() {
        assert!(RecordTable::validate(&bytes[..length], &within).is_err(), "{length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(RecordTable::validate(&longer, &within), Err("do not fill their section"));
    let foreign = RecordTable::validate(&bytes, &|_| false);
    assert_eq!(foreign, Err("name an object out of range"));
}

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (identities, credentials) = machines();
    section(&identities, &credentials).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn hostile_words_are_refused_or_read_safely(
        position in any::<usize>(),
        value in prop_oneof![any::<u32>(), 0_u32..200, Just(u32::MAX)],
        second in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = GOOD.clone();
        let word = position % (bytes.len() / 4) * 4;
        bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
        let at = second % bytes.len();
        bytes[at] = byte;
        ask_everything(&bytes);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_identity_of_a_crowd_is_found(count in 1_usize..400, seed in any::<[u8; 16]>()) {
        let identities: Vec<Identity> =
            (0..count).map(|number| user(&format!("{number}"), &["acme"])).collect();
        let place = |name: &ObjectName| {
            let local = name.id.parse().unwrap_or(0);
            let type_index = u32::from(name.type_name == "user");
            Some(Object::from_words([type_index, local]))
        };
        let encoding = Encoding { seed, tenant_type: Some("organization") };
        let bytes = encode(&encoding, &identities, &[], &place).unwrap();
        let table = RecordTable::validate(&bytes, &within).unwrap();
        let overlay = RecordOverlay::default();
        let records = Records::new(&bytes, &table, &overlay);
        for number in 0..u32::try_from(count).unwrap() {
            let found = records.by_subject(LOGIN, &number.to_string()).only().and_then(|view| view.object());
            prop_assert_eq!(found, Some(Object::from_words([1, number])));
            let by_object = records.by_object(Object::from_words([1, number]));
            prop_assert_eq!(by_object.and_then(|view| view.object()), found);
        }
        prop_assert_eq!(records.by_subject(LOGIN, "x").only().is_some(), false);
    }
}
