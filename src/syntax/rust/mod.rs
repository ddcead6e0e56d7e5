//! Rust through syn.

use super::SyntaxError;
use super::error::narrow;
use super::hir::{Language, Module};

/// Reads one module.
pub fn parse(text: &str) -> Result<Module, SyntaxError> {
    match syn::parse_file(text) {
        Ok(_) => {
            let mut module = Module::default();
            module.open(Language::Rust, narrow(text.len()), 0);
            Ok(module)
        }
        Err(error) => Err(SyntaxError::malformed(text, error.span().byte_range().start, error.to_string())),
    }
}
