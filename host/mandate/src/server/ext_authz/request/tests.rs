use std::collections::BTreeMap;

use super::super::message::{Address, HeaderMap, HeaderValue, Request as Asked, SocketAddress};
use super::*;

fn settings() -> ExtAuthzSettings {
    serde_json::from_str(r#"{ "listen": "127.0.0.1:0" }"#).unwrap()
}

fn http() -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        path: "/boards/roadmap?x=%20".to_owned(),
        ..HttpRequest::default()
    }
}

fn raw(fields: &[(&str, &[u8])]) -> HttpRequest {
    let headers = fields.iter().map(|(key, value)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.to_vec(),
        ..HeaderValue::default()
    });
    HttpRequest { header_map: Some(HeaderMap { headers: headers.collect() }), ..http() }
}

fn joined(fields: &[(&str, &str)]) -> HttpRequest {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    HttpRequest { headers: fields.iter().map(pair).collect(), ..http() }
}

fn attributes(http: HttpRequest) -> AttributeContext {
    AttributeContext {
        source: None,
        request: Some(Asked { http: Some(http) }),
        context_extensions: BTreeMap::from([(ROUTE.to_owned(), "web".to_owned())]),
    }
}

fn read_http(http: HttpRequest) -> Result<Request, ReasonCode> {
    read(attributes(http), &settings())
}

#[test]
fn bytes_are_taken_as_they_came_in_their_order() {
    let asked =
        raw(&[(":path", b"/boards/roadmap?x=%20"), ("b", b"\xff"), ("a", b"1"), ("a", b"2")]);
    let head = Head {
        route: Some("web".to_owned()),
        method: b"GET".to_vec(),
        target: b"/boards/roadmap?x=%20".to_vec(),
        headers: vec![Field::new("b", b"\xff"), Field::new("a", "1"), Field::new("a", "2")],
    };
    assert_eq!(read_http(asked), Ok(Request::new(head)));
}

#[test]
fn the_route_is_named_by_the_configuration_or_there_is_none() {
    for extensions in [BTreeMap::new(), BTreeMap::from([(ROUTE.to_owned(), String::new())])] {
        let mut asked = attributes(raw(&[("mandate_route", b"web")]));
        asked.context_extensions = extensions;
        assert_eq!(read(asked, &settings()), Err(ReasonCode::Unmapped));
    }
}

#[test]
fn what_may_be_two_requests_is_refused() {
    let mut both = raw(&[("a", b"1")]);
    both.headers.insert("a".to_owned(), "2".to_owned());
    let mut twofold = raw(&[("a", b"1")]);
    twofold.header_map.as_mut().unwrap().headers[0].value = "2".to_owned();
    let text = HttpRequest { body: "{}".to_owned(), ..http() };
    for wrong in [
        both,
        twofold,
        text,
        raw(&[(":path", b"/boards/plan")]),
        raw(&[(":method", b"POST")]),
        joined(&[("mcp-method", "tools/call,tools/list")]),
        joined(&[("Mandate_Agent_Context", "a,b")]),
        joined(&[("content-type", "application/json,text/plain")]),
    ] {
        assert_eq!(read_http(wrong.clone()), Err(ReasonCode::Malformed), "{wrong:?}");
    }
    read_http(joined(&[("accept", "application/json,text/event-stream")])).unwrap();
}

#[test]
fn a_part_of_a_body_is_refused_whatever_else_says_that_it_is_whole() {
    let name = "x-envoy-auth-partial-body";
    for fields in
        [&[(name, &b"true"[..])][..], &[(name, b"false"), (name, b"true")], &[(name, b"")]]
    {
        assert_eq!(read_http(raw(fields)), Err(ReasonCode::TooLarge), "{fields:?}");
    }
    assert_eq!(read_http(joined(&[(name, "true")])), Err(ReasonCode::TooLarge));
    let whole = read_http(raw(&[(name, b"false"), ("a", b"1")])).unwrap();
    assert_eq!(whole.head.headers, [Field::new("a", "1")]);
}

#[test]
fn of_the_peer_nothing_is_believed_unless_configured() {
    // A certificate is bytes here: none of it is checked.
    let pem = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
    let encoded = pem.replace(' ', "%20").replace('\n', "%0A");
    let mut asked = attributes(http());
    asked.source = Some(Peer {
        address: Some(Address {
            socket_address: Some(SocketAddress { address: "192.0.2.1".to_owned() }),
        }),
        certificate: encoded,
    });
    let plain = read(asked.clone(), &settings()).unwrap();
    assert_eq!((plain.certificate_sha256, plain.peer_address), (None, None));
    let believed = ExtAuthzSettings { peer_address: true, client_certificate: true, ..settings() };
    let read_so = read(asked.clone(), &believed).unwrap();
    let digest = *Sha256Digest::of(&[1, 2, 3]).as_bytes();
    assert_eq!(
        (read_so.certificate_sha256, read_so.peer_address),
        (Some(digest), Some("192.0.2.1".to_owned()))
    );
    asked.source.as_mut().unwrap().certificate = "%zz".to_owned();
    assert_eq!(read(asked, &believed), Err(ReasonCode::Malformed));
}
