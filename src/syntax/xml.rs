//! As much of XML as files of configuration need: elements with attributes, text and CDATA. Documents that define
//! entities of their own are read without them.

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
    let mut open: Vec<Element> = Vec::new();
    let mut at = 0;
    let end_of = |from: usize, mark: &str| {
        let rest = text.get(from..).unwrap_or_default();
        let found = rest.find(mark).map(|found| from + found + mark.len());
        found.ok_or_else(|| SyntaxError::malformed(text, from, format!("`{mark}` is missing")))
    };
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        if let Some(inner) = open.last_mut() {
            inner.text += &decoded(&text[at..start]);
        }
        let rest = &text[start..];
        at = if rest.starts_with("<!--") {
            end_of(start, "-->")?
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let end = end_of(start, "]]>")?;
            if let Some(inner) = open.last_mut() {
                inner.text += &data[..end - start - "<![CDATA[".len() - "]]>".len()];
            }
            end
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            end_of(start, ">")?
        } else if rest.starts_with("</") {
            let end = end_of(start, ">")?;
            if let Some(whole) = closed(&mut open, end) {
                return Ok(whole);
            }
            end
        } else {
            let (element, end, is_empty) = opening(text, start)?;
            if open.len() >= MAX_DEPTH {
                return Err(SyntaxError::too_deep(text, start));
            }
            open.push(element);
            if is_empty && let Some(whole) = closed(&mut open, end) {
                return Ok(whole);
            }
            end
        };
    }
    Err(SyntaxError::malformed(text, text.len(), "an element is not closed"))
}

/// Ends the innermost element; gives the root when it was that.
fn closed(open: &mut Vec<Element>, end: usize) -> Option<Element> {
    let mut element = open.pop()?;
    element.at.1 = narrow(end);
    match open.last_mut() {
        Some(outer) => {
            outer.children.push(element);
            None
        }
        None => Some(element),
    }
}

/// The element that a tag opens, the end of the tag, and whether the tag closes it, too.
fn opening(text: &str, start: usize) -> Result<(Element, usize, bool), SyntaxError> {
    let broken = |at: usize| SyntaxError::malformed(text, at, "a tag is not closed");
    let is_name = |c: char| !c.is_whitespace() && !matches!(c, '=' | '/' | '>' | '<' | '"' | '\'');
    let word = |from: usize| {
        let rest = &text[from..];
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        (rest[..end].rsplit(':').next().unwrap_or_default().to_owned(), from + end)
    };
    let (name, mut at) = word(start + 1);
    let mut element = Element { name, at: (narrow(start), narrow(start)), ..Element::default() };
    loop {
        at += text[at..].find(|c: char| !c.is_whitespace()).ok_or_else(|| broken(start))?;
        let rest = &text[at..];
        if rest.starts_with("/>") {
            return Ok((element, at + 2, true));
        }
        if rest.starts_with('>') {
            return Ok((element, at + 1, false));
        }
        let (key, after) = word(at);
        let value = text[after..].trim_start().strip_prefix('=').map(str::trim_start).ok_or_else(|| broken(at))?;
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or_else(|| broken(at))?;
        let inside = value[1..].split(quote).next().unwrap_or_default();
        at = text.len() - value.len() + inside.len() + 2;
        if at > text.len() {
            return Err(broken(start));
        }
        element.attributes.push((key, decoded(inside)));
    }
}

fn decoded(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_with_their_places() {
        let text = "<?xml version='1.0'?><!-- <x> --><a:r k = \"1 &lt; 2\"><b/>t<![CDATA[<c>]]></a:r>";
        let root = parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.attribute("k"), root.text.as_str()), ("r", Some("1 < 2"), "t<c>"));
        assert_eq!(root.child("b").map(|b| &text[b.at.0 as usize..b.at.1 as usize]), Some("<b/>"));
    }

    #[test]
    fn what_is_broken_ends() {
        for text in [
            "",
            "<",
            "<a",
            "<a b",
            "<a b=",
            "<a b='",
            "<a b=\"x",
            "<a><b></b>",
            "<!--",
            "<a><![CDATA[",
            "x</a>",
            "<a é='ü",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse(&"<a>".repeat(5_000)).unwrap_err().kind, "too-deep");
    }
}
