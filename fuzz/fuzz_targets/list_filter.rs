//! Answers to requests for lists: whatever a server says, no reader finds in what goes on an entry
//! that this user may not use.
//!
//! The first byte chooses the list and how it comes, the rest is the body.

#![no_main]

use std::cell::OnceCell;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_fuzz::gate::{NOW, RESOURCE, TOOLS, has_duplicates, names, pass, with_gate};
use mandate_fuzz::mutate_from;
use mandate_gate::{EventStream, ListTicket, StreamTicket};
use serde_json::{Value, json};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let tools = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board","inputSchema":{"a":[1,{}]}},{"name":"edit_board"},{"name":"list_boards"}],"nextCursor":"c","cacheScope":"public"}}"#;
    let resources = r#"{"jsonrpc":"2.0","id":7,"result":{"resources":[{"uri":"mem://plan"},{"name":"x","uri":"mem://pay"}]}}"#;
    let events = format!(
        ": hi\r\n\r\nid: 1\nevent: message\ndata: {tools}\n\ndata: {{\"jsonrpc\":\"2.0\",\ndata: \"method\":\"x\"}}\n\n"
    );
    let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"\u0041"}}"#;
    let seeds =
        [(0, tools), (1, events.as_str()), (2, resources), (3, events.as_str()), (0, error)];
    seeds.iter().map(|(first, body)| [&[*first], body.as_bytes()].concat()).collect()
});

thread_local! {
    static TICKETS: OnceCell<(ListTicket, ListTicket, StreamTicket)> = const { OnceCell::new() };
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    TICKETS.with(|tickets| {
        let (tools, resources, stream) = tickets.get_or_init(tickets_of);
        match first % 4 {
            0 => list(tools, "application/json", body, &|text| only_tools(text)),
            1 => list(tools, "text/event-stream", body, &|text| events(text)),
            2 => list(resources, "application/json", body, &|text| only_resources(text)),
            _ => streamed(stream, body),
        }
    });
});

fn tickets_of() -> (ListTicket, ListTicket, StreamTicket) {
    let request = |method: &str| json!({"jsonrpc": "2.0", "id": 7, "method": method});
    let ticket = |method| pass(&request(method)).response.list.expect("a ticket");
    let tools = ticket("tools/list");
    let text: Value = serde_json::from_str(&tools.to_text()).expect("JSON");
    let stream = json!({"asker": text["asker"]}).to_string();
    (tools, ticket("resources/list"), StreamTicket::parse(&stream).expect("a ticket"))
}

fn list(ticket: &ListTicket, content_type: &str, body: &[u8], check: &dyn Fn(&str)) {
    let filter =
        |body: &[u8]| with_gate(|gate| gate.filter_list(ticket, Some(content_type), body, NOW));
    let reply = filter(body);
    let text = std::str::from_utf8(&reply.body).expect("what goes on is text");
    check(text);
    if reply.failure.is_none() {
        // Whatever is left is all hers: nothing more is taken away, and no byte changes.
        let again = filter(&reply.body);
        assert_eq!((again.failure, again.removed), (None, 0), "{text}");
        assert_eq!(again.body, reply.body, "{text}");
    }
}

/// In one piece and byte by byte, held by the gate or by the host: the same.
fn streamed(ticket: &StreamTicket, body: &[u8]) {
    let whole =
        with_gate(|gate| gate.filter_stream(&mut EventStream::default(), ticket, body, true, NOW));
    let (mut held, mut out, mut failure) = (Vec::new(), Vec::new(), None);
    for (at, byte) in body.iter().enumerate() {
        let mut stream = EventStream::of_held(&held);
        let last = at + 1 == body.len();
        let piece = with_gate(|gate| gate.filter_stream(&mut stream, ticket, &[*byte], last, NOW));
        match piece {
            Ok(more) => out.extend(more),
            Err(problem) => {
                failure = Some(problem);
                break;
            }
        }
        held = stream.into_held();
    }
    events(std::str::from_utf8(&out).expect("what goes on is text"));
    match (whole, failure) {
        (Ok(whole), None) => assert_eq!(whole, out),
        (Err(_), Some(_)) => {}
        (whole, failure) => panic!("{whole:?} and {failure:?}"),
    }
}

/// Reads events as clients do: lines end with LF, CR or CR LF, `data` lines are one text.
fn events(text: &str) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for event in text.split("\n\n") {
        let data = event.lines().filter_map(|line| {
            let value = line.strip_prefix("data")?;
            if value.is_empty() { Some("") } else { value.strip_prefix(':') }
        });
        let data: Vec<&str> = data.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect();
        only_tools(&data.join("\n"));
        only_resources(&data.join("\n"));
    }
}

fn only_tools(text: &str) {
    let Ok(message) = serde_json::from_str::<Value>(text) else { return };
    assert!(!has_duplicates(text.as_bytes()), "{text}");
    let named = names(&message, "tools", "name");
    for name in &named {
        assert!(TOOLS.contains(&name.as_str()), "{text}");
    }
    // Without a name in it it is no list to anybody.
    if !named.is_empty()
        && let Some(scope) = message.pointer("/result/cacheScope")
    {
        assert_eq!(scope, "private", "{text}");
    }
}

fn only_resources(text: &str) {
    let Ok(message) = serde_json::from_str::<Value>(text) else { return };
    assert!(!has_duplicates(text.as_bytes()), "{text}");
    for uri in names(&message, "resources", "uri") {
        assert_eq!(uri, RESOURCE, "{text}");
    }
}
