use super::*;

fn reply(status: u16) -> gate::Verdict {
    gate::Verdict::Reply(gate::Reply { status, headers: Vec::new(), body: String::new() })
}

fn pass(set: &[(&str, &str)], session: gate::SessionDuty, scope: Option<&str>) -> gate::Verdict {
    let header = |(name, value): &(&str, &str)| gate::Header {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    gate::Verdict::Pass(gate::Pass {
        remove: Vec::new(),
        remove_trailers: Vec::new(),
        set: set.iter().map(header).collect(),
        response: gate::ResponseDuty {
            list_ticket: None,
            stream_ticket: None,
            session,
            session_scope: scope.map(str::to_owned),
            ends_at: None,
        },
    })
}

fn read(verdict: gate::Verdict, reason: &str, audit: Option<&str>) -> Result<Answer, Failure> {
    Answer::read(gate::Answer {
        verdict,
        reason: reason.to_owned(),
        detail: String::new(),
        audit: audit.map(str::to_owned),
        refresh: None,
        extra: Vec::new(),
    })
}

#[test]
fn an_answer_that_contradicts_itself_is_a_failure() {
    let untouched = gate::SessionDuty::Untouched;
    for (verdict, reason, said) in [
        (reply(403), "Not A Reason", "the reason is no reason code"),
        (reply(0), "no-relation", "a status that is none"),
        (reply(600), "no-relation", "a status that is none"),
        (reply(403), "ok", "an error without a reason"),
        (pass(&[], untouched, None), "no-relation", "a denial passes without a record"),
        (pass(&[], gate::SessionDuty::Seal, None), "ok", "a seal for nobody"),
        (pass(&[], gate::SessionDuty::Remove, Some("{}")), "ok", "a scope without a seal"),
        (pass(&[("a b", "c")], untouched, None), "ok", "a header that cannot be sent"),
        (pass(&[("a", "b\r\nc: d")], untouched, None), "ok", "a header that cannot be sent"),
        (pass(&[("", "b")], untouched, None), "ok", "a header that cannot be sent"),
    ] {
        assert_eq!(read(verdict, reason, None), Err(Failure::Inconsistent(said)), "{said}");
    }
}

#[test]
fn an_answer_that_holds_together_is_read_whole() {
    let answer = read(
        pass(&[("x-mandate-user", "user:anne")], gate::SessionDuty::Seal, Some("{}")),
        "no-relation",
        Some("{}"),
    );
    let set = vec![Header { name: "x-mandate-user".to_owned(), value: "user:anne".to_owned() }];
    let response = ResponseDuty {
        list_ticket: None,
        stream_ticket: None,
        session: SessionDuty::Seal("{}".to_owned()),
        ends_at: None,
    };
    let pass = Pass { remove: Vec::new(), remove_trailers: Vec::new(), set, response };
    let expected = Answer {
        verdict: Verdict::Pass(pass),
        reason: "no-relation".to_owned(),
        detail: String::new(),
        audit: Some("{}".to_owned()),
        refresh: None,
    };
    assert_eq!(answer, Ok(expected));
}

#[test]
fn nothing_in_force_is_explained_by_what_was_refused() {
    let record = |reason: &str| {
        format!(r#"{{"client_request_id":"\"reason\":\"snapshot-missing\"","reason":"{reason}"}}"#)
    };
    let refused =
        StateError { reason: "snapshot-rollback".to_owned(), detail: "below the floor".to_owned() };
    let missing = read(reply(503), "snapshot-missing", Some(&record("snapshot-missing")));
    let told = missing.clone().unwrap().with_refused(Some(&refused));
    let said = (told.reason.as_str(), told.detail.as_str(), told.audit.as_deref());
    let expected = record("snapshot-rollback");
    assert_eq!(said, ("snapshot-rollback", "below the floor", Some(expected.as_str())));
    assert_eq!(missing.clone().unwrap().with_refused(None), missing.unwrap());
    let stale = read(reply(503), "snapshot-stale", Some("{}")).unwrap();
    assert_eq!(stale.clone().with_refused(Some(&refused)), stale);
}
