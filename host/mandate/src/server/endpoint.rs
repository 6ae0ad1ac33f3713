//! Every endpoint: docs/threats.md names the same ones, and the OpenAPI document is made of this table.

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A person whose token is of a tenant that they administer.
    Administrator,
    /// Everybody who can reach the address: nothing of a tenant is in the answer.
    Anybody,
    /// A principal that the configuration lists as the emitter of records.
    AuditSource,
    /// A person on this machine with the bootstrap credential of the tenant of their token.
    Bootstrap,
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

/// What a body is: a schema of the OpenAPI document by its name, or a content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Bytes of this content type.
    Bytes(&'static str),
    /// Fields of a form.
    Form(&'static str),
    /// A message of gRPC.
    Grpc,
    /// JSON.
    Json(&'static str),
    /// Objects of JSON, one a line.
    Lines(&'static str),
    /// None.
    Nothing,
    /// Text of this content type.
    Text(&'static str),
}

/// What a parameter of a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The number of items of a page.
    Limit,
    /// An integer.
    Number,
    /// `type:id`.
    Object,
    /// `era.epoch`, which has to be there.
    Position,
    /// A relationship: `object#relation@subject`.
    Relationship,
    /// A text.
    Text,
}

/// A parameter of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub form: Form,
}

const fn parameter(name: &'static str, form: Form) -> Parameter {
    Parameter { name, form }
}

/// The header field of the bootstrap credential.
pub(super) const BOOTSTRAP: &str = "mandate-bootstrap";
/// Items of the largest page.
pub(super) const LARGEST_PAGE: usize = 1000;

pub(super) const NONE: &[Parameter] = &[];
pub(super) const AUDIT: &[Parameter] = &[
    parameter("identity", Form::Text),
    parameter("credential", Form::Text),
    parameter("user", Form::Text),
    parameter("tool", Form::Text),
    parameter("verdict", Form::Text),
    parameter("reason", Form::Text),
    parameter("decision", Form::Text),
    parameter("from", Form::Number),
    parameter("until", Form::Number),
    parameter("after", Form::Number),
    parameter("limit", Form::Limit),
];
pub(super) const CREDENTIALS: &[Parameter] =
    &[parameter("after", Form::Text), parameter("limit", Form::Limit)];
/// Read by the feed itself.
const DELTAS: &[Parameter] = &[parameter("from", Form::Position), parameter("wait", Form::Number)];
pub(super) const IDENTITIES: &[Parameter] = &[
    parameter("owner", Form::Object),
    parameter("after", Form::Object),
    parameter("limit", Form::Limit),
];
pub(super) const PERSONS: &[Parameter] =
    &[parameter("after", Form::Object), parameter("limit", Form::Limit)];
pub(super) const RELATIONSHIPS: &[Parameter] = &[
    parameter("object", Form::Object),
    parameter("type", Form::Text),
    parameter("relation", Form::Text),
    parameter("subject", Form::Object),
    parameter("after", Form::Relationship),
    parameter("limit", Form::Limit),
];

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
    /// The parameters of its query.
    pub query: &'static [Parameter],
    /// A header field that it needs, beside `Authorization`.
    pub field: Option<&'static str>,
    /// The body of a request.
    pub takes: Body,
    /// The body of an answer that is no refusal.
    pub gives: Body,
}

impl Endpoint {
    const fn new(
        method: &'static str,
        path: &'static str,
        admission: Admission,
        summary: &'static str,
    ) -> Self {
        let (takes, gives) = (Body::Nothing, Body::Nothing);
        Self { method, path, admission, summary, query: NONE, field: None, takes, gives }
    }

    const fn asking(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    const fn presenting(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    const fn taking(self, takes: Body) -> Self {
        Self { takes, ..self }
    }

    const fn giving(self, gives: Body) -> Self {
        Self { gives, ..self }
    }
}

const fn get(path: &'static str, admission: Admission, summary: &'static str) -> Endpoint {
    Endpoint::new("GET", path, admission, summary)
}

const fn post(path: &'static str, admission: Admission, summary: &'static str) -> Endpoint {
    Endpoint::new("POST", path, admission, summary)
}

const fn put(path: &'static str, admission: Admission, summary: &'static str) -> Endpoint {
    Endpoint::new("PUT", path, admission, summary)
}

/// Every endpoint, in the order of their paths.
pub const ENDPOINTS: &[Endpoint] = &[
    get(
        "/.well-known/authzen-configuration",
        Admission::Anybody,
        "where the endpoints of AuthZEN are",
    )
    .giving(Body::Json("AuthzenConfiguration")),
    post("/access/v1/evaluation", Admission::Evaluator, "one decision")
        .taking(Body::Json("Evaluation"))
        .giving(Body::Json("Decision")),
    post("/access/v1/evaluations", Admission::Evaluator, "several decisions")
        .taking(Body::Json("Evaluations"))
        .giving(Body::Json("Decisions")),
    post("/access/v1/search/action", Admission::Evaluator, "what may be done")
        .taking(Body::Json("ActionSearch"))
        .giving(Body::Json("ActionResults")),
    post("/access/v1/search/resource", Admission::Evaluator, "to what it may be done")
        .taking(Body::Json("ResourceSearch"))
        .giving(Body::Json("EntityResults")),
    post("/access/v1/search/subject", Admission::Evaluator, "who may do it")
        .taking(Body::Json("SubjectSearch"))
        .giving(Body::Json("EntityResults")),
    get("/admin/v1/audit", Admission::Administrator, "records of the tenant's chain")
        .asking(AUDIT)
        .giving(Body::Json("AuditPage")),
    get("/admin/v1/audit/verification", Admission::Administrator, "whether that chain is intact")
        .giving(Body::Json("AuditVerdict")),
    post("/admin/v1/bootstrap", Admission::Bootstrap, "the first administrator of a tenant")
        .presenting(BOOTSTRAP)
        .giving(Body::Json("AdministratorMade")),
    post("/admin/v1/credentials/{credential}/revoke", Admission::Manager, "an end to a credential")
        .giving(Body::Json("CredentialWritten")),
    post("/admin/v1/credentials/{credential}/rotate", Admission::Manager, "another in its place")
        .taking(Body::Json("Rotation"))
        .giving(Body::Json("CredentialIssued")),
    post("/admin/v1/era", Admission::Operator, "a new era, after a restore")
        .taking(Body::Json("Confirmation"))
        .giving(Body::Json("EraBegun")),
    post("/admin/v1/facts", Admission::Operator, "facts, taken over in one write")
        .taking(Body::Json("Facts"))
        .giving(Body::Json("FactsApplied")),
    get("/admin/v1/identities", Admission::Administrator, "agents and services of the tenant")
        .asking(IDENTITIES)
        .giving(Body::Json("IdentityPage")),
    post("/admin/v1/identities", Admission::Manager, "one more agent or service")
        .taking(Body::Json("NewIdentity"))
        .giving(Body::Json("IdentityWritten")),
    get("/admin/v1/identities/{identity}", Admission::Administrator, "one of them")
        .giving(Body::Json("Identity")),
    get("/admin/v1/identities/{identity}/credentials", Admission::Administrator, "its credentials")
        .asking(CREDENTIALS)
        .giving(Body::Json("CredentialPage")),
    post("/admin/v1/identities/{identity}/credentials", Admission::Manager, "one more of them")
        .taking(Body::Json("NewCredential"))
        .giving(Body::Json("CredentialIssued")),
    post(
        "/admin/v1/identities/{identity}/credentials/revoke",
        Admission::Manager,
        "an end to all of them",
    )
    .taking(Body::Json("Confirmation"))
    .giving(Body::Json("CredentialsRevoked")),
    post("/admin/v1/identities/{identity}/resume", Admission::Manager, "it may act again")
        .giving(Body::Json("IdentityWritten")),
    post("/admin/v1/identities/{identity}/retire", Admission::Manager, "it ends for good")
        .giving(Body::Json("IdentityWritten")),
    put("/admin/v1/identities/{identity}/scope", Admission::Manager, "what it is limited to")
        .taking(Body::Json("NewScope"))
        .giving(Body::Json("IdentityWritten")),
    post("/admin/v1/identities/{identity}/suspend", Admission::Manager, "it stops for now")
        .giving(Body::Json("IdentityWritten")),
    post("/admin/v1/legacy-tokens", Admission::Manager, "hashes of another table")
        .taking(Body::Json("LegacyTokens"))
        .giving(Body::Json("LegacyTokensImported")),
    get("/admin/v1/persons", Admission::Administrator, "people of the tenant")
        .asking(PERSONS)
        .giving(Body::Json("PersonPage")),
    get("/admin/v1/persons/{person}", Admission::Administrator, "one of them")
        .giving(Body::Json("Person")),
    put("/admin/v1/persons/{person}", Admission::Operator, "a person with tokens and tenants")
        .taking(Body::Json("NewPerson"))
        .giving(Body::Json("PersonWritten")),
    get("/admin/v1/relationships", Admission::Administrator, "relationships of the tenant")
        .asking(RELATIONSHIPS)
        .giving(Body::Json("RelationshipPage")),
    post("/admin/v1/relationships/delete", Admission::Manager, "an end to relationships")
        .taking(Body::Json("RelationshipKeys"))
        .giving(Body::Json("RelationshipsWritten")),
    post("/admin/v1/relationships/write", Admission::Manager, "relationships, all or none")
        .taking(Body::Json("Relationships"))
        .giving(Body::Json("RelationshipsWritten")),
    get("/admin/v1/state", Admission::Administrator, "where the registry stands")
        .giving(Body::Json("State")),
    post("/admin/v1/tenants", Admission::Operator, "one more tenant")
        .taking(Body::Json("NewTenant"))
        .giving(Body::Json("TenantWritten")),
    post("/admin/v1/threads", Admission::Manager, "identity and credential of a thread")
        .taking(Body::Json("NewThread"))
        .giving(Body::Json("ThreadWritten")),
    post("/allowed", Admission::Evaluator, "one decision, as SDKs of Permit ask")
        .taking(Body::Json("Check"))
        .giving(Body::Json("CheckResult")),
    post("/allowed/bulk", Admission::Evaluator, "several of them")
        .taking(Body::Json("Checks"))
        .giving(Body::Json("CheckResults")),
    post("/api/auth/introspect", Admission::Introspector, "another name of /oauth2/introspect")
        .taking(Body::Form("Token"))
        .giving(Body::Json("Introspection")),
    post("/audit/v1/records", Admission::AuditSource, "records of decisions made elsewhere")
        .taking(Body::Lines("Records"))
        .giving(Body::Json("RecordsAppended")),
    get("/contract", Admission::Caller, "the contract in force").giving(Body::Json("Contract")),
    post(super::ext_authz::CHECK, Admission::Proxy, "one request at a proxy, by gRPC")
        .taking(Body::Grpc)
        .giving(Body::Grpc),
    get("/feeds/{slice}/v1/deltas", Admission::FeedReader, "what came after a position")
        .asking(DELTAS)
        .giving(Body::Bytes("application/vnd.mandate.containers")),
    get("/feeds/{slice}/v1/snapshot", Admission::FeedReader, "the newest snapshot")
        .giving(Body::Bytes("application/vnd.mandate.container")),
    get("/healthz", Admission::Anybody, "whether the process answers").giving(Body::Json("Health")),
    get("/metrics", Admission::Anybody, "counters for Prometheus").giving(Body::Text("text/plain")),
    post("/oauth2/introspect", Admission::Introspector, "whether a token is active")
        .taking(Body::Form("Token"))
        .giving(Body::Json("Introspection")),
    post("/oauth2/revoke", Admission::Caller, "an end to an opaque token")
        .taking(Body::Form("Token"))
        .giving(Body::Json("Revoked")),
    get("/openapi.json", Admission::Anybody, "this list, as an OpenAPI document")
        .giving(Body::Json("Document")),
    get("/readyz", Admission::Anybody, "whether decisions can be made")
        .giving(Body::Json("Readiness")),
];
