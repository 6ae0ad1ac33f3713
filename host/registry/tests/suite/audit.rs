//! The audit chain: what comes in, and what is found.

use mandate_authn::Json;
use mandate_registry::Registry;
use mandate_registry::audit::{Appended, AuditFilter, Event, EventKind, Gap, Place};
use mandate_registry::credential::{Material, NewCredential, SecretSource};
use mandate_registry::error::RegistryError;

use crate::scene::{NOW, at, by, empty, object, scene, tuple};
use crate::store::Store;

/// A decision's record: `number` of `source`, about what `more` says.
pub(crate) fn record(source: &str, number: u64, more: &[(&str, &str)]) -> String {
    let mut members = mandate_authn::json_object([
        ("decision_id", Some(format!("{source}/boot/{number}").into())),
        ("source", Some(source.into())),
        ("source_sequence", Some(number.into())),
        ("time", Some((NOW + number).into())),
        ("verdict", Some("allow".into())),
        ("reason", Some("ok".into())),
        ("enforced", Some(Json::Bool(true))),
    ]);
    if let Json::Object(members) = &mut members {
        members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))));
    }
    members.to_canonical()
}

pub(crate) fn event(source: &str, number: u64, more: &[(&str, &str)]) -> Event {
    Event::parse(&record(source, number, more)).expect("a record")
}

fn all() -> AuditFilter {
    AuditFilter { most: 1000, ..AuditFilter::default() }
}

fn records(registry: &mut Registry, filter: &AuditFilter) -> Vec<String> {
    let found = registry.audit(filter).expect("a page");
    found.into_iter().map(|entry| entry.record).collect()
}

pub(crate) fn every_change_is_an_event_of_its_identity_and_credential(store: &Store) {
    let mut registry = scene(store);
    let new = NewCredential {
        material: Material::AppPassword(SecretSource::Generated),
        subject: None,
        token_ids: Vec::new(),
        expires_at: None,
    };
    let anne = by("user:anne");
    let name = object("agent:helper");
    let added = registry.add_credential(&anne, &name, &new).expect("anne may");
    let id = added.outcome.credential.id;
    registry.revoke_credential(&at(NOW + 1), &id).expect("it is live");
    registry
        .write_relationships(&anne, &[tuple("user:carol#delegate_of@agent:helper")])
        .expect("anne may");
    let epoch = added.position.epoch;
    let change = |actor: &str, change: &str, at: u64, more: &str, after: u64| {
        let epoch = epoch + after;
        format!(
            "{{\"actor\":\"{actor}\",\"change\":\"{change}\",{more}\"decision_id\":\
            \"registry/test/1.{epoch}/0\",\"epoch\":{epoch},\"era\":1,"
        ) + &format!("|\"machine_identity_id\":\"agent:helper\",\"tenant\":\"acme\",\"time\":{at}")
    };
    let of_credential = format!("\"credential_id\":\"{id}\",");
    let expected = [
        change("user:anne", "credential-add", NOW, &of_credential, 0).replace('|', "") + "}",
        change("local", "credential-revoke", NOW + 1, &of_credential, 1).replace('|', "") + "}",
    ];
    let filter = AuditFilter { credential_id: Some(id), ..all() };
    assert_eq!(records(&mut registry, &filter), expected);
    let delegated = change("user:anne", "relationship-write", NOW, "", 2)
        .replace('|', "\"item\":\"user:carol#delegate_of@agent:helper\",")
        + ",\"user\":\"user:carol\"}";
    let filter = AuditFilter {
        machine_identity_id: Some("agent:helper".to_owned()),
        user: Some("user:carol".to_owned()),
        ..all()
    };
    assert_eq!(records(&mut registry, &filter), [delegated]);
    // One event for each row of the log, and none without one: here the numbers are the same.
    let events = registry.audit(&all()).expect("a page");
    assert!(events.iter().all(|entry| entry.kind == EventKind::Change));
}

pub(crate) fn a_record_comes_in_once_however_often_it_is_sent(store: &Store) {
    let mut registry = empty(store);
    let batch: Vec<_> =
        (1..=3).map(|number| event("door", number, &[("tenant", "acme")])).collect();
    let appended = |new, passed_over| Ok(Appended { new, passed_over, conflicts: vec![] });
    assert_eq!(registry.append_audit(&batch[..2]), appended(2, 0));
    assert_eq!(registry.append_audit(&batch), appended(1, 2));
    assert_eq!(registry.append_audit(&[batch[2].clone(), batch[2].clone()]), appended(0, 2));
    let expected: Vec<_> =
        (1..=3).map(|number| record("door", number, &[("tenant", "acme")])).collect();
    assert_eq!(records(&mut registry, &all()), expected);
    // Another order of members is the same record.
    let spaced = record("door", 1, &[("tenant", "acme")]).replace(',', " , ");
    let spaced = Event::parse(&spaced).expect("a record");
    assert_eq!(registry.append_audit(&[spaced]), appended(0, 1));
}

pub(crate) fn a_conflicting_record_is_kept_beside_the_first(store: &Store) {
    let mut registry = empty(store);
    let first = event("door", 1, &[("tenant", "acme"), ("user", "user:anne")]);
    let other = event("door", 1, &[("tenant", "acme"), ("user", "user:bob")]);
    registry.append_audit(&[first]).expect("it is new");
    let conflict = vec!["door/boot/1".to_owned()];
    let appended = Appended { new: 0, passed_over: 0, conflicts: conflict };
    assert_eq!(registry.append_audit(std::slice::from_ref(&other)), Ok(appended));
    let again = Appended { new: 0, passed_over: 1, conflicts: vec![] };
    assert_eq!(registry.append_audit(&[other]), Ok(again));
    let found =
        registry.audit(&AuditFilter { decision_id: Some("door/boot/1".to_owned()), ..all() });
    let kinds: Vec<_> = found.expect("a page").iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EventKind::Decision, EventKind::Conflict]);
}

pub(crate) fn a_record_is_refused_for_what_it_should_not_hold(_: &Store) {
    let good = record("door", 1, &[]);
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    let long = "x".repeat(8 * 1024);
    let cases = [
        (String::new(), "the audit record is not strict JSON"),
        ("[]".to_owned(), "the audit record is no object"),
        (with("{", "{\"token\":\"planted\","), "the audit record has the unknown member `token`"),
        (with("{", "{\"time\":1,"), "the audit record has a duplicate member"),
        (with("{", &format!("{{\"tool\":\"{long}\",")), "the audit record is longer than 8 KiB"),
        (
            with("\"allow\"", "\"maybe\""),
            "the audit record has no `verdict` that is `allow` or `deny`",
        ),
        (with("\"reason\":\"ok\",", ""), "the audit record has no `reason`"),
        (with("\"decision_id\":\"door/boot/1\",", ""), "the audit record has no `decision_id`"),
        (with("\"source\":\"door\",", ""), "the audit record lacks `source` or `source_sequence`"),
        (
            with("\"time\":1000001", "\"time\":1.5"),
            "the audit record has a number that is no integer of at most 2^53 - 1",
        ),
        (with("\"time\":1000001", "\"time\":-1"), "the audit record has no integer as `time`"),
        (with("{", "{\"tenant\":\"\","), "the audit record has no short text as `tenant`"),
    ];
    for (text, line) in cases {
        let refused = Event::parse(&text).map(drop);
        assert_eq!(refused, Err(RegistryError::Invalid(line.to_owned())), "{text:.60}");
    }
    // Whoever chooses a strange name is audited under it all the same.
    let strange = with("{", &format!("{{\"tool\":\"a\\u0000{}\",", "x".repeat(2000)));
    Event::parse(&strange).expect("it is a record");
}

pub(crate) fn missing_numbers_of_a_source_are_reported(store: &Store) {
    let mut registry = empty(store);
    let numbers = [("door", vec![7, 8, 11, 12, 20]), ("gate", vec![1, 2, 3])];
    for (source, numbers) in numbers {
        let batch: Vec<_> = numbers.into_iter().map(|number| event(source, number, &[])).collect();
        registry.append_audit(&batch).expect("they are new");
    }
    let gap = |first, last| Gap { source: "door".to_owned(), first, last };
    assert_eq!(registry.audit_gaps(10), Ok(vec![gap(9, 10), gap(13, 19)]));
    assert_eq!(registry.audit_gaps(1), Ok(vec![gap(9, 10)]));
    registry.append_audit(&[event("door", 9, &[]), event("door", 10, &[])]).expect("late ones");
    assert_eq!(registry.audit_gaps(10), Ok(vec![gap(13, 19)]));
}

pub(crate) fn records_are_found_by_each_of_their_columns_and_in_pages(store: &Store) {
    let mut registry = empty(store);
    let members: [&[(&str, &str)]; 4] = [
        &[("tenant", "acme"), ("machine_identity_id", "agent:a"), ("credential_id", "c1")],
        &[
            ("tenant", "acme"),
            ("machine_identity_id", "agent:a"),
            ("credential_id", "c2"),
            ("user", "user:anne"),
        ],
        &[
            ("tenant", "globex"),
            ("tool", "tasks/get_board"),
            ("verdict", "deny"),
            ("reason", "agent-tool"),
        ],
        &[("user", "user:anne")],
    ];
    let batch: Vec<_> =
        (1_u64..).zip(members).map(|(number, more)| event("door", number, more)).collect();
    registry.append_audit(&batch).expect("they are new");
    let some = |text: &str| Some(text.to_owned());
    let mut found = |filter: AuditFilter| -> Vec<u64> {
        let records = records(&mut registry, &AuditFilter { most: 10, ..filter });
        let number = |text: &String| {
            let json = Json::parse(text.as_bytes(), 8).expect("JSON");
            json.as_object().expect("an object")["source_sequence"].as_seconds().expect("a number")
        };
        records.iter().map(number).collect()
    };
    let none = AuditFilter::default;
    assert_eq!(found(none()), [4, 1, 2, 3]);
    assert_eq!(found(AuditFilter { tenant: some("acme"), ..none() }), [1, 2]);
    assert_eq!(found(AuditFilter { tenant: some(""), ..none() }), [4]);
    assert_eq!(found(AuditFilter { machine_identity_id: some("agent:a"), ..none() }), [1, 2]);
    assert_eq!(found(AuditFilter { credential_id: some("c2"), ..none() }), [2]);
    assert_eq!(found(AuditFilter { user: some("user:anne"), ..none() }), [4, 2]);
    assert_eq!(found(AuditFilter { tool: some("tasks/get_board"), ..none() }), [3]);
    assert_eq!(found(AuditFilter { verdict: some("deny"), ..none() }), [3]);
    assert_eq!(found(AuditFilter { reason: some("ok"), tenant: some("acme"), ..none() }), [1, 2]);
    assert_eq!(found(AuditFilter { decision_id: some("door/boot/2"), ..none() }), [2]);
    assert_eq!(found(AuditFilter { from: Some(NOW + 2), until: Some(NOW + 4), ..none() }), [2, 3]);
    let place = Place { tenant: "acme".to_owned(), sequence: 1 };
    assert_eq!(found(AuditFilter { after: Some(place), ..none() }), [2, 3]);
    let page = registry.audit(&AuditFilter { most: 3, ..none() }).expect("a page");
    let places: Vec<_> =
        page.into_iter().map(|entry| (entry.place.tenant, entry.place.sequence)).collect();
    assert_eq!(places, [(String::new(), 1), ("acme".to_owned(), 1), ("acme".to_owned(), 2)]);
}
