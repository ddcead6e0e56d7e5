//! The body of a function of a file.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Item, Path, Stmt};

use crate::scaffold::edits::{indentation, line_end, line_start};
use crate::scaffold::script::Slot;
use crate::scaffold::spot::End;
use crate::syntax::rust::with_file;

/// At the start or the end of a function's body. At the start, what calls one of the names in `behind` stays first.
pub fn body(path: &str, text: &str, function: &str, end: End, behind: &[String]) -> Result<Slot, String> {
    let found = with_file(text, |file| {
        let function = file.items.iter().find_map(|item| match item {
            Item::Fn(it) if it.sig.ident == function => Some(it),
            _ => None,
        })?;
        let whole = function.block.span().byte_range();
        let statements: Vec<std::ops::Range<usize>> =
            function.block.stmts.iter().map(|statement| statement.span().byte_range()).collect();
        let is_first = |statement: &Stmt| calls(statement, behind);
        let kept = function.block.stmts.iter().rposition(is_first).map_or(0, |index| index + 1);
        let leaves = matches!(function.block.stmts.last(), Some(Stmt::Expr(_, None)));
        Some((whole, statements, kept, leaves))
    });
    let found = found.map_err(|_| format!("{path} cannot be read"))?;
    let (whole, statements, kept, leaves) = found.ok_or_else(|| format!("{path} has no function {function}()"))?;
    let first = statements.first().map_or(whole.end, |first| first.start);
    if !text.get(whole.start..first).is_some_and(|between| between.contains('\n')) {
        return Err(format!("{function}() of {path} is written on one line"));
    }
    let at = match (end, kept.checked_sub(1).and_then(|last| statements.get(last)), statements.last()) {
        (End::Start, Some(kept), _) => line_end(text, kept.end),
        (End::Finish, _, Some(last)) if leaves => line_start(text, last.start),
        (End::Finish, _, Some(last)) => line_end(text, last.end),
        _ => line_end(text, whole.start),
    };
    Ok(Slot {
        at,
        outer: indentation(text, whole.start).to_owned(),
        indent: statements.first().map(|first| indentation(text, first.start).to_owned()),
        inline: false,
        within: (whole.start, statements.last().map_or(whole.end, |last| last.end)),
    })
}

/// Whether a statement calls one of these functions or macros.
fn calls(statement: &Stmt, names: &[String]) -> bool {
    let mut search = Calls { names, found: false };
    search.visit_stmt(statement);
    search.found
}

struct Calls<'n> {
    names: &'n [String],
    found: bool,
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        self.found |= path.segments.last().is_some_and(|last| self.names.contains(&last.ident.to_string()));
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::{Edit, apply};

    const MAIN: &str =
        "#[tokio::main]\nasync fn main() {\n    // first\n    dotenvy::dotenv().ok();\n    run().await;\n}\n";

    fn with(end: End, behind: &[String]) -> String {
        apply(MAIN, &[Edit::insert(body("m", MAIN, "main", end, behind).unwrap().at, "    x();\n")])
    }

    #[test]
    fn code_goes_to_the_start_or_behind_what_has_to_be_first() {
        assert!(with(End::Start, &[]).contains("async fn main() {\n    x();\n    // first\n"));
        assert!(with(End::Start, &["dotenv".to_owned()]).contains(".ok();\n    x();\n    run()"));
        assert!(with(End::Finish, &[]).ends_with("    run().await;\n    x();\n}\n"));
        assert!(body("m", "fn main() { run(); }", "main", End::Start, &[]).is_err());
        assert!(body("m", "fn other() {\n}\n", "main", End::Start, &[]).is_err());
    }
}
