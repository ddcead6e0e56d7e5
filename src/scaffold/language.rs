//! The languages that code is read and written in.

use super::conventions::Conventions;
use super::outline::{Call, Import, Outline};
use super::script::Slot;
use super::spot::End;
use super::{python, rust, script};
use crate::project::{FileKind, kind_of};
use crate::syntax::SyntaxError;

/// The outline of a file; none if it is no code that can be edited, or does not parse.
pub fn outline(path: &str, text: &str) -> Option<Outline> {
    match kind_of(path) {
        FileKind::JavaScript => script::outline(path, text).ok(),
        FileKind::Python => python::outline(text).ok(),
        FileKind::Rust => rust::outline(text).ok(),
        _ => None,
    }
}

/// The call that is written at a place of a file; in JavaScript its options stand for its arguments. None where there
/// are none with names.
pub fn call_at(path: &str, text: &str, start: usize, end: usize) -> Option<Call> {
    match kind_of(path) {
        FileKind::Python => python::call_at(text, start, end).ok().flatten(),
        FileKind::JavaScript => script::options_at(path, text, start, end).ok().flatten(),
        FileKind::Rust => rust::call_at(text, start, end).ok().flatten(),
        _ => None,
    }
}

/// The end of a file of code, before what has to stay last.
pub fn bottom(path: &str, text: &str) -> Result<usize, String> {
    match kind_of(path) {
        FileKind::Python => python::shapes::bottom(path, text),
        _ => Ok(text.len()),
    }
}

/// A place in the body of a function that a file has. In Rust, what calls one of the names in `behind` stays first.
pub fn body(path: &str, text: &str, function: &str, end: End, behind: &[String]) -> Result<Slot, String> {
    match kind_of(path) {
        FileKind::Rust => rust::body(path, text, function, end, behind),
        _ => script::shapes::body(path, text, function, end),
    }
}

/// Whether what a call gives is at hand in its statement: in Rust a result has to be taken apart first.
pub fn is_taken(path: &str, text: &str, call_end: usize, statement_end: usize) -> bool {
    let rest = text.get(call_end..statement_end).unwrap_or_default();
    kind_of(path) != FileKind::Rust || rest.contains('?') || [".unwrap", ".expect"].iter().any(|one| rest.contains(one))
}

/// A rendered template in the project's own hand.
pub fn dress(path: &str, text: &str, conventions: &Conventions) -> Result<String, SyntaxError> {
    match kind_of(path) {
        FileKind::JavaScript => script::dress(path, text, conventions),
        FileKind::Python => python::dress(text, conventions),
        _ if conventions.crlf => Ok(text.replace('\n', "\r\n")),
        _ => Ok(text.to_owned()),
    }
}

/// What a line imports into a file.
pub fn import(path: &str, line: &str) -> Option<Import> {
    let name = match kind_of(path) {
        FileKind::Python => "import.py",
        FileKind::Rust => "import.rs",
        _ => "import.ts",
    };
    outline(name, line)?.imports.into_iter().next()
}

/// Whether an import is of the project itself.
pub fn is_local(import: &Import, conventions: &Conventions) -> bool {
    let first = import.specifier.split('.').next().unwrap_or_default();
    import.specifier.starts_with('.')
        || import.specifier.starts_with("crate")
        || conventions.packages.contains(first)
        || conventions.alias.as_ref().is_some_and(|alias| import.specifier.starts_with(&alias.prefix))
}

/// What stands in front of an expression to give it a name.
pub fn declaration(path: &str, name: &str) -> String {
    match kind_of(path) {
        FileKind::Python => format!("{name} = "),
        FileKind::Rust => format!("let {name} = "),
        _ => format!("const {name} = "),
    }
}
