//! Values of a chart as YAML text.

use crate::syntax::{Node, NodeData};

/// What Helm takes for false.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.data {
        NodeData::Null => true,
        NodeData::Bool(value) => !value,
        NodeData::Number(number) => *number == 0.0,
        NodeData::Text(text) => text.is_empty(),
        NodeData::List(items) => items.is_empty(),
        NodeData::Map(entries) => entries.is_empty(),
    }
}

pub(super) fn scalar(node: &Node) -> Option<String> {
    crate::facts::shapes::values::scalar_text(node)
}

/// A value on one line.
pub(super) fn flow(node: &Node, depth: usize) -> String {
    match &node.data {
        NodeData::List(items) if depth > 0 => {
            format!("[{}]", items.iter().map(|item| flow(item, depth - 1)).collect::<Vec<_>>().join(", "))
        }
        NodeData::Map(entries) if depth > 0 => {
            let parts = entries.iter().map(|entry| format!("{}: {}", quote(&entry.key), flow(&entry.value, depth - 1)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        NodeData::Text(text) => quote(text),
        _ => scalar(node).unwrap_or_else(|| "null".to_owned()),
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A value as lines: the entries of a map or list each on its own, so that others may stand beside them.
pub(super) fn write(node: &Node, indent: usize, lines: &mut Vec<String>, depth: usize) {
    let pad = " ".repeat(indent);
    match &node.data {
        NodeData::Map(entries) => {
            lines.extend(
                entries.iter().map(|entry| format!("{pad}{}: {}", quote(&entry.key), flow(&entry.value, depth))),
            );
        }
        NodeData::List(items) => lines.extend(items.iter().map(|item| format!("{pad}- {}", flow(item, depth)))),
        _ => lines.push(format!("{pad}{}", flow(node, depth))),
    }
    if lines.is_empty() {
        lines.push(format!("{pad}{}", flow(node, depth)));
    }
}
