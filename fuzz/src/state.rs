//! A small deployment for the targets of snapshots and deltas.

use std::sync::{LazyLock, OnceLock};

use mandate_authz::container::{Kind, PinnedKey, Position, SigningKey, Statement, seal};
use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{Credential, DelegationMode, Grant, Holder, Identity, Scope, Status};
use mandate_authz::relation_query::{ListQuery, RelationAnswer, RelationQuery};
use mandate_authz::row::{Row, StoredTuple};
use mandate_authz::snapshot::{TenancyRules, World};
use mandate_authz::state::{Freshness, State, StateConfig};
use mandate_authz::tuple::Tuple;

const SEED: [u8; 32] = [1; 32];
const ISSUED_AT: u64 = 1_767_225_600;

/// The model of everything here.
pub const MODEL: &str = "model
  schema 1.1
type organization
type user
type agent
  relations
    define organization: [organization]
    define denied: [user]
    define owner: [user]
    define can_use: owner but not denied
type team
  relations
    define organization: [organization]
    define member: [user, team#member]
type document
  relations
    define organization: [organization]
    define parent: [document]
    define viewer: [user, user:*, team#member, user with recent]
    define can_view: viewer or can_view from parent
condition recent(age: int) {
  age < 10
}
";

const TUPLES: [&str; 9] = [
    "organization:globex#organization@team:blue",
    "organization:globex#organization@agent:helper",
    "organization:globex#organization@document:1",
    "organization:globex#organization@document:2",
    "user:anne#member@team:blue",
    "user:anne#owner@agent:helper",
    "team:blue#member#viewer@document:1",
    "document:1#parent@document:2",
    "user:bob#viewer@document:2",
];

/// The body that the seeds start from.
pub static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let tuple = |text: &&str| {
        let (left, object) = text.rsplit_once('@').expect("an object");
        let (subject, relation) = left.rsplit_once('#').expect("a relation");
        let object = ObjectName::parse(object).expect("an object");
        Tuple::new(object, relation, Subject::parse(subject).expect("a subject"))
    };
    let identities = rows().into_iter().filter_map(|row| match row {
        Row::PutIdentity(identity) => Some(identity),
        _ => None,
    });
    let world = World {
        model: Model::parse_dsl(MODEL).expect("the model parses"),
        tuples: TUPLES.iter().map(tuple).collect(),
        identities: identities.collect(),
        credentials: vec![credential()],
        objects: vec![],
        tenancy: TenancyRules {
            tenant_type: Some("organization".to_owned()),
            shared: vec![],
            parents: ["document", "team"]
                .map(|name| (name.to_owned(), vec!["organization".to_owned()]))
                .into(),
            principals: vec!["agent".to_owned(), "user".to_owned()],
        },
        ignore_unfit: false,
    };
    world.build([7; 16]).expect("the world builds")
});

/// The key that signs.
pub fn signing_key() -> SigningKey {
    SigningKey::from_seed(SEED).expect("a key")
}

/// Its public half.
pub fn pinned() -> PinnedKey {
    PinnedKey::parse(&signing_key().to_public_jwk()).expect("a public key")
}

/// A configuration that pins it.
pub fn config() -> StateConfig {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let key = signing_key().to_public_jwk();
        format!(r#"{{"deployment":"globex","slice":"all","keys":[{key}]}}"#)
    });
    StateConfig::parse(&TEXT).expect("the configuration parses")
}

fn statement(kind: Kind, epoch: u64) -> Statement {
    Statement {
        kind,
        raw: false,
        deployment: "globex".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, epoch),
        contract_version: [1, 0, 0],
        issued_at: ISSUED_AT,
    }
}

/// A signed snapshot of era 1, epoch 7.
pub fn snapshot(body: &[u8]) -> Vec<u8> {
    seal(&statement(Kind::Snapshot, 7), body, &signing_key()).expect("sealed")
}

/// A signed delta; `None` for a body that none may have.
pub fn delta(from: u64, to: u64, body: &[u8]) -> Option<Vec<u8>> {
    seal(&statement(Kind::Delta { base: 7, from }, to), body, &signing_key()).ok()
}

/// Containers that open.
pub fn containers() -> &'static [Vec<u8>] {
    static CONTAINERS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CONTAINERS.get_or_init(|| {
        let rows = mandate_authz::delta::encode(&rows()).expect("rows");
        let delta = |from, to, body: &[u8]| delta(from, to, body).expect("a delta");
        vec![snapshot(&BODY), delta(7, 8, &rows), delta(8, 8, &[])]
    })
}

/// A container with this header, whatever it says, signed by the key.
pub fn sign_header(header: &[u8], body: &[u8]) -> Vec<u8> {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a key");
    let mut header = header.to_vec();
    // Its length and its key are set right, or hardly any input would come further.
    if let Some(length) = header.get_mut(12..16) {
        length.copy_from_slice(&[0; 4]);
    }
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes();
    if header.len() >= 48 {
        header[12..16].copy_from_slice(&length);
        header[16..48].copy_from_slice(signing_key().id().as_bytes());
    }
    let signature = pair.sign(&[b"mandate container, version 1\0", header.as_slice()].concat());
    [header.as_slice(), signature.as_ref(), body].concat()
}

/// A state that holds the snapshot of [`BODY`].
pub fn loaded() -> State {
    static CONTAINER: LazyLock<Vec<u8>> = LazyLock::new(|| snapshot(&BODY));
    let mut state = State::new(config());
    state.load(&CONTAINER).expect("the snapshot loads");
    state
}

/// The answers to a few questions: every relation that the model computes.
pub fn answers(state: &State) -> Vec<String> {
    let snapshot = state.fresh(&Freshness::at(ISSUED_AT)).expect("fresh");
    let context = serde_json::json!({"age": 3});
    let context = context.as_object().expect("an object");
    let users = ["user:anne", "user:bob", "team:blue#member", "user:*"];
    let mut answers = Vec::new();
    for user in users {
        for (object, relation) in
            [("document:1", "can_view"), ("document:2", "can_view"), ("agent:helper", "can_use")]
        {
            let query = RelationQuery {
                user,
                relation,
                object,
                contextual_tuples: &[],
                context,
                path: true,
            };
            let answer: RelationAnswer = snapshot.relation_holds(&query);
            answers.push(format!("{answer:?}"));
        }
        let query = ListQuery {
            user,
            relation: "can_view",
            type_name: "document",
            contextual_tuples: &[],
            context,
        };
        answers.push(format!("{:?}", snapshot.list_objects(&query)));
    }
    answers
}

/// One row of each kind.
pub fn rows() -> Vec<Row> {
    let name = |text: &str| ObjectName::parse(text).expect("an object");
    let viewer = |subject: &str| {
        let subject = Subject::parse(subject).expect("a subject");
        (name("document:2"), "viewer".to_owned(), subject)
    };
    let write = |subject: &str| {
        let (object, relation, subject) = viewer(subject);
        Row::WriteTuple(StoredTuple { object, relation, subject, condition: None })
    };
    let (object, relation, subject) = viewer("user:bob");
    vec![
        Row::PutIdentity(identity("user:anne", mandate_authz::record::Kind::User)),
        Row::PutIdentity(identity("user:bob", mandate_authz::record::Kind::User)),
        Row::PutIdentity(identity("agent:helper", mandate_authz::record::Kind::Agent)),
        Row::PutCredential(credential()),
        Row::PutObject { object: name("document:3"), tenant: Some("globex".to_owned()) },
        write("user:anne"),
        write("team:blue#member"),
        write("user:*"),
        Row::DeleteTuple { object, relation, subject },
        Row::DeleteObject { object: name("document:1") },
        Row::DeleteCredential { id: "c-1".to_owned() },
        Row::DeleteIdentity { object: name("agent:helper") },
    ]
}

fn identity(object: &str, kind: mandate_authz::record::Kind) -> Identity {
    let object = ObjectName::parse(object).expect("an object");
    let holder = Holder { issuer: "https://idp.example".to_owned(), name: object.id.clone() };
    let machine = kind != mandate_authz::record::Kind::User;
    let scope = Scope {
        workspaces: Grant::All,
        boards: Grant::Listed(vec!["b-1".to_owned()]),
        modes: Grant::Listed(vec!["read".to_owned()]),
        actions: Grant::All,
    };
    Identity {
        object,
        kind,
        subjects: vec![holder],
        clients: vec![],
        tenants: vec!["globex".to_owned()],
        status: Status::Active,
        expires_at: Some(ISSUED_AT + 1_000),
        scope: machine.then_some(scope),
        delegation: DelegationMode::Stored,
        sole_user: None,
    }
}

fn credential() -> Credential {
    Credential {
        id: "c-1".to_owned(),
        identity: ObjectName::parse("agent:helper").expect("an object"),
        thumbprint: Some([5; 32]),
        token_ids: vec!["t-1".to_owned()],
        client: None,
        subject: None,
        context_key: None,
        expires_at: None,
        revoked_at: None,
    }
}
