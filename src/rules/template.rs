//! Messages with fields of the site: `` `{api}` waits for ever ``.

use std::sync::Arc;

use super::conditions::{ENGINE_FIELDS, Fields};
use crate::facts::{Data, Value};

/// A message with places for fields; `{{` and `}}` stand for braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Arc<str>),
    Field(Vec<Arc<str>>),
}

/// Fields that a rule about secrets may show.
pub const HARMLESS_FIELDS: &[&str] = &["path", "file", "name", "symbol", "api", "label", "rule", "key", "level"];

/// Longer values are cut.
const MAX_VALUE: usize = 80;

/// How the paths of what every program has begin; readers know `fetch` without it.
const GLOBAL: &str = "global.";

impl Template {
    /// Reads a message; the error names the text in braces that is no field.
    pub fn parse(text: &str, fields: &[&str]) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                literal.push_str(from.get(..1).unwrap_or_default());
                rest = after;
            } else if let Some((name, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                let path: Vec<Arc<str>> = name.split('.').map(Into::into).collect();
                if !path.first().is_some_and(|first| fields.contains(&&**first) || ENGINE_FIELDS.contains(&&**first)) {
                    return Err(name.to_owned());
                }
                parts.push(Part::Text(std::mem::take(&mut literal).into()));
                parts.push(Part::Field(path));
                rest = after;
            } else {
                return Err(from.to_owned());
            }
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal.into()));
        Ok(Template { parts })
    }

    /// The first field that a message about secrets must not show.
    pub fn revealing_field(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            Part::Field(path) => path.first().map(|name| &**name).filter(|name| !HARMLESS_FIELDS.contains(name)),
            Part::Text(_) => None,
        })
    }

    /// Fills in the fields.
    pub fn render(&self, fields: &dyn Fields) -> String {
        let mut message = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => message.push_str(text),
                Part::Field(path) => {
                    let (first, inner) = path.split_first().map_or(("", [].as_slice()), |(f, rest)| (&**f, rest));
                    let value = fields.field(first).unwrap_or(Value::ABSENT);
                    let value = inner.iter().fold(value, |value, name| value.field(name));
                    let shown = show(&value);
                    let global = shown.strip_prefix(GLOBAL).filter(|_| first == "api");
                    message.push_str(global.unwrap_or(&shown));
                }
            }
        }
        message
    }
}

/// A value in words, on one line and short.
pub fn show(value: &Value) -> String {
    match &value.data {
        Data::Absent => "nothing".to_owned(),
        Data::Unknown => "…".to_owned(),
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Number(value) => value.to_string(),
        Data::Text(text) => short(text),
        Data::List(items) => short(&items.iter().take(MAX_VALUE).map(show).collect::<Vec<_>>().join(", ")),
        Data::Record(_) => "{…}".to_owned(),
        Data::Fact(_) => "…".to_owned(),
    }
}

fn short(text: &str) -> String {
    let mut characters = text.chars().filter(|c| !c.is_control());
    let mut short: String = characters.by_ref().take(MAX_VALUE).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(Value);

    impl Fields for One {
        fn field(&self, name: &str) -> Option<Value> {
            (name == "x").then(|| self.0.clone())
        }
    }

    #[test]
    fn fills_in_fields() {
        let template = Template::parse("`{x}` is {{not}} {api}", &["x"]).unwrap();
        assert_eq!(template.render(&One(Value::texts(["a", "b"]))), "`a, b` is {not} nothing");
    }

    #[test]
    fn long_and_wild_values_stay_on_one_line() {
        let template = Template::parse("{x}", &["x"]).unwrap();
        let text = template.render(&One(Value::text(format!("a\n\u{1b}{}", "é".repeat(200)))));
        assert!(!text.contains('\n') && !text.contains('\u{1b}') && text.ends_with('…') && text.chars().count() == 81);
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert_eq!(Template::parse("{y}", &["x"]), Err("y".to_owned()));
        assert!(Template::parse("{x", &["x"]).is_err());
        assert_eq!(Template::parse("{text}", &["text"]).unwrap().revealing_field(), Some("text"));
    }
}
