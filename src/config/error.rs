//! One thing that is wrong with a configuration file, where it stands.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};

/// Rendered by miette with the lines of the file around it. Any of them ends the run before it starts (exit 2).
#[derive(Debug, Clone, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("{label}")]
    span: SourceSpan,
    label: String,
    #[help]
    pub help: Option<String>,
    /// Everything else that is wrong with the file, in the order of the file.
    #[related]
    pub others: Vec<ConfigError>,
}

impl ConfigError {
    /// The byte range that it is about.
    pub fn range(&self) -> Range<usize> {
        let start = self.span.offset();
        start..start.saturating_add(self.span.len())
    }
}

/// What the walk over the file notes; it becomes a [`ConfigError`] with the file's text.
#[derive(Debug)]
pub(super) struct Problem {
    pub range: Range<usize>,
    pub message: String,
    pub label: String,
    pub help: Option<String>,
}

impl Problem {
    fn into_error(self, name: &str, text: &str) -> ConfigError {
        let start = self.range.start.min(text.len());
        let length = self.range.end.min(text.len()).saturating_sub(start);
        ConfigError {
            message: self.message,
            source_code: NamedSource::new(name, text.to_owned()).with_language("TOML"),
            span: (start, length).into(),
            label: self.label,
            help: self.help,
            others: Vec::new(),
        }
    }
}

/// At most this many problems are shown; a file that is not ours has no use for more.
const SHOWN: usize = 20;

/// The first problem of the file with the others below it.
pub(super) fn first_with_others(mut problems: Vec<Problem>, name: &str, text: &str) -> Option<ConfigError> {
    problems.sort_by_key(|problem| (problem.range.start, problem.range.end));
    let mut errors = problems.into_iter().take(SHOWN).map(|problem| problem.into_error(name, text));
    let mut first = errors.next()?;
    first.others = errors.collect();
    Some(first)
}
