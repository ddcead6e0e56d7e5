//! Python through ruff's parser.

use ruff_python_parser::parse_module;

use super::SyntaxError;
use super::error::narrow;
use super::hir::{Language, Module};

/// Reads one module.
pub fn parse(text: &str) -> Result<Module, SyntaxError> {
    match parse_module(text) {
        Ok(_) => {
            let mut module = Module::default();
            module.open(Language::Python, narrow(text.len()), 0);
            Ok(module)
        }
        Err(error) => Err(SyntaxError::malformed(text, error.location.start().to_usize(), error.error.to_string())),
    }
}
