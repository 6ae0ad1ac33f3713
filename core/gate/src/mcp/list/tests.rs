use proptest::prelude::*;

use super::*;

fn id() -> Id {
    Id::parse("7").unwrap()
}

/// Keeps what is not called `hidden…`.
fn visible(entries: &[Entry<'_>]) -> Result<Vec<bool>, &'static str> {
    Ok(entries.iter().map(|entry| is_visible(*entry)).collect())
}

fn is_visible(entry: Entry<'_>) -> bool {
    let (Entry::Prompt(name) | Entry::Resource(name) | Entry::Template(name) | Entry::Tool(name)) =
        entry;
    !name.starts_with("hidden")
}

/// The filtered body as text, and how many entries are gone; or why it failed.
fn filtered(list: ListKind, framing: Framing, body: &str) -> Result<(String, usize), &'static str> {
    let filtered = filter(list, &id(), framing, body.as_bytes(), &mut visible);
    let text = String::from_utf8(filtered.body.into_owned()).unwrap();
    match filtered.failure {
        None => Ok((text, filtered.removed)),
        Some(problem) => {
            let error = r#"{"error":{"code":-32603,"message":""#;
            let end = r#""},"id":7,"jsonrpc":"2.0"}"#;
            let (start, end) = match framing {
                Framing::Json => (error.to_owned(), end.to_owned()),
                Framing::Events => (format!("event: message\ndata: {error}"), format!("{end}\n\n")),
            };
            assert!(text.starts_with(&start) && text.ends_with(&end), "{text}");
            Err(problem)
        }
    }
}

fn json(list: ListKind, body: &str) -> Result<(String, usize), &'static str> {
    filtered(list, Framing::Json, body)
}

fn tools(tools: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"tools":[{tools}],"nextCursor":"next"}}}}"#)
}

#[test]
fn entries_that_may_not_be_used_are_gone_and_the_others_keep_every_byte() {
    let seen = r#"{ "name" : "\u0061",  "inputSchema":{"type":"object","x":1.50e3} }"#;
    let body = tools(&format!(r#"{{"name":"hidden"}} , {seen} ,{{"name":"hidden2"}}"#));
    assert_eq!(json(ListKind::Tools, &body), Ok((tools(seen), 2)));
}

#[test]
fn a_list_of_which_nothing_is_removed_keeps_every_byte() {
    let body = format!(" {} \n", tools(r#" {"name":"a"} , {"name":"b"} "#));
    assert_eq!(json(ListKind::Tools, &body), Ok((body.clone(), 0)));
    assert_eq!(json(ListKind::Tools, &tools("")), Ok((tools(""), 0)));
}

#[test]
fn each_list_has_its_member_and_its_name() {
    for (list, member, name) in [
        (ListKind::Prompts, "prompts", "name"),
        (ListKind::Resources, "resources", "uri"),
        (ListKind::Templates, "resourceTemplates", "uriTemplate"),
        (ListKind::Tools, "tools", "name"),
    ] {
        let body = |entries: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"{member}":[{entries}]}}}}"#)
        };
        let (seen, hidden) =
            (format!(r#"{{"{name}":"a"}}"#), format!(r#"{{"{name}":"hidden","name ":"a"}}"#));
        let both = body(&format!("{hidden},{seen}"));
        assert_eq!(json(list, &both), Ok((body(&seen), 1)), "{member}");
        // A list of another kind is no answer.
        for other in [ListKind::Prompts, ListKind::Resources, ListKind::Templates, ListKind::Tools]
        {
            if other != list {
                assert_eq!(json(other, &both), Err("has no list"), "{member}");
            }
        }
    }
}

#[test]
fn an_entry_is_asked_about_by_the_name_that_it_means() {
    let mut asked = Vec::new();
    let body = tools(r#"{"name":"\u0068idden"},{"name":"é"}"#);
    let filtered = filter(ListKind::Tools, &id(), Framing::Json, body.as_bytes(), &mut |entries| {
        asked.push(format!("{entries:?}"));
        Ok(vec![false; entries.len()])
    });
    assert_eq!(asked, [r#"[Tool("hidden"), Tool("é")]"#]);
    assert_eq!((filtered.removed, filtered.failure), (2, None));
}

#[test]
fn a_list_that_is_not_decided_becomes_an_error() {
    let body = tools(r#"{"name":"a"},{"name":"b"}"#);
    let failure = |keep: &mut Keep<'_>| {
        filter(ListKind::Tools, &id(), Framing::Json, body.as_bytes(), keep).failure
    };
    assert_eq!(failure(&mut |_| Ok(vec![true, true])), None);
    assert_eq!(failure(&mut |_| Err("the token has expired")), Some("the token has expired"));
    for count in [0, 1, 3] {
        assert_eq!(failure(&mut |_| Ok(vec![true; count])), Some("is not decided entry by entry"));
    }
}

#[test]
fn the_answer_to_one_is_for_no_other() {
    let with = |scope: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"result":{{"tools":[{{"name":"a"}}],"ttlMs":1,"cacheScope":{scope}}}}}"#
        )
    };
    assert_eq!(json(ListKind::Tools, &with(r#""public""#)), Ok((with(r#""private""#), 0)));
    assert_eq!(json(ListKind::Tools, &with(r#""Private""#)), Ok((with(r#""private""#), 0)));
    assert_eq!(json(ListKind::Tools, &with("null")), Ok((with(r#""private""#), 0)));
    assert_eq!(json(ListKind::Tools, &with(r#""private""#)), Ok((with(r#""private""#), 0)));
    assert_eq!(json(ListKind::Tools, &with(r#" "private""#)), Ok((with(r#" "private""#), 0)));
}

#[test]
fn an_error_of_the_server_passes() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"no"}}"#,
    ] {
        assert_eq!(json(ListKind::Tools, text), Ok((text.to_owned(), 0)));
    }
}

#[test]
fn what_is_no_answer_to_this_request_becomes_an_error() {
    let answer = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[]}}}}"#);
    assert_eq!(json(ListKind::Tools, &answer("7")), Ok((answer("7"), 0)));
    for id in ["8", "\"7\"", "70"] {
        assert_eq!(json(ListKind::Tools, &answer(id)), Err("answers another request"), "{id}");
    }
    for id in ["7.0", "null", "[]"] {
        assert_eq!(json(ListKind::Tools, &answer(id)), Err("has no id"), "{id}");
    }
    for (text, problem) in [
        (r#"{"jsonrpc":"2.0","result":{"tools":[]}}"#, "has no id"),
        (r#"{"jsonrpc":"2.0","id":8,"error":{"code":1,"message":""}}"#, "answers another request"),
        (r#"{"jsonrpc":"2.0","method":"notifications/message"}"#, "is no response"),
        (r#"{"jsonrpc":"2.0","id":7}"#, "is no message"),
        (r#"{"id":7,"result":{"tools":[]}}"#, "is not JSON-RPC 2.0"),
        (r#"[{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}]"#, "is no object"),
        ("", "is not strict JSON"),
    ] {
        assert_eq!(json(ListKind::Tools, text), Err(problem), "{text}");
    }
}

#[test]
fn what_two_clients_could_read_differently_becomes_an_error() {
    for (text, problem) in [
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]},"result":{"tools":[{"name":"a"}]}}"#,
            "has a duplicate member",
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[],"t\u006fols":[{"name":"a"}]}}"#,
            "has a duplicate member",
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a","name":"hidden"}]}}"#,
            "has a duplicate member",
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]},"error":{"code":1,"message":""}}"#,
            "has `result` and `error`",
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]},"method":"x"}"#,
            "has a member that no response has",
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":""},"method":"x"}"#,
            "has a member that no response has",
        ),
        (r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}} x"#, "is not strict JSON"),
    ] {
        assert_eq!(json(ListKind::Tools, text), Err(problem), "{text}");
    }
    let bytes = b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"tools\":[],\"x\":\"\xff\"}}";
    let failure = filter(ListKind::Tools, &id(), Framing::Json, bytes, &mut visible).failure;
    assert_eq!(failure, Some("is not UTF-8"));
}

#[test]
fn a_list_of_another_shape_becomes_an_error() {
    for (result, problem) in [
        ("[]", "`result` is no object"),
        ("{}", "has no list"),
        (r#"{"tools":{}}"#, "has no list"),
        (r#"{"tools":null}"#, "has no list"),
        (r#"{"Tools":[]}"#, "has no list"),
        (r#"{"tools":["a"]}"#, "has an entry without a name"),
        (r#"{"tools":[{}]}"#, "has an entry without a name"),
        (r#"{"tools":[{"name":1}]}"#, "has an entry without a name"),
        (r#"{"tools":[{"name":null}]}"#, "has an entry without a name"),
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{result}}}"#);
        assert_eq!(json(ListKind::Tools, &text), Err(problem), "{result}");
    }
}

#[test]
fn a_list_has_limits() {
    let of = |count: usize| tools(&vec![r#"{"name":"a"}"#; count].join(","));
    assert_eq!(json(ListKind::Tools, &of(limits::LIST_ENTRIES)).map(|(_, removed)| removed), Ok(0));
    assert_eq!(
        json(ListKind::Tools, &of(limits::LIST_ENTRIES + 1)),
        Err("has more entries than the limit")
    );
    let long = |bytes: usize| {
        let empty = tools("").len();
        format!("{}{}", tools(""), " ".repeat(bytes - empty))
    };
    assert_eq!(json(ListKind::Tools, &long(limits::LIST_BYTES)).map(|(_, removed)| removed), Ok(0));
    let too_long = long(limits::LIST_BYTES + 1);
    assert_eq!(json(ListKind::Tools, &too_long), Err("is longer than the limit"));
    assert_eq!(
        filtered(ListKind::Tools, Framing::Events, &too_long),
        Err("is longer than the limit")
    );
}

#[test]
fn in_a_stream_only_the_answer_is_rewritten() {
    let before = ": ping\n\nid: 1\ndata:\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"tools\":[{\"name\":\"hidden\"}]}}\n\n";
    let answer = tools(r#"{"name":"hidden"},{"name":"a"}"#);
    let body =
        format!("{before}event: message\r\nid: 2\r\ndata: {answer}\r\nretry: 5\r\n\r\n: end\n\n");
    let seen = tools(r#"{"name":"a"}"#);
    let expected =
        format!("{before}event: message\r\nid: 2\r\ndata: {seen}\nretry: 5\r\n\r\n: end\n\n");
    assert_eq!(filtered(ListKind::Tools, Framing::Events, &body), Ok((expected, 1)));
}

#[test]
fn data_in_several_lines_is_one_text() {
    let body = "data: {\"jsonrpc\":\"2.0\",\ndata:\"id\":7,\"result\":{\"tools\":[\nx: y\ndata: {\"name\":\ndata: \"a\"},{\"name\":\"hidden\"}]}}\n\n";
    let expected = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"tools\":[{\"name\":\ndata: \"a\"}]}}\nx: y\n\n";
    assert_eq!(filtered(ListKind::Tools, Framing::Events, body), Ok((expected.to_owned(), 1)));
}

#[test]
fn an_event_that_does_not_end_is_filtered_as_well() {
    let hidden = tools(r#"{"name":"hidden"}"#);
    let expected = format!("data: {}\n", tools(""));
    for end in ["", "\n", "\r", "\r\n"] {
        let body = format!("data:{hidden}{end}");
        let filtered = filtered(ListKind::Tools, Framing::Events, &body);
        assert_eq!(filtered, Ok((expected.clone(), 1)), "{end:?}");
    }
}

#[test]
fn a_stream_that_cannot_be_read_becomes_an_error() {
    let answer = tools("");
    for (body, problem) in [
        ("data: x\n\n".to_owned(), "is not strict JSON"),
        (format!("\u{feff}data: {answer}\n\n"), "has a byte-order mark"),
        (format!("data: {}\n\n", answer.replace('7', "8")), "answers another request"),
        (format!("data: {answer}\ndata: {answer}\n\n"), "is not strict JSON"),
        (format!("data: [{answer}]\n\n"), "is no object"),
    ] {
        assert_eq!(filtered(ListKind::Tools, Framing::Events, &body), Err(problem), "{body}");
    }
    let bytes = filter(ListKind::Tools, &id(), Framing::Events, b"data: \xff\n\n", &mut visible);
    assert_eq!(bytes.failure, Some("is not UTF-8"));
}

#[test]
fn the_content_type_tells_the_framing() {
    for (text, expected) in [
        ("application/json", Some(Framing::Json)),
        ("Application/JSON; charset=UTF-8", Some(Framing::Json)),
        ("application/json;charset=\"utf-8\"", Some(Framing::Json)),
        ("text/event-stream", Some(Framing::Events)),
        ("text/event-stream; charset=utf-8", Some(Framing::Events)),
        ("application/json; charset=utf-16", None),
        ("application/json; charset=utf-8; charset=utf-7", None),
        ("application/json, text/event-stream", None),
        ("application/jsonp", None),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(framing(Some(text.as_bytes())), expected, "{text}");
    }
    assert_eq!(framing(Some(b"application/json\xff")), None);
    assert_eq!(framing(None), None);
}

/// What a stream lets through of these chunks.
fn streamed(chunks: &[&[u8]]) -> Result<String, &'static str> {
    let mut stream = Stream::default();
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend(stream.push(chunk, false, &mut visible)?);
    }
    out.extend(stream.push(b"", true, &mut visible)?);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_resumed_stream_shows_no_list_that_was_asked_for_before() {
    let hidden = tools(r#"{"name":"hidden"},{"name":"a"}"#).replace("\"id\":7", "\"id\":\"any\"");
    let seen = tools(r#"{"name":"a"}"#).replace("\"id\":7", "\"id\":\"any\"");
    let call = r#"data: {"jsonrpc":"2.0","id":1,"result":{"content":[],"tools":["hidden"]}}"#;
    let request = r#"data: {"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}"#;
    let body = format!("{call}\n\ndata: {hidden}\n\n{request}\n\n");
    let expected = format!("{call}\n\ndata: {seen}\n\n{request}\n\n");
    assert_eq!(streamed(&[body.as_bytes()]), Ok(expected));
    assert_eq!(streamed(&[b"data: {\n\n"]), Err("is not strict JSON"));
}

#[test]
fn events_pass_as_soon_as_they_are_whole() {
    let mut stream = Stream::default();
    let mut push = |chunk: &str| {
        let passed = stream.push(chunk.as_bytes(), false, &mut visible).unwrap();
        String::from_utf8(passed).unwrap()
    };
    assert_eq!(push(": a\n"), "");
    assert_eq!(push("\n: b"), ": a\n\n");
    assert_eq!(push("\r"), "");
    // A line feed may follow, and would be of the same end.
    assert_eq!(push("\n\r"), "");
    assert_eq!(push("\n"), ": b\r\n\r\n");
    assert_eq!(push("\n"), "\n");
}

#[test]
fn an_event_of_a_stream_has_a_limit() {
    let chunk = vec![b'a'; 64 * 1024];
    let mut stream = Stream::default();
    for _ in 0..limits::LIST_BYTES / chunk.len() {
        assert_eq!(stream.push(&chunk, false, &mut visible), Ok(vec![]));
    }
    assert_eq!(
        stream.push(b"a", false, &mut visible),
        Err("has an event that is longer than the limit")
    );
}

/// Entries as their bytes, and whether each is shown.
fn entries() -> impl Strategy<Value = Vec<(String, bool)>> {
    let space = "[ \t]{0,2}";
    let rest = prop_oneof![
        Just(String::new()),
        (space, "[1-9]{1,3}(\\.[0-9]0)?")
            .prop_map(|(space, number)| { format!(",{space}\"x\"{space}:{space}{number}") }),
        "[a-zé\\\\\\\\\"n]{0,8}".prop_map(|text| {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!(",\"description\" :\"{text}\"")
        }),
    ];
    let entry =
        (any::<bool>(), "[a-z]{1,4}", space, rest).prop_map(|(shown, name, space, rest)| {
            let name = if shown { format!("s{name}") } else { format!("hidden{name}") };
            (format!("{{{space}\"name\"{space}:\"{name}\"{rest}{space}}}"), shown)
        });
    prop::collection::vec(entry, 0..8)
}

/// The body of a list with these entries, and what is to be left.
fn bodies(entries: &[(String, bool)]) -> (String, String) {
    let joined = |entries: Vec<&str>| tools(&entries.join(","));
    let all = joined(entries.iter().map(|(entry, _)| entry.as_str()).collect());
    let shown = entries.iter().filter(|(_, shown)| *shown);
    (all, joined(shown.map(|(entry, _)| entry.as_str()).collect()))
}

proptest! {
    #[test]
    fn exactly_what_may_be_used_is_left_byte_for_byte(entries in entries()) {
        let (all, shown) = bodies(&entries);
        let removed = entries.iter().filter(|(_, shown)| !shown).count();
        prop_assert_eq!(json(ListKind::Tools, &all), Ok((shown.clone(), removed)));
        let event = |body: &str| format!("id: 1\ndata: {body}\n\n");
        prop_assert_eq!(
            filtered(ListKind::Tools, Framing::Events, &event(&all)),
            Ok((event(&shown), removed))
        );
    }

    #[test]
    fn what_is_filtered_stays_as_it_is(entries in entries()) {
        let (all, _) = bodies(&entries);
        let once = json(ListKind::Tools, &all).unwrap().0;
        prop_assert_eq!(json(ListKind::Tools, &once), Ok((once, 0)));
    }

    #[test]
    fn how_a_stream_is_cut_does_not_matter(
        entries in entries(),
        ends in prop::collection::vec(prop_oneof![Just("\n"), Just("\r"), Just("\r\n")], 5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let (all, _) = bodies(&entries);
        let lines = [": hello", "", &format!("data: {all}"), "id: 3", ""];
        let body: String = lines.iter().zip(&ends).map(|(line, end)| format!("{line}{end}")).collect();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut begun = 0;
        for cut in cuts {
            chunks.push(&body.as_bytes()[begun..cut]);
            begun = cut;
        }
        chunks.push(&body.as_bytes()[begun..]);
        prop_assert_eq!(streamed(&chunks), streamed(&[body.as_bytes()]));
    }

    #[test]
    fn no_body_makes_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "(data: ?|id|\n|\r|:|\\{\"jsonrpc\":\"2.0\"|,\"id\":7|,\"result\":\\{\\}|\"tools\":\\[|\\}|x){0,12}",
    ) {
        for body in [&bytes[..], text.as_bytes()] {
            for framing in [Framing::Json, Framing::Events] {
                let filtered = filter(ListKind::Tools, &id(), framing, body, &mut visible);
                prop_assert!(filtered.failure.is_some() || filtered.removed == 0);
            }
            let _ = streamed(&[body]);
        }
    }
}
