//! Prisma schemas: blocks of fields, attributes and properties. A block that cannot be read does not lose the others.

use super::error::narrow;
use super::{SyntaxError, depth};

/// Errors that are kept of one schema.
const MAX_ERRORS: usize = 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    pub blocks: Vec<Block>,
    pub errors: Vec<SyntaxError>,
}

impl Schema {
    fn fail(&mut self, error: impl FnOnce() -> SyntaxError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error());
        }
    }

    fn unclosed(&mut self, text: &str, block: Block) {
        let message = format!("`{} {}` is not closed", block.kind, block.name);
        self.fail(|| SyntaxError::malformed(text, block.start as usize, message));
        self.blocks.push(block);
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// `model`, `view`, `type`, `enum`, `datasource`, `generator`.
    pub kind: String,
    pub name: String,
    /// Bytes of `model Name`.
    pub start: u32,
    pub end: u32,
    pub fields: Vec<Field>,
    /// `@@…`
    pub attributes: Vec<Attribute>,
    /// `provider = "…"`
    pub properties: Vec<Property>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// Without `?` and `[]`; `Unsupported` without its argument.
    pub type_name: String,
    pub list: bool,
    pub optional: bool,
    pub attributes: Vec<Attribute>,
    pub start: u32,
    pub end: u32,
}

/// `@id`, `@db.VarChar(20)`, `@@index([a, b])`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Without `@`.
    pub name: String,
    pub arguments: Vec<Argument>,
    pub start: u32,
    pub end: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub name: Option<String>,
    /// As written.
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    /// As written.
    pub value: String,
    pub start: u32,
    pub end: u32,
}

impl Block {
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl Field {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

impl Attribute {
    /// The argument of that name, or the first without a name.
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.named(name).or_else(|| self.arguments.iter().find(|a| a.name.is_none()).map(|a| a.value.as_str()))
    }

    pub fn named(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name)).map(|a| a.value.as_str())
    }
}

/// The text of a string literal (`"x"`).
pub fn unquote(value: &str) -> Option<&str> {
    value.trim().strip_prefix('"')?.strip_suffix('"')
}

/// The field names of a list (`[a, b(sort: Desc)]`), or of a single one.
pub fn names(value: &str) -> Vec<String> {
    let inner = value.trim().trim_start_matches('[').trim_end_matches(']');
    let parts = split(inner, ',').into_iter();
    let names = parts.map(|part| part.split('(').next().unwrap_or_default().trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// Reads a schema as far as it can be read.
pub fn parse(text: &str) -> Schema {
    let mut schema = Schema::default();
    let mut open: Option<Block> = None;
    for statement in Statements::new(text) {
        if statement.too_deep {
            schema.fail(|| SyntaxError::too_deep(text, statement.start));
        } else if let Some(block) = header(&statement) {
            if let Some(unclosed) = open.replace(block) {
                schema.unclosed(text, unclosed);
            }
        } else if statement.text == "}" {
            schema.blocks.extend(open.take());
        } else if !open.as_mut().is_some_and(|block| member(block, &statement)) {
            let message = "this line of the schema cannot be read";
            schema.fail(|| SyntaxError::malformed(text, statement.start, message));
        }
    }
    if let Some(unclosed) = open {
        schema.unclosed(text, unclosed);
    }
    schema
}

const KINDS: [&str; 6] = ["model", "view", "type", "enum", "datasource", "generator"];

/// `model Name {`
fn header(statement: &Statement<'_>) -> Option<Block> {
    let (kind, rest) = statement.text.strip_suffix('{')?.split_once(char::is_whitespace)?;
    let name = rest.trim();
    if !KINDS.contains(&kind) || !is_name(name) {
        return None;
    }
    let end = statement.start + statement.text.trim_end_matches('{').trim_end().len();
    Some(Block {
        kind: kind.into(),
        name: name.into(),
        start: narrow(statement.start),
        end: narrow(end),
        ..Block::default()
    })
}

fn is_name(text: &str) -> bool {
    let valid = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(valid)
}

/// Adds a line to its block; false where it is neither field, attribute nor property.
fn member(block: &mut Block, statement: &Statement<'_>) -> bool {
    if statement.text.starts_with("@@") {
        block.attributes.extend(attributes(statement.text, statement.start));
        return true;
    }
    let (first, rest) = statement.text.split_once(char::is_whitespace).unwrap_or((statement.text, ""));
    let (start, end) = (narrow(statement.start), narrow(statement.start + statement.text.len()));
    if matches!(block.kind.as_str(), "datasource" | "generator") {
        let Some((name, value)) = statement.text.split_once('=') else { return false };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        block.properties.push(Property { name, value, start, end });
        return true;
    }
    if !is_name(first) {
        return false;
    }
    let rest = rest.trim_start();
    let length = rest.find(|c: char| c.is_whitespace() || c == '@').unwrap_or(rest.len());
    let word = match rest.starts_with("Unsupported(") {
        true => "Unsupported",
        false => &rest[..length],
    };
    let type_name = word.trim_end_matches(['?', ']', '[']);
    if !(is_name(type_name) || block.kind == "enum" && word.is_empty()) {
        return false;
    }
    let attributes_at = end as usize - (rest.len() - length);
    block.fields.push(Field {
        name: first.into(),
        type_name: type_name.into(),
        list: word.contains('['),
        optional: word.ends_with('?'),
        attributes: attributes(&rest[length..], attributes_at),
        start,
        end,
    });
    true
}

/// The attributes of a text that starts at byte `at` of the file.
fn attributes(text: &str, at: usize) -> Vec<Attribute> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = outside_strings(&text[from..]).find(|(_, c)| *c == '@').map(|(n, _)| from + n) {
        let name_start = start + text[start..].bytes().take_while(|byte| *byte == b'@').count();
        let rest = &text[name_start..];
        let length = rest.find(|c: char| !(c.is_alphanumeric() || "_.".contains(c))).unwrap_or(rest.len());
        let after = &rest[length..];
        let (arguments, past) = match after.starts_with('(') {
            true => {
                let past = closing(after).unwrap_or(after.len());
                (arguments(after.get(1..past.saturating_sub(1)).unwrap_or_default()), past)
            }
            false => (Vec::new(), 0),
        };
        let end = name_start + length + past;
        let (start, name) = (narrow(at + start), rest[..length].to_owned());
        found.push(Attribute { name, arguments, start, end: narrow(at + end) });
        from = end;
    }
    found
}

/// The byte past the bracket that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in outside_strings(text) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

fn arguments(text: &str) -> Vec<Argument> {
    let parts = split(text, ',').into_iter().filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let named = part.split_once(':').filter(|(name, _)| is_name(name.trim()));
            let (name, value) = named.map_or((None, part), |(name, value)| (Some(name.trim().to_owned()), value));
            Argument { name, value: value.trim().to_owned() }
        })
        .collect()
}

/// Splits outside of strings and brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0usize, 0);
    for (at, c) in outside_strings(text) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if c == separator && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// The characters that stand in no string literal.
fn outside_strings(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut inside, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, c)| {
        let was = inside;
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ => {}
        }
        !was && *c != '"'
    })
}

/// A line of a schema without comment; longer than a line where brackets are open.
struct Statement<'t> {
    text: &'t str,
    start: usize,
    too_deep: bool,
}

struct Statements<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Statements<'t> {
    fn new(text: &'t str) -> Self {
        Statements { text, at: text.len() - text.trim_start_matches('\u{feff}').len() }
    }

    /// Skips blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let length = if trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += length;
        }
    }
}

impl<'t> Iterator for Statements<'t> {
    type Item = Statement<'t>;

    fn next(&mut self) -> Option<Statement<'t>> {
        self.skip();
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let scan = Scan::statement(rest);
        self.at = start + scan.past;
        Some(Statement { text: rest[..scan.end].trim_end(), start, too_deep: scan.deepest > depth::LIMIT })
    }
}

/// How far a statement goes.
struct Scan {
    end: usize,
    past: usize,
    deepest: usize,
}

impl Scan {
    /// Ends at the line's end outside of brackets, after the `{` that opens a block, at a comment or a `}`.
    /// Brackets that are still open where a line is blank or starts a block are taken for forgotten.
    fn statement(text: &str) -> Scan {
        let bytes = text.as_bytes();
        let (mut depth, mut deepest, mut inside, mut at) = (0usize, 0usize, false, 0usize);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' if inside => at += 1,
                b'"' => inside = !inside,
                b'\n' if inside || depth == 0 || forgotten(&bytes[at + 1..]) => break,
                _ if inside => {}
                b'(' | b'[' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b')' | b']' => depth = depth.saturating_sub(1),
                b'{' if depth == 0 => return Scan { end: at + 1, past: at + 1, deepest },
                b'}' if depth == 0 => {
                    let end = if at == 0 { 1 } else { at };
                    return Scan { end, past: end, deepest };
                }
                b'/' if depth == 0 && matches!(bytes.get(at + 1), Some(b'/' | b'*')) => break,
                _ => {}
            }
            at += 1;
        }
        let end = at.min(bytes.len());
        Scan { end, past: end, deepest }
    }
}

/// The rest, after a line's end, cannot belong to an open bracket.
fn forgotten(rest: &[u8]) -> bool {
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    line.is_empty() || line.starts_with(b"}") || line.ends_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"// head { é
datasource db {
  provider     = "mysql" // engine
  url          = env("DATABASE_URL")
  relationMode = "prisma"
}
/* block { */
model Order {
  id        String   @id @default(cuid()) /// the id
  total     Float?   @db.Double
  tags      String[] @default(["a, b", "c)"])
  user      User     @relation("o", fields: [userId, tenant], references: [id, tenant], onDelete: Cascade)
  userId    String   @map("user_id") @unique
  shape     Unsupported("geometry(Point, 4326)")?
  @@index([userId, total(sort: Desc)], name: "x")
  @@unique(
    [userId,
     tenant]
  )
  @@map("orders")
}
enum Role { 
  ADMIN @map("admin")
  USER
}
"#;

    #[test]
    fn blocks_fields_and_attributes() {
        let schema = parse(SAMPLE);
        assert_eq!(schema.errors, []);
        let kinds: Vec<_> = schema.blocks.iter().map(|b| (b.kind.as_str(), b.name.as_str())).collect();
        assert_eq!(kinds, [("datasource", "db"), ("model", "Order"), ("enum", "Role")]);
        assert_eq!(schema.blocks[0].property("url").unwrap().value, "env(\"DATABASE_URL\")");
        let order = &schema.blocks[1];
        let fields: Vec<_> =
            order.fields.iter().map(|f| (f.name.as_str(), f.type_name.as_str(), f.list, f.optional)).collect();
        assert_eq!(
            fields,
            [
                ("id", "String", false, false),
                ("total", "Float", false, true),
                ("tags", "String", true, false),
                ("user", "User", false, false),
                ("userId", "String", false, false),
                ("shape", "Unsupported", false, false),
            ]
        );
        let relation = order.fields[3].attribute("relation").unwrap();
        assert_eq!(names(relation.named("fields").unwrap()), ["userId", "tenant"]);
        assert_eq!(relation.named("onDelete"), Some("Cascade"));
        assert_eq!(order.fields[4].attribute("map").and_then(|a| unquote(a.argument("name")?)), Some("user_id"));
        assert!(order.fields[4].attribute("unique").is_some());
        assert_eq!(names(order.attributes[0].argument("fields").unwrap()), ["userId", "total"]);
        assert_eq!(names(order.attributes[1].argument("fields").unwrap()), ["userId", "tenant"]);
        assert_eq!(schema.blocks[2].fields.len(), 2);
    }

    #[test]
    fn places_are_exact() {
        let schema = parse(SAMPLE);
        let order = &schema.blocks[1];
        assert_eq!(&SAMPLE[order.start as usize..order.end as usize], "model Order");
        let total = &order.fields[1];
        assert_eq!(&SAMPLE[total.start as usize..total.end as usize], "total     Float?   @db.Double");
        let native = &total.attributes[0];
        assert_eq!(&SAMPLE[native.start as usize..native.end as usize], "@db.Double");
        let index = &order.attributes[0];
        assert!(SAMPLE[index.start as usize..index.end as usize].ends_with("name: \"x\")"));
    }

    #[test]
    fn a_broken_block_does_not_lose_the_others() {
        let schema = parse(
            "model A {\n  id Int @id\n  b B @relation(fields: [\n\nmodel B {\n  id Int @id\n  ???\n}\nstray\nmodel C {\n id Int\n}",
        );
        let blocks: Vec<_> = schema.blocks.iter().map(|b| (b.name.as_str(), b.fields.len())).collect();
        assert_eq!(blocks, [("A", 2), ("B", 1), ("C", 1)]);
        let lines: Vec<_> = schema.errors.iter().map(|e| e.line).collect();
        assert_eq!(lines, [1, 7, 9]);
    }

    #[test]
    fn deep_nesting_is_refused_where_it_stands() {
        let text = format!("model A {{\n  id Int @default({}\n\n}}\nmodel B {{\n  id Int\n}}", "[".repeat(10_000));
        let schema = parse(&text);
        assert_eq!(schema.errors[0].kind, "too-deep");
        assert_eq!(schema.blocks.len(), 2);
        assert_eq!(parse(&"model A {\n".repeat(10_000)).blocks.len(), 10_000);
    }

    #[test]
    fn every_truncation_is_read() {
        for (end, _) in SAMPLE.char_indices() {
            let _ = parse(&SAMPLE[..end]);
        }
    }
}
