//! JSON with comments and trailing commas.

use jsonc_parser::ast::{Object, ObjectProp, ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use rustc_hash::FxHashMap;

use super::error::narrow;
use super::{Entry, Node, NodeData, SyntaxError, depth};

/// Reads one JSON value. Of keys that occur twice the last one holds.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let body = text.trim_start_matches('\u{feff}');
    let shift = text.len() - body.len();
    if let Some(offset) = depth::first_beyond(body, depth::LIMIT) {
        return Err(SyntaxError::too_deep(text, shift + offset));
    }
    let parsed = parse_to_ast(body, &CollectOptions::default(), &options()).map_err(|error| {
        let offset = shift + error.range().start;
        match error.kind() {
            ParseErrorKind::NestingDepthExceeded => SyntaxError::too_deep(text, offset),
            kind => SyntaxError::malformed(text, offset, format!("this JSON cannot be read: {kind}")),
        }
    })?;
    let value = parsed.value.ok_or_else(|| SyntaxError::malformed(text, 0, "this JSON file is empty"))?;
    Ok(node(value, shift))
}

fn options() -> ParseOptions {
    ParseOptions { allow_missing_commas: false, ..ParseOptions::default() }
}

fn node(value: Value<'_>, shift: usize) -> Node {
    let range = value.range();
    let data = match value {
        Value::StringLit(text) => NodeData::Text(text.value.into()),
        Value::NumberLit(number) => number_of(number.value),
        Value::BooleanLit(literal) => NodeData::Bool(literal.value),
        Value::NullKeyword(_) => NodeData::Null,
        Value::Array(array) => NodeData::List(array.elements.into_iter().map(|item| node(item, shift)).collect()),
        Value::Object(object) => NodeData::Map(entries(object, shift)),
    };
    Node { start: narrow(shift + range.start), end: narrow(shift + range.end), data }
}

fn entries(object: Object<'_>, shift: usize) -> Vec<Entry> {
    last_wins(object.properties.into_iter().map(|property| entry(property, shift)).collect())
}

fn entry(property: ObjectProp<'_>, shift: usize) -> Entry {
    let range = property.name.range();
    let key = match property.name {
        ObjectPropName::String(text) => text.value.into(),
        ObjectPropName::Word(word) => word.value.into(),
    };
    Entry {
        key,
        key_start: narrow(shift + range.start),
        key_end: narrow(shift + range.end),
        value: node(property.value, shift),
    }
}

fn number_of(text: &str) -> NodeData {
    let digits = text.trim_start_matches('+');
    let hexadecimal = digits.trim_start_matches('-').to_ascii_lowercase().strip_prefix("0x").map(str::to_owned);
    let number = match hexadecimal {
        Some(hex) => {
            i64::from_str_radix(&hex, 16).ok().map(|n| if digits.starts_with('-') { -(n as f64) } else { n as f64 })
        }
        None => digits.parse().ok(),
    };
    number.map_or_else(|| NodeData::Text(text.into()), NodeData::Number)
}

/// Keeps the last of the entries with the same key, at the place of that last one.
pub(super) fn last_wins(entries: Vec<Entry>) -> Vec<Entry> {
    let is_new = |(index, entry): (usize, &Entry)| entries.iter().take(index).all(|earlier| earlier.key != entry.key);
    if entries.len() <= FEW && entries.iter().enumerate().all(is_new) {
        return entries;
    }
    let mut last = FxHashMap::default();
    for (index, entry) in entries.iter().enumerate() {
        last.insert(entry.key.clone(), index);
    }
    if last.len() == entries.len() {
        return entries;
    }
    let kept = entries.into_iter().enumerate().filter(|(index, entry)| last.get(&entry.key) == Some(index));
    kept.map(|(_, entry)| entry).collect()
}

/// So many keys are compared with each other faster than they are hashed.
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<'t>(text: &'t str, node: &Node) -> &'t str {
        &text[node.start as usize..node.end as usize]
    }

    #[test]
    fn values_know_their_place() {
        let text = "\u{feff}{ \"é\": [1, -2.5e1, 0x10], // c\n \"b\": {\"c\": \"x\\ny\", \"d\": null, \"e\": true,}, }";
        let root = parse(text).unwrap();
        let entry = root.entry("é").unwrap();
        assert_eq!(&text[entry.key_start as usize..entry.key_end as usize], "\"é\"");
        assert_eq!(slice(text, &entry.value), "[1, -2.5e1, 0x10]");
        let numbers: Vec<_> = entry.value.items().iter().map(|n| n.data.clone()).collect();
        assert_eq!(numbers, [NodeData::Number(1.0), NodeData::Number(-25.0), NodeData::Number(16.0)]);
        let text_node = root.at(&["b", "c"]).unwrap();
        assert_eq!((text_node.as_text(), slice(text, text_node)), (Some("x\ny"), "\"x\\ny\""));
        assert_eq!(root.at(&["b", "d"]).unwrap().data, NodeData::Null);
        assert_eq!(root.at(&["b", "e"]).unwrap().as_bool(), Some(true));
    }

    #[test]
    fn the_last_of_two_equal_keys_holds() {
        let root = parse(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        let keys: Vec<_> = root.entries().iter().map(|e| &*e.key).collect();
        assert_eq!((keys, &root.get("a").unwrap().data), (vec!["b", "a"], &NodeData::Number(3.0)));
    }

    #[test]
    fn broken_texts_have_a_place() {
        let error = parse("{\n  \"a\": 1\n  \"b\": 2\n}").unwrap_err();
        assert_eq!((error.kind, error.line), ("parse-error", 2));
        assert_eq!(parse("").unwrap_err().kind, "parse-error");
        assert_eq!(parse("{\"a\": \0}").unwrap_err().line, 1);
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_parsed() {
        let error = parse(&format!("\n{}", "[".repeat(10_000))).unwrap_err();
        assert_eq!((error.kind, error.line), ("too-deep", 2));
        let moderately = format!("{}1{}", "{\"a\":[".repeat(400), "]}".repeat(400));
        assert_eq!(parse(&moderately).unwrap_err().kind, "too-deep");
        assert!(parse(&format!("{}1{}", "{\"a\":[".repeat(100), "]}".repeat(100))).is_ok());
    }

    #[test]
    fn every_truncation_is_an_error_or_a_value() {
        let text = "{\"ä\": [1, 'b', true, null, \"\\u00e9\"], /* c */ k: -0x1F,} // end";
        for (end, _) in text.char_indices() {
            let _ = parse(&text[..end]);
        }
        assert!(parse(text).is_ok());
    }
}
