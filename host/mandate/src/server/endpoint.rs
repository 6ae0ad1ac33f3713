//! Every endpoint: docs/threats.md and the OpenAPI document name the same ones.

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A person whose token is of a tenant that they administer.
    Administrator,
    /// Everybody who can reach the address: nothing of a tenant is in the answer.
    Anybody,
    /// A principal that the configuration lists as the emitter of records.
    AuditSource,
    /// An authenticated caller; the registry says what it may do.
    Caller,
    /// An authenticated caller who holds `can_evaluate` on its tenant.
    Evaluator,
    /// A person whom the registry's table lets make the change, in the tenant of the token.
    Manager,
    /// A person whom the configuration lists as operator.
    Operator,
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

const fn put(path: &'static str, admission: Admission, summary: &'static str) -> Endpoint {
    Endpoint { method: "PUT", path, admission, summary }
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
    get("/admin/v1/audit", Admission::Administrator, "records of the tenant's chain"),
    get("/admin/v1/audit/verification", Admission::Administrator, "whether that chain is intact"),
    post("/admin/v1/credentials/{credential}/revoke", Admission::Manager, "an end to a credential"),
    post("/admin/v1/credentials/{credential}/rotate", Admission::Manager, "another in its place"),
    post("/admin/v1/era", Admission::Operator, "a new era, after a restore"),
    post("/admin/v1/facts", Admission::Operator, "facts, taken over in one write"),
    get("/admin/v1/identities", Admission::Administrator, "agents and services of the tenant"),
    post("/admin/v1/identities", Admission::Manager, "one more agent or service"),
    get("/admin/v1/identities/{identity}", Admission::Administrator, "one of them"),
    get("/admin/v1/identities/{identity}/credentials", Admission::Administrator, "its credentials"),
    post("/admin/v1/identities/{identity}/credentials", Admission::Manager, "one more of them"),
    post(
        "/admin/v1/identities/{identity}/credentials/revoke",
        Admission::Manager,
        "an end to all of them",
    ),
    post("/admin/v1/identities/{identity}/resume", Admission::Manager, "it may act again"),
    post("/admin/v1/identities/{identity}/retire", Admission::Manager, "it ends for good"),
    put("/admin/v1/identities/{identity}/scope", Admission::Manager, "what it is limited to"),
    post("/admin/v1/identities/{identity}/suspend", Admission::Manager, "it stops for now"),
    post("/admin/v1/legacy-tokens", Admission::Manager, "hashes of another table"),
    get("/admin/v1/persons", Admission::Administrator, "people of the tenant"),
    get("/admin/v1/persons/{person}", Admission::Administrator, "one of them"),
    put("/admin/v1/persons/{person}", Admission::Operator, "a person with tokens and tenants"),
    get("/admin/v1/relationships", Admission::Administrator, "relationships of the tenant"),
    post("/admin/v1/relationships/delete", Admission::Manager, "an end to relationships"),
    post("/admin/v1/relationships/write", Admission::Manager, "relationships, all or none"),
    get("/admin/v1/state", Admission::Administrator, "where the registry stands"),
    post("/admin/v1/tenants", Admission::Operator, "one more tenant"),
    post("/admin/v1/threads", Admission::Manager, "identity and credential of a thread"),
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
