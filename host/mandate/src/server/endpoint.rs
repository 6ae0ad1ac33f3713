//! Every endpoint: docs/threats.md and the OpenAPI document name the same ones.

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Everybody who can reach the address: nothing of a tenant is in the answer.
    Anybody,
    /// A principal that the configuration lists as the emitter of records.
    AuditSource,
    /// An authenticated caller; the registry says what it may do.
    Caller,
    /// An authenticated caller who holds `can_evaluate` on its tenant.
    Evaluator,
    /// A principal that the configuration lists for the slice.
    FeedReader,
    /// An authenticated caller; what it learns depends on the audiences that the configuration gives
    /// it.
    Introspector,
    /// A proxy, on the listener of proxies alone: the connection proves it.
    Proxy,
}

/// One endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path, with variables in braces.
    pub path: &'static str,
    /// Who may call it.
    pub admission: Admission,
    /// One phrase.
    pub summary: &'static str,
}

const fn get(path: &'static str, admission: Admission, summary: &'static str) -> Endpoint {
    Endpoint { method: "GET", path, admission, summary }
}

const fn post(path: &'static str, admission: Admission, summary: &'static str) -> Endpoint {
    Endpoint { method: "POST", path, admission, summary }
}

/// Every endpoint, in the order of their paths.
pub const ENDPOINTS: &[Endpoint] = &[
    get(
        "/.well-known/authzen-configuration",
        Admission::Anybody,
        "where the endpoints of AuthZEN are",
    ),
    post("/access/v1/evaluation", Admission::Evaluator, "one decision"),
    post("/access/v1/evaluations", Admission::Evaluator, "several decisions"),
    post("/access/v1/search/action", Admission::Evaluator, "what may be done"),
    post("/access/v1/search/resource", Admission::Evaluator, "to what it may be done"),
    post("/access/v1/search/subject", Admission::Evaluator, "who may do it"),
    post("/allowed", Admission::Evaluator, "one decision, as SDKs of Permit ask"),
    post("/allowed/bulk", Admission::Evaluator, "several of them"),
    post("/api/auth/introspect", Admission::Introspector, "another name of /oauth2/introspect"),
    post("/audit/v1/records", Admission::AuditSource, "records of decisions made elsewhere"),
    get("/contract", Admission::Caller, "the contract in force"),
    post(super::ext_authz::CHECK, Admission::Proxy, "one request at a proxy, by gRPC"),
    get("/feeds/{slice}/v1/deltas", Admission::FeedReader, "what came after a position"),
    get("/feeds/{slice}/v1/snapshot", Admission::FeedReader, "the newest snapshot"),
    get("/healthz", Admission::Anybody, "whether the process answers"),
    get("/metrics", Admission::Anybody, "counters for Prometheus"),
    post("/oauth2/introspect", Admission::Introspector, "whether a token is active"),
    post("/oauth2/revoke", Admission::Caller, "an end to an opaque token"),
    get("/readyz", Admission::Anybody, "whether decisions can be made"),
];
