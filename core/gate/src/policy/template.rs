//! Path templates: `/boards/{board}/cards`. A variable stands for one whole segment.

use mandate_authn::LoadError;

use crate::target;

/// A path with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Parses a template: absolute, in plain letters, each variable once.
    pub(super) fn parse(text: &str) -> Result<Self, LoadError> {
        let fail = |message| Err(LoadError::new("path", message));
        let Some(rest) = text.strip_prefix('/') else {
            return fail("must start with `/`");
        };
        let segments: Vec<Segment> = rest.split('/').map(Segment::of).collect();
        for (position, segment) in segments.iter().enumerate() {
            match segment {
                Segment::Literal(literal) => {
                    let braces = literal.contains(['{', '}']);
                    // A path may end with `/`; anywhere else an empty segment would be `//`.
                    let last = position.saturating_add(1) == segments.len();
                    let ending = last && literal.is_empty();
                    if braces || !(ending || target::is_plain_segment(literal)) {
                        return fail("a segment must be plain, or one `{variable}`");
                    }
                }
                Segment::Variable(name) => {
                    let earlier = segments.iter().take(position);
                    if earlier.into_iter().any(|earlier| earlier == segment) {
                        return fail("a variable is there twice");
                    }
                    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
                    if name.is_empty() || !name.bytes().all(plain) {
                        return fail("a variable must be lower-case letters and `_`");
                    }
                }
            }
        }
        Ok(Self { segments })
    }

    /// The variables, in their order.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Variable(name) => Some(name.as_str()),
        })
    }

    /// Whether some path fits both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let mut pairs = self.segments.iter().zip(&other.segments);
        self.segments.len() == other.segments.len()
            && pairs.all(|pair| match pair {
                (Segment::Literal(one), Segment::Literal(another)) => one == another,
                (Segment::Variable(_), _) | (_, Segment::Variable(_)) => true,
            })
    }

    /// Whether a path fits. Literals are compared as they are written: a path with an encoded
    /// letter in the place of one is another path.
    pub(crate) fn fits(&self, path: &target::Path<'_>) -> bool {
        let mut parts = path.segments();
        let each = self.segments.iter().all(|segment| match (segment, parts.next()) {
            (Segment::Literal(literal), Some(part)) => literal == part,
            (Segment::Variable(_), Some(part)) => !part.is_empty(),
            (_, None) => false,
        });
        each && parts.next().is_none()
    }

    /// The raw segment that stands where a variable does.
    pub(crate) fn variable<'p>(&self, path: &target::Path<'p>, name: &str) -> Option<&'p str> {
        let mut pairs = self.segments.iter().zip(path.segments());
        let found = pairs.find(|(segment, _)| match segment {
            Segment::Literal(_) => false,
            Segment::Variable(variable) => variable == name,
        });
        found.map(|(_, part)| part)
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        inner.map_or_else(|| Self::Literal(text.to_owned()), |name| Self::Variable(name.to_owned()))
    }
}
