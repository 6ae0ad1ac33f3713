//! Scopes: what is stored, what is known, and which of two is larger.

use mandate_authn::{Json, Object};
use mandate_authz::policy::Policy;
use mandate_authz::record::{Grant, Scope};

use crate::database::unreadable;
use crate::error::RegistryError;
use crate::text;

/// Canonical JSON: `"*"` is written out, absent is empty.
pub(crate) fn write(scope: &Scope) -> String {
    let mut members = Object::new();
    for (name, grant) in parts(scope) {
        let value = match grant {
            Grant::All => Json::from("*"),
            Grant::Listed(names) if names.is_empty() => continue,
            Grant::Listed(names) => {
                let mut names = names.clone();
                names.sort_unstable();
                names.dedup();
                Json::Array(names.into_iter().map(Json::from).collect())
            }
        };
        members.insert(name.to_owned(), value);
    }
    Json::Object(members).to_canonical()
}

/// As [`write`] wrote it.
pub(crate) fn read(text: &str) -> Result<Scope, RegistryError> {
    let json = Json::parse(text.as_bytes(), 4).map_err(|_| unreadable())?;
    let members = json.as_object().ok_or_else(unreadable)?;
    let grant = |name| match members.get(name) {
        None => Ok(Grant::Listed(Vec::new())),
        Some(Json::String(all)) if all == "*" => Ok(Grant::All),
        Some(listed) => {
            let names = listed.as_strings().ok_or_else(unreadable)?;
            Ok(Grant::Listed(names.into_iter().map(str::to_owned).collect()))
        }
    };
    Ok(Scope {
        workspaces: grant("workspaces")?,
        boards: grant("boards")?,
        modes: grant("modes")?,
        actions: grant("actions")?,
    })
}

/// Refuses what the contract does not know: it would cover nothing, and nobody would notice.
pub(crate) fn check(scope: &Scope, policy: &Policy) -> Result<(), RegistryError> {
    for (name, grant) in parts(scope) {
        let Grant::Listed(names) = grant else { continue };
        for entry in names {
            text::check("an entry of a scope", entry)?;
            let known = match name {
                "modes" => ["admin", "read", "write"].contains(&entry.as_str()),
                "actions" => policy.action(entry).is_some(),
                _ => mandate_authz::object_id::is_bare(entry),
            };
            if !known {
                let message = format!("`{entry}` is nothing that `{name}` of a scope can name");
                return Err(RegistryError::Invalid(message));
            }
        }
    }
    Ok(())
}

/// Whether everything of the second is in the first.
pub(crate) fn covers(whole: &Scope, part: &Scope) -> bool {
    parts(whole).into_iter().zip(parts(part)).all(|((_, whole), (_, part))| match (whole, part) {
        (Grant::All, _) => true,
        (Grant::Listed(_), Grant::All) => false,
        (Grant::Listed(whole), Grant::Listed(part)) => part.iter().all(|name| whole.contains(name)),
    })
}

fn parts(scope: &Scope) -> [(&'static str, &Grant); 4] {
    let Scope { workspaces, boards, modes, actions } = scope;
    [("workspaces", workspaces), ("boards", boards), ("modes", modes), ("actions", actions)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(boards: Grant, modes: &[&str]) -> Scope {
        let modes = Grant::Listed(modes.iter().map(|mode| (*mode).to_owned()).collect());
        Scope { workspaces: Grant::All, boards, modes, actions: Grant::Listed(Vec::new()) }
    }

    #[test]
    fn everything_is_written_out_and_nothing_is_absent() {
        let scope = scope(Grant::All, &["write", "read"]);
        let text = r#"{"boards":"*","modes":["read","write"],"workspaces":"*"}"#;
        assert_eq!(write(&scope), text);
        assert_eq!(write(&read(text).unwrap()), text);
        assert_eq!(read(text).unwrap().actions, Grant::Listed(Vec::new()));
    }

    #[test]
    fn a_scope_covers_what_is_in_it_and_no_more() {
        let all = scope(Grant::All, &["read"]);
        let one = scope(Grant::Listed(vec!["roadmap".to_owned()]), &["read"]);
        let none = scope(Grant::Listed(Vec::new()), &[]);
        let more = scope(Grant::Listed(Vec::new()), &["read", "write"]);
        let order = [&none, &one, &all];
        for (at, whole) in order.iter().enumerate() {
            for (other, part) in order.iter().enumerate() {
                assert_eq!(covers(whole, part), other <= at, "{at} {other}");
            }
            assert!(!covers(whole, &more));
        }
    }
}
