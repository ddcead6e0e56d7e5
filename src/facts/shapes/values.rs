//! From nodes of configuration files to values of facts.

use std::sync::Arc;

use crate::facts::{Data, Fact, Origins, Record, Value};
use crate::project::{FileId, Span};
use crate::syntax::{Node, NodeData};

/// The value of a node, lists and maps included.
pub fn value_of(node: &Node) -> Value {
    match &node.data {
        NodeData::Null => Value { data: Data::Null, origins: Origins::LITERAL },
        NodeData::Bool(value) => Value::bool(*value),
        NodeData::Number(number) => Value::number(*number),
        NodeData::Text(text) => Value::text(text.clone()),
        NodeData::List(items) => Value::list(items.iter().map(value_of).collect()),
        NodeData::Map(entries) => {
            let fields = entries.iter().map(|entry| (entry.key.clone(), value_of(&entry.value))).collect();
            Value { data: Data::Record(Arc::new(Record::closed(fields))), origins: Origins::default() }
        }
    }
}

/// A value that is there or known not to be.
pub fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::ABSENT, Value::text)
}

/// A scalar as text: numbers and booleans too (`user: 1000`).
pub fn scalar_text(node: &Node) -> Option<String> {
    match &node.data {
        NodeData::Text(text) => Some(text.to_string()),
        NodeData::Number(number) => Some(number.to_string()),
        NodeData::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A text, or the texts of a list.
pub fn texts(node: &Node) -> Vec<&str> {
    node.as_text().into_iter().chain(node.items().iter().filter_map(Node::as_text)).collect()
}

/// A text as it is, a list joined by blanks: how commands are written in both forms.
pub fn command_text(node: &Node) -> Option<String> {
    match &node.data {
        NodeData::Text(text) => Some(text.to_string()),
        NodeData::List(items) => Some(items.iter().filter_map(scalar_text).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

pub fn span(file: FileId, start: u32, end: u32) -> Span {
    Span { file, start, end }
}

/// The fact of a shape, named after what it is about.
pub fn fact(kind: &str, at: Span, clause: &str, symbol: &str) -> Fact {
    Fact { symbol: symbol.into(), ..Fact::new(kind, at, clause) }
}
