//! New imports in a file that has some.

use super::edits::{Edit, line_end};
use super::outline::{Import, Outline};

/// Puts import statements (already in the project's hand) where a reader looks for them: among the names that are
/// imported from there already, in their place where the imports of their kind are sorted, else behind the last of their
/// kind. What is imported already is left out.
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
        if is_there {
            continue;
        }
        if let Some(joined) = found.imports.iter().find_map(|import| join(text, import, &new, line)) {
            edits.extend(joined);
        } else {
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

/// The longest line that names are added to.
const MAX_LINE: usize = 88;

/// The names of an import added to one of the same place that stands on one line, each where it is sorted.
fn join(text: &str, present: &Import, new: &Import, line: &str) -> Option<Vec<Edit>> {
    if present.specifier != new.specifier {
        return None;
    }
    let statement = text.get(present.start..present.end)?;
    let (list, known) = list_of(statement)?;
    let (_, wanted) = list_of(line.trim_end())?;
    let frame = |statement: &str, names: &[&str]| statement.replace(&names.join(", "), "").replace('"', "'");
    let is_alike =
        frame(statement, &known).trim_end_matches(';') == frame(line.trim_end(), &wanted).trim_end_matches(';');
    let missing: Vec<&&str> = wanted.iter().filter(|name| !known.contains(name)).collect();
    let longer: usize = missing.iter().map(|name| name.len() + 2).sum();
    if !is_alike || statement.len() + longer > MAX_LINE {
        return None;
    }
    let is_sorted = known.is_sorted();
    let edit = |name: &&&str| {
        let later = known.iter().position(|other| is_sorted && *other > **name);
        let offset = |index: usize| known.iter().take(index).map(|other| other.len() + 2).sum::<usize>();
        match later {
            Some(index) => Edit::insert(present.start + list + offset(index), format!("{name}, ")),
            None => Edit::insert(present.start + list + known.join(", ").len(), format!(", {name}")),
        }
    };
    Some(missing.iter().map(edit).collect())
}

/// Where the plain names begin that a statement on one line imports, and what they are.
fn list_of(statement: &str) -> Option<(usize, Vec<&str>)> {
    let (from, to) = match (statement.find("{ "), statement.find(" }")) {
        (Some(open), Some(close)) => (open + 2, close),
        _ if statement.starts_with("from ") => (statement.find(" import ")? + " import ".len(), statement.len()),
        _ => return None,
    };
    let names: Vec<&str> = statement.get(from..to)?.split(", ").collect();
    let is_plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_$".contains(c));
    names.iter().all(is_plain).then_some((from, names))
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
    }

    #[test]
    fn names_join_those_of_the_same_place() {
        let text = "import { a, c } from './x'\nimport type { T } from './x'\n";
        let joined = "import { a, b, c, d } from './x'\nimport type { T } from './x'\n";
        assert_eq!(with(text, &["import { b, c, d } from './x'"]), joined);
        let text = "const { z, a } = require('x')\n";
        assert_eq!(with(text, &["const { m } = require('x')"]), "const { z, a, m } = require('x')\n");
        let read = |line: &str| language::import("a.py", line);
        let python = |text: &str, line: &str| {
            let found = language::outline("a.py", text).unwrap();
            apply(text, &add_imports(text, &found, &[line.to_owned()], "\n", &read, &|_| false))
        };
        let text = "from sqlalchemy import create_engine, select\n\nengine = create_engine('')\n";
        let joined = text.replace("create_engine, select", "create_engine, make_url, select");
        assert_eq!(python(text, "from sqlalchemy import make_url"), joined);
        for other in [
            "from sqlalchemy import (\n    select,\n)\n",
            "from sqlalchemy import select as pick\n",
            "from sqlalchemy import *\n",
            "from sqlalchemy import select, a_name_that_is_long_enough_to_need_the_line_for_itself, and_one\n",
        ] {
            let after = python(other, "from sqlalchemy import make_url");
            assert_eq!(after, format!("{other}from sqlalchemy import make_url\n"));
        }
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
