//! `docs/reason-codes.md`.

use std::fmt::Write as _;

use super::reason_codes::{CLASSES, ReasonCode, ReasonCodes};

/// The page: one table a class, in the order of decision.
pub(crate) fn render(codes: &ReasonCodes) -> String {
    let mut page = HEAD.to_owned();
    for class in CLASSES {
        let rows: String = codes.iter().filter(|code| code.class == *class).map(row).collect();
        if !rows.is_empty() {
            let _ = write!(page, "\n## {class}\n\n{TABLE_HEAD}{rows}");
        }
    }
    page
}

fn row(code: &ReasonCode) -> String {
    let challenge = match code.challenge.as_str() {
        "" => String::new(),
        "bare" => "Bearer".to_owned(),
        error => format!("`{error}`"),
    };
    let jsonrpc = if code.jsonrpc == 0 { String::new() } else { code.jsonrpc.to_string() };
    let status = if code.status == code.mcp_status {
        code.status.to_string()
    } else {
        format!("{} / {}", code.status, code.mcp_status)
    };
    format!(
        "| `{}` | {} | {status} | {jsonrpc} | {challenge} | {} | {} | `{}` | {} | {} |\n",
        code.code, code.line, code.authzen, code.permit, code.bridge, code.text, code.meaning
    )
}

const TABLE_HEAD: &str = "\
| code | line | HTTP / MCP | JSON-RPC | challenge | AuthZEN | Permit | bridge | caller reads | meaning |
|---|---|---|---|---|---|---|---|---|---|
";

const HEAD: &str = "\
# Reason codes

<!-- Generated from contract/reason-codes.toml by `cargo xtask generate`; do not edit. -->

Every decision carries one code. Codes are kebab-case and never renamed; each has one class, one place where it fails (`line`),
and one answer at every door: the HTTP status at a plain HTTP door and of a denied MCP call (one number when they are equal), the
JSON-RPC error code of a denied MCP call, the `error` of `WWW-Authenticate: Bearer` (RFC 6750 section 3.1), the AuthZEN and the
Permit-compatible form (`error` = no decision, the service answers 503), and the name that existing bridges use.
";
