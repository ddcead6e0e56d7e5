//! TOML.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::narrow;
use super::{Entry, Node, NodeData, SyntaxError};

/// Reads a TOML document; its root is a map. Dates are texts.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let body = text.trim_start_matches('\u{feff}');
    let shift = text.len() - body.len();
    let table = DeTable::parse(body).map_err(|error| {
        let offset = shift + error.span().map_or(0, |span| span.start);
        match error.message() {
            message if message.contains("recurs") => SyntaxError::too_deep(text, offset),
            message => SyntaxError::malformed(text, offset, format!("this TOML cannot be read: {message}")),
        }
    })?;
    let data = NodeData::Map(entries(table.into_inner(), shift));
    Ok(Node { start: narrow(shift), end: narrow(text.len()), data })
}

fn entries(table: DeTable<'_>, shift: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            Entry {
                key: (&**key.get_ref()).into(),
                key_start: narrow(shift + span.start),
                key_end: narrow(shift + span.end),
                value: node(value, shift),
            }
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_start);
    entries
}

fn node(value: Spanned<DeValue<'_>>, shift: usize) -> Node {
    let span = value.span();
    let data = match value.into_inner() {
        DeValue::String(text) => NodeData::Text((&*text).into()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
            parsed.map_or_else(|| NodeData::Text(number.as_str().into()), |n| NodeData::Number(n as f64))
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok();
            parsed.map_or_else(|| NodeData::Text(number.as_str().into()), NodeData::Number)
        }
        DeValue::Boolean(value) => NodeData::Bool(value),
        DeValue::Datetime(date) => NodeData::Text(date.to_string().into()),
        DeValue::Array(items) => NodeData::List(items.into_iter().map(|item| node(item, shift)).collect()),
        DeValue::Table(table) => NodeData::Map(entries(table, shift)),
    };
    Node { start: narrow(shift + span.start), end: narrow(shift + span.end), data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_know_their_place() {
        let text = "# ö\n[build]\ncommand = \"npm ci\" # c\nretries = 0x10\nratio = 1.5\n[[http]]\nport = 80\nat = 2026-01-02\n";
        let root = parse(text).unwrap();
        let entry = root.get("build").unwrap().entry("command").unwrap();
        assert_eq!(&text[entry.key_start as usize..entry.key_end as usize], "command");
        assert_eq!(&text[entry.value.start as usize..entry.value.end as usize], "\"npm ci\"");
        assert_eq!(root.at(&["build", "retries"]).unwrap().data, NodeData::Number(16.0));
        assert_eq!(root.at(&["build", "ratio"]).unwrap().data, NodeData::Number(1.5));
        let first = &root.get("http").unwrap().items()[0];
        assert_eq!(first.get("at").unwrap().as_text(), Some("2026-01-02"));
    }

    #[test]
    fn broken_texts_have_a_place() {
        let error = parse("a = 1\nb = \n").unwrap_err();
        assert_eq!((error.kind, error.line), ("parse-error", 2));
        assert_eq!(parse("a = 1\na = 2").unwrap_err().kind, "parse-error");
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert_eq!(parse(&format!("a = {}", "[".repeat(10_000))).unwrap_err().kind, "too-deep");
        assert!(parse(&format!("[{}]", vec!["a"; 10_000].join("."))).is_err());
    }

    #[test]
    fn every_truncation_is_an_error_or_a_value() {
        let text = "ä = 'x'\n[a.\"b\"]\nc = [1, {d = \"\"\"y\n\"\"\"}]\nf = -1.5e3\nw = 2026-01-02T03:04:05Z\n";
        for (end, _) in text.char_indices() {
            let _ = parse(&text[..end]);
        }
    }
}
