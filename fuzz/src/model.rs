//! Models to start from, and what a sound model leads to.

use mandate_authz::model::Model;
use mandate_authz::snapshot::{Snapshot, World};

use crate::state;

/// Between them every form of the language.
pub const SEEDS: [&str; 3] = [state::MODEL, FORMS, CONDITIONS];

const FORMS: &str = "model
  schema 1.1
# a comment
type user
type team
  relations
    define member: [user, user:*, team#member]
type folder
  relations
    define parent: [folder] # at the end of a line
    define owner: [user] or owner from parent
    define blocked: [user, team#member]
    define editor: ([user, team#member] or owner) but not blocked
    define viewer: [user] and (editor or owner from parent) and member
    define member: editor but not (blocked or owner)
";

const CONDITIONS: &str = r#"model
  schema 1.2
type user
type doc
  relations
    define viewer: [user with c, user:* with d, doc#viewer with c, user]
condition c(a: int, b: list<string>, m: map<bool>, t: timestamp) {
  a in [1, 2] && b.exists(x, x.matches("^a{2}}$")) || m.k // "}"
  && t < timestamp("2024-01-01T00:00:00Z") + duration("1h")
}
condition d(ip: ipaddress, u: uint, f: double, s: string, v: bool, w: duration) {
  ip.in_cidr('10.0.0.0/8') ? u > 3u : s == r"\}" && """}""".size() == int(f) && v
}
"#;

/// A model that validates either says why it cannot be built, in one line, or its snapshot loads.
pub fn build(model: &Model) {
    if model.validate().is_err() {
        return;
    }
    match World::raw(model.clone(), Vec::new()).build([7; 16]) {
        Ok(body) => drop(Snapshot::from_body(body).expect("what was built loads")),
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
}
