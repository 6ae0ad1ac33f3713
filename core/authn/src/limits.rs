//! Every limit of token validation: a unit, a source, and its own refusal.

/// Bytes of a token, `token-too-large` above. Source: twice the 8 KiB that proxies give one header
/// by default, so that every token that can arrive fits.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// Levels of JSON nesting in a token's header or payload, the outermost object being level 1;
/// `token-malformed` above. Source: `act` at its depth limit needs 11.
pub const JSON_DEPTH: usize = 16;

/// Keys in one key set; a larger set does not load. Source: ten times what issuers publish while
/// they rotate; bounds the search for a key without `kid`.
pub const KEYS_PER_SET: usize = 64;

/// Actors in an `act` chain, outermost included; `token-claim` above. Source: RFC 8693 sets none;
/// longer chains cannot be read by people.
pub const ACT_DEPTH: usize = 10;

/// Seconds that a fetched key set may serve; `keys-missing` after. Source: bounds how long a key
/// that its issuer withdrew stays trusted when the issuer cannot be reached.
pub const KEY_SET_AGE_SECONDS: u64 = 3600;

/// Seconds that a fetched key set counts as the newest: an unknown `kid` asks for a refresh only
/// when the set is older. Source: bounds the fetches that made-up `kid`s can cause.
pub const KEY_SET_REFRESH_SECONDS: u64 = 30;

/// Largest clock skew that a contract may allow, in seconds. Source: RFC 7519 section 4.1.4, "no
/// more than a few minutes"; hosts with a clock service need less than one.
pub const SKEW_SECONDS: u64 = 60;

/// Seconds that a verified token may be answered from the cache before its signature is checked
/// again, whatever its `exp`.
pub const CACHE_SECONDS: u64 = 300;

/// Tokens in the cache of one instance.
pub const CACHE_ENTRIES: usize = 8192;

/// Bytes of tokens in the cache of one instance.
pub const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// The largest integer that every JSON reader agrees on. Source: RFC 8259 section 6, RFC 8785.
pub const LARGEST_INTEGER: i64 = 9_007_199_254_740_991;
