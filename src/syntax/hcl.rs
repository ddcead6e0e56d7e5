//! Terraform files as blocks (`resource "aws_lb" "web" { … }`). Expressions that are no plain value stay as their text.

use std::sync::Arc;

use super::error::narrow;
use super::{Entry, Node, NodeData, SyntaxError};

/// How deep blocks and values may lie in each other.
const MAX_DEPTH: usize = 48;

#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub kind: String,
    pub labels: Vec<String>,
    /// A map; blocks in it are lists of maps under their kind.
    pub body: Node,
    pub start: u32,
    pub end: u32,
}

/// The blocks of the file; what stands between them is left out.
pub fn parse(text: &str) -> Result<Vec<Block>, SyntaxError> {
    let mut reader = Reader { text, at: 0 };
    let mut blocks = Vec::new();
    loop {
        reader.blanks(true);
        if reader.peek().is_none() {
            return Ok(blocks);
        }
        match reader.item(0)? {
            Item::Block(block) => blocks.push(block),
            Item::Attribute(_) => {}
        }
    }
}

enum Item {
    Attribute(Entry),
    Block(Block),
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError::malformed(self.text, self.at, message)
    }

    /// Skips blanks and comments, and line ends where they mean nothing.
    fn blanks(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            let rest = self.rest();
            if c == '#' || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else if c.is_whitespace() && (lines || c != '\n') {
                self.at += c.len_utf8();
            } else {
                break;
            }
        }
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.')).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default().to_owned()
    }

    /// `name = value` or `name "label" { … }`.
    fn item(&mut self, depth: usize) -> Result<Item, SyntaxError> {
        let start = self.at;
        let kind = if self.peek() == Some('"') { self.string() } else { self.name() };
        if kind.is_empty() || depth > MAX_DEPTH {
            return Err(self.error("this is no Terraform"));
        }
        let named = self.at;
        self.blanks(false);
        if matches!(self.peek(), Some('=' | ':')) {
            self.at += 1;
            self.blanks(true);
            let value = self.value(depth + 1)?;
            return Ok(Item::Attribute(entry(kind, start, named, value)));
        }
        let mut labels = Vec::new();
        loop {
            self.blanks(false);
            match self.peek() {
                Some('"') => labels.push(self.string()),
                Some('{') => break,
                Some(c) if c.is_alphanumeric() || c == '_' => labels.push(self.name()),
                _ => return Err(self.error("a value or a block is missing")),
            }
        }
        let end = narrow(self.at);
        let body = self.map(depth + 1)?;
        Ok(Item::Block(Block { kind, labels, body, start: narrow(start), end }))
    }

    /// From `{` to its `}`: an object or the body of a block.
    fn map(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            self.blanks(true);
            match self.peek() {
                Some('}') => break,
                Some(',') => self.at += 1,
                Some('(') => self.skip_expression(),
                None => return Err(self.error("this block never ends")),
                _ => match self.item(depth)? {
                    Item::Attribute(entry) => entries.push(entry),
                    Item::Block(block) => add_block(&mut entries, block),
                },
            }
        }
        self.at += 1;
        Ok(self.node(start, NodeData::Map(entries)))
    }

    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err(self.error("values lie too deep in each other"));
        }
        let data = match self.peek() {
            Some('"') => {
                let text = self.string();
                if self.goes_on() {
                    return Ok(self.raw(start));
                }
                NodeData::Text(text.into())
            }
            Some('[') if !self.is_comprehension() => return self.list(depth),
            Some('{') if !self.is_comprehension() => return self.map(depth),
            Some('<') if self.rest().starts_with("<<") => NodeData::Text(self.heredoc().into()),
            _ => return Ok(self.raw(start)),
        };
        Ok(self.node(start, data))
    }

    fn list(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blanks(true);
            match self.peek() {
                Some(']') => break,
                Some(',') => self.at += 1,
                None => return Err(self.error("this list never ends")),
                _ => {
                    let before = self.at;
                    items.push(self.value(depth + 1)?);
                    if self.at == before {
                        return Err(self.error("this list cannot be read"));
                    }
                }
            }
        }
        self.at += 1;
        Ok(self.node(start, NodeData::List(items)))
    }

    /// `[for x in y : z]`, `{for …}`
    fn is_comprehension(&self) -> bool {
        self.rest().get(1..).is_some_and(|rest| rest.trim_start().starts_with("for "))
    }

    /// An operator follows on the same line: the text is only part of an expression.
    fn goes_on(&mut self) -> bool {
        let before = self.at;
        self.blanks(false);
        let goes_on = matches!(self.peek(), Some('?' | '=' | '!' | '&' | '|' | '+' | '.' | '['));
        self.at = before;
        goes_on
    }

    /// An expression as its text, numbers and booleans as what they are.
    fn raw(&mut self, start: usize) -> Node {
        self.skip_expression();
        let text = self.text.get(start..self.at).unwrap_or_default().trim();
        let data = match text {
            "true" => NodeData::Bool(true),
            "false" => NodeData::Bool(false),
            "null" => NodeData::Null,
            _ => text.parse().map_or_else(|_| NodeData::Text(text.into()), NodeData::Number),
        };
        self.node(start, data)
    }

    /// Up to the end of the line, or to what closes the list or map that it stands in.
    fn skip_expression(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.string();
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => break,
                ')' | ']' | '}' => depth -= 1,
                '\n' | ',' | '#' if depth == 0 => break,
                _ => {}
            }
            self.at += c.len_utf8();
        }
    }

    /// From `"` to its end, `${…}` inside left as it is.
    fn string(&mut self) -> String {
        let start = self.at + 1;
        self.at = start;
        let (mut escaped, mut depth) = (false, 0_usize);
        let mut before = ' ';
        while let Some(c) = self.peek() {
            match c {
                _ if escaped => {}
                '"' if depth == 0 => break,
                '\n' if depth == 0 => break,
                '{' if before == '$' || depth > 0 => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            escaped = c == '\\' && !escaped;
            before = c;
            self.at += c.len_utf8();
        }
        let text = self.text.get(start..self.at).unwrap_or_default().to_owned();
        self.at = (self.at + 1).min(self.text.len());
        text
    }

    /// `<<EOF … EOF`, without the marks.
    fn heredoc(&mut self) -> String {
        let rest = self.rest();
        let (head, body) = rest.split_once('\n').unwrap_or((rest, ""));
        let mark = head.trim_start_matches(['<', '-', '~']).trim();
        let mut length = 0;
        for line in body.split_inclusive('\n') {
            if line.trim() == mark {
                self.at += head.len() + 1 + length + line.trim_end().len();
                return body.get(..length).unwrap_or_default().to_owned();
            }
            length += line.len();
        }
        self.at = self.text.len();
        body.to_owned()
    }

    fn node(&self, start: usize, data: NodeData) -> Node {
        Node { start: narrow(start), end: narrow(self.at), data }
    }
}

fn entry(key: String, start: usize, end: usize, value: Node) -> Entry {
    Entry { key: key.into(), key_start: narrow(start), key_end: narrow(end), value }
}

/// Blocks of one kind are one list.
fn add_block(entries: &mut Vec<Entry>, block: Block) {
    if let Some(found) = entries.iter_mut().find(|entry| *entry.key == *block.kind)
        && let NodeData::List(items) = &mut found.value.data
    {
        items.push(block.body);
        return;
    }
    let (key, key_start, key_end): (Arc<str>, _, _) = (block.kind.into(), block.start, block.end);
    let list = Node { start: block.body.start, end: block.body.end, data: NodeData::List(vec![block.body]) };
    entries.push(Entry { key, key_start, key_end, value: list });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources() {
        let text = "terraform {\n  backend \"s3\" {\n    bucket = \"x\" # remote\n  }\n}\nresource \"aws_db_instance\" \"main\" {\n  backup_retention_period = 7\n  multi_az = true\n  name = \"${var.env}-db\"\n  size = var.a ? 1 : 2\n  tags = { Name = \"a\", env : \"b\" }\n  subnets = [aws_subnet.a.id, \"x\",\n  ]\n  ingress {\n    from_port = 5432\n  }\n  ingress { from_port = 22 }\n  policy = <<EOF\n{ \"a\": 1 }\nEOF\n}\n";
        let blocks = parse(text).unwrap();
        assert_eq!(
            (blocks.len(), blocks[1].labels.as_slice()),
            (2, &["aws_db_instance".to_owned(), "main".into()][..])
        );
        let body = &blocks[1].body;
        assert_eq!(body.get("backup_retention_period").unwrap().data, NodeData::Number(7.0));
        assert_eq!(body.get("multi_az").unwrap().as_bool(), Some(true));
        assert_eq!(body.get("name").unwrap().as_text(), Some("${var.env}-db"));
        assert_eq!(body.get("size").unwrap().as_text(), Some("var.a ? 1 : 2"));
        assert_eq!(body.at(&["tags", "env"]).unwrap().as_text(), Some("b"));
        assert_eq!(body.get("subnets").unwrap().items().len(), 2);
        assert_eq!(body.get("ingress").unwrap().items().len(), 2);
        assert_eq!(body.get("policy").unwrap().as_text(), Some("{ \"a\": 1 }\n"));
        assert_eq!(blocks[0].body.get("backend").unwrap().items().len(), 1);
    }

    #[test]
    fn odd_texts_are_read_or_refused() {
        for text in [
            "",
            "a",
            "a =",
            "a = [",
            "a {",
            "a \"b",
            "a = <<E\nx",
            "{",
            "é = 1",
            "a = \"${\"",
            "a = [)",
            "a { (x) = 1 }",
        ] {
            let _ = parse(text);
        }
        assert!(parse(&"a {".repeat(100_000)).is_err() && parse(&format!("a = {}", "[".repeat(100_000))).is_err());
        assert_eq!(parse("a {\n  b = 1\n").unwrap_err().line, 3);
    }
}
