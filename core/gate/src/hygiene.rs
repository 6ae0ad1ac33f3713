//! Which header fields go upstream, and which the gate sets.

use crate::framing::{is_spelling_of, starts_as};
use crate::limits;
use crate::parties::Parties;
use crate::view::Headers;

/// The fields that only the gate may set.
const OURS: &str = "x-mandate-";
/// What proves who the caller is, and is not the upstream's to see.
const EVIDENCE: [&str; 2] = ["authorization", "mandate-agent-context"];

/// Fields to remove: ours in every spelling, and the evidence unless it is forwarded.
pub(crate) fn removals(headers: Headers<'_>, forward: bool) -> Vec<String> {
    let removed = |name: &[u8]| {
        starts_as(name, OURS)
            || (!forward && EVIDENCE.iter().any(|known| is_spelling_of(name, known)))
    };
    let mut names: Vec<String> = headers
        .0
        .iter()
        .filter(|(name, _)| removed(name))
        .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The identity of an allowed request, for the upstream. `None` where a name is longer than a
/// header may be: half a name would be another's.
pub(crate) fn identity(
    parties: &Parties,
    credential: Option<&str>,
    decision_id: &str,
) -> Option<Vec<(&'static str, String)>> {
    let fields = [
        ("x-mandate-user", parties.user.as_deref()),
        ("x-mandate-agent", parties.agent.as_deref()),
        ("x-mandate-service", parties.service.as_deref()),
        ("x-mandate-tenant", parties.tenant.as_deref()),
        ("x-mandate-credential", credential),
        ("x-mandate-decision-id", Some(decision_id)),
    ];
    let present = fields.into_iter().filter_map(|(name, value)| Some((name, encode(value?))));
    let fields: Vec<_> = present.collect();
    fields.iter().all(|(_, value)| value.len() <= limits::IDENTITY_HEADER_BYTES).then_some(fields)
}

/// A value in visible ASCII: every other byte, and `%`, percent-encoded.
fn encode(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, 0x21..=0x7e) && byte != b'%' {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_fields_are_removed_in_every_spelling() {
        let headers: [(&[u8], &[u8]); 6] = [
            (b"x-mandate-user", b"user:eve"),
            (b"X_Mandate-User", b"user:eve"),
            (b"x-mandate-", b"1"),
            (b"x-mandated", b"stays"),
            (b"accept", b"*/*"),
            (b"x-mandate-user", b"user:eve"),
        ];
        let removed = ["x-mandate-", "x-mandate-user", "x_mandate-user"];
        assert_eq!(removals(Headers(&headers), false), removed);
        assert_eq!(removals(Headers(&headers), true), removed);
    }

    #[test]
    fn the_evidence_goes_upstream_only_where_it_is_forwarded() {
        let headers: [(&[u8], &[u8]); 3] = [
            (b"Authorization", b"Bearer a.b.c"),
            (b"Mandate-Agent-Context", b"d.e.f"),
            (b"mandate_agent_context", b"d.e.f"),
        ];
        let all = ["authorization", "mandate-agent-context", "mandate_agent_context"];
        assert_eq!(removals(Headers(&headers), false), all);
        assert_eq!(removals(Headers(&headers), true), [""; 0]);
    }

    #[test]
    fn a_name_is_encoded_so_that_no_two_become_one() {
        assert_eq!(encode("user:anne"), "user:anne");
        assert_eq!(encode("user:\u{e9} %"), "user:%C3%A9%20%25");
        assert_eq!(encode("a\r\nb"), "a%0D%0Ab");
    }
}
