//! Routes of the gate: what the operator says about the requests of one door.

use std::collections::BTreeMap;

use mandate_authn::{FailingLine, LoadError};
use mandate_authz::policy::Protocol;
use serde::Deserialize;

use super::method::MethodTable;
use super::open::{Exact, ExactFile};
use super::rule::{Rule, RuleFile};
use super::template::Template;
use super::{Context, at};
use crate::limits;

/// What holds for the requests of one door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) audience: String,
    pub(crate) enforcement: Enforcement,
    /// Whether the token goes upstream, where its only audience is this one.
    pub(crate) forward_token: bool,
    pub(crate) kind: RouteKind,
    pub(crate) metadata: Metadata,
    pub(crate) open: Vec<Exact>,
}

/// Whether a denial is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enforcement {
    /// It is.
    Enforce,
    /// Until a moment (seconds since the epoch), requests that fail at lines 4 to 8 pass, and are
    /// recorded as denied.
    Observe { until: u64 },
}

impl Enforcement {
    /// Whether a failure at this line is only observed at this moment: never who is there, nor the
    /// tenant.
    pub(crate) const fn lets_pass(self, line: FailingLine, now: u64) -> bool {
        let observed = match self {
            Self::Enforce => false,
            Self::Observe { until } => now < until,
        };
        match line {
            FailingLine::Four
            | FailingLine::Five
            | FailingLine::Six
            | FailingLine::Seven
            | FailingLine::Eight => observed,
            FailingLine::Binding
            | FailingLine::Framing
            | FailingLine::Mapping
            | FailingLine::One
            | FailingLine::Three
            | FailingLine::Token
            | FailingLine::Two => false,
        }
    }
}

/// What is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RouteKind {
    Http { rules: Vec<Rule> },
    Mcp(Box<McpRoute>),
}

/// The endpoint of an MCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct McpRoute {
    pub(crate) body_bytes: usize,
    pub(crate) denied: Denied,
    pub(crate) methods: MethodTable,
    pub(crate) path: Template,
    pub(crate) server: String,
    /// Whether the server may have sessions, whose ids are sealed.
    pub(crate) sessions: bool,
}

/// How a denied call is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Denied {
    /// 200 with a JSON-RPC error: clients take 403 for the end of the session.
    #[default]
    Error,
    /// As if the tool did not exist.
    Hide,
    /// 403.
    Status,
}

/// The protected resource metadata of the route: RFC 9728.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Where clients find it: what challenges name.
    pub(crate) url: String,
    /// Its path, at which the gate answers with the document.
    pub(crate) path: Template,
    /// The document.
    pub(crate) document: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteFile {
    audience: String,
    metadata: String,
    #[serde(default)]
    open: Vec<ExactFile>,
    #[serde(default)]
    forward_token: bool,
    observe_until: Option<u64>,
    rules: Option<Vec<RuleFile>>,
    path: Option<String>,
    body_bytes: Option<usize>,
    denied: Option<Denied>,
    sessions: Option<bool>,
}

pub(super) fn check_all(
    files: BTreeMap<String, RouteFile>,
    methods: &BTreeMap<String, MethodTable>,
    context: Context<'_>,
) -> Result<BTreeMap<String, Route>, LoadError> {
    if files.is_empty() {
        return Err(LoadError::new("routes", "must not be empty"));
    }
    let checked = files.into_iter().map(|(name, file)| {
        let route = Route::check(file, methods, context);
        route.map(|route| (name.clone(), route)).map_err(|error| error.under(&at("routes", &name)))
    });
    checked.collect()
}

impl Route {
    fn check(
        mut file: RouteFile,
        methods: &BTreeMap<String, MethodTable>,
        context: Context<'_>,
    ) -> Result<Self, LoadError> {
        let authz = context
            .policy
            .route(&file.audience)
            .ok_or_else(|| LoadError::new("audience", "has no route in `authz.routes`"))?;
        let metadata = Metadata::check(&file.metadata, &file.audience, context)?;
        let open = all("open", std::mem::take(&mut file.open), Exact::check)?;
        let enforcement =
            file.observe_until.map_or(Enforcement::Enforce, |until| Enforcement::Observe { until });
        let (audience, forward_token) = (file.audience.clone(), file.forward_token);
        let kind = match &authz.protocol {
            Protocol::Http { .. } => RouteKind::http(file, &open, context)?,
            Protocol::Mcp { server } => RouteKind::mcp(&file, &open, methods, server)?,
        };
        Ok(Self { audience, enforcement, forward_token, kind, metadata, open })
    }
}

impl RouteKind {
    fn http(file: RouteFile, open: &[Exact], context: Context<'_>) -> Result<Self, LoadError> {
        let mcp_only = [
            ("path", file.path.is_some()),
            ("body_bytes", file.body_bytes.is_some()),
            ("denied", file.denied.is_some()),
            ("sessions", file.sessions.is_some()),
        ];
        if let Some((member, _)) = mcp_only.iter().find(|(_, stated)| *stated) {
            return Err(LoadError::new(member, "is for MCP routes"));
        }
        let missing = || LoadError::new("rules", "an HTTP route needs rules");
        let rules = file.rules.ok_or_else(missing)?;
        let rules = all("rules", rules, |rule| Rule::check(rule, context))?;
        check_overlaps(&rules, open)?;
        Ok(Self::Http { rules })
    }

    fn mcp(
        file: &RouteFile,
        open: &[Exact],
        methods: &BTreeMap<String, MethodTable>,
        server: &str,
    ) -> Result<Self, LoadError> {
        if file.rules.is_some() {
            return Err(LoadError::new("rules", "are for HTTP routes"));
        }
        let path = file.path.as_deref();
        let path = path.ok_or_else(|| LoadError::new("path", "an MCP route needs one"))?;
        let path = Template::parse(path)?;
        if path.variables().next().is_some() {
            return Err(LoadError::new("path", "an MCP endpoint is one exact path"));
        }
        if open.iter().any(|exact| exact.path.overlaps(&path)) {
            return Err(LoadError::new("open", "the path of the endpoint is never open"));
        }
        let body_bytes = file.body_bytes.unwrap_or(limits::BODY_BYTES);
        if !(1..=limits::BODY_BYTES_MOST).contains(&body_bytes) {
            let message = format!("must be 1 to {} bytes", limits::BODY_BYTES_MOST);
            return Err(LoadError::new("body_bytes", message));
        }
        Ok(Self::Mcp(Box::new(McpRoute {
            body_bytes,
            denied: file.denied.unwrap_or_default(),
            methods: methods.get(server).cloned().unwrap_or_default(),
            path,
            server: server.to_owned(),
            sessions: file.sessions.unwrap_or(false),
        })))
    }
}

impl Metadata {
    /// RFC 9728 section 3: an `https` URL whose path begins with the well-known suffix.
    fn check(url: &str, audience: &str, context: Context<'_>) -> Result<Self, LoadError> {
        const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
        let fail = |message| LoadError::new("metadata", message);
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let rest = rest.ok_or_else(|| fail("must be a URL"))?;
        let (authority, path) =
            rest.find('/').and_then(|slash| rest.split_at_checked(slash)).unwrap_or((rest, ""));
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\?#".contains(&byte);
        if authority.is_empty() || !url.bytes().all(plain) {
            return Err(fail("must be a URL without query and fragment"));
        }
        let suffix = path.strip_prefix(WELL_KNOWN);
        if !suffix.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('/')) {
            return Err(fail("its path must begin with `/.well-known/oauth-protected-resource`"));
        }
        let path =
            Template::parse(path).map_err(|error| LoadError::new("metadata", error.message))?;
        let document = document(audience, context);
        Ok(Self { url: url.to_owned(), path, document })
    }
}

/// RFC 9728 section 2.
fn document(audience: &str, context: Context<'_>) -> String {
    use mandate_authn::Json;
    let strings = |texts: Vec<&str>| Json::Array(texts.into_iter().map(Json::from).collect());
    let issuers = context.contract.issuers_of(audience).map(|issuer| issuer.issuer()).collect();
    mandate_authn::json_object([
        ("authorization_servers", Some(strings(issuers))),
        ("bearer_methods_supported", Some(strings(vec!["header"]))),
        ("resource", Some(Json::from(audience))),
        ("scopes_supported", Some(strings(context.policy.scopes().collect()))),
    ])
    .to_canonical()
}

/// Checks every element of a list.
fn all<F, T>(
    member: &str,
    files: Vec<F>,
    check: impl Fn(F) -> Result<T, LoadError>,
) -> Result<Vec<T>, LoadError> {
    let checked = files.into_iter().enumerate().map(|(position, file)| {
        check(file).map_err(|error| error.under(&format!("{member}[{position}]")))
    });
    checked.collect()
}

/// Two rules that fit one request would make the order of the file decide.
fn check_overlaps(rules: &[Rule], open: &[Exact]) -> Result<(), LoadError> {
    if rules.is_empty() {
        return Err(LoadError::new("rules", "must not be empty"));
    }
    for (position, rule) in rules.iter().enumerate() {
        let mut earlier = rules.iter().take(position);
        if earlier.any(|earlier| earlier.method == rule.method && earlier.path.overlaps(&rule.path))
        {
            let path = format!("rules[{position}].path");
            return Err(LoadError::new(&path, "an earlier rule fits the same requests"));
        }
        if open.iter().any(|exact| exact.method == rule.method && exact.path.overlaps(&rule.path)) {
            let path = format!("rules[{position}].path");
            return Err(LoadError::new(&path, "`open` has a request that fits the rule"));
        }
    }
    Ok(())
}
