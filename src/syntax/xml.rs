//! XML, as elements with their places: attributes, text and CDATA. Documents with a DTD are refused: their entities can
//! grow without bound.

use roxmltree::{Document, Node, NodeType};

use super::error::{SyntaxError, narrow};
use super::sql::Range;

/// Levels of nesting that are followed.
const MAX_DEPTH: usize = 100;

/// An element with its place, from the opening bracket to the end of the closing tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Without the prefix of its namespace.
    pub name: String,
    pub at: Range,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children_named(name).next()
    }

    pub fn children_named<'e>(&'e self, name: &str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The root element.
pub fn parse(text: &str) -> Result<Element, SyntaxError> {
    let document = Document::parse(text).map_err(|error| {
        let before = text.split_inclusive('\n').take((error.pos().row as usize).saturating_sub(1));
        SyntaxError::malformed(text, before.map(str::len).sum(), error.to_string())
    })?;
    element(text, document.root_element(), 0)
}

fn element(text: &str, node: Node<'_, '_>, depth: usize) -> Result<Element, SyntaxError> {
    let range = node.range();
    if depth >= MAX_DEPTH {
        return Err(SyntaxError::too_deep(text, range.start));
    }
    let attributes = node.attributes().map(|it| (it.name().to_owned(), it.value().to_owned())).collect();
    let mut found = Element {
        name: node.tag_name().name().to_owned(),
        at: (narrow(range.start), narrow(range.end)),
        attributes,
        ..Element::default()
    };
    for child in node.children() {
        match child.node_type() {
            NodeType::Element => found.children.push(element(text, child, depth + 1)?),
            NodeType::Text => found.text += child.text().unwrap_or_default(),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_with_their_places() {
        let text = "<?xml version='1.0'?><!-- <x> --><a:r xmlns:a='urn:a' k = \"1 &lt; 2\"><b/>t<![CDATA[<c>]]></a:r>";
        let root = parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.attribute("k"), root.text.as_str()), ("r", Some("1 < 2"), "t<c>"));
        assert_eq!(root.child("b").map(|b| &text[b.at.0 as usize..b.at.1 as usize]), Some("<b/>"));
    }

    #[test]
    fn what_is_broken_is_an_error_with_its_line() {
        for text in ["", "<", "<a", "<a b", "<a b='", "<a><b></b>", "<!--", "<a><![CDATA[", "x</a>", "<a é='ü"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("<a>\n<b>\n</a>").unwrap_err().line, 3);
        assert_eq!(parse(&"<a>".repeat(5_000)).unwrap_err().kind, "parse-error");
        let deep = format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000));
        assert_eq!(parse(&deep).unwrap_err().kind, "too-deep");
    }

    #[test]
    fn entities_cannot_grow() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
        assert!(parse(bomb).is_err());
    }
}
