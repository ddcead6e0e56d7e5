//! TOML with places: the tree that rules, stacks and lexicons are read from, and a reader that knows every key.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Problem, RuleError};
use crate::syntax::{Entry, Node, NodeData};

/// Parses a TOML document. Entries keep the order of the file.
pub fn parse(path: &str, text: &str) -> Result<Node, RuleError> {
    match DeTable::parse(text) {
        Ok(table) => {
            let span = table.span();
            Ok(Node { start: offset(span.start), end: offset(span.end), data: map(table.get_ref()) })
        }
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            Err(Problem::new(offset(span.start), offset(span.end), error.message()).in_file(path, text))
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn map(table: &DeTable<'_>) -> NodeData {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().as_ref().into(),
            key_start: offset(key.span().start),
            key_end: offset(key.span().end),
            value: node(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_start);
    NodeData::Map(entries)
}

fn node(value: &Spanned<DeValue<'_>>) -> Node {
    let data = match value.get_ref() {
        DeValue::String(text) => NodeData::Text(text.as_ref().into()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(NodeData::Null, |number| NodeData::Number(number as f64)),
        DeValue::Float(number) => number.as_str().parse().map_or(NodeData::Null, NodeData::Number),
        DeValue::Boolean(value) => NodeData::Bool(*value),
        DeValue::Datetime(date) => NodeData::Text(date.to_string().into()),
        DeValue::Array(items) => NodeData::List(items.iter().map(node).collect()),
        DeValue::Table(table) => map(table),
    };
    Node { start: offset(value.span().start), end: offset(value.span().end), data }
}

/// A problem with a whole node.
pub fn at(node: &Node, message: impl Into<String>) -> Problem {
    Problem::new(node.start, node.end, message)
}

/// A problem with the key of an entry.
pub fn at_key(entry: &Entry, message: impl Into<String>) -> Problem {
    Problem::new(entry.key_start, entry.key_end, message)
}

/// Rejects keys that are not of the list.
pub fn only_keys(table: &Node, what: &str, allowed: &[&str]) -> Result<(), Problem> {
    match table.entries().iter().find(|entry| !allowed.contains(&&*entry.key)) {
        Some(entry) => {
            Err(at_key(entry, format!("{what} has no key `{}`", entry.key))
                .suggest(&entry.key, allowed.iter().copied()))
        }
        None => Ok(()),
    }
}

pub fn as_table<'a>(node: &'a Node, what: &str) -> Result<&'a Node, Problem> {
    match node.data {
        NodeData::Map(_) => Ok(node),
        _ => Err(at(node, format!("{what} must be a table"))),
    }
}

pub fn as_text<'a>(node: &'a Node, what: &str) -> Result<&'a str, Problem> {
    node.as_text().ok_or_else(|| at(node, format!("{what} must be a text")))
}

pub fn as_bool(node: &Node, what: &str) -> Result<bool, Problem> {
    node.as_bool().ok_or_else(|| at(node, format!("{what} must be true or false")))
}

pub fn as_number(node: &Node, what: &str) -> Result<f64, Problem> {
    match node.data {
        NodeData::Number(number) => Ok(number),
        _ => Err(at(node, format!("{what} must be a number"))),
    }
}

/// A whole number from 0 to `limit`.
pub fn as_count(node: &Node, what: &str, limit: u32) -> Result<u32, Problem> {
    let number = as_number(node, what)?;
    if number.fract() == 0.0 && (0.0..=f64::from(limit)).contains(&number) {
        Ok(number as u32)
    } else {
        Err(at(node, format!("{what} must be a whole number from 0 to {limit}")))
    }
}

/// The texts of a list, or of a single text.
pub fn as_texts<'a>(node: &'a Node, what: &str) -> Result<Vec<&'a str>, Problem> {
    match &node.data {
        NodeData::Text(text) => Ok(vec![text]),
        NodeData::List(items) => items.iter().map(|item| as_text(item, what)).collect(),
        _ => Err(at(node, format!("{what} must be a text or a list of texts"))),
    }
}

/// An owned, optional text of a table.
pub fn text_of(table: &Node, key: &str) -> Result<Option<String>, Problem> {
    table.get(key).map(|node| as_text(node, &format!("`{key}`")).map(str::to_owned)).transpose()
}

/// The owned texts of a list in a table; empty where it is not given.
pub fn texts_of(table: &Node, key: &str) -> Result<Vec<String>, Problem> {
    match table.get(key) {
        Some(node) => Ok(as_texts(node, &format!("`{key}`"))?.into_iter().map(str::to_owned).collect()),
        None => Ok(Vec::new()),
    }
}

/// One of a closed list of words.
pub fn choice<T: Copy>(node: &Node, what: &str, choices: &[(&str, T)]) -> Result<T, Problem> {
    let word = as_text(node, what)?;
    match choices.iter().find(|(name, _)| *name == word) {
        Some((_, value)) => Ok(*value),
        None => {
            Err(at(node, format!("{what} cannot be `{word}`")).suggest(word, choices.iter().map(|(name, _)| *name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_places() {
        let text = "b = 1\n[a]\nx = [true, \"t\"]\n";
        let root = parse("t.toml", text).unwrap();
        let keys: Vec<&str> = root.entries().iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["b", "a"]);
        let item = &root.at(&["a", "x"]).unwrap().items()[1];
        assert_eq!(&text[item.start as usize..item.end as usize], "\"t\"");
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let error = parse("t.toml", "a = 1\nb = = 2\n").unwrap_err();
        assert_eq!(error.position().0, 2);
    }

    #[test]
    fn unknown_keys_are_named_with_a_suggestion() {
        let root = parse("t.toml", "titel = 1").unwrap();
        let problem = only_keys(&root, "a control", &["title", "why"]).unwrap_err();
        assert_eq!(problem.message, "a control has no key `titel`");
        assert_eq!(problem.help.as_deref(), Some("did you mean `title`?"));
    }
}
