//! New imports in a file that has some.

use super::edits::{Edit, line_end};
use super::outline::{Import, Outline};

/// Puts import statements (already in the project's hand) where a reader looks for them: in their place where the
/// imports of their kind are sorted, else behind the last of their kind. What is imported already is left out.
///
/// `read` tells what a line imports, `is_local` whether an import is of the project itself.
pub fn add_imports(
    text: &str,
    found: &Outline,
    wanted: &[String],
    line_break: &str,
    read: &dyn Fn(&str) -> Option<Import>,
    is_local: &dyn Fn(&Import) -> bool,
) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut wanted: Vec<(Import, &String)> = wanted.iter().filter_map(|line| Some((read(line)?, line))).collect();
    wanted.sort_by(|(a, _), (b, _)| a.specifier.cmp(&b.specifier));
    for (new, line) in wanted {
        let present = |name: &String| {
            found.imports.iter().any(|import| import.specifier == new.specifier && import.names.contains(name))
        };
        let is_there = match new.names.as_slice() {
            [] => found.imports.iter().any(|import| import.specifier == new.specifier),
            names => names.iter().all(present),
        };
        if !is_there {
            let mut edit = place(text, found, &new, line, line_break, is_local);
            // Only the first of those that open a group stands apart from what is above.
            if edits.iter().any(|other| other.start == edit.start) {
                edit.text = edit.text.trim_start().to_owned();
            }
            edits.push(edit);
        }
    }
    edits
}

fn place(
    text: &str,
    found: &Outline,
    new: &Import,
    line: &str,
    line_break: &str,
    is_local: &dyn Fn(&Import) -> bool,
) -> Edit {
    let line = line.trim_end();
    if new.names.is_empty()
        && let Some(first) = found.imports.first()
    {
        // What is imported for what it does comes before everything that it is to be done for.
        return Edit::insert(first.start, format!("{line}{line_break}"));
    }
    let kin: Vec<&Import> = found.imports.iter().filter(|import| is_local(import) == is_local(new)).collect();
    let sorted = kin.windows(2).all(|pair| matches!(pair, [a, b] if a.specifier <= b.specifier));
    let later = kin.iter().find(|import| sorted && import.specifier > new.specifier);
    if let Some(next) = later.filter(|next| !next.names.is_empty()) {
        return Edit::insert(next.start, format!("{line}{line_break}"));
    }
    if let Some(last) = kin.last() {
        return Edit::insert(line_end(text, last.end), in_new_line(text, last.end, line, line_break));
    }
    match found.imports.last() {
        Some(last) => {
            let gap = if is_local(new) { line_break } else { "" };
            let line = format!("{gap}{line}");
            Edit::insert(line_end(text, last.end), in_new_line(text, last.end, &line, line_break))
        }
        None => Edit::insert(found.start, format!("{line}{line_break}{line_break}")),
    }
}

/// The line as it is inserted behind the line of a place; a file may end without a line break.
fn in_new_line(text: &str, at: usize, line: &str, line_break: &str) -> String {
    let has_break = text.get(..line_end(text, at)).is_some_and(|before| before.ends_with('\n'));
    if has_break { format!("{line}{line_break}") } else { format!("{line_break}{line}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;
    use crate::scaffold::language;

    fn with(text: &str, wanted: &[&str]) -> String {
        let wanted: Vec<String> = wanted.iter().map(|line| (*line).to_owned()).collect();
        let read = |line: &str| language::import("a.ts", line);
        let is_local = |import: &Import| import.specifier.starts_with('.');
        let found = language::outline("a.ts", text).unwrap();
        apply(text, &add_imports(text, &found, &wanted, "\n", &read, &is_local))
    }

    #[test]
    fn sorted_imports_stay_sorted() {
        let text = "import a from \"a\";\nimport c from \"c\";\n\nimport { x } from \"./x\";\n\nrun();\n";
        assert_eq!(
            with(text, &["import b from \"b\";", "import { y } from \"./y\";"]),
            "import a from \"a\";\nimport b from \"b\";\nimport c from \"c\";\n\nimport { x } from \"./x\";\nimport { y } from \"./y\";\n\nrun();\n"
        );
    }

    #[test]
    fn what_is_imported_for_its_effect_comes_first() {
        let text = "'use strict';\nimport b from \"b\";\nimport { x } from \"./x\";\n";
        assert_eq!(
            with(text, &["import \"./env\";", "import { y } from \"./y\";"]),
            "'use strict';\nimport \"./env\";\nimport b from \"b\";\nimport { x } from \"./x\";\nimport { y } from \"./y\";\n"
        );
        assert_eq!(with("import \"./env\";\nrun();\n", &["import \"./env\";"]), "import \"./env\";\nrun();\n");
    }

    #[test]
    fn what_is_there_is_not_imported_again() {
        let text = "import { a, b } from './x'\n";
        assert_eq!(with(text, &["import { a } from './x'"]), text);
        assert_eq!(with(text, &["import { c } from './x'"]), "import { a, b } from './x'\nimport { c } from './x'\n");
    }

    #[test]
    fn files_without_imports_and_with_requires() {
        assert_eq!(
            with("import z from 'z'\n\nrun()\n", &["import b from './b'", "import a from './a'"]),
            "import z from 'z'\n\nimport a from './a'\nimport b from './b'\n\nrun()\n"
        );
        assert_eq!(with("'use strict'\nrun()\n", &["import a from 'a'"]), "'use strict'\nimport a from 'a'\n\nrun()\n");
        assert_eq!(
            with("const z = require('z')\nconst b = require('b')", &["const a = require('a')"]),
            "const z = require('z')\nconst b = require('b')\nconst a = require('a')"
        );
    }
}
