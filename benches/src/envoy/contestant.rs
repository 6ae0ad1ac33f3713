//! Who is measured: filters, tokens and requests.

use super::deployment::Size;
use super::tokens::Algorithm;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// Its name.
    pub name: &'static str,
    /// What is asked.
    pub method: Method,
    /// What stands before the router.
    pub filters: Filters,
    /// Whose tokens come.
    pub tokens: Tokens,
    /// The world of users and boards.
    pub size: Size,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A board.
    Get,
    /// A call of an MCP tool, about a KiB.
    Post,
}

/// The filters of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filters {
    /// The router alone.
    None,
    /// `jwt_authn`, with or without its cache.
    Jwt {
        /// Whether verified tokens are remembered.
        cache: bool,
    },
    /// `jwt_authn` with its cache, and `rbac` on path and claims.
    JwtRbac,
    /// `jwt_authn` with its cache, `mcp`, and `rbac` on tool and claims.
    JwtMcpRbac,
    /// `ext_authz` over gRPC, which may get the body and may stand after `jwt_authn` with its cache.
    ExtAuthz {
        /// Whether tokens are verified before.
        jwt: bool,
        /// Whether the body goes along.
        body: bool,
    },
    /// Ours, with the world of this slice.
    Gate(&'static str),
}

/// Whose tokens come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// One, again and again.
    One,
    /// So many in turn, all RS256.
    Many(usize),
    /// More than any cache holds, in turn: each is verified each time.
    Fresh(Algorithm),
}

const fn get(name: &'static str, filters: Filters, tokens: Tokens) -> Contestant {
    Contestant { name, method: Method::Get, filters, tokens, size: Size::THOUSAND }
}

const fn post(name: &'static str, filters: Filters, tokens: Tokens) -> Contestant {
    Contestant { method: Method::Post, ..get(name, filters, tokens) }
}

const fn in_a_million(contestant: Contestant) -> Contestant {
    Contestant { filters: Filters::Gate(Size::MILLION.slice), size: Size::MILLION, ..contestant }
}

const OURS: Filters = Filters::Gate(Size::THOUSAND.slice);
const ASKED: Filters = Filters::ExtAuthz { jwt: false, body: false };
const ASKED_AFTER_JWT: Filters = Filters::ExtAuthz { jwt: true, body: false };
const ASKED_WITH_BODY: Filters = Filters::ExtAuthz { jwt: false, body: true };
const ASKED_WITH_BODY_AFTER_JWT: Filters = Filters::ExtAuthz { jwt: true, body: true };
const UNCACHED: Filters = Filters::Jwt { cache: false };
const CACHED: Filters = Filters::Jwt { cache: true };
/// As many as issue 4 asks for.
const FIVE_THOUSAND: Tokens = Tokens::Many(5000);
/// As many as the filter remembers with room to spare, so that the world is all that grows.
const TWO_THOUSAND: Tokens = Tokens::Many(2000);
const NEW_RSA: Tokens = Tokens::Fresh(Algorithm::Rs256);
const NEW_EC: Tokens = Tokens::Fresh(Algorithm::Es256);

/// The request that passes through nothing.
pub const NO_FILTER: &str = "no filter";
/// See [`ALL`].
pub const NATIVE_RS256: &str = "jwt_authn, RS256, every token new";
/// See [`ALL`].
pub const NATIVE_ES256: &str = "jwt_authn, ES256, every token new";
/// See [`ALL`].
pub const NATIVE_RBAC: &str = "jwt_authn with cache, rbac, one token";
/// See [`ALL`].
pub const NATIVE_MCP: &str = "jwt_authn with cache, mcp, rbac, one token";
/// See [`ALL`].
pub const ASKED_BODY: &str = "ext_authz gRPC with body";
/// See [`ALL`].
pub const GATE: &str = "mandate, one token";
/// See [`ALL`].
pub const GATE_SMALL: &str = "mandate, 2,000 tokens, 1e3 relationships";
/// See [`ALL`].
pub const GATE_LARGE: &str = "mandate, 2,000 tokens, 1e6 relationships";
/// See [`ALL`].
pub const GATE_RS256: &str = "mandate, RS256, every token new";
/// See [`ALL`].
pub const GATE_ES256: &str = "mandate, ES256, every token new";
/// See [`ALL`].
pub const GATE_BODY: &str = "mandate, MCP body, one token";

/// Everybody, in the order of the tables.
pub const ALL: [Contestant; 23] = [
    get(NO_FILTER, Filters::None, Tokens::One),
    get("jwt_authn, RS256, one token", UNCACHED, Tokens::One),
    get(NATIVE_RS256, UNCACHED, NEW_RSA),
    get(NATIVE_ES256, UNCACHED, NEW_EC),
    get("jwt_authn with cache, one token", CACHED, Tokens::One),
    get("jwt_authn with cache, 5,000 tokens", CACHED, FIVE_THOUSAND),
    get(NATIVE_RBAC, Filters::JwtRbac, Tokens::One),
    get("jwt_authn with cache, rbac, 5,000 tokens", Filters::JwtRbac, FIVE_THOUSAND),
    get("ext_authz gRPC", ASKED, Tokens::One),
    get("jwt_authn with cache, ext_authz gRPC", ASKED_AFTER_JWT, Tokens::One),
    get(GATE, OURS, Tokens::One),
    get("mandate, 5,000 tokens", OURS, FIVE_THOUSAND),
    get(GATE_SMALL, OURS, TWO_THOUSAND),
    in_a_million(get(GATE_LARGE, OURS, TWO_THOUSAND)),
    get(GATE_RS256, OURS, NEW_RSA),
    get(GATE_ES256, OURS, NEW_EC),
    post(NO_FILTER, Filters::None, Tokens::One),
    post(NATIVE_MCP, Filters::JwtMcpRbac, Tokens::One),
    post("jwt_authn with cache, mcp, rbac, 5,000 tokens", Filters::JwtMcpRbac, FIVE_THOUSAND),
    post(ASKED_BODY, ASKED_WITH_BODY, Tokens::One),
    post("jwt_authn with cache, ext_authz gRPC with body", ASKED_WITH_BODY_AFTER_JWT, Tokens::One),
    post(GATE_BODY, OURS, Tokens::One),
    in_a_million(post("mandate, MCP body, 2,000 tokens, 1e6 relationships", OURS, TWO_THOUSAND)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_name_and_method() {
        for (number, one) in ALL.iter().enumerate() {
            let alike = |other: &&Contestant| other.name == one.name && other.method == one.method;
            assert_eq!(ALL.iter().filter(alike).count(), 1, "{number}: {}", one.name);
        }
    }
}
