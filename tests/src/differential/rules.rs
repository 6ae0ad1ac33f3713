//! Why we and other libraries may disagree about a token: each class with its reason.

/// One answer about one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is accepted.
    pub allowed: bool,
    /// Our reason code, or the library's error.
    pub reason: String,
    /// Our line for the operator; of a library nothing.
    pub detail: String,
}

/// A class of disagreements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The libraries.
    pub libraries: &'static [&'static str],
    /// Our reason code; `ok` where we accept and they refuse.
    pub ours: &'static str,
    /// What our detail contains.
    pub detail: &'static str,
    /// Their error; `ok` where they accept and we refuse.
    pub theirs: &'static str,
    /// Who is stricter, and why that is right.
    pub why: &'static str,
}

/// The class of a disagreement; `None`: nobody has explained it.
#[must_use]
pub fn classify(library: &str, ours: &Answer, theirs: &Answer) -> Option<&'static Rule> {
    RULES.iter().find(|rule| {
        rule.libraries.contains(&library)
            && rule.ours == ours.reason
            && ours.detail.contains(rule.detail)
            && rule.theirs == theirs.reason
    })
}

const ALL: &[&str] = &["PyJWT", "jose", "joserfc", "jsonwebtoken"];

const fn stricter(
    libraries: &'static [&'static str],
    ours: &'static str,
    detail: &'static str,
    why: &'static str,
) -> Rule {
    Rule { libraries, ours, detail, theirs: "ok", why }
}

const fn laxer(library: &'static [&'static str], theirs: &'static str, why: &'static str) -> Rule {
    Rule { libraries: library, ours: "ok", detail: "", theirs, why }
}

/// Where we refuse and they accept, then where they refuse and we accept.
const RULES: &[Rule] = &[
    // What the contract asks for and no JOSE library looks at.
    stricter(ALL, "token-binding", "", "no library looks at `cnf` (RFC 7800 section 3.1)"),
    stricter(ALL, "token-tenant", "", "tenants are the contract's; no library knows them"),
    stricter(ALL, "token-claim", "`/tenant` is malformed", OUR_CLAIM),
    stricter(ALL, "token-claim", "`/scope` is malformed", OUR_CLAIM),
    stricter(ALL, "token-claim", "`/realm_access/roles` is malformed", OUR_CLAIM),
    stricter(ALL, "token-claim", "`client_id` is malformed", OUR_CLAIM),
    stricter(ALL, "token-claim", "`azp` is malformed", OUR_CLAIM),
    stricter(ALL, "token-claim", "`cnf` is malformed", OUR_CLAIM),
    stricter(ALL, "token-claim", "`act", ACTORS),
    stricter(ALL, "token-claim", "`may_act", ACTORS),
    stricter(&["PyJWT", "jose", "jsonwebtoken"], "token-claim", "`/typ`", CLAIM_TEST),
    stricter(
        &["joserfc"],
        "token-claim",
        "`/typ` is not what is required",
        "joserfc takes a list that contains the required value; we take the value alone",
    ),
    stricter(
        &["PyJWT", "joserfc", "jsonwebtoken"],
        "token-type",
        "",
        "the library offers no check of `typ` (RFC 8725 section 3.11)",
    ),
    stricter(
        &["jose"],
        "token-type",
        "",
        "jose compares media types without case and with `application/` understood; we compare text",
    ),
    // JSON that two readers read in two ways.
    stricter(ALL, "token-malformed", "has a duplicate member", DUPLICATE),
    stricter(ALL, "token-malformed", "is nested too deep", "a limit of ours: 16 levels"),
    stricter(&["PyJWT", "joserfc"], "token-malformed", "is not strict JSON", PYTHON_JSON),
    stricter(&["PyJWT", "joserfc"], "token-malformed", "is not UTF-8", PYTHON_JSON),
    stricter(
        &["jose"],
        "token-malformed",
        "is not strict JSON",
        "JavaScript's reader takes lone surrogates and huge exponents, its decoder drops a BOM",
    ),
    stricter(
        &["jsonwebtoken"],
        "token-malformed",
        "the header's `kid` is not a string",
        "jsonwebtoken reads `null` as absent",
    ),
    // base64url with more than one text for the same bytes.
    stricter(
        &["jose"],
        "token-malformed",
        "the signature is not strict base64url",
        "jose takes trailing bits, padding and the plain alphabet: one signature, many texts",
    ),
    stricter(
        &["PyJWT"],
        "token-malformed",
        "the signature is not strict base64url",
        "PyJWT takes padding (RFC 7515 section 2 forbids it)",
    ),
    // Claims of another type than RFC 7519 section 4.1 gives them.
    stricter(
        ALL,
        "token-audience",
        "`aud` is malformed",
        "they skip elements that are empty or no strings; what another reader could reject is refused",
    ),
    stricter(ALL, "token-claim", "`exp` is malformed", NUMBERS),
    stricter(ALL, "token-claim", "`nbf` is malformed", NUMBERS),
    stricter(ALL, "token-claim", "`iat` is malformed", NUMBERS),
    stricter(
        ALL,
        "token-claim",
        "`jti` is malformed",
        "they take an empty one; jose and jsonwebtoken any",
    ),
    stricter(
        &["PyJWT", "jose", "jsonwebtoken"],
        "token-subject",
        "the subject is malformed",
        "they take an empty one; jose any JSON value",
    ),
    stricter(
        &["jose", "jsonwebtoken"],
        "token-not-yet-valid",
        "`iat`",
        "they take an `iat` in the future; then a clock or an issuer is wrong",
    ),
    stricter(
        &["jsonwebtoken"],
        "token-not-yet-valid",
        "`nbf`",
        "not compared: its clock is the system's and cannot be set to the test's",
    ),
    stricter(
        &["jsonwebtoken"],
        "token-expired",
        "",
        "jsonwebtoken takes a token in the second of its `exp` (RFC 7519 section 4.1.4: on or after)",
    ),
    // Header extensions.
    stricter(
        &["PyJWT", "jose", "joserfc", "jsonwebtoken"],
        "token-critical",
        "the header has `b64`",
        "outside `crit` they ignore it; somebody else reads another payload (RFC 7797 section 3)",
    ),
    stricter(
        &["jsonwebtoken"],
        "token-critical",
        "the header has `crit`",
        "jsonwebtoken does not look at `crit` (RFC 7515 section 4.1.11 says it must)",
    ),
    stricter(
        &["PyJWT", "jose"],
        "token-critical",
        "the header has `crit`",
        "they know the extension `b64` (RFC 7797) and take it as true; we take no extension",
    ),
    stricter(
        &["joserfc"],
        "token-critical",
        "the header has `crit`",
        "joserfc takes an empty `crit` and one that lists registered names (section 4.1.11 forbids both)",
    ),
    stricter(
        &["joserfc"],
        "token-key-unknown",
        "no key has `kid`",
        "a set of one key without `kid` is given to joserfc as that key, which then serves any `kid`",
    ),
    // They refuse, we accept.
    laxer(
        &["joserfc"],
        "UnsupportedHeaderError",
        "joserfc refuses header parameters that it does not know; RFC 7515 section 4: they are ignored",
    ),
    laxer(
        &["joserfc"],
        "ExceededSizeError",
        "joserfc's limit is 512 bytes of header; ours is 16 KiB of token",
    ),
    laxer(
        &["jsonwebtoken"],
        "Json",
        "jsonwebtoken wants text in every header parameter that it names (`nonce`, `url`, `x5t`); we \
         read four parameters and ignore the others",
    ),
    laxer(&["joserfc"], "InvalidKeyIdError", NO_KID),
    laxer(&["jsonwebtoken"], "NoKey", NO_KID),
];

const OUR_CLAIM: &str = "no library reads this claim; what we read has its type or is refused";
const ACTORS: &str = "no library reads actors (RFC 8693 section 4); a malformed chain is refused";
const CLAIM_TEST: &str = "the library offers no test of a claim's value";
const DUPLICATE: &str =
    "they take one of the values; two readers must not see two (RFC 8725 section 2.4)";
const PYTHON_JSON: &str =
    "Python's reader takes UTF-16, surrogates, a BOM, NaN, Infinity and control characters";
const NUMBERS: &str =
    "they take fractions, exponents, strings, booleans or rounded numbers; readers differ in them";
const NO_KID: &str = "without `kid` the library wants a set of one key; we take the only key that fits the algorithm";
