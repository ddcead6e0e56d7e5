//! Regular expressions of rules: compiled when they are first needed, and in the meaning that is quick to search for.

use std::sync::{Arc, OnceLock};

use regex::Regex;
use regex_syntax::ast::{self, AssertionKind, Ast, ClassPerl, ClassPerlKind, Span};
use regex_syntax::hir::{Class, Hir, HirKind};

/// A regular expression, compiled when it is first needed.
///
/// `\b`, `\w`, `\d` and `\s` mean ASCII's letters, digits and blanks: Unicode's make an expression many times larger,
/// and one with Unicode's `\b` cannot be searched for by an automaton in a text with any letter that is not ASCII's.
#[derive(Debug, Clone)]
pub struct LazyRegex {
    source: Arc<str>,
    compiled: Arc<OnceLock<Option<Regex>>>,
    within_line: Arc<OnceLock<bool>>,
}

/// Compiled expressions larger than this are refused.
const REGEX_LIMIT: usize = 1 << 20;

impl LazyRegex {
    pub fn new(source: impl Into<Arc<str>>) -> LazyRegex {
        LazyRegex { source: source.into(), compiled: Arc::default(), within_line: Arc::default() }
    }

    fn build(&self) -> Result<Regex, regex::Error> {
        regex::RegexBuilder::new(&in_ascii(&self.source)).size_limit(REGEX_LIMIT).build()
    }

    /// The compiled expression; none if it is broken (which loading and `rules test` report).
    pub fn get(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| self.build().ok()).as_ref()
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Why it does not compile.
    pub fn broken(&self) -> Option<String> {
        self.build().err().map(|error| error.to_string())
    }

    /// What it matches never holds a line break.
    pub fn stays_in_line(&self) -> bool {
        let parsed = || regex_syntax::parse(&in_ascii(&self.source)).is_ok_and(|hir| !holds_line_break(&hir));
        *self.within_line.get_or_init(parsed)
    }
}

fn holds_line_break(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class.iter().any(|range| range.start() <= '\n' && range.end() >= '\n'),
        HirKind::Class(Class::Bytes(class)) => class.iter().any(|range| range.start() <= b'\n' && range.end() >= b'\n'),
        HirKind::Repetition(repetition) => holds_line_break(&repetition.sub),
        HirKind::Capture(capture) => holds_line_break(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(holds_line_break),
    }
}

/// The expression with ASCII's classes instead of Unicode's; as it is where it does not parse.
fn in_ascii(source: &str) -> String {
    let found =
        ast::parse::Parser::new().parse(source).ok().and_then(|ast| ast::visit(&ast, UnicodeClasses::default()).ok());
    let mut text = String::with_capacity(source.len());
    let mut written = 0;
    for (span, replacement) in found.unwrap_or_default() {
        text.push_str(&source[written..span.start.offset]);
        text.push_str(replacement);
        written = span.end.offset;
    }
    text.push_str(&source[written..]);
    text
}

/// Collects where Unicode's classes stand, in order, and what stands for each in ASCII.
#[derive(Default)]
struct UnicodeClasses {
    found: Vec<(Span, &'static str)>,
}

impl ast::Visitor for UnicodeClasses {
    type Output = Vec<(Span, &'static str)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.found)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let ascii = match ast {
            Ast::Assertion(assertion) if assertion.kind == AssertionKind::WordBoundary => r"(?-u:\b)",
            Ast::ClassPerl(class) => match (&class.kind, class.negated) {
                (ClassPerlKind::Digit, false) => "[0-9]",
                (ClassPerlKind::Digit, true) => "[^0-9]",
                (ClassPerlKind::Space, false) => "[[:space:]]",
                (ClassPerlKind::Space, true) => "[[:^space:]]",
                (ClassPerlKind::Word, false) => "[[:word:]]",
                (ClassPerlKind::Word, true) => "[[:^word:]]",
            },
            _ => return Ok(()),
        };
        self.found.push((*ast.span(), ascii));
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        let ast::ClassSetItem::Perl(ClassPerl { span, kind, negated }) = item else { return Ok(()) };
        let ascii = match (kind, negated) {
            (ClassPerlKind::Digit, false) => "[:digit:]",
            (ClassPerlKind::Digit, true) => "[:^digit:]",
            (ClassPerlKind::Space, false) => "[:space:]",
            (ClassPerlKind::Space, true) => "[:^space:]",
            (ClassPerlKind::Word, false) => "[:word:]",
            (ClassPerlKind::Word, true) => "[:^word:]",
        };
        self.found.push((*span, ascii));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_ascii() {
        assert_eq!(in_ascii(r"\b[\w.\d]+\s[^\s]\\b"), r"(?-u:\b)[[:word:].[:digit:]]+[[:space:]][^[:space:]]\\b");
        assert_eq!(in_ascii(r"[\s\S]\W"), "[[:space:][:^space:]][[:^word:]]");
        assert_eq!(in_ascii(r"(?-u:\b)\d(?i:\w)"), r"(?-u:(?-u:\b))[0-9](?i:[[:word:]])");
        assert_eq!(in_ascii("(\\b"), "(\\b", "what does not parse is told of by the compiler");
        let regex = LazyRegex::new(r"\bé\w");
        assert!(!regex.get().unwrap().is_match("éa"), "no letter of ASCII's begins a word there");
        assert!(LazyRegex::new(r"[^\s]\S\W").get().unwrap().is_match("ééé"));
    }

    #[test]
    fn a_line_break_may_be_in_a_blank_or_in_what_is_excluded() {
        let stays = |source: &str| LazyRegex::new(source).stays_in_line();
        assert!(stays(r"(?m)^[ \t]*\w+ = .*$"));
        assert!(stays(r#""[^"\n]*""#));
        assert!(!stays(r"a\s*b"));
        assert!(!stays(r#""[^"]*""#));
        assert!(!stays("(?s:a.b)"));
        assert!(!stays(r"a\nb|c"));
    }
}
