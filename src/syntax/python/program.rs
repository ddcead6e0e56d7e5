//! ruff's own tree, lent out: for what edits code and so needs statements as they are written.

use ruff_python_ast::ModModule;
use ruff_python_parser::parse_module;

use super::nesting;
use crate::syntax::SyntaxError;

/// Parses a module and shows its tree to `read`. Nesting is limited as for the audit.
pub fn with_module<T: Send>(text: &str, read: impl FnOnce(&ModModule) -> T + Send) -> Result<T, SyntaxError> {
    nesting::guarded(text, || {
        let parsed = parse_module(text).map_err(|error| {
            SyntaxError::malformed(text, error.location.start().to_usize(), error.error.to_string())
        })?;
        Ok(read(parsed.syntax()))
    })
}
