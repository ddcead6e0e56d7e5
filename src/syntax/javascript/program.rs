//! oxc's own tree, lent out: for what edits code and so needs statements as they are written.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_parser::Parser;
use oxc_span::SourceType;

use super::nesting;
use crate::syntax::SyntaxError;

/// Parses a module and shows its tree to `read`. The path decides the dialect. Nesting is limited as for the audit, and
/// the calling thread needs no large stack.
pub fn with_program<T: Send>(
    path: &str,
    text: &str,
    read: impl FnOnce(&Program<'_>) -> T + Send,
) -> Result<T, SyntaxError> {
    nesting::on_large_stack(text, || {
        let allocator = Allocator::default();
        let dialect = SourceType::from_path(Path::new(path)).unwrap_or_else(|_| SourceType::mjs());
        let dialect = if dialect.is_javascript() { dialect.with_jsx(true) } else { dialect };
        let parsed = Parser::new(&allocator, text, dialect).parse();
        let error = parsed.diagnostics.iter().find(|_| parsed.panicked);
        if parsed.panicked {
            let offset = error.and_then(|e| e.labels.first()).map_or(0, |label| label.offset());
            let message = error.map_or_else(|| "syntax error".to_owned(), |e| e.message.to_string());
            return Err(SyntaxError::malformed(text, offset as usize, message));
        }
        if let Some(offset) = nesting::too_deep(&parsed.program) {
            return Err(SyntaxError::too_deep(text, offset as usize));
        }
        Ok(read(&parsed.program))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_tree_or_says_what_is_wrong() {
        assert_eq!(with_program("a.ts", "let a: number = 1;\nf(a)", |program| program.body.len()), Ok(2));
        assert_eq!(with_program("a.ts", "let = = 1", |program| program.body.len()).unwrap_err().line, 1);
        let deep = "[".repeat(20_000) + &"]".repeat(20_000);
        assert_eq!(with_program("a.js", &deep, |program| program.body.len()).unwrap_err().kind, "too-deep");
    }
}
