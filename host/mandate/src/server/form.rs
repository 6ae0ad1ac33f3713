//! The forms of introspection and revocation: each parameter comes once.

use crate::form::fields;

/// The parameters of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body; `None` where it is none, or a parameter comes twice.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        fields(body, &[]).ok().map(Self)
    }

    /// A parameter's value; an empty one counts as left out.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_decoded_once_and_comes_once() {
        let form = Form::parse(b"token=a+b%2520&x=").unwrap();
        assert_eq!((form.one("token"), form.one("x")), (Some("a b%20"), None));
        for body in [&b"a=1&a=2"[..], b"a=%", b"a=%4", b"a=%zz", b"a=%ff"] {
            assert_eq!(Form::parse(body), None);
        }
    }
}
