//! YAML, one tree per document, with anchors, aliases and merge keys (`<<`) resolved.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::error::narrow;
use super::json::last_wins;
use super::{Entry, Node, NodeData, SyntaxError, depth};

/// Nodes that anchors and aliases together may copy: far above any honest file, far below a bomb.
const MAX_COPIED: usize = 200_000;

/// The first document; an empty file is `Null`.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let documents = parse_documents(text)?;
    Ok(documents.into_iter().next().unwrap_or(Node { start: 0, end: 0, data: NodeData::Null }))
}

/// All documents of the file (`---` between them).
pub fn parse_documents(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let body = text.trim_start_matches('\u{feff}');
    let shift = text.len() - body.len();
    let mut builder = Builder::new(text, Offsets::new(body, shift));
    let mut parser = Parser::new_from_str(body);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| builder.scan_error(error.marker().index(), error.info()))?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

/// Character indexes, which the parser counts in, to byte offsets.
struct Offsets<'t> {
    body: &'t str,
    shift: usize,
    /// The byte offset of every 128th character; empty for ASCII, where both are the same.
    marks: Vec<usize>,
}

impl<'t> Offsets<'t> {
    const STEP: usize = 128;

    fn new(body: &'t str, shift: usize) -> Self {
        let marks = match body.is_ascii() {
            true => Vec::new(),
            false => body.char_indices().step_by(Self::STEP).map(|(offset, _)| offset).collect(),
        };
        Offsets { body, shift, marks }
    }

    fn byte(&self, index: usize) -> usize {
        self.shift + self.in_body(index).min(self.body.len())
    }

    fn in_body(&self, index: usize) -> usize {
        if self.marks.is_empty() {
            return index;
        }
        let Some(&mark) = self.marks.get(index / Self::STEP) else { return self.body.len() };
        let rest = self.body.get(mark..).unwrap_or_default();
        rest.char_indices().nth(index % Self::STEP).map_or(self.body.len(), |(offset, _)| mark + offset)
    }
}

/// A finished node with the number of nodes in it and how deep they go.
#[derive(Clone)]
struct Built {
    node: Node,
    size: usize,
    height: usize,
    /// Written as a plain scalar, as the key of a merge has to be.
    plain: bool,
}

/// A list or map whose end has not come yet.
struct Open {
    start: usize,
    anchor: usize,
    size: usize,
    height: usize,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, merges: Vec<Node>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    /// None for a list or map as key, which no configuration means: its entry is left out.
    text: Option<Arc<str>>,
    start: u32,
    end: u32,
    merges: bool,
}

struct Builder<'t> {
    text: &'t str,
    offsets: Offsets<'t>,
    open: Vec<Open>,
    anchors: FxHashMap<usize, Built>,
    copied: usize,
    documents: Vec<Node>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, offsets: Offsets<'t>) -> Self {
        Builder { text, offsets, open: Vec::new(), anchors: FxHashMap::default(), copied: 0, documents: Vec::new() }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let (start, end) = (self.offsets.byte(span.start.index()), self.offsets.byte(span.end.index()));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let data = scalar(&text, plain, tag.as_deref());
                let node = Node { start: narrow(start), end: narrow(end.max(start)), data };
                let key_text = self.expects_key().then(|| Arc::from(&*text));
                self.finish(Built { node, size: 1, height: 1, plain }, anchor, key_text)
            }
            Event::Alias(anchor) => self.alias(anchor, start, end),
            Event::SequenceStart(anchor, _) => self.begin(start, anchor, Parts::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.refuse_template(start)?;
                self.begin(start, anchor, Parts::Map { entries: Vec::new(), merges: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(start, end),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, start: usize, anchor: usize, parts: Parts) -> Result<(), SyntaxError> {
        if self.open.len() >= depth::LIMIT {
            return Err(SyntaxError::too_deep(self.text, start));
        }
        self.open.push(Open { start, anchor, size: 1, height: 1, parts });
        Ok(())
    }

    fn close(&mut self, start: usize, end: usize) -> Result<(), SyntaxError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (data, last) = match open.parts {
            Parts::List(items) => {
                let last = items.last().map(|item| item.end);
                (NodeData::List(items), last)
            }
            Parts::Map { entries, merges, .. } => {
                let last = entries.last().map(|entry| entry.value.end.max(entry.key_end));
                (NodeData::Map(merged(last_wins(entries), merges)), last)
            }
        };
        // Only the end of a flow collection (`]`, `}`) has a width; a block one ends with its last part.
        let end = if end > start { end } else { last.map_or(open.start, |last| last as usize) };
        let node = Node { start: narrow(open.start), end: narrow(end.max(open.start)), data };
        self.finish(Built { node, size: open.size, height: open.height, plain: false }, open.anchor, None)
    }

    /// Hands a finished node to what is open around it, or makes it a document.
    fn finish(&mut self, built: Built, anchor: usize, key: Option<Arc<str>>) -> Result<(), SyntaxError> {
        if anchor > 0 && self.copied + built.size <= MAX_COPIED {
            self.copied += built.size;
            self.anchors.insert(anchor, built.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(built.node);
            return Ok(());
        };
        open.size += built.size;
        open.height = open.height.max(built.height + 1);
        match &mut open.parts {
            Parts::List(items) => items.push(built.node),
            Parts::Map { entries, merges, key: slot } => match slot.take() {
                None => *slot = Some(Key::new(&built, key)),
                Some(key) if key.merges => merges.push(built.node),
                Some(key) => entries.extend(key.with(built.node)),
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, start: usize, end: usize) -> Result<(), SyntaxError> {
        let Some(built) = self.anchors.get(&anchor) else {
            return Err(SyntaxError::malformed(self.text, start, "this alias repeats too much of the file, or itself"));
        };
        if self.copied + built.size > MAX_COPIED {
            let message = format!("aliases repeat more than {MAX_COPIED} nodes; write them out or exclude the file");
            return Err(SyntaxError::malformed(self.text, start, message));
        }
        if self.open.len() + built.height > depth::LIMIT {
            return Err(SyntaxError::too_deep(self.text, start));
        }
        let mut copy = built.clone();
        self.copied += copy.size;
        copy.node.start = narrow(start);
        copy.node.end = narrow(end);
        let key = copy.node.as_text().filter(|_| self.expects_key()).map(Arc::from);
        self.finish(copy, 0, key)
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { parts: Parts::Map { key: None, .. }, .. }))
    }

    /// `{{ value }}` is valid YAML (a map as a key), but always a template.
    fn refuse_template(&self, start: usize) -> Result<(), SyntaxError> {
        let doubled = start.checked_sub(1).and_then(|before| self.text.get(before..=start)) == Some("{{");
        if doubled && self.expects_key() { Err(self.template(start)) } else { Ok(()) }
    }

    fn template(&self, offset: usize) -> SyntaxError {
        let message = "this YAML is a template ({{ … }}); render it first or exclude it from the audit";
        SyntaxError::malformed(self.text, offset, message)
    }

    fn scan_error(&self, index: usize, info: &str) -> SyntaxError {
        let offset = self.offsets.byte(index);
        if info.contains("recursion limit") {
            return SyntaxError::too_deep(self.text, offset);
        }
        let line = self.text.get(..offset).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1));
        let around = self.text.get(line..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        match around.contains("{{") || around.contains("{%") {
            true => self.template(offset),
            false => SyntaxError::malformed(self.text, offset, format!("this YAML cannot be read: {info}")),
        }
    }
}

impl Key {
    fn new(built: &Built, text: Option<Arc<str>>) -> Key {
        let merges = built.plain && text.as_deref() == Some("<<");
        Key { text, start: built.node.start, end: built.node.end, merges }
    }

    fn with(self, value: Node) -> Option<Entry> {
        self.text.map(|key| Entry { key, key_start: self.start, key_end: self.end, value })
    }
}

/// The own entries, then those of the merged maps whose keys are not there yet.
fn merged(mut entries: Vec<Entry>, merges: Vec<Node>) -> Vec<Entry> {
    if merges.is_empty() {
        return entries;
    }
    let mut known: FxHashSet<Arc<str>> = entries.iter().map(|entry| entry.key.clone()).collect();
    let maps = merges.into_iter().flat_map(|node| match node.data {
        NodeData::List(items) => items,
        _ => vec![node],
    });
    for map in maps {
        if let NodeData::Map(more) = map.data {
            entries.extend(more.into_iter().filter(|entry| known.insert(entry.key.clone())));
        }
    }
    entries
}

fn scalar(text: &str, plain: bool, tag: Option<&Tag>) -> NodeData {
    if !plain || tag.is_some_and(|tag| !tag.is_yaml_core_schema() || tag.suffix == "str") {
        return NodeData::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeData::Null,
        "true" | "True" | "TRUE" => NodeData::Bool(true),
        "false" | "False" | "FALSE" => NodeData::Bool(false),
        other => number(other).map_or_else(|| NodeData::Text(other.into()), NodeData::Number),
    }
}

/// The numbers of the core schema: `12`, `-1.5e3`, `0x1F`, `0o17`.
fn number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().map(|n| n as f64);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok().map(|n| n as f64);
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let starts = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if numeric && starts { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<'t>(text: &'t str, node: &Node) -> &'t str {
        &text[node.start as usize..node.end as usize]
    }

    #[test]
    fn values_know_their_place_even_after_wide_characters() {
        let text = "# ünïcödé 🎉\r\nserviços:\r\n  web:\r\n    ports: [\"80:80\", é]\r\n    command: >\r\n      a\r\n      b\r\n    on: yes\r\n";
        let root = parse(text).unwrap();
        let web = root.at(&["serviços", "web"]).unwrap();
        assert_eq!(slice(text, web.get("ports").unwrap()), "[\"80:80\", é]");
        assert_eq!(slice(text, &web.get("ports").unwrap().items()[1]), "é");
        let entry = web.entry("on").unwrap();
        assert_eq!(&text[entry.key_start as usize..entry.key_end as usize], "on");
        assert_eq!(entry.value.as_text(), Some("yes"));
        assert_eq!(web.get("command").unwrap().as_text(), Some("a b\n"));
        assert!(slice(text, web).starts_with("ports") && slice(text, web).ends_with("yes"));
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let root = parse("[1, -1.5e3, 0x1F, 0o17, true, ~, '1', !!str 1, 1.2.3, !Ref 1, .5]").unwrap();
        let wanted = [
            NodeData::Number(1.0),
            NodeData::Number(-1500.0),
            NodeData::Number(31.0),
            NodeData::Number(15.0),
            NodeData::Bool(true),
            NodeData::Null,
            NodeData::Text("1".into()),
            NodeData::Text("1".into()),
            NodeData::Text("1.2.3".into()),
            NodeData::Text("1".into()),
            NodeData::Number(0.5),
        ];
        let got: Vec<_> = root.items().iter().take(wanted.len()).map(|item| item.data.clone()).collect();
        assert_eq!(got, wanted);
    }

    #[test]
    fn aliases_and_merge_keys_are_resolved() {
        let text = "x: &base\n  image: a\n  restart: always\ny:\n  <<: *base\n  image: b\nz:\n  <<: [*base, {extra: 1}]\nw: *base\n";
        let root = parse(text).unwrap();
        assert_eq!(root.at(&["y", "image"]).unwrap().as_text(), Some("b"));
        assert_eq!(root.at(&["y", "restart"]).unwrap().as_text(), Some("always"));
        assert_eq!(root.at(&["z", "extra"]).unwrap().data, NodeData::Number(1.0));
        assert_eq!(slice(text, root.get("w").unwrap()), "*base");
        assert!(root.at(&["y", "<<"]).is_none());
    }

    #[test]
    fn documents_are_separate() {
        let documents = parse_documents("a: 1\n---\nb: 2\n---\n").unwrap();
        assert_eq!(documents.len(), 3);
        assert!(documents[1].get("b").is_some());
        assert_eq!(parse("").unwrap().data, NodeData::Null);
    }

    #[test]
    fn templates_are_named_as_such() {
        for text in ["a: 1\nb: {{ .Values.b }}\n", "a: 1\n{{- if .x }}\nb: 2\n{{- end }}\n", "a:\n{% if x %}\n  b: 1\n"]
        {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains("template") && error.line >= 2, "{text}: {error:?}");
        }
        assert!(parse("a: ${{ github.ref }}\nb: '{{ x }}'\nc: {a: {b: 1}}").is_ok());
    }

    #[test]
    fn broken_texts_have_a_place() {
        let error = parse("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert_eq!(error.kind, "parse-error");
        assert!(error.line >= 2, "{error:?}");
        assert!(parse("a: *nowhere").is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let dashes = "- ".repeat(10_000);
        let lines: String = (0..10_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        for text in ["[".repeat(10_000), "{a: ".repeat(10_000), dashes, lines] {
            assert_eq!(parse(&text).unwrap_err().kind, "too-deep", "{}", &text[..20]);
        }
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..20 {
            let previous = n - 1;
            let list = vec![format!("*a{previous}"); 9].join(",");
            bomb += &format!("a{n}: &a{n} [{list}]\n");
        }
        assert!(parse(&bomb).unwrap_err().message.contains("alias"));
        let levels: String =
            (1..7).map(|n| format!("a{n}: &a{n} {0}*a{1}{2}\n", "[".repeat(200), n - 1, "]".repeat(200))).collect();
        let deep = format!("a0: &a0 {0}1{1}\n{levels}", "[".repeat(200), "]".repeat(200));
        assert_eq!(parse(&deep).unwrap_err().kind, "too-deep");
        assert!(parse("a: &a [*a]").is_err());
    }

    #[test]
    fn every_truncation_is_an_error_or_a_value() {
        let text = "%YAML 1.2\n---\nä: &x {b: [1, \"c\\n\", 'd']}\n? k\n: !!str v\nl: |+\n  x\n\nm: *x\n<<: *x\n...\n---\n- - 1\n";
        for (end, _) in text.char_indices() {
            let _ = parse_documents(&text[..end]);
        }
        assert!(parse_documents(text).is_ok());
    }
}
