//! The plugin's configuration: one JSON document (docs/envoy.md#configuration).

// By its path, so that the file is found too where `mandate envoy lint` takes in this one.
#[path = "configuration/key_set_address.rs"]
mod key_set_address;

use mandate_authn::{LoadError, base64url, read_document};
use serde::Deserialize;

pub(crate) use self::key_set_address::KeySetAddress;

/// What one plugin of one VM does.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// Who writes the audit records: one name a proxy, among all that write to one registry.
    pub(crate) emitter: String,
    /// The trust document; absent in the singleton, which decides nothing.
    pub(crate) trust: Option<String>,
    /// Whose state, and signed by whom.
    pub(crate) state: String,
    pub(crate) supply: Supply,
    /// Where the key sets are that are fetched by who asks the feed.
    pub(crate) key_sets: Vec<KeySetAddress>,
    pub(crate) route: RouteName,
    pub(crate) session_secret: Option<Vec<u8>>,
    pub(crate) client_certificate: bool,
    pub(crate) peer_address: bool,
    /// Checks of signatures in one tick.
    pub(crate) verifications: u32,
    pub(crate) tick_milliseconds: u32,
}

/// Where the state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// One of the VMs of the same `vm_id` that know a feed asks it and shares what comes; without a
    /// `vm_id` each VM asks for itself.
    Feed(FeedAddress),
    /// Others of the same `vm_id` share it.
    Shared,
}

/// Where the feed is: docs/feed.md.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedAddress {
    /// The cluster.
    pub(crate) cluster: String,
    /// The `Host` of the requests.
    pub(crate) authority: String,
    /// What stands before `/v1/snapshot`.
    #[serde(default)]
    pub(crate) path: String,
}

/// How the route of a request is named to the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RouteName {
    /// By its path alone, among all routes.
    ByPath,
    /// This one: the filter stands before one route.
    Fixed(String),
    /// As the Envoy route is named.
    OfEnvoy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    role: Option<Role>,
    emitter: String,
    trust: Option<serde_json::Value>,
    state: serde_json::Value,
    feed: Option<FeedAddress>,
    #[serde(default)]
    key_sets: Vec<KeySetAddress>,
    route: Option<String>,
    #[serde(default)]
    route_from_envoy: bool,
    session_secret: Option<String>,
    #[serde(default)]
    client_certificate: bool,
    #[serde(default)]
    peer_address: bool,
    verifications_per_tick: Option<u32>,
    tick_milliseconds: Option<u32>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Role {
    #[default]
    Filter,
    Sync,
}

impl Configuration {
    /// Whether it is of no use without what VMs share: it decides nothing itself, or asks nobody.
    pub(crate) fn must_share(&self) -> bool {
        self.trust.is_none() || self.supply == Supply::Shared
    }

    /// Reads the document strictly.
    pub(crate) fn parse(text: &str) -> Result<Self, LoadError> {
        let written: Written = read_document(text)?;
        let role = written.role.unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !(1..=EMITTER_BYTES).contains(&written.emitter.len())
            || !written.emitter.bytes().all(plain)
        {
            return Err(LoadError::new("emitter", "must be 1 to 64 of letters, digits, `-._`"));
        }
        let supply = match (role, written.feed) {
            (Role::Filter, None) => Supply::Shared,
            (Role::Filter | Role::Sync, Some(feed)) => Supply::Feed(checked(feed)?),
            (Role::Sync, None) => return Err(LoadError::new("feed", "is what `sync` is for")),
        };
        if supply == Supply::Shared && !written.key_sets.is_empty() {
            return Err(LoadError::new("key_sets", "are fetched by who has a `feed`"));
        }
        KeySetAddress::check(&written.key_sets)?;
        if written.trust.is_none() && role == Role::Filter {
            return Err(LoadError::new("trust", "is missing"));
        }
        let route = match (written.route, written.route_from_envoy) {
            (None, false) => RouteName::ByPath,
            (None, true) => RouteName::OfEnvoy,
            (Some(name), false) => RouteName::Fixed(name),
            (Some(_), true) => return Err(LoadError::new("route", "is named twice")),
        };
        let secret = written.session_secret.as_deref().map(|text| {
            let refused = || LoadError::new("session_secret", "is no base64url without padding");
            base64url::decode(text.as_bytes()).ok_or_else(refused)
        });
        Ok(Self {
            emitter: written.emitter,
            trust: written.trust.map(|trust| trust.to_string()),
            state: written.state.to_string(),
            supply,
            key_sets: written.key_sets,
            route,
            session_secret: secret.transpose()?,
            client_certificate: written.client_certificate,
            peer_address: written.peer_address,
            verifications: written.verifications_per_tick.unwrap_or(VERIFICATIONS),
            tick_milliseconds: tick(written.tick_milliseconds)?,
        })
    }
}

fn checked(feed: FeedAddress) -> Result<FeedAddress, LoadError> {
    let visible = |text: &str| text.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    let address = [&feed.cluster, &feed.authority];
    if address.iter().any(|text| text.is_empty() || !visible(text)) {
        return Err(LoadError::new("feed", "needs `cluster` and `authority`"));
    }
    let path = &feed.path;
    let absolute = path.is_empty() || (path.starts_with('/') && !path.ends_with('/'));
    if !absolute || !visible(path) || path.contains(['?', '#']) {
        return Err(LoadError::new("feed.path", "must be empty, or begin with `/` and not end so"));
    }
    Ok(feed)
}

fn tick(stated: Option<u32>) -> Result<u32, LoadError> {
    let tick = stated.unwrap_or(TICK_MILLISECONDS);
    if (10..=1000).contains(&tick) {
        return Ok(tick);
    }
    Err(LoadError::new("tick_milliseconds", "must be 10 to 1000: a revocation waits for it"))
}

/// Bytes of an emitter's name: it stands in every decision id, which is a header's value.
const EMITTER_BYTES: usize = 64;
/// Checks of signatures in one tick, where nothing is said: 200 of 37 us are 7 ms of 250.
const VERIFICATIONS: u32 = 200;
/// Milliseconds between two looks at what is shared, where nothing is said.
const TICK_MILLISECONDS: u32 = 250;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(members: &str) -> String {
        let text = format!(r#"{{"emitter":"edge-1","state":{{}}{members}}}"#);
        Configuration::parse(&text).map(|_| ()).unwrap_err().to_string()
    }

    fn supply(members: &str) -> Supply {
        let text = format!(r#"{{"emitter":"edge-1","state":{{}}{members}}}"#);
        Configuration::parse(&text).unwrap().supply
    }

    #[test]
    fn the_role_and_the_feed_say_where_the_state_comes_from() {
        let feed = r#","feed":{"cluster":"feed","authority":"feed.example","path":"/all"}"#;
        let address = FeedAddress {
            cluster: "feed".to_owned(),
            authority: "feed.example".to_owned(),
            path: "/all".to_owned(),
        };
        assert_eq!(supply(r#","trust":{}"#), Supply::Shared);
        assert_eq!(supply(&format!(r#","trust":{{}}{feed}"#)), Supply::Feed(address.clone()));
        assert_eq!(supply(&format!(r#","role":"sync"{feed}"#)), Supply::Feed(address));
    }

    #[test]
    fn a_configuration_that_lacks_something_or_says_too_much_is_refused() {
        let feed = |path: &str| {
            format!(r#","trust":{{}},"feed":{{"cluster":"a","authority":"b","path":"{path}"}}"#)
        };
        for (members, problem) in [
            ("", "`trust`: is missing"),
            (r#","role":"sync""#, "`feed`: is what `sync` is for"),
            (r#","trust":{},"route":"a","route_from_envoy":true"#, "`route`: is named twice"),
            (
                r#","trust":{},"session_secret":"a+b""#,
                "`session_secret`: is no base64url without padding",
            ),
            (
                r#","trust":{},"tick_milliseconds":5000"#,
                "`tick_milliseconds`: must be 10 to 1000: a revocation waits for it",
            ),
            (
                r#","trust":{},"feed":{"cluster":"","authority":"b"}"#,
                "`feed`: needs `cluster` and `authority`",
            ),
            (
                r#","trust":{},"key_sets":[{"issuer":"a","cluster":"b","authority":"c","path":"/d"}]"#,
                "`key_sets`: are fetched by who has a `feed`",
            ),
        ] {
            assert_eq!(refused(members), problem, "{members}");
        }
        for path in ["all", "/all/", "/a?b", "/a b"] {
            let problem = "`feed.path`: must be empty, or begin with `/` and not end so";
            assert_eq!(refused(&feed(path)), problem, "{path}");
        }
        let set = |issuer: &str, cluster: &str, authority: &str, path: &str| {
            serde_json::json!({"issuer": issuer, "cluster": cluster, "authority": authority,
                "path": path})
        };
        for (other, problem) in [
            (set("a", "b", "c", "/d"), "issuer`: has another key set"),
            (set("a b", "b", "c", "/d"), "issuer`: must be visible ASCII"),
            (set("e", "", "c", "/d"), "cluster`: must be visible ASCII"),
            (set("e", "b", "\n", "/d"), "authority`: must be visible ASCII"),
            (set("e", "b", "c", "d"), "path`: must begin with `/`, without a fragment"),
            (set("e", "b", "c", "/d#"), "path`: must begin with `/`, without a fragment"),
        ] {
            let sets = serde_json::json!([set("a", "b", "c", "/d"), other]);
            let members = format!("{},\"key_sets\":{sets}", feed(""));
            assert_eq!(refused(&members), format!("`key_sets[1].{problem}"), "{other}");
        }
        for members in [r#","trust":{},"trusts":{}"#, r#","trust":{},"trust":{}"#] {
            Configuration::parse(&format!(r#"{{"emitter":"e","state":{{}}{members}}}"#))
                .map(|_| ())
                .unwrap_err();
        }
        let named = Configuration::parse(r#"{"emitter":"a b","state":{},"trust":{}}"#);
        assert_eq!(named.map(|_| ()).unwrap_err().path, "emitter");
    }
}
