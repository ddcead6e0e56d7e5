//! Python through ruff's parser.

mod expressions;
mod functions;
mod imports;
mod lower;
mod nesting;
mod patterns;
mod program;
mod scopes;
mod statements;
#[cfg(test)]
mod tests;
mod text;
mod types;

pub use program::with_module;

use super::SyntaxError;
use super::hir::Module;

/// Reads one module.
///
/// The tree of a hostile text may nest as deeply as the text is long: such texts are read on a thread of their own, and
/// what nests deeper than [`super::builder::LEVELS`] is left out ([`Module::too_deep`]).
pub fn parse(text: &str) -> Result<Module, SyntaxError> {
    nesting::guarded(text, || lower::parse(text))
}
