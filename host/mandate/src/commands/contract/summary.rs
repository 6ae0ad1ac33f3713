//! The contract at a glance: issuers, apps and routes.

use mandate_authn::App;
use serde_json::{Value, json};

use crate::commands::contract_file::ContractFile;
use crate::output::Page;

/// Writes the two tables.
pub(super) fn write(contract: &ContractFile, page: &mut Page) {
    page.line("");
    let head = ["issuer", "preset", "algorithms", "tenants", "keys", "longest token"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(issuers(contract).iter().map(issuer_row));
    page.table(&rows);
    page.line("");
    let mut rows = vec![["app", "audience", "issuers"].map(str::to_owned).to_vec()];
    for app in contract.checked.apps() {
        let accepted = format!("{} of {}", accepted(contract, app), issuers(contract).len());
        rows.push(vec![app.name.clone(), app.audience.clone(), accepted.clone()]);
        rows.extend(app.routes.iter().map(|route| {
            vec![format!("{}/{}", app.name, route.name), route.audience.clone(), accepted.clone()]
        }));
    }
    page.table(&rows);
}

fn issuer_row(issuer: &Value) -> Vec<String> {
    let lifetime = issuer.get("maximum_lifetime_seconds").and_then(Value::as_u64);
    vec![
        text(issuer, "issuer", "").to_owned(),
        text(issuer, "preset", "none").to_owned(),
        texts(issuer, "algorithms").join(" "),
        texts(issuer, "tenants").join(" "),
        text(issuer, "jwks_uri", "by discovery").to_owned(),
        lifetime.map_or_else(|| "any".to_owned(), |seconds| format!("{seconds} s")),
    ]
}

/// The issuers as written, with what was left out.
pub(super) fn issuers_json(contract: &ContractFile) -> Value {
    let issuer = |issuer: &Value| {
        json!({
            "issuer": text(issuer, "issuer", ""),
            "preset": issuer.get("preset"),
            "algorithms": texts(issuer, "algorithms"),
            "tenants": texts(issuer, "tenants"),
            "jwks_uri": issuer.get("jwks_uri"),
            "maximum_lifetime_seconds": issuer.get("maximum_lifetime_seconds"),
        })
    };
    issuers(contract).iter().map(issuer).collect()
}

/// The apps with their routes.
pub(super) fn apps_json(contract: &ContractFile) -> Value {
    let app = |app: &App| {
        let routes: Vec<_> = app
            .routes
            .iter()
            .map(|route| json!({ "name": route.name, "audience": route.audience }))
            .collect();
        json!({
            "name": app.name,
            "audience": app.audience,
            "issuers_accepted": accepted(contract, app),
            "routes": routes,
        })
    };
    contract.checked.apps().iter().map(app).collect()
}

/// How many issuers the app accepts.
pub(super) fn accepted(contract: &ContractFile, app: &App) -> usize {
    let written = contract.value.get("apps").and_then(Value::as_array).into_iter().flatten();
    let listed = written
        .filter(|written| text(written, "name", "") == app.name)
        .find_map(|written| written.get("issuers")?.as_array());
    listed.map_or_else(|| issuers(contract).len(), Vec::len)
}

/// The issuers as written.
pub(super) fn issuers(contract: &ContractFile) -> &[Value] {
    contract.value.get("issuers").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn text<'v>(value: &'v Value, member: &str, absent: &'v str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or(absent)
}

pub(super) fn texts<'v>(value: &'v Value, member: &str) -> Vec<&'v str> {
    let listed = value.get(member).and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).collect()
}
