//! What is wrong with a rule file, where, and what was probably meant.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// A problem at a place of a document whose text is held elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    pub help: Option<String>,
    /// Byte range.
    pub start: u32,
    pub end: u32,
}

impl Problem {
    pub fn new(start: u32, end: u32, message: impl Into<String>) -> Problem {
        Problem { message: message.into(), help: None, start, end }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Names the nearest of the allowed words, or lists them where none is near.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Problem {
        let mut allowed: Vec<&str> = allowed.into_iter().collect();
        allowed.sort_unstable();
        allowed.dedup();
        match nearest(word, &allowed) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if allowed.is_empty() => self,
            None => self.help(format!("known: {}", allowed.join(", "))),
        }
    }

    /// Joins the problem with the file that it is in.
    pub fn in_file(mut self, path: &str, text: &str) -> RuleError {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.end = self.end.min(length);
        self.start = self.start.min(self.end);
        RuleError(Box::new(Located { source: NamedSource::new(path, text.to_owned()), problem: self }))
    }
}

/// The nearest of some words, if it is near enough to be a slip.
pub fn nearest<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    allowed
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A rule file that cannot be used. Its display names file, line and column; as a diagnostic it shows the place.
#[derive(Debug, Clone)]
pub struct RuleError(Box<Located>);

#[derive(Debug, Clone)]
struct Located {
    source: NamedSource<String>,
    problem: Problem,
}

impl RuleError {
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    pub fn path(&self) -> &str {
        self.0.source.name()
    }

    pub fn span(&self) -> Range<usize> {
        self.0.problem.start as usize..self.0.problem.end as usize
    }

    /// Line and column, both from 1.
    pub fn position(&self) -> (usize, usize) {
        let before = self.0.source.inner().as_bytes().get(..self.0.problem.start as usize).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        (line, column)
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{}:{line}:{column}: {}", self.path(), self.0.problem.message)
    }
}

impl std::error::Error for RuleError {}

impl Diagnostic for RuleError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("rule-error"))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(Some("here".to_owned()), self.span());
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_line_and_column() {
        let error = Problem::new(4, 6, "bad").in_file("a.toml", "x\ny\nzz");
        assert_eq!(error.to_string(), "a.toml:3:1: bad");
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(nearest("cokie", &["cookie", "cors"]), Some("cookie"));
        assert_eq!(nearest("zebra", &["cookie", "cors"]), None);
        let problem = Problem::new(0, 1, "unknown").suggest("zebra", ["b", "a"]);
        assert_eq!(problem.help.as_deref(), Some("known: a, b"));
    }
}
