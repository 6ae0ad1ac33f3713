//! Header maps as proxy-wasm writes them: a count, the lengths, then names and values, each ended by
//! a zero byte. Read as bytes: a value that is not UTF-8 is a value.

use crate::host::HostProblem;

/// A header map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
    /// Where names and values stand.
    places: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)>,
}

/// The pseudo-header fields of a request, and the others.
#[derive(Clone, Debug)]
pub(crate) struct RequestHead<'f> {
    pub(crate) method: &'f [u8],
    pub(crate) target: &'f [u8],
    pub(crate) others: Vec<(&'f [u8], &'f [u8])>,
}

impl Fields {
    /// Reads a map. A map without fields may come as no bytes at all.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, HostProblem> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let places = places(&bytes).ok_or(HostProblem::unreadable("get_header_map_pairs"))?;
        Ok(Self { bytes, places })
    }

    /// Names and values, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let bytes = |range: &std::ops::Range<usize>| self.bytes.get(range.clone()).unwrap_or(&[]);
        self.places.iter().map(move |(name, value)| (bytes(name), bytes(value)))
    }

    /// The only value of a field; `None` where it is absent or comes twice.
    pub(crate) fn only(&self, name: &'static str) -> Option<&[u8]> {
        let named = |field: &[u8]| field.eq_ignore_ascii_case(name.as_bytes());
        let mut all = self.iter().filter(|(field, _)| named(field)).map(|(_, value)| value);
        let first = all.next();
        first.filter(|_| all.next().is_none())
    }

    /// Splits a request's map. `None` where a pseudo-header field is unknown or comes twice: then
    /// two readers could take it for two requests.
    pub(crate) fn request_head(&self) -> Option<RequestHead<'_>> {
        let (mut method, mut target) = (None, None);
        let (mut authority, mut scheme) = (None, None);
        let mut others = Vec::with_capacity(self.places.len());
        for (name, value) in self.iter() {
            let slot = match name {
                b":method" => &mut method,
                b":path" => &mut target,
                b":authority" => &mut authority,
                b":scheme" => &mut scheme,
                _ if name.starts_with(b":") => return None,
                _ => {
                    others.push((name, value));
                    continue;
                }
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        // CONNECT has no path; the gate refuses it by its method.
        Some(RequestHead { method: method?, target: target.unwrap_or(b""), others })
    }
}

type Place = (std::ops::Range<usize>, std::ops::Range<usize>);

fn places(bytes: &[u8]) -> Option<Vec<Place>> {
    let number = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
    };
    let count = number(0)?;
    // INVARIANT: eight bytes a field come before the first name, so that the count is bounded.
    let mut at = count.checked_mul(8)?.checked_add(4)?;
    bytes.get(..at)?;
    let mut places = Vec::with_capacity(count);
    for field in 0..count {
        let lengths = field.checked_mul(8)?.checked_add(4)?;
        let name = span(bytes, &mut at, number(lengths)?)?;
        let value = span(bytes, &mut at, number(lengths.checked_add(4)?)?)?;
        places.push((name, value));
    }
    (at == bytes.len()).then_some(places)
}

/// The next text, which a zero byte ends.
fn span(bytes: &[u8], at: &mut usize, length: usize) -> Option<std::ops::Range<usize>> {
    let (start, end) = (*at, at.checked_add(length)?);
    (*bytes.get(end)? == 0).then_some(())?;
    *at = end.checked_add(1)?;
    Some(start..end)
}

/// Writes a map, for a host call.
pub(crate) fn write(fields: &[(&str, &str)]) -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = Vec::new();
    bytes.extend(u32::try_from(fields.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (name, value) in fields {
        bytes.extend(length(name));
        bytes.extend(length(value));
    }
    for (name, value) in fields {
        for text in [name, value] {
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::map;

    #[test]
    fn every_value_of_a_map_is_read_as_bytes() {
        let written: [(&[u8], &[u8]); 3] = [(b"a", b"\xff\xfe"), (b"b", b""), (b"a", b"2")];
        let fields = Fields::parse(map(&written)).unwrap();
        assert_eq!(fields.iter().collect::<Vec<_>>(), written);
        assert_eq!(fields.only("b"), Some(&b""[..]));
        assert_eq!((fields.only("a"), fields.only("c")), (None, None));
        assert_eq!(Fields::parse(Vec::new()), Ok(Fields::default()));
    }

    #[test]
    fn what_is_no_map_is_refused_at_every_length() {
        let whole = map(&[(b"name", b"value"), (b"x", b"")]);
        for length in 1..whole.len() {
            let cut = whole.get(..length).unwrap().to_vec();
            assert_eq!(
                Fields::parse(cut),
                Err(HostProblem::unreadable("get_header_map_pairs")),
                "{length}"
            );
        }
        let longer = [whole.as_slice(), b"x"].concat();
        let huge = [&[0xff; 4][..], whole.as_slice()].concat();
        let unended: Vec<u8> = whole.iter().map(|byte| byte | 1).collect();
        for bytes in [longer, huge, unended] {
            let unreadable = HostProblem::unreadable("get_header_map_pairs");
            assert_eq!(Fields::parse(bytes), Err(unreadable));
        }
    }

    #[test]
    fn a_request_has_each_pseudo_header_field_once_and_no_other() {
        let head = |fields: &[(&[u8], &[u8])]| {
            let fields = Fields::parse(map(fields)).unwrap();
            fields.request_head().map(|head| (head.method.to_vec(), head.target.to_vec()))
        };
        let get: [(&[u8], &[u8]); 3] = [(b":method", b"GET"), (b":path", b"/a"), (b"x", b"1")];
        assert_eq!(head(&get), Some((b"GET".to_vec(), b"/a".to_vec())));
        let with = |name: &'static [u8]| [get.as_slice(), &[(name, b"b")]].concat();
        assert_eq!(head(&with(b":authority")), Some((b"GET".to_vec(), b"/a".to_vec())));
        for name in [&b":path"[..], b":method", b":protocol", b":"] {
            assert_eq!(head(&with(name)), None, "{name:?}");
        }
        assert_eq!(head(&[(b":path", b"/a")]), None);
    }
}
