//! Rust through syn.

mod comments;
mod expressions;
mod functions;
mod items;
mod lower;
mod macros;
mod nesting;
mod paths;
mod patterns;
mod scopes;
mod test_stats;
#[cfg(test)]
mod tests;
mod types;

use super::SyntaxError;
use super::hir::Module;

/// Reads one module.
///
/// The parser and everything that walks its tree recurse: texts that nest deeply are read on a thread of their own, and
/// what nests deeper than [`super::builder::LEVELS`] is left out ([`Module::too_deep`]).
pub fn parse(text: &str) -> Result<Module, SyntaxError> {
    nesting::guarded(text, lower::lower)
}
