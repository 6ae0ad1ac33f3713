//! Rows of deltas: one form each, read strictly.

use mandate_authz::delta::{DeltaProblem, RowProblem, decode, encode};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{
    Credential, DelegationMode, Grant, Holder, Identity, Kind, Scope, Status,
};
use mandate_authz::row::{Row, StoredCondition, StoredTuple};
use proptest::prelude::*;

fn document() -> ObjectName {
    ObjectName::new("document", "1")
}

fn refused(body: &[u8]) -> RowProblem {
    decode(body).map(|_| ()).unwrap_err().problem
}

#[test]
fn no_rows_are_no_bytes() {
    assert_eq!(encode(&[]), Ok(vec![]));
    assert_eq!(decode(&[]), Ok(vec![]));
}

#[test]
fn a_row_has_the_form_that_is_documented() {
    let row = Row::WriteTuple(StoredTuple {
        object: document(),
        relation: "viewer".to_owned(),
        subject: Subject::Userset(ObjectName::new("team", "blue"), "member".to_owned()),
        condition: Some(StoredCondition { name: "weekday".to_owned(), context: vec![1, 2] }),
    });
    let bytes = b"\x08\x08\0document\x01\x001\x06\0viewer\
        \x01\x04\0team\x04\0blue\x06\0member\x01\x07\0weekday\x02\0\x01\x02";
    assert_eq!(encode(std::slice::from_ref(&row)), Ok(bytes.to_vec()));
    assert_eq!(decode(bytes), Ok(vec![row]));
}

#[test]
fn a_malformed_row_is_refused_with_its_number() {
    let good = encode(&[Row::DeleteCredential { id: "c-1".to_owned() }]).unwrap();
    let bad = [good.as_slice(), &[9]].concat();
    assert_eq!(decode(&bad), Err(DeltaProblem { row: 1, problem: RowProblem::Tag }));
    let lines = DeltaProblem { row: 1, problem: RowProblem::Tag }.to_string();
    assert_eq!(lines, "row 1: its form is unknown");
    let cases: [(&[u8], RowProblem); 11] = [
        (b"\0", RowProblem::Tag),
        (b"\x01\x03\0c-", RowProblem::Truncated),
        (b"\x01\0\0", RowProblem::Empty),
        (b"\x01\x01\0\xff", RowProblem::Utf8),
        (b"\x03\x01\0d\x01\0*", RowProblem::Wildcard),
        (b"\x03\0\0\x01\x001", RowProblem::Empty),
        // a presence that is neither 0 nor 1
        (b"\x07\x01\0d\x01\x001\x02", RowProblem::Tag),
        // a subject of a fourth kind
        (b"\x04\x01\0d\x01\x001\x01\0v\x03", RowProblem::Tag),
        // an identity of a fourth kind
        (b"\x06\x01\0u\x01\x001\x03", RowProblem::Tag),
        // an expiry beyond 2^53 - 1
        (
            b"\x06\x01\0u\x01\x001\x02\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff",
            RowProblem::Number,
        ),
        // a list that ends before its count
        (b"\x06\x01\0u\x01\x001\x02\xff\xff", RowProblem::Truncated),
    ];
    for (bytes, problem) in cases {
        assert_eq!(refused(bytes), problem, "{bytes:?}");
    }
}

#[test]
fn what_no_reader_would_take_is_not_written() {
    let refused = |row: Row| encode(&[row]).map(|_| ()).unwrap_err().problem;
    let object = |id: &str| Row::DeleteObject { object: ObjectName::new("document", id) };
    assert_eq!(refused(object("")), RowProblem::Empty);
    assert_eq!(refused(object("*")), RowProblem::Wildcard);
    assert_eq!(refused(object(&"x".repeat(65_536))), RowProblem::Long);
    assert_eq!(encode(&[object(&"x".repeat(65_535))]).map(drop), Ok(()));
    let mut late = credential();
    late.expires_at = Some(1 << 53);
    assert_eq!(refused(Row::PutCredential(late)), RowProblem::Number);
}

#[test]
fn rows_are_counted() {
    let row = Row::DeleteCredential { id: "c".to_owned() };
    let most = vec![row; 16_384];
    let bytes = encode(&most).unwrap();
    assert_eq!(decode(&bytes), Ok(most.clone()));
    let more = [most, vec![Row::DeleteCredential { id: "c".to_owned() }]].concat();
    let problem = DeltaProblem { row: 16_384, problem: RowProblem::TooMany };
    assert_eq!(encode(&more), Err(problem));
    assert_eq!(decode(&[bytes.as_slice(), b"\x01\x01\0c"].concat()), Err(problem));
}

fn credential() -> Credential {
    Credential {
        id: "c-1".to_owned(),
        identity: ObjectName::new("agent", "helper"),
        thumbprint: None,
        token_ids: vec![],
        client: None,
        subject: None,
        context_key: None,
        expires_at: None,
        revoked_at: None,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", any::<String>().prop_filter("not empty", |text| !text.is_empty())]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..4)
}

fn objects() -> impl Strategy<Value = ObjectName> {
    let id = text().prop_filter("not a wildcard", |id| id != "*");
    (text(), id).prop_map(|(type_name, id)| ObjectName { type_name, id })
}

fn subjects() -> impl Strategy<Value = Subject> {
    prop_oneof![
        objects().prop_map(Subject::Object),
        (objects(), text()).prop_map(|(object, relation)| Subject::Userset(object, relation)),
        text().prop_map(Subject::Wildcard),
    ]
}

fn holders() -> impl Strategy<Value = Holder> {
    (text(), text()).prop_map(|(issuer, name)| Holder { issuer, name })
}

fn times() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(0..=9_007_199_254_740_991_u64)
}

fn grants() -> impl Strategy<Value = Grant> {
    prop_oneof![Just(Grant::All), texts().prop_map(Grant::Listed)]
}

fn scopes() -> impl Strategy<Value = Scope> {
    (grants(), grants(), grants(), grants()).prop_map(|(workspaces, boards, modes, actions)| {
        Scope { workspaces, boards, modes, actions }
    })
}

fn identities() -> impl Strategy<Value = Identity> {
    let kinds = prop::sample::select(vec![Kind::Agent, Kind::Service, Kind::User]);
    let statuses = prop::sample::select(vec![Status::Active, Status::Retired, Status::Suspended]);
    let modes = prop::sample::select(vec![DelegationMode::OnInvoke, DelegationMode::Stored]);
    let lists =
        (prop::collection::vec(holders(), 0..3), prop::collection::vec(holders(), 0..3), texts());
    let rest = (times(), prop::option::of(scopes()), modes, prop::option::of(objects()));
    (objects(), kinds, statuses, lists, rest).prop_map(|(object, kind, status, lists, rest)| {
        let (subjects, clients, tenants) = lists;
        let (expires_at, scope, delegation, sole_user) = rest;
        Identity {
            object,
            kind,
            subjects,
            clients,
            tenants,
            status,
            expires_at,
            scope,
            delegation,
            sole_user,
        }
    })
}

fn credentials() -> impl Strategy<Value = Credential> {
    let first = (text(), objects(), prop::option::of(any::<[u8; 32]>()), texts());
    let holders = (prop::option::of(holders()), prop::option::of(holders()));
    (first, holders, prop::option::of(text()), times(), times()).prop_map(
        |(
            (id, identity, thumbprint, token_ids),
            (client, subject),
            context_key,
            expires_at,
            revoked_at,
        )| {
            Credential {
                id,
                identity,
                thumbprint,
                token_ids,
                client,
                subject,
                context_key,
                expires_at,
                revoked_at,
            }
        },
    )
}

fn rows() -> impl Strategy<Value = Row> {
    let condition = (text(), prop::collection::vec(any::<u8>(), 0..32))
        .prop_map(|(name, context)| StoredCondition { name, context });
    let tuple = (objects(), text(), subjects(), prop::option::of(condition)).prop_map(
        |(object, relation, subject, condition)| StoredTuple {
            object,
            relation,
            subject,
            condition,
        },
    );
    prop_oneof![
        text().prop_map(|id| Row::DeleteCredential { id }),
        objects().prop_map(|object| Row::DeleteIdentity { object }),
        objects().prop_map(|object| Row::DeleteObject { object }),
        (objects(), text(), subjects()).prop_map(|(object, relation, subject)| {
            Row::DeleteTuple { object, relation, subject }
        }),
        credentials().prop_map(Row::PutCredential),
        identities().prop_map(Row::PutIdentity),
        (objects(), prop::option::of(text()))
            .prop_map(|(object, tenant)| Row::PutObject { object, tenant }),
        tuple.prop_map(Row::WriteTuple),
    ]
}

proptest! {
    // Text of any kind is slow to generate; campaigns run longer.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_survive(rows in prop::collection::vec(rows(), 0..8)) {
        let bytes = encode(&rows).unwrap();
        prop_assert_eq!(decode(&bytes), Ok(rows));
    }

    #[test]
    fn what_is_read_has_no_second_form(
        rows in prop::collection::vec(rows(), 1..4), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&rows).unwrap();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(encode(&read), Ok(bytes));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(0..9_u8, 0..64)) {
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(encode(&read), Ok(bytes));
        }
    }

    #[test]
    fn a_cut_delta_has_fewer_rows_or_none(row in rows()) {
        let bytes = encode(&[row]).unwrap();
        for length in 1..bytes.len() {
            prop_assert_eq!(decode(&bytes[..length]), Err(DeltaProblem { row: 0, problem: RowProblem::Truncated }));
        }
    }
}
