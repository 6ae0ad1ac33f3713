//! `contract/reason-codes.toml`, read strictly.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// All codes, in the order of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonCodes {
    #[serde(rename = "code")]
    codes: Vec<ReasonCode>,
}

/// One code with all its columns; the head of the file says what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonCode {
    pub(crate) code: String,
    pub(crate) class: String,
    pub(crate) line: String,
    pub(crate) status: u16,
    pub(crate) mcp_status: u16,
    pub(crate) jsonrpc: i32,
    pub(crate) challenge: String,
    pub(crate) authzen: String,
    pub(crate) permit: String,
    pub(crate) bridge: String,
    pub(crate) text: String,
    pub(crate) meaning: String,
}

impl ReasonCodes {
    /// Parses the file and checks every closed column.
    ///
    /// # Errors
    /// When the TOML is malformed, a code appears twice, or a column holds a value outside its set.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let all: Self = toml::from_str(text)?;
        let mut seen = BTreeSet::new();
        for code in &all.codes {
            ensure!(seen.insert(&code.code), "code `{}` appears twice", code.code);
            code.check().with_context(|| format!("code `{}`", code.code))?;
        }
        ensure!(!all.codes.is_empty(), "no `[[code]]`");
        Ok(all)
    }

    /// The codes in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ReasonCode> {
        self.codes.iter()
    }

    /// The codes in alphabetical order.
    pub(crate) fn alphabetical(&self) -> Vec<&ReasonCode> {
        let mut codes: Vec<_> = self.codes.iter().collect();
        codes.sort_by_key(|code| code.variant());
        codes
    }

    /// How many codes there are.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }
}

impl ReasonCode {
    /// The Rust variant: `token-audience` is `TokenAudience`.
    pub(crate) fn variant(&self) -> String {
        pascal_case(&self.code)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.code.is_empty()
                && self.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "`code` is not kebab-case"
        );
        one_of("class", &self.class, CLASSES)?;
        one_of("line", &self.line, LINES)?;
        one_of("challenge", &self.challenge, CHALLENGES)?;
        one_of("authzen", &self.authzen, &["true", "false", "error"])?;
        one_of("permit", &self.permit, &["allow", "deny", "error"])?;
        for (name, value) in
            [("bridge", &self.bridge), ("text", &self.text), ("meaning", &self.meaning)]
        {
            ensure!(!value.is_empty(), "`{name}` is empty");
            ensure!(!value.contains('\n'), "`{name}` is not one line");
        }
        ensure!(
            (self.class == "allow") == (self.authzen == "true" && self.permit == "allow"),
            "only class `allow` may be answered with `true` or `allow`"
        );
        Ok(())
    }
}

/// Classes of reasons, in the order of decision.
pub(crate) const CLASSES: &[&str] =
    &["allow", "token", "binding", "identity", "rule", "request", "state", "channel"];

/// Where a decision may fail; `none` for allow.
const LINES: &[&str] =
    &["none", "framing", "token", "mapping", "binding", "1", "2", "3", "4", "5", "6", "7", "8"];

/// `error` of a Bearer challenge; `bare` is a challenge without it, empty is no challenge.
const CHALLENGES: &[&str] = &["", "bare", "insufficient_scope", "invalid_token"];

/// `token-audience` and `insufficient_scope` become `TokenAudience` and `InsufficientScope`.
pub(crate) fn pascal_case(words: &str) -> String {
    let mut name = String::new();
    for word in words.split(['-', '_']) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn one_of(column: &str, value: &str, allowed: &[&str]) -> anyhow::Result<()> {
    ensure!(allowed.contains(&value), "`{column}` is `{value}`, expected one of {allowed:?}");
    Ok(())
}

#[cfg(test)]
impl ReasonCodes {
    /// Codes of which only the name, the class and the line matter.
    pub(crate) fn of(rows: &[(&str, &str, &str)]) -> Self {
        let row = |(code, class, line): &(&str, &str, &str)| {
            format!(
                "[[code]]\ncode = \"{code}\"\nclass = \"{class}\"\nline = \"{line}\"\nstatus = 403\nmcp_status = 200\n\
                 jsonrpc = -32001\nchallenge = \"\"\nauthzen = \"false\"\npermit = \"deny\"\n\
                 bridge = \"B\"\ntext = \"T\"\nmeaning = \"M\"\n"
            )
        };
        Self::parse(&rows.iter().map(row).collect::<String>()).expect("codes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"
[[code]]
code = "token-expired"
class = "token"
line = "token"
status = 401
mcp_status = 401
jsonrpc = -32001
challenge = "invalid_token"
authzen = "false"
permit = "deny"
bridge = "DENY_TOKEN_EXPIRED"
text = "The access token was not accepted."
meaning = "The `exp` claim has passed, skew included."
"#;

    fn message(text: &str) -> String {
        format!("{:#}", ReasonCodes::parse(text).expect_err("must be refused"))
    }

    #[test]
    fn a_variant_is_the_code_in_pascal_case() {
        let codes = ReasonCodes::parse(ROW).expect("row");
        let variants: Vec<_> = codes.iter().map(ReasonCode::variant).collect();
        assert_eq!(variants, ["TokenExpired"]);
    }

    #[test]
    fn a_code_that_appears_twice_is_refused() {
        assert_eq!(message(&format!("{ROW}{ROW}")), "code `token-expired` appears twice");
    }

    #[test]
    fn a_denial_answered_with_allow_is_refused() {
        let weak = ROW.replace(r#"permit = "deny""#, r#"permit = "allow""#);
        let weaker = weak.replace(r#"authzen = "false""#, r#"authzen = "true""#);
        assert_eq!(
            message(&weaker),
            "code `token-expired`: only class `allow` may be answered with `true` or `allow`"
        );
    }

    #[test]
    fn a_class_outside_the_set_is_refused() {
        let odd = ROW.replace(r#"class = "token""#, r#"class = "misc""#);
        assert!(message(&odd).starts_with("code `token-expired`: `class` is `misc`"));
    }

    #[test]
    fn an_unknown_column_is_refused() {
        assert!(message(&format!("{ROW}colour = \"red\"\n")).contains("unknown field `colour`"));
    }
}
