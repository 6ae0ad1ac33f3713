//! `application/x-www-form-urlencoded`, strictly.
//!
//! Spec: RFC 6749 section 3.2 and appendix B: a parameter that comes twice is refused (RFC 8693 lets
//! `audience` and `resource` repeat), one without a value counts as left out.

use crate::dev_issuer::oauth_error::OAuthError;

/// The parameters of a token request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(middle);
            let name = decode(name)?;
            let value = decode(value.strip_prefix(b"=").unwrap_or(value))?;
            let repeats = fields.iter().any(|(earlier, _)| *earlier == name);
            if repeats && !REPEATABLE.contains(&name.as_str()) {
                return Err(OAuthError::request("a parameter is given twice"));
            }
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        Ok(Self(fields))
    }

    /// A parameter's value.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a parameter that may repeat.
    pub(super) fn all<'form>(&'form self, name: &str) -> impl Iterator<Item = &'form str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte, the whole UTF-8.
pub(super) fn decode(text: &[u8]) -> Result<String, OAuthError> {
    let malformed = || OAuthError::request("the form is malformed");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.copied().and_then(hex));
                let [Some(high), Some(low)] = digits else { return Err(malformed()) };
                (high << 4) | low
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

const REPEATABLE: [&str; 2] = ["audience", "resource"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_once() {
        let form = Form::parse(b"scope=a+b%2520&x=%C3%BC").unwrap();
        assert_eq!((form.one("scope"), form.one("x")), (Some("a b%20"), Some("\u{fc}")));
    }

    #[test]
    fn a_parameter_that_comes_twice_is_refused() {
        let twice = OAuthError::request("a parameter is given twice");
        assert_eq!(Form::parse(b"scope=a&scope=b"), Err(twice.clone()));
        assert_eq!(Form::parse(b"scope=&scope=b"), Err(twice));
    }

    #[test]
    fn audience_may_come_twice() {
        let form = Form::parse(b"audience=a&audience=b").unwrap();
        assert_eq!(form.all("audience").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_left_out() {
        assert_eq!(Form::parse(b"scope=&audience").unwrap(), Form(Vec::new()));
    }

    #[test]
    fn a_broken_escape_is_refused() {
        let malformed = OAuthError::request("the form is malformed");
        for body in [b"a=%".as_slice(), b"a=%4", b"a=%zz", b"a=%ff"] {
            assert_eq!(Form::parse(body), Err(malformed.clone()));
        }
    }
}
