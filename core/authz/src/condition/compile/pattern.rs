//! From a regular expression to the table that a guest walks.
//!
//! Patterns are RE2's, as in cel-go. `regex-syntax` parses them and `regex-automata` makes the
//! automaton; in between, what those read differently from RE2 is refused: Unicode classes, set
//! operations and nested sets, `\<`, `\u`, the flags `x`, `u` and `R`, repeated repetitions, and
//! ignoring case beyond ASCII.

mod table;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassAsciiKind, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet,
    ClassSetItem, Flag, Flags, FlagsItemKind, GroupKind, HexLiteralKind, Literal, LiteralKind,
    Repetition, RepetitionKind, RepetitionRange,
};
use regex_syntax::hir::{self, Class, ClassUnicode, ClassUnicodeRange, Hir, Look};

/// The table of a pattern, or why there is none.
pub(super) fn table(pattern: &str) -> Result<Vec<u8>, String> {
    let unreadable =
        |error: &dyn ToString| format!("the pattern cannot be read: {}", error.to_string());
    let ast = ParserBuilder::new().nest_limit(PATTERN_LEVELS).build().parse(pattern);
    let ast = ast.map_err(|error| unreadable(error.kind()))?;
    let mut translator = Translator { pattern, flags: Mode::default() };
    let matched = translator
        .translate(&ast)
        .map_err(|what| format!("in a pattern, {what} is not supported"))?;
    // The match may start anywhere, but between characters only.
    let before = Hir::repetition(hir::Repetition {
        min: 0,
        max: None,
        greedy: false,
        sub: Box::new(Hir::class(Class::Unicode(any_character()))),
    });
    table::of(&Hir::concat(vec![before, matched]))
}

/// The flags in force.
#[derive(Clone, Copy, Default)]
struct Mode {
    ignores_case: bool,
    has_lines: bool,
    dot_is_any: bool,
}

struct Translator<'p> {
    pattern: &'p str,
    flags: Mode,
}

type Translated<T> = Result<T, &'static str>;

impl Translator<'_> {
    fn translate(&mut self, ast: &Ast) -> Translated<Hir> {
        Ok(match ast {
            Ast::Empty(_) => Hir::empty(),
            Ast::Flags(flags) => {
                self.set(&flags.flags)?;
                Hir::empty()
            }
            Ast::Literal(literal) => Hir::class(Class::Unicode(self.literal(literal)?)),
            Ast::Dot(_) => Hir::class(Class::Unicode(self.dot())),
            Ast::Assertion(assertion) => Hir::look(self.look(&assertion.kind)?),
            Ast::ClassUnicode(_) => return Err(UNICODE_CLASS),
            Ast::ClassPerl(class) => Hir::class(Class::Unicode(self.perl(class)?)),
            Ast::ClassBracketed(class) => Hir::class(Class::Unicode(self.bracketed(class)?)),
            Ast::Repetition(repetition) => self.repetition(repetition)?,
            Ast::Group(group) => {
                let outer = self.flags;
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.set(flags)?;
                }
                let inner = self.translate(&group.ast)?;
                self.flags = outer;
                inner
            }
            Ast::Alternation(alternation) => Hir::alternation(self.all(&alternation.asts)?),
            Ast::Concat(concat) => Hir::concat(self.all(&concat.asts)?),
        })
    }

    fn all(&mut self, asts: &[Ast]) -> Translated<Vec<Hir>> {
        asts.iter().map(|ast| self.translate(ast)).collect()
    }

    fn set(&mut self, flags: &Flags) -> Translated<()> {
        let mut value = true;
        for item in &flags.items {
            let flag = match item.kind {
                FlagsItemKind::Negation => {
                    value = false;
                    continue;
                }
                FlagsItemKind::Flag(flag) => flag,
            };
            match flag {
                Flag::CaseInsensitive => self.flags.ignores_case = value,
                Flag::MultiLine => self.flags.has_lines = value,
                Flag::DotMatchesNewLine => self.flags.dot_is_any = value,
                // Which of two matches is longer does not matter to whether there is one.
                Flag::SwapGreed => {}
                Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace => {
                    return Err("a flag other than `i`, `m`, `s` and `U`");
                }
            }
        }
        Ok(())
    }

    fn look(&self, kind: &AssertionKind) -> Translated<Look> {
        Ok(match kind {
            AssertionKind::StartLine if self.flags.has_lines => Look::StartLF,
            AssertionKind::EndLine if self.flags.has_lines => Look::EndLF,
            AssertionKind::StartLine | AssertionKind::StartText => Look::Start,
            AssertionKind::EndLine | AssertionKind::EndText => Look::End,
            AssertionKind::WordBoundary => Look::WordAscii,
            AssertionKind::NotWordBoundary => Look::WordAsciiNegate,
            AssertionKind::WordBoundaryStart
            | AssertionKind::WordBoundaryEnd
            | AssertionKind::WordBoundaryStartAngle
            | AssertionKind::WordBoundaryEndAngle
            | AssertionKind::WordBoundaryStartHalf
            | AssertionKind::WordBoundaryEndHalf => return Err("one side of a word boundary"),
        })
    }

    fn repetition(&mut self, repetition: &Repetition) -> Translated<Hir> {
        if matches!(repetition.ast.as_ref(), Ast::Repetition(_)) {
            return Err("a repetition of a repetition");
        }
        let (min, max) = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne => (0, Some(1)),
            RepetitionKind::ZeroOrMore => (0, None),
            RepetitionKind::OneOrMore => (1, None),
            RepetitionKind::Range(range) => {
                let span = &repetition.op.span;
                let written = self.pattern.get(span.start.offset..span.end.offset);
                if written.is_none_or(|text| text.contains(char::is_whitespace)) {
                    return Err("white space in a repetition");
                }
                match *range {
                    RepetitionRange::Exactly(count) => (count, Some(count)),
                    RepetitionRange::AtLeast(min) => (min, None),
                    RepetitionRange::Bounded(min, max) => (min, Some(max)),
                }
            }
        };
        if min.max(max.unwrap_or(0)) > REPETITIONS {
            return Err("a repetition of more than 1000");
        }
        let sub = Box::new(self.translate(&repetition.ast)?);
        Ok(Hir::repetition(hir::Repetition { min, max, greedy: repetition.greedy, sub }))
    }

    fn literal(&self, literal: &Literal) -> Translated<ClassUnicode> {
        check_literal(literal)?;
        self.range(literal.c, literal.c)
    }

    /// The characters of a range, and where case is ignored their other forms.
    fn range(&self, start: char, end: char) -> Translated<ClassUnicode> {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(start, end)]);
        if !self.flags.ignores_case {
            return Ok(class);
        }
        if !end.is_ascii() {
            return Err("ignoring the case of what is not ASCII");
        }
        for letter in (start..=end).filter(char::is_ascii_alphabetic) {
            let (lower, upper) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
            class.push(ClassUnicodeRange::new(lower, lower));
            class.push(ClassUnicodeRange::new(upper, upper));
            // Unicode folds two more characters onto ASCII letters.
            match lower {
                'k' => class.push(ClassUnicodeRange::new('\u{212a}', '\u{212a}')),
                's' => class.push(ClassUnicodeRange::new('\u{17f}', '\u{17f}')),
                _ => {}
            }
        }
        Ok(class)
    }

    fn ranges(&self, ranges: &[(char, char)]) -> Translated<ClassUnicode> {
        let mut class = ClassUnicode::empty();
        for (start, end) in ranges {
            class.union(&self.range(*start, *end)?);
        }
        Ok(class)
    }

    fn dot(&self) -> ClassUnicode {
        let mut class = ClassUnicode::empty();
        if !self.flags.dot_is_any {
            class.push(ClassUnicodeRange::new('\n', '\n'));
        }
        class.negate();
        class
    }

    fn perl(&self, class: &ClassPerl) -> Translated<ClassUnicode> {
        let mut ranges = self.ranges(match class.kind {
            ClassPerlKind::Digit => &[('0', '9')],
            // RE2's `\s` has no vertical tab.
            ClassPerlKind::Space => &[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
            ClassPerlKind::Word => &WORD,
        })?;
        if class.negated {
            ranges.negate();
        }
        Ok(ranges)
    }

    fn bracketed(&self, class: &ClassBracketed) -> Translated<ClassUnicode> {
        let ClassSet::Item(item) = &class.kind else { return Err(SET_OPERATION) };
        let mut ranges = self.item(item)?;
        if class.negated {
            ranges.negate();
        }
        Ok(ranges)
    }

    fn item(&self, item: &ClassSetItem) -> Translated<ClassUnicode> {
        match item {
            ClassSetItem::Empty(_) => Ok(ClassUnicode::empty()),
            ClassSetItem::Literal(literal) => self.literal(literal),
            ClassSetItem::Range(range) => {
                check_literal(&range.start)?;
                check_literal(&range.end)?;
                self.range(range.start.c, range.end.c)
            }
            ClassSetItem::Ascii(class) => {
                let mut ranges = self.ranges(ascii_ranges(&class.kind))?;
                if class.negated {
                    ranges.negate();
                }
                Ok(ranges)
            }
            ClassSetItem::Unicode(_) => Err(UNICODE_CLASS),
            ClassSetItem::Perl(class) => self.perl(class),
            ClassSetItem::Bracketed(_) => Err(SET_OPERATION),
            ClassSetItem::Union(union) => {
                let mut ranges = ClassUnicode::empty();
                for item in &union.items {
                    ranges.union(&self.item(item)?);
                }
                Ok(ranges)
            }
        }
    }
}

fn check_literal(literal: &Literal) -> Translated<()> {
    match &literal.kind {
        LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
            Err("`\\u`")
        }
        LiteralKind::Octal => Err("an octal number"),
        LiteralKind::Verbatim
        | LiteralKind::Meta
        | LiteralKind::Superfluous
        | LiteralKind::HexFixed(HexLiteralKind::X)
        | LiteralKind::HexBrace(HexLiteralKind::X)
        | LiteralKind::Special(_) => Ok(()),
    }
}

fn any_character() -> ClassUnicode {
    let mut class = ClassUnicode::empty();
    class.negate();
    class
}

const fn ascii_ranges(kind: &ClassAsciiKind) -> &'static [(char, char)] {
    match kind {
        ClassAsciiKind::Alnum => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Alpha => &[('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Ascii => &[('\0', '\x7f')],
        ClassAsciiKind::Blank => &[('\t', '\t'), (' ', ' ')],
        ClassAsciiKind::Cntrl => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        ClassAsciiKind::Digit => &[('0', '9')],
        ClassAsciiKind::Graph => &[('!', '~')],
        ClassAsciiKind::Lower => &[('a', 'z')],
        ClassAsciiKind::Print => &[(' ', '~')],
        ClassAsciiKind::Punct => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        ClassAsciiKind::Space => &[('\t', '\r'), (' ', ' ')],
        ClassAsciiKind::Upper => &[('A', 'Z')],
        ClassAsciiKind::Word => &WORD,
        ClassAsciiKind::Xdigit => &[('0', '9'), ('A', 'F'), ('a', 'f')],
    }
}

const WORD: [(char, char); 4] = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

const UNICODE_CLASS: &str = "a class of Unicode properties";

const SET_OPERATION: &str = "a set within a set";

/// RE2's bound.
const REPETITIONS: u32 = 1_000;

/// Groups within groups.
const PATTERN_LEVELS: u32 = 100;
