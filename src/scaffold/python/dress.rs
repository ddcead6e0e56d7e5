//! Templates are written with double quotes and four blanks; this turns what comes of one into what the project writes.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Stmt, StringLike};
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
        pen.edits.extend(sorted_imports(text, &module.body));
        pen.edits
    })?;
    let text = apply(text, &edits);
    Ok(if conventions.crlf { text.replace('\n', "\r\n") } else { text })
}

/// Puts the imports of a template in order, group by group: where modules are is only known when it is rendered.
fn sorted_imports(text: &str, body: &[Stmt]) -> Vec<Edit> {
    let imports: Vec<&Stmt> = body.iter().filter(|one| one.is_import_stmt() || one.is_import_from_stmt()).collect();
    let beside = |a: &&&Stmt, b: &&&Stmt| {
        text.get(a.range().end().to_usize()..b.range().start().to_usize()).is_some_and(|between| between == "\n")
    };
    let mut edits = Vec::new();
    for group in imports.chunk_by(|a, b| beside(&a, &b)) {
        let mut sorted = group.to_vec();
        sorted.sort_by_key(|import| (import.is_import_from_stmt(), module_of(import)));
        for (place, import) in group.iter().zip(&sorted).filter(|(place, import)| place.range() != import.range()) {
            let (start, end) = (place.range().start().to_usize(), place.range().end().to_usize());
            let line = text.get(import.range().start().to_usize()..import.range().end().to_usize());
            edits.push(Edit::replace(start, end, line.unwrap_or_default().to_owned()));
        }
    }
    edits
}

fn module_of(import: &Stmt) -> String {
    let name = match import {
        Stmt::Import(import) => import.names.first().map(|alias| alias.name.as_str()),
        Stmt::ImportFrom(import) => import.module.as_deref(),
        _ => None,
    };
    name.unwrap_or_default().to_lowercase()
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
    fn imports_are_sorted_group_by_group() {
        let text = "import os\nimport b.a as a\n\nfrom app.db import x\nfrom app.core.y import y\nimport app.z\n\nA = 1\nimport late\n";
        let sorted = "import b.a as a\nimport os\n\nimport app.z\nfrom app.core.y import y\nfrom app.db import x\n\nA = 1\nimport late\n";
        assert_eq!(dress(text, &Conventions::default()).unwrap(), sorted);
        let noted = "import os  # first\nimport a\n";
        assert_eq!(dress(noted, &Conventions::default()).unwrap(), noted);
    }

    #[test]
    fn follows_the_quotes_of_the_project() {
        let text = "\"\"\"Doc.\"\"\"\nA = \"x\"\nB = [\"it's\", f\"{A}\"]\n";
        let single = Conventions { double_quotes: false, ..Conventions::default() };
        assert_eq!(dress(text, &single).unwrap(), "\"\"\"Doc.\"\"\"\nA = 'x'\nB = [\"it's\", f\"{A}\"]\n");
        assert_eq!(dress(text, &Conventions::default()).unwrap(), text);
        assert!(dress("def (", &single).is_err());
    }
}
