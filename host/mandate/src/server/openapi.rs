//! The OpenAPI 3.1 document: made of the table of endpoints, and of the schemas beside this file.

use std::sync::LazyLock;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Answer, json_answer};
use super::endpoint::{Admission, Body, ENDPOINTS, Endpoint, Form, LARGEST_PAGE, Parameter};

/// The document: docs/openapi.json is its text.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut grpc = Vec::new();
    for endpoint in ENDPOINTS {
        if endpoint.takes == Body::Grpc {
            grpc.push(json!(endpoint.path));
            continue;
        }
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(endpoint.method.to_ascii_lowercase(), operation(endpoint));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mandate",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "May this agent, acting for this user, do this, now?",
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS.clone(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "an access token for `serve.audience`",
                },
            },
        },
        // gRPC, on a listener of its own: no operation of HTTP.
        "x-grpc": grpc,
    })
}

/// The document, to everybody: it says what a reader of the source knows.
pub(super) async fn served() -> Answer {
    json_answer(StatusCode::OK, &DOCUMENT)
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Each by its name. The text is a part of the program, and a test reads it.
static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("openapi/schemas.json")).unwrap_or_default()
});

fn operation(endpoint: &Endpoint) -> Value {
    let is_open = endpoint.admission == Admission::Anybody;
    let mut operation = json!({
        "operationId": name(endpoint),
        "summary": endpoint.summary,
        "security": if is_open { json!([]) } else { json!([{ "bearer": [] }]) },
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, is_open),
        "x-caller": format!("{:?}", endpoint.admission).to_ascii_lowercase(),
    });
    if let (Some(content), Some(members)) = (content(endpoint.takes), operation.as_object_mut()) {
        members.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}

/// `get_admin_v1_identities_identity`.
fn name(endpoint: &Endpoint) -> String {
    let path = endpoint.path.replace(['{', '}'], "");
    let path = path.trim_matches('/').replace(['/', '-', '.'], "_");
    format!("{}_{}", endpoint.method.to_ascii_lowercase(), path.trim_matches('_'))
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let variables = endpoint.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let schema = json!({ "type": "string", "minLength": 1 });
        Some(json!({ "name": name, "in": "path", "required": true, "schema": schema }))
    });
    let query = endpoint.query.iter().map(|Parameter { name, form }| {
        let required = *form == Form::Position;
        json!({ "name": name, "in": "query", "required": required, "schema": schema(*form) })
    });
    let field = endpoint.field.iter().map(|name| {
        json!({ "name": name, "in": "header", "required": true, "schema": { "type": "string" } })
    });
    variables.chain(query).chain(field).collect()
}

fn schema(form: Form) -> Value {
    match form {
        Form::Limit => json!({ "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE }),
        Form::Number => {
            let most = mandate_registry::limits::LARGEST_TIME;
            json!({ "type": "integer", "minimum": 0, "maximum": most })
        }
        Form::Object => json!({ "$ref": "#/components/schemas/Object" }),
        Form::Position => json!({ "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" }),
        Form::Relationship => json!({ "type": "string", "examples": ["board:a#viewer@user:b"] }),
        Form::Text => json!({ "type": "string" }),
    }
}

fn responses(endpoint: &Endpoint, is_open: bool) -> Value {
    let mut responses = Map::new();
    let mut put = |status: &str, description: &str, content: Option<Value>| {
        let mut response = json!({ "description": description });
        if let (Some(content), Some(members)) = (content, response.as_object_mut()) {
            members.insert("content".to_owned(), content);
        }
        responses.insert(status.to_owned(), response);
    };
    put("200", endpoint.summary, content(endpoint.gives));
    let error = content(Body::Json("Error"));
    if !is_open {
        put("401", "no good token: `WWW-Authenticate` says what is missing", error.clone());
    }
    if endpoint.path == "/readyz" {
        put("503", "no decision can be made, and why", content(endpoint.gives));
    }
    if matches!(endpoint.takes, Body::Form(_)) {
        let either = json!({ "anyOf": [
            { "$ref": "#/components/schemas/Error" }, { "$ref": "#/components/schemas/OauthError" },
        ] });
        let either = json!({ "application/json": { "schema": either } });
        put("default", "a refusal: docs/server.md#errors", Some(either));
    } else {
        put("default", "a refusal: docs/server.md#errors", error);
    }
    Value::Object(responses)
}

fn content(body: Body) -> Option<Value> {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let (content_type, schema) = match body {
        Body::Bytes(content_type) => (content_type, json!({})),
        Body::Form(name) => ("application/x-www-form-urlencoded", reference(name)),
        Body::Grpc | Body::Nothing => return None,
        Body::Json(name) => ("application/json", reference(name)),
        Body::Lines(name) => ("application/x-ndjson", reference(name)),
        Body::Text(content_type) => (content_type, json!({ "type": "string" })),
    };
    Some(json!({ content_type: { "schema": schema } }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` below a value.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(elements) => elements.iter().for_each(|one| references(one, found)),
            Value::Object(members) => {
                for (name, member) in members {
                    if let (true, Some(text)) = (name == "$ref", member.as_str()) {
                        found.insert(text.rsplit('/').next().unwrap_or_default().to_owned());
                    }
                    references(member, found);
                }
            }
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_schema_is_there_and_is_used() {
        let mut used = BTreeSet::new();
        references(&document(), &mut used);
        let there: BTreeSet<String> = SCHEMAS.as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, there);
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: BTreeSet<String> = ENDPOINTS.iter().map(name).collect();
        assert_eq!(names.len(), ENDPOINTS.len());
    }
}
