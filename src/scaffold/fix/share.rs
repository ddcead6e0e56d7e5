//! A declaration that makes something which the service shares elsewhere: it goes, and the name is imported.

use super::change::Source;
use super::imports::behind_gap;
use crate::scaffold::edits::{Edit, line_end, line_start};
use crate::scaffold::outline::Outline;
use crate::syntax::hir::FunctionIdx;

/// A declaration that goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    pub edit: Edit,
    /// What it declared.
    pub name: String,
}

/// Takes out `const name = …`, whose value spans a place; not where one of these methods is called on the name.
pub fn remove(
    source: &Source<'_>,
    outline: &Outline,
    (start, end): (usize, usize),
    unless_used: &[String],
) -> Result<Removed, String> {
    let elsewhere = || "it is made in the middle of something else".to_owned();
    let (block, index) = outline.statement_at(start).ok_or_else(elsewhere)?;
    let statement = block.statements.get(index).ok_or_else(elsewhere)?;
    let [name] = statement.binds.as_slice() else { return Err(elsewhere()) };
    let between = |from: usize, to: usize| source.text.get(from..to).unwrap_or_default();
    let (before, behind) = (between(statement.start, start), between(end, statement.end));
    if before.starts_with("export") || statement.leaves {
        return Err("other files import it from here".to_owned());
    }
    if !is_plain(before, name) || !matches!(behind.trim(), "" | ";") {
        return Err(elsewhere());
    }
    if let Some(method) = unless_used.iter().find(|method| uses(source.text, name, method)) {
        return Err(format!("`{name}.{method}` is called here, which would end the shared one; take that out first"));
    }
    let declared = |symbol: &&crate::syntax::hir::Symbol| {
        source.module.str(symbol.name) == name && (statement.start..statement.end).contains(&(symbol.start as usize))
    };
    let symbol = source.module.symbols.iter().find(declared).ok_or_else(elsewhere)?;
    if !symbol.assigned.is_empty() {
        return Err(format!("`{name}` is assigned again"));
    }
    let exported = outline.exports.iter().any(|export| export.local == *name);
    if exported && symbol.function == FunctionIdx(0) {
        return Err("other files import it from here".to_owned());
    }
    let (from, to) = (line_start(source.text, statement.start), line_end(source.text, statement.end));
    if !between(from, statement.start).trim().is_empty() || !between(statement.end, to).trim().is_empty() {
        return Err("something else stands in its line".to_owned());
    }
    Ok(Removed { edit: Edit::remove(from, behind_gap(source.text, from, to)), name: name.clone() })
}

/// `const name =`, maybe with a type.
fn is_plain(before: &str, name: &str) -> bool {
    let Some(declared) = ["const ", "let ", "var "].iter().find_map(|word| before.strip_prefix(word)) else {
        return false;
    };
    let Some(rest) = declared.trim_start().strip_prefix(name).map(str::trim) else { return false };
    let Some(kind) = rest.strip_suffix('=') else { return false };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | ' ');
    kind.is_empty() || kind.starts_with(':') && kind.chars().all(plain)
}

fn uses(text: &str, name: &str, method: &str) -> bool {
    [format!("{name}.{method}"), format!("{name}?.{method}")].iter().any(|call| text.contains(call))
}

/// Names of the top level that mean something else once those declarations are gone.
pub fn is_taken(source: &Source<'_>, outline: &Outline, name: &str, gone: &[Edit]) -> bool {
    source.module.symbols.iter().any(|symbol| {
        let at = symbol.start as usize;
        let goes = gone.iter().any(|edit| edit.start <= at && at < edit.end);
        let imported = outline.imports.iter().any(|import| import.start <= at && at < import.end);
        source.module.str(symbol.name) == name && symbol.function == FunctionIdx(0) && !goes && !imported
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::FileKind;
    use crate::scaffold::edits::apply;
    use crate::scaffold::language;
    use crate::syntax::code;

    const MADE: &str = "new Client()";

    fn removed(text: &str) -> Result<String, String> {
        let module = code::parse_alone(FileKind::JavaScript, "a.ts", text).unwrap().unwrap();
        let outline = language::outline("a.ts", text).unwrap();
        let source =
            Source { path: "a.ts", kind: FileKind::JavaScript, text, module: &module, indent: "  ", line_break: "\n" };
        let start = text.find(MADE).unwrap();
        let found = remove(&source, &outline, (start, start + MADE.len()), &["end".to_owned()])?;
        Ok(apply(text, &[found.edit]))
    }

    #[test]
    fn a_declaration_goes_with_its_line() {
        assert_eq!(
            removed("function f() {\n  const db = new Client();\n\n  db.run();\n}\n").unwrap(),
            "function f() {\n  db.run();\n}\n"
        );
        assert_eq!(removed("a();\n\nconst db: Client = new Client()\n\nb(db)\n").unwrap(), "a();\n\nb(db)\n");
        assert_eq!(removed("a();\nlet db = new Client();\nb(db);\n").unwrap(), "a();\nb(db);\n");
    }

    #[test]
    fn what_is_more_than_a_declaration_stays() {
        for (text, reason) in [
            ("export const db = new Client();\n", "import it from here"),
            ("const db = new Client();\nexport { db };\n", "import it from here"),
            ("const db = new Client();\nmodule.exports = db;\n", "import it from here"),
            ("const db = wrap(new Client());\n", "something else"),
            ("const a = 1, db = new Client();\n", "something else"),
            ("let db = new Client();\ndb = other();\n", "assigned again"),
            ("const db = new Client();\nawait db.end();\n", "`db.end` is called"),
            ("a(); const db = new Client();\n", "in its line"),
            ("const db = new Client(); // one\n", "in its line"),
            ("run(new Client());\n", "something else"),
        ] {
            let found = removed(text).unwrap_err();
            assert!(found.contains(reason), "{text}: {found}");
        }
    }
}
