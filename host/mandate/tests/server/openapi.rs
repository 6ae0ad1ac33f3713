//! The OpenAPI document, the routes, and the table of endpoints: one list.

use std::collections::BTreeSet;
use std::path::Path;

use mandate::server::{Body, ENDPOINTS};
use serde_json::Value;

use crate::world::SHARED;

fn document() -> Value {
    let (status, text) = SHARED.get("/openapi.json", None);
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_page_is_the_document_that_is_served() {
    let served = document();
    assert_eq!(served, mandate::server::openapi());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let expected = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
    std::fs::write(&fresh, &expected).unwrap();
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == expected, "docs/openapi.json is another: copy {} there", fresh.display());
}

#[test]
fn the_document_has_every_endpoint_of_http_and_no_other() {
    let document = document();
    let mut named: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            named.push((path.clone(), method.to_uppercase()));
        }
    }
    named.sort();
    let mut known: Vec<_> = ENDPOINTS
        .iter()
        .filter(|one| one.takes != Body::Grpc)
        .map(|one| (one.path.to_owned(), one.method.to_owned()))
        .collect();
    known.sort();
    assert_eq!(named, known);
    let grpc: Vec<&str> =
        ENDPOINTS.iter().filter(|one| one.takes == Body::Grpc).map(|one| one.path).collect();
    assert_eq!(document["x-grpc"], serde_json::json!(grpc));
}

#[test]
fn the_router_has_the_routes_of_the_table_and_no_others() {
    // What axum holds cannot be listed: what is written is read.
    let mut routes: BTreeSet<(String, String)> = BTreeSet::new();
    for file in ["router.rs", "admin.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        for written in text.split(".route(").skip(1) {
            let (_, rest) = written.split_once('"').unwrap();
            let (route, rest) = rest.split_once('"').unwrap();
            let handlers = rest.split(".route").next().unwrap();
            let handlers = handlers.split("\n        .").next().unwrap();
            for method in ["get", "post", "put", "delete", "patch", "any", "head"] {
                // `get(` of the chain or of its begin, not `widget(`.
                let mut before: Vec<&str> = handlers.split(&format!("{method}(")).collect();
                before.pop();
                if before.iter().any(|text| text.ends_with([' ', '.', '\n'])) {
                    routes.insert((route.to_owned(), method.to_uppercase()));
                }
            }
        }
    }
    let known: BTreeSet<_> = ENDPOINTS
        .iter()
        .filter(|one| one.takes != Body::Grpc)
        .map(|one| (one.path.to_owned(), one.method.to_owned()))
        .collect();
    assert_eq!(routes, known);
    // And the server that runs has each: another method than these is told so, not that nothing is there.
    for (path, _) in &known {
        let path = path.replace(['{', '}'], "x");
        let url = format!("{}{path}", SHARED.address);
        let request = ureq::http::Request::delete(url).body(()).unwrap();
        let status = crate::world::agent().run(request).unwrap().status().as_u16();
        assert_eq!(status, 405, "{path}");
    }
}
