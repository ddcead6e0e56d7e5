//! Templates are written with double quotes and four blanks; this turns what comes of one into what the project writes.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, StringLike};
use ruff_text_size::Ranged as _;

use crate::scaffold::conventions::Conventions;
use crate::scaffold::edits::{Edit, apply};
use crate::syntax::SyntaxError;
use crate::syntax::python::with_module;

/// A rendered template in the project's own hand.
pub fn dress(text: &str, conventions: &Conventions) -> Result<String, SyntaxError> {
    let edits = with_module(text, |module| {
        let mut pen = Pen { text, edits: Vec::new() };
        if !conventions.double_quotes {
            pen.visit_body(&module.body);
        }
        pen.edits
    })?;
    let text = apply(text, &edits);
    Ok(if conventions.crlf { text.replace('\n', "\r\n") } else { text })
}

struct Pen<'t> {
    text: &'t str,
    edits: Vec<Edit>,
}

impl<'a> Visitor<'a> for Pen<'_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Ok(StringLike::String(literal)) = StringLike::try_from(expr) {
            for part in literal.value.iter() {
                let (start, end) = (part.range().start().to_usize(), part.range().end().to_usize());
                let inside = self.text.get(start + 1..end.saturating_sub(1)).unwrap_or("'");
                let whole = self.text.get(start..end).unwrap_or_default();
                if whole.starts_with('"') && !whole.starts_with("\"\"\"") && !inside.contains(['\'', '"', '\\', '\n']) {
                    self.edits.push(Edit::replace(start, end, format!("'{inside}'")));
                }
            }
        }
        visitor::walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_quotes_of_the_project() {
        let text = "\"\"\"Doc.\"\"\"\nA = \"x\"\nB = [\"it's\", f\"{A}\"]\n";
        let single = Conventions { double_quotes: false, ..Conventions::default() };
        assert_eq!(dress(text, &single).unwrap(), "\"\"\"Doc.\"\"\"\nA = 'x'\nB = [\"it's\", f\"{A}\"]\n");
        assert_eq!(dress(text, &Conventions::default()).unwrap(), text);
        assert!(dress("def (", &single).is_err());
    }
}
