//! The imports of a file that is fixed: what new code needs comes in, what nothing uses any more goes.

use super::change::Source;
use crate::project::FileKind;
use crate::scaffold::conventions::Conventions;
use crate::scaffold::edits::{Edit, line_end, line_start};
use crate::scaffold::imports::add_imports;
use crate::scaffold::language;
use crate::scaffold::outline::{Import, Outline};

const BUILTIN: &str = "node:";

/// What a name that was brought in is called in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    pub edits: Vec<Edit>,
    /// Names that have to be written otherwise: `randomBytes` as `crypto.randomBytes`.
    pub renamed: Vec<(String, String)>,
}

/// Brings in what a line imports: beside an import of one of the names in `beside`, if the file has one. `taken` says
/// whether a name means something else in the file.
pub fn bring(
    source: &Source<'_>,
    outline: &Outline,
    line: &str,
    beside: &[String],
    conventions: &Conventions,
    taken: &dyn Fn(&str) -> bool,
) -> Result<Brought, String> {
    let read = |line: &str| language::import(source.path, line);
    let new = read(line).ok_or_else(|| format!("`{line}` is no import"))?;
    let mut brought = Brought { edits: Vec::new(), renamed: Vec::new() };
    let mut missing = Vec::new();
    for name in &new.names {
        match outline.imports.iter().find(|import| is_same_module(&import.specifier, &new.specifier)) {
            Some(import) if import.names.contains(name) => {}
            Some(import) if is_whole(source, import) && new.specifier.starts_with(BUILTIN) => {
                let whole = import.names.first().cloned().unwrap_or_default();
                brought.renamed.push((name.clone(), format!("{whole}.{name}")));
            }
            _ if taken(name) => return Err(format!("`{name}` means something else in this file")),
            Some(import) if source.kind == FileKind::JavaScript => match extended(source, import, name) {
                Some(edit) => brought.edits.push(edit),
                None => missing.push(name),
            },
            _ => missing.push(name),
        }
    }
    if !missing.is_empty() || new.names.is_empty() {
        let is_local = |import: &Import| language::is_local(import, conventions);
        let lines = [line.to_owned()];
        brought.edits.extend(match in_group(source, outline, &new, line, beside) {
            Some(edit) if source.kind == FileKind::Python => vec![edit],
            _ => add_imports(source.text, outline, &lines, source.line_break, &read, &is_local),
        });
    }
    Ok(brought)
}

/// A line in the group of imports that holds one of the names: imports of a kind stand together there.
fn in_group(source: &Source<'_>, outline: &Outline, new: &Import, line: &str, beside: &[String]) -> Option<Edit> {
    let holds = |import: &Import| import.names.iter().any(|name| beside.contains(name));
    let at = outline.imports.iter().position(holds)?;
    let follows = |pair: (&Import, &Import)| {
        source.text.get(pair.0.end..pair.1.start).is_some_and(|gap| gap.trim().is_empty() && !gap.contains("\n\n"))
    };
    let pairs = || outline.imports.iter().zip(outline.imports.iter().skip(1)).map(follows);
    let first = pairs().take(at).collect::<Vec<_>>().iter().rposition(|follows| !follows).map_or(0, |gap| gap + 1);
    let last = at + pairs().skip(at).take_while(|follows| *follows).count();
    let group = outline.imports.get(first..=last)?;
    let text = format!("{line}{}", source.line_break);
    match group.iter().find(|import| import.specifier > new.specifier) {
        Some(next) => Some(Edit::insert(line_start(source.text, next.start), text)),
        None => Some(Edit::insert(line_end(source.text, group.last()?.end), text)),
    }
}

fn is_same_module(one: &str, other: &str) -> bool {
    let bare = |specifier: &str| specifier.strip_prefix(BUILTIN).unwrap_or(specifier).to_owned();
    bare(one) == bare(other)
}

fn written<'s>(source: &Source<'s>, import: &Import) -> &'s str {
    source.text.get(import.start..import.end).unwrap_or_default()
}

/// `import crypto from`, `import * as crypto from`, `const crypto = require(`.
fn is_whole(source: &Source<'_>, import: &Import) -> bool {
    import.names.len() == 1 && !written(source, import).contains('{') && source.kind == FileKind::JavaScript
}

/// One more name between the braces of an import.
fn extended(source: &Source<'_>, import: &Import, name: &str) -> Option<Edit> {
    let text = written(source, import);
    let (open, close) = (text.find('{')?, text.rfind('}')?);
    let inside = text.get(open + 1..close)?;
    if text.starts_with("import type") || inside.contains("//") || inside.contains("/*") {
        return None;
    }
    let used = inside.trim_end();
    let at = import.start + open + 1 + used.len();
    Some(match (inside.contains('\n'), used.strip_suffix(',')) {
        (false, None) => Edit::insert(at, format!(", {name}")),
        (false, Some(_)) => Edit::insert(at, format!(" {name},")),
        (true, with_comma) => {
            let indent = crate::scaffold::edits::indentation(source.text, at);
            let comma = if with_comma.is_some() { "" } else { "," };
            let own = if with_comma.is_some() { "," } else { "" };
            Edit::insert(at, format!("{comma}{}{indent}{name}{own}", source.line_break))
        }
    })
}

/// Takes out the import of a name that occurs nowhere else in the text as it will be.
pub fn without_unused(text: &str, outline: &Outline, after: &str, name: &str, kept: &[Edit]) -> Option<Edit> {
    if words(after, name) != 1 {
        return None;
    }
    let import = outline.imports.iter().find(|import| import.names.iter().any(|one| one == name))?;
    if kept.iter().any(|edit| edit.start < import.end && edit.end > import.start) {
        return None;
    }
    if let [_] = import.names.as_slice() {
        let (start, end) = (line_start(text, import.start), line_end(text, import.end));
        let own_lines = text.get(start..import.start)?.trim().is_empty()
            && text.get(import.end..end)?.trim().trim_start_matches(';').is_empty();
        let joined = kept.iter().any(|edit| edit.start == start || edit.start == end);
        return own_lines.then(|| Edit::remove(start, if joined { end } else { behind_gap(text, start, end) }));
    }
    without_name(text, import, name)
}

/// Where a removed range of lines ends: with the empty line behind it, if one stands before it as well.
pub fn behind_gap(text: &str, start: usize, end: usize) -> usize {
    let before = text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t']);
    let opens = before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
    let opens = opens || before.trim_end().ends_with(['{', ':']);
    let next = line_end(text, end);
    let is_empty = text.get(end..next).is_some_and(|line| !line.is_empty() && line.trim().is_empty());
    if opens && is_empty { next } else { end }
}

/// A name out of the list of an import.
fn without_name(text: &str, import: &Import, name: &str) -> Option<Edit> {
    let written = text.get(import.start..import.end)?;
    let places = word_places(written, name);
    let [at] = places.as_slice() else { return None };
    let (before, after) = (written.get(..*at)?, written.get(at + name.len()..)?);
    let behind = after.trim_start();
    if let Some(rest) = behind.strip_prefix(',') {
        let skipped = after.len() - rest.trim_start_matches([' ', '\t']).len();
        return Some(Edit::remove(import.start + at, import.start + at + name.len() + skipped));
    }
    let left = before.trim_end().strip_suffix(',')?;
    Some(Edit::remove(import.start + left.len(), import.start + at + name.len()))
}

/// How often a name occurs as a word.
fn words(text: &str, name: &str) -> usize {
    word_places(text, name).len()
}

fn word_places(text: &str, name: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let stands_alone = |at: &usize| {
        let before = text.get(..*at).and_then(|left| left.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|right| right.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    };
    text.match_indices(name).map(|(at, _)| at).filter(stands_alone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;
    use crate::syntax::code;

    const LINE: &str = "import { randomBytes } from \"node:crypto\";";

    fn brought(text: &str) -> Result<(String, Vec<(String, String)>), String> {
        let module = code::parse_alone(FileKind::JavaScript, "a.ts", text).unwrap().unwrap();
        let outline = language::outline("a.ts", text).unwrap();
        let source =
            Source { path: "a.ts", kind: FileKind::JavaScript, text, module: &module, indent: "  ", line_break: "\n" };
        let taken = |name: &str| text.contains(&format!("function {name}"));
        let found = bring(&source, &outline, LINE, &[], &Conventions::default(), &taken)?;
        Ok((apply(text, &found.edits), found.renamed))
    }

    #[test]
    fn a_name_comes_in_the_way_the_file_imports_its_module() {
        let plain = |text: &str| brought(text).unwrap().0;
        assert_eq!(plain("run();\n"), format!("{LINE}\n\nrun();\n"));
        assert_eq!(plain("import { a } from \"crypto\";\n"), "import { a, randomBytes } from \"crypto\";\n");
        assert_eq!(
            plain("import {\n  a,\n  b,\n} from \"crypto\";\n"),
            "import {\n  a,\n  b,\n  randomBytes,\n} from \"crypto\";\n"
        );
        let present = "import { randomBytes } from \"crypto\";\n";
        assert_eq!(brought(present).unwrap(), (present.to_owned(), Vec::new()));
        for whole in ["import crypto from \"crypto\";\n", "const crypto = require(\"node:crypto\");\n"] {
            let (text, renamed) = brought(whole).unwrap();
            assert_eq!((text.as_str(), renamed[0].1.as_str()), (whole, "crypto.randomBytes"));
        }
        assert!(brought("function randomBytes() {}\n").unwrap_err().contains("something else"));
    }

    #[test]
    fn python_imports_stand_with_their_kind() {
        let text = "import hashlib\nimport random\nimport string\n\nimport jwt\n\nf()\n";
        let module = code::parse_alone(FileKind::Python, "a.py", text).unwrap().unwrap();
        let outline = language::outline("a.py", text).unwrap();
        let source =
            Source { path: "a.py", kind: FileKind::Python, text, module: &module, indent: "    ", line_break: "\n" };
        let beside = ["random".to_owned()];
        let found = bring(&source, &outline, "import secrets", &beside, &Conventions::default(), &|_| false).unwrap();
        assert_eq!(apply(text, &found.edits), text.replace("import string", "import secrets\nimport string"));
    }

    fn swept(text: &str, gone: &str, name: &str) -> String {
        let outline = language::outline("a.ts", text).unwrap();
        let at = text.find(gone).unwrap();
        let edit = Edit::remove(at, at + gone.len());
        let after = apply(text, std::slice::from_ref(&edit));
        let unused = without_unused(text, &outline, &after, name, std::slice::from_ref(&edit));
        apply(text, &unused.into_iter().chain([edit]).collect::<Vec<_>>())
    }

    #[test]
    fn what_nothing_uses_is_no_longer_imported() {
        assert_eq!(
            swept("import { A } from \"a\";\nimport b from \"b\";\nA;\n", "A;", "A"),
            "import b from \"b\";\n\n"
        );
        assert_eq!(swept("import { A, B } from \"a\";\nA;\nB;\n", "A;\n", "A"), "import { B } from \"a\";\nB;\n");
        assert_eq!(swept("import { B, A } from \"a\";\nA;\nB;\n", "A;\n", "A"), "import { B } from \"a\";\nB;\n");
        let used = "import { A } from \"a\";\nA;\nlet b: A;\n";
        assert_eq!(swept(used, "A;\n", "A"), used.replace("A;\nlet", "let"));
        assert_eq!(
            swept("import { A } from \"a\";\n\nimport b from \"./b\";\n\nA;\n", "A;\n", "A"),
            "import b from \"./b\";\n\n"
        );
    }
}
