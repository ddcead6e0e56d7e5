//! Examples as written: files with marks at the ends of lines, and what is expected where no comment can stand.

use std::path::PathBuf;
use std::sync::Arc;

use super::{keys, manifest};
use crate::project::Tree;
use crate::rules::conditions::LazyRegex;
use crate::rules::document::{as_bool, as_count, as_table, as_text, at, at_key, choice, only_keys};
use crate::rules::error::Problem;
use crate::rules::evaluate::Outcome;
use crate::syntax::{Node, NodeData};

pub const EXAMPLE_KEYS: &[&str] = &["about", "files", "expect", "applies"];
/// The words of marks.
pub const MARKS: &[(&str, Outcome)] = &[
    ("bad", Outcome::Bad),
    ("good", Outcome::Good),
    ("half", Outcome::Half),
    ("unknown", Outcome::Unknown),
    ("dead", Outcome::Dead),
    ("none", Outcome::None),
];

/// One example, ready to be audited.
#[derive(Debug, Clone)]
pub struct Example {
    /// The files that it shows, without their marks, keys filled in.
    pub files: Vec<(String, String)>,
    /// Path, line from 1, outcome.
    pub expected: Vec<(String, u32, Outcome)>,
    /// Whether the control is about this code at all, if the example says so.
    pub applies: Option<bool>,
}

impl Example {
    pub fn read(node: &Node) -> Result<Example, Problem> {
        only_keys(as_table(node, "an example")?, "an example", EXAMPLE_KEYS)?;
        let files = node.get("files").ok_or_else(|| at(node, "an example needs `files`"))?;
        let applies = node.get("applies").map(|node| as_bool(node, "`applies`")).transpose()?;
        let mut example = Example { files: Vec::new(), expected: Vec::new(), applies };
        for entry in as_table(files, "`files`")?.entries() {
            let path = &*entry.key;
            if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") {
                return Err(at_key(entry, "the path of a file is relative to the example"));
            }
            let text = as_text(&entry.value, "a file")?;
            let text = keys::expand(text).map_err(|name| {
                at(&entry.value, format!("there is no `{{{{key:{name}}}}}`")).suggest(&name, keys::names())
            })?;
            let (text, marks) = take_marks(&text).map_err(|word| unknown_mark(&entry.value, &word))?;
            example.expected.extend(marks.into_iter().map(|(line, outcome)| (path.to_owned(), line, outcome)));
            example.files.push((path.to_owned(), text));
        }
        if let Some(expect) = node.get("expect") {
            example.expect(expect)?;
        }
        Ok(example)
    }

    fn expect(&mut self, node: &Node) -> Result<(), Problem> {
        let NodeData::List(items) = &node.data else { return Err(at(node, "`expect` must be a list")) };
        for item in items {
            only_keys(as_table(item, "an expectation")?, "an expectation", &["path", "line", "is"])?;
            let field = |key: &str| item.get(key).ok_or_else(|| at(item, format!("an expectation needs `{key}`")));
            let path = as_text(field("path")?, "`path`")?.to_owned();
            let line = as_count(field("line")?, "`line`", u32::MAX)?;
            self.expected.push((path, line, choice(field("is")?, "`is`", MARKS)?));
        }
        Ok(())
    }

    /// The tree to audit, with a manifest if the example brings none.
    pub fn tree(&self) -> Tree {
        let manifest = manifest::manifest(&self.files).map(|text| ("package.json".to_owned(), text));
        let files = self.files.iter().cloned().chain(manifest);
        let overlay = files.map(|(path, text)| (path, Arc::from(text.into_bytes()))).collect();
        Tree { root: PathBuf::from("."), overlay, virtual_only: true }
    }

    /// Whether a path is one of the files that the example shows.
    pub fn shows(&self, path: &str) -> bool {
        self.files.iter().any(|(shown, _)| shown == path)
    }
}

fn unknown_mark(node: &Node, word: &str) -> Problem {
    at(node, format!("there is no mark `{word}`")).suggest(word, MARKS.iter().map(|(name, _)| *name))
}

/// Cuts `//~ bad` and its like off the ends of lines. The error is a word that is no mark.
fn take_marks(text: &str) -> Result<(String, Vec<(u32, Outcome)>), String> {
    let regex = LazyRegex::new(r"[ \t]*(?://|#|--|<!--|/\*)~[ \t]*([a-z][a-z ,]*?)[ \t]*(?:-->|\*/)?[ \t\r]*$");
    let Some(regex) = regex.get() else { return Ok((text.to_owned(), Vec::new())) };
    let mut marks = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in (1u32..).zip(text.split('\n')) {
        let Some(captures) = regex.captures(line) else {
            lines.push(line);
            continue;
        };
        let start = captures.get(0).map_or(line.len(), |mark| mark.start());
        let words = captures.get(1).map_or("", |words| words.as_str());
        for word in words.split([' ', ',']).filter(|word| !word.is_empty()) {
            let known = MARKS.iter().find(|(name, _)| *name == word).ok_or_else(|| word.to_owned())?;
            marks.push((number, known.1));
        }
        lines.push(line.get(..start).unwrap_or(line));
    }
    Ok((lines.join("\n"), marks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::document;

    fn read(text: &str) -> Result<Example, Problem> {
        let root = document::parse("e.toml", text).unwrap();
        Example::read(&root)
    }

    #[test]
    fn marks_are_cut_off() {
        let text = "a() //~ bad\nB=1 #~ half\nselect 1 --~ none\n<p> <!--~ good -->\nb() // not ~ a mark\nc() //~ bad, unknown";
        let (text, marks) = take_marks(text).unwrap();
        assert_eq!(text, "a()\nB=1\nselect 1\n<p>\nb() // not ~ a mark\nc()");
        use Outcome::{Bad, Good, Half, None, Unknown};
        assert_eq!(marks, [(1, Bad), (2, Half), (3, None), (4, Good), (6, Bad), (6, Unknown)]);
    }

    #[test]
    fn reads_files_and_expectations() {
        let example =
            read("files.'a.json' = '{}'\nfiles.'b.ts' = 'x'\nexpect = [{ path = 'a.json', line = 1, is = 'bad' }]")
                .unwrap();
        assert_eq!(example.expected, [("a.json".to_owned(), 1, Outcome::Bad)]);
        let tree = example.tree();
        assert!(tree.virtual_only && tree.overlay.contains_key("package.json"));
        assert!(example.shows("b.ts") && !example.shows("package.json"));
    }

    #[test]
    fn mistakes_are_named() {
        let mistake = |text: &str| read(text).unwrap_err();
        assert_eq!(mistake("files.'a.ts' = 'x //~ bda'").help.as_deref(), Some("did you mean `bad`?"));
        assert_eq!(mistake("files.'a.ts' = '{{key:awss}}'").help.as_deref(), Some("did you mean `aws`?"));
        assert!(mistake("files.'../a.ts' = ''").message.contains("relative"));
        assert_eq!(mistake("file.'a' = ''").help.as_deref(), Some("did you mean `files`?"));
    }
}
