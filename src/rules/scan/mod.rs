//! Sources of `match` facts: rules that look at text or at syntax trees instead of facts.

mod files;
mod keywords;
mod syntax;
mod text;
mod wrapped;

use std::sync::Arc;

pub use syntax::SyntaxScanner;
pub use text::{TextScanner, entropy};

/// A place that a `match` or `pattern` rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub rule: Arc<str>,
    /// The format of the rule, where it has several.
    pub label: Arc<str>,
    /// Byte range of the rule's group (of the whole match where it names none).
    pub start: usize,
    pub end: usize,
    pub text: String,
    /// The text must not be shown: mask it before it goes into a fact.
    pub secret: bool,
}

/// Matches of one rule in one file.
const MAX_MATCHES: usize = 200;

/// The largest character boundary at or below a byte offset.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
