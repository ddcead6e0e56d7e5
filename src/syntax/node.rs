//! What every configuration format (JSON, YAML, TOML, …) parses into: a tree whose nodes know their place.

use std::sync::Arc;

/// A value of a configuration file with its byte range.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub start: u32,
    pub end: u32,
    pub data: NodeData,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NodeData {
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Arc<str>,
    pub key_start: u32,
    pub key_end: u32,
    pub value: Node,
}

impl Node {
    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The entries of a map, none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            NodeData::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Gives everything in the tree another place: `place` is asked for each range.
    pub fn move_places(&mut self, place: &impl Fn(u32, u32) -> (u32, u32)) {
        (self.start, self.end) = place(self.start, self.end);
        match &mut self.data {
            NodeData::List(items) => items.iter_mut().for_each(|item| item.move_places(place)),
            NodeData::Map(entries) => entries.iter_mut().for_each(|entry| {
                (entry.key_start, entry.key_end) = place(entry.key_start, entry.key_end);
                entry.value.move_places(place);
            }),
            _ => {}
        }
    }

    /// The items of a list, none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.data {
            NodeData::List(items) => items,
            _ => &[],
        }
    }

    /// Follows keys (`["scripts", "start"]`).
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            NodeData::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            NodeData::Bool(value) => Some(value),
            _ => None,
        }
    }
}
