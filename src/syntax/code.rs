//! Code of any language to the one model that the fact layer reads.

use oxc_allocator::Allocator;

use super::hir::Module;
use super::javascript::nesting;
use super::{SyntaxError, javascript, python, rust};
use crate::project::FileKind;

/// Reads a module of code; `None` for a file that is none. The path decides the dialect within a language.
pub fn parse(kind: FileKind, path: &str, text: &str, allocator: &Allocator) -> Option<Result<Module, SyntaxError>> {
    match kind {
        FileKind::JavaScript => Some(javascript::parse(path, text, allocator)),
        FileKind::Python => Some(python::parse(text)),
        FileKind::Rust => Some(rust::parse(text)),
        _ => None,
    }
}

/// The same for a single text, from a thread with any stack.
pub fn parse_alone(kind: FileKind, path: &str, text: &str) -> Option<Result<Module, SyntaxError>> {
    let parse = || match kind {
        FileKind::JavaScript => javascript::parse(path, text, &Allocator::default()),
        _ => python::parse(text),
    };
    let is_known = matches!(kind, FileKind::JavaScript | FileKind::Python);
    is_known.then(|| nesting::with_levels(nesting::IN_PLACE, parse))
}
