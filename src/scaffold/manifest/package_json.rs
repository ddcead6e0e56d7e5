//! `package.json`

use super::Wanted;
use super::version::{Standing, standing};
use crate::scaffold::edits::{Edit, apply, indentation, line_start};
use crate::syntax::{Entry, Node, SyntaxError, json};

/// The text after a change, and what became of the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageEdit {
    pub text: String,
    pub wanted: Wanted,
}

const SECTIONS: &[&str] = &["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// Adds a dependency in its place; what is there is never lowered and never moved.
pub fn add_to_package(text: &str, name: &str, version: &str, dev: bool) -> Result<PackageEdit, SyntaxError> {
    let root = json::parse(text)?;
    let present = SECTIONS.iter().find_map(|section| root.get(section)?.entry(name));
    if let Some(entry) = present {
        return Ok(keep_or_raise(text, entry, version));
    }
    let section = if dev { "devDependencies" } else { "dependencies" };
    let edit = insert(text, &root, section, name, version);
    Ok(PackageEdit { text: apply(text, &[edit]), wanted: Wanted::Added })
}

fn keep_or_raise(text: &str, entry: &Entry, version: &str) -> PackageEdit {
    let present = entry.value.as_text().unwrap_or_default().to_owned();
    let unchanged = |wanted| PackageEdit { text: text.to_owned(), wanted };
    match standing(&present, version) {
        Standing::NewEnough => unchanged(Wanted::Present),
        Standing::Older => {
            let value = format!("\"{version}\"");
            let edit = Edit::replace(entry.value.start as usize, entry.value.end as usize, value);
            PackageEdit { text: apply(text, &[edit]), wanted: Wanted::Raised { from: present } }
        }
        Standing::Other => unchanged(Wanted::Kept { version: present }),
    }
}

/// The entry at its place in its section: sorted where the section is, else last.
fn insert(text: &str, root: &Node, section: &str, name: &str, value: &str) -> Edit {
    let entry = format!("\"{name}\": \"{value}\"");
    match root.get(section) {
        Some(found) => into_object(text, found, name, &entry),
        None => into_object(text, root, "", &format!("\"{section}\": {}", object(text, root, &entry))),
    }
}

/// A new object with one entry, laid out as the document is.
fn object(text: &str, root: &Node, entry: &str) -> String {
    let Some(first) = root.entries().first() else { return format!("{{ {entry} }}") };
    let start = first.key_start as usize;
    if is_on_line_of(text, root.start as usize, start) {
        return format!("{{ {entry} }}");
    }
    let indent = indentation(text, start);
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    format!("{{{line_break}{indent}{indent}{entry}{line_break}{indent}}}")
}

fn into_object(text: &str, found: &Node, name: &str, entry: &str) -> Edit {
    let entries = found.entries();
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        let outer = indentation(text, found.start as usize);
        let unit = if outer.is_empty() { "  " } else { outer };
        let inside = format!("{{{line_break}{outer}{unit}{entry}{line_break}{outer}}}");
        return Edit::replace(found.start as usize, found.end as usize, inside);
    };
    let separator = match is_on_line_of(text, found.start as usize, first.key_start as usize) {
        true => " ".to_owned(),
        false => format!("{line_break}{}", indentation(text, first.key_start as usize)),
    };
    let sorted = entries.windows(2).all(|pair| matches!(pair, [a, b] if a.key <= b.key));
    let before = entries.iter().take_while(|other| sorted && !name.is_empty() && *other.key < *name).last();
    match before {
        None if sorted && !name.is_empty() => Edit::insert(first.key_start as usize, format!("{entry},{separator}")),
        Some(before) => Edit::insert(before.value.end as usize, format!(",{separator}{entry}")),
        None => Edit::insert(last.value.end as usize, format!(",{separator}{entry}")),
    }
}

fn is_on_line_of(text: &str, a: usize, b: usize) -> bool {
    line_start(text, a) == line_start(text, b)
}

/// What `npm init` writes where there are no tests.
const NO_TESTS: &str = "no test specified";

/// Gives a project a script of that name unless it has one that does something. None if it has.
pub fn add_script(text: &str, name: &str, command: &str) -> Result<Option<String>, SyntaxError> {
    let root = json::parse(text)?;
    let edit = match root.at(&["scripts", name]) {
        Some(found) if !found.as_text().unwrap_or_default().contains(NO_TESTS) => return Ok(None),
        Some(found) => Edit::replace(found.start as usize, found.end as usize, format!("\"{command}\"")),
        None => match root.get("scripts") {
            Some(scripts) => into_object(text, scripts, "", &format!("\"{name}\": \"{command}\"")),
            None => insert(text, &root, "scripts", name, command),
        },
    };
    Ok(Some(apply(text, &[edit])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = "{\n    \"name\": \"shop\",\n    \"dependencies\": {\n        \"cors\": \"^2.8.5\",\n        \"express\": \"^4.21.2\"\n    }\n}\n";

    fn add(text: &str, name: &str, version: &str, dev: bool) -> (String, Wanted) {
        let edit = add_to_package(text, name, version, dev).unwrap();
        (edit.text, edit.wanted)
    }

    #[test]
    fn entries_come_in_their_place_and_formatting_stays() {
        let (text, wanted) = add(PACKAGE, "helmet", "^8.1.0", false);
        assert_eq!(wanted, Wanted::Added);
        assert_eq!(text, PACKAGE.replace("\"^4.21.2\"\n", "\"^4.21.2\",\n        \"helmet\": \"^8.1.0\"\n"));
        let (text, _) = add(PACKAGE, "axios", "1", false);
        assert_eq!(text, PACKAGE.replace("\"cors\"", "\"axios\": \"1\",\n        \"cors\""));
        let (text, _) = add(PACKAGE, "tsx", "^4", true);
        assert_eq!(
            text,
            PACKAGE.replace("    }\n}", "    },\n    \"devDependencies\": {\n        \"tsx\": \"^4\"\n    }\n}")
        );
    }

    #[test]
    fn one_line_empty_and_windows_files() {
        assert_eq!(
            add(r#"{ "dependencies": { "b": "1" } }"#, "a", "2", false).0,
            r#"{ "dependencies": { "a": "2", "b": "1" } }"#
        );
        assert_eq!(add(r#"{ "name": "x" }"#, "a", "2", false).0, r#"{ "name": "x", "dependencies": { "a": "2" } }"#);
        let (text, _) = add("{\n  \"dependencies\": {}\n}", "a", "2", false);
        assert_eq!(text, "{\n  \"dependencies\": {\n    \"a\": \"2\"\n  }\n}");
        let (text, _) = add("{\r\n  \"dependencies\": {\r\n    \"b\": \"1\"\r\n  }\r\n}", "c", "2", false);
        assert!(text.contains("\"b\": \"1\",\r\n    \"c\": \"2\"\r\n"), "{text:?}");
    }

    #[test]
    fn versions_are_never_lowered() {
        assert_eq!(add(PACKAGE, "express", "^4.19.0", false), (PACKAGE.to_owned(), Wanted::Present));
        assert_eq!(add(PACKAGE, "express", "^3.0.0", false), (PACKAGE.to_owned(), Wanted::Present));
        assert_eq!(add(PACKAGE, "express", "^5.0.0", true).1, Wanted::Kept { version: "^4.21.2".into() });
        let (text, wanted) = add(PACKAGE, "cors", "^2.8.6", false);
        assert_eq!(wanted, Wanted::Raised { from: "^2.8.5".into() });
        assert_eq!(text, PACKAGE.replace("^2.8.5", "^2.8.6"));
        let linked = PACKAGE.replace("^2.8.5", "workspace:*");
        assert_eq!(add(&linked, "cors", "^2.8.6", false).1, Wanted::Kept { version: "workspace:*".into() });
    }

    #[test]
    fn a_script_is_given_where_there_is_none_that_works() {
        let placeholder = r#"{ "scripts": { "test": "echo \"Error: no test specified\" && exit 1" } }"#;
        assert_eq!(
            add_script(placeholder, "test", "vitest run").unwrap().unwrap(),
            r#"{ "scripts": { "test": "vitest run" } }"#
        );
        assert_eq!(add_script(r#"{ "scripts": { "test": "jest" } }"#, "test", "x").unwrap(), None);
        assert_eq!(
            add_script(r#"{ "name": "a" }"#, "test", "x").unwrap().unwrap(),
            r#"{ "name": "a", "scripts": { "test": "x" } }"#
        );
        assert!(add_script("{", "test", "x").is_err());
    }
}
