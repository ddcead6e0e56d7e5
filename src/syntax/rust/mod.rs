//! Rust through syn.

mod comments;
mod expressions;
mod functions;
mod items;
mod lower;
mod macro_rules;
mod macros;
mod nesting;
mod paths;
mod patterns;
mod scopes;
mod test_stats;
#[cfg(test)]
mod tests;
mod types;
mod wrapped;

use super::SyntaxError;
use super::hir::Module;

/// Reads one module.
///
/// The parser and everything that walks its tree recurse: texts that nest deeply are read on a thread of their own, and
/// what nests deeper than [`super::builder::LEVELS`] is left out ([`Module::too_deep`]).
pub fn parse(text: &str) -> Result<Module, SyntaxError> {
    nesting::guarded(text, lower::lower)
}

/// What `work` makes of the tree of a file. Places in it are bytes of the text, while it works: it reads no other file.
pub fn with_file<T: Send>(text: &str, work: impl Fn(&syn::File) -> T + Sync) -> Result<T, SyntaxError> {
    nesting::guarded(text, |text, tokens| {
        let malformed =
            |error: syn::Error| SyntaxError::malformed(text, error.span().byte_range().start, error.to_string());
        Ok(work(&syn::parse2(tokens).map_err(malformed)?))
    })
}
