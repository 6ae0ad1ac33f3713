//! `application/x-www-form-urlencoded`, strictly: RFC 6749 appendix B, each parameter once.

/// The parameters of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body; `None` where it is none, or a parameter comes twice.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(middle);
            let name = decode(name)?;
            let value = decode(value.strip_prefix(b"=").unwrap_or(value))?;
            if fields.iter().any(|(earlier, _)| *earlier == name) {
                return None;
            }
            fields.push((name, value));
        }
        Some(Self(fields))
    }

    /// A parameter's value; an empty one counts as left out.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }
}

/// `+` is a space, `%XX` a byte, the whole UTF-8.
fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = hex(*rest.next()?)?;
                (high << 4) | hex(*rest.next()?)?
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
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
