//! `application/x-www-form-urlencoded`, strictly: RFC 6749 section 3.2 and appendix B.

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormProblem {
    /// A broken escape, or what is not UTF-8.
    Malformed,
    /// A parameter comes twice that may come once.
    Repeated,
}

/// The parameters of a body. One without a value counts as left out, but not as not repeated.
pub(crate) fn fields(
    body: &[u8],
    repeatable: &[&str],
) -> Result<Vec<(String, String)>, FormProblem> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(middle);
        let name = decode(name).ok_or(FormProblem::Malformed)?;
        let value = decode(value.strip_prefix(b"=").unwrap_or(value));
        let value = value.ok_or(FormProblem::Malformed)?;
        let repeats = fields.iter().any(|(earlier, _)| *earlier == name);
        if repeats && !repeatable.contains(&name.as_str()) {
            return Err(FormProblem::Repeated);
        }
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    Ok(fields)
}

/// Decodes one name or value: `+` is a space, `%XX` a byte, the whole UTF-8.
pub(crate) fn decode(text: &[u8]) -> Option<String> {
    String::from_utf8(unescape(text, b' ')?).ok()
}

/// `%XX` is a byte, `+` is `plus`, anything else itself; `None` for a broken escape.
pub(crate) fn unescape(text: &[u8], plus: u8) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => plus,
            b'%' => {
                let high = hex(*rest.next()?)?;
                (high << 4) | hex(*rest.next()?)?
            }
            other => *other,
        });
    }
    Some(bytes)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
