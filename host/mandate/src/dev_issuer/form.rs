//! The forms of token requests: a parameter that comes twice is refused, but `audience` and
//! `resource`, which RFC 8693 lets repeat.

use crate::dev_issuer::oauth_error::OAuthError;
use crate::form::{FormProblem, fields};

/// The parameters of a token request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        fields(body, &REPEATABLE).map(Self).map_err(|problem| match problem {
            FormProblem::Malformed => OAuthError::request("the form is malformed"),
            FormProblem::Repeated => OAuthError::request("a parameter is given twice"),
        })
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
