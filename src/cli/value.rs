//! Values of facts as text and as JSON.

use serde_json::{Map, Value as Json, json};

use crate::facts::{Data, FactStore, Origins, Record, Value};

/// Nesting beyond this is shown as `…`.
const MAX_DEPTH: usize = 6;
/// Characters of a text that are shown on a terminal.
const MAX_TEXT: usize = 80;

/// `"/users"`, `[auth, validate]`, `{ secure: true, … }`, `absent`, `?`, each followed by its origins (`:env`).
pub fn text(value: &Value, store: &FactStore) -> String {
    show(value, store, 0)
}

fn show(value: &Value, store: &FactStore, depth: usize) -> String {
    let data = match &value.data {
        _ if depth > MAX_DEPTH => "…".into(),
        Data::Absent => "absent".into(),
        Data::Unknown => "?".into(),
        Data::Null => "null".into(),
        Data::Bool(value) => value.to_string(),
        Data::Number(value) => value.to_string(),
        Data::Text(value) if value.chars().nth(MAX_TEXT).is_some() => {
            format!("{:?}…", value.chars().take(MAX_TEXT).collect::<String>())
        }
        Data::Text(value) => format!("{value:?}"),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(|item| show(item, store, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Data::Record(record) => show_record(record, store, depth),
        Data::Fact(id) => match store.facts.get(id.0 as usize) {
            Some(fact) => format!("<{} {}>", fact.kind, fact.symbol).replace(" >", ">"),
            None => "<fact>".into(),
        },
    };
    let origins: Vec<String> = shown_origins(value).map(|name| format!(":{name}")).collect();
    if origins.is_empty() { data } else { format!("{data} {}", origins.join(" ")) }
}

fn show_record(record: &Record, store: &FactStore, depth: usize) -> String {
    let mut parts: Vec<String> =
        record.fields.iter().map(|(name, value)| format!("{name}: {}", show(value, store, depth + 1))).collect();
    if record.open {
        parts.push("…".into());
    }
    if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) }
}

/// That a text is written where it stands is no news.
fn shown_origins(value: &Value) -> impl Iterator<Item = &'static str> {
    let origins = value.origins;
    Origins::NAMES.iter().filter(move |(_, o)| *o != Origins::LITERAL && origins.has(*o)).map(|(name, _)| *name)
}

/// `{ "value": …, "state": "known|absent|unknown", "origins": […] }`
pub fn json(value: &Value, store: &FactStore) -> Json {
    let state = match value.data {
        Data::Absent => "absent",
        Data::Unknown => "unknown",
        _ => "known",
    };
    let origins: Vec<&str> =
        Origins::NAMES.iter().filter(|(_, o)| value.origins.has(*o)).map(|(name, _)| *name).collect();
    json!({ "value": data(value, store, 0), "state": state, "origins": origins })
}

fn data(value: &Value, store: &FactStore, depth: usize) -> Json {
    match &value.data {
        _ if depth > MAX_DEPTH => "…".into(),
        Data::Absent | Data::Null => Json::Null,
        Data::Unknown => json!({ "unknown": true }),
        Data::Bool(value) => (*value).into(),
        Data::Number(value) => (*value).into(),
        Data::Text(value) => (&**value).into(),
        Data::List(items) => items.iter().map(|item| data(item, store, depth + 1)).collect(),
        Data::Record(record) => {
            let fields = record.fields.iter().map(|(name, value)| (name.to_string(), data(value, store, depth + 1)));
            Json::Object(fields.collect::<Map<_, _>>())
        }
        Data::Fact(id) => {
            let kind = store.facts.get(id.0 as usize).map(|fact| fact.kind.to_string());
            json!({ "fact": id.0, "kind": kind })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::facts::FactId;

    #[test]
    fn values_read_well() {
        let store = FactStore::default();
        let env = Value { data: Data::Unknown, origins: Origins::ENV };
        let record = Record {
            fields: vec![("secure".into(), Value::bool(true)), ("key".into(), env)],
            open: true,
            rest: Origins::default(),
        };
        let record = Value { data: Data::Record(Arc::new(record)), origins: Origins::default() };
        assert_eq!(text(&record, &store), "{ secure: true, key: ? :env, … }");
        assert_eq!(text(&Value::texts(["a", "b\u{1b}"]), &store), "[\"a\", \"b\\u{1b}\"]");
        assert_eq!(text(&Value::ABSENT, &store), "absent");
        assert_eq!(text(&Value { data: Data::Fact(FactId(7)), origins: Origins::default() }, &store), "<fact>");
        assert_eq!(json(&Value::UNKNOWN, &store)["state"], "unknown");
    }

    #[test]
    fn deep_values_end() {
        let mut value = Value::number(1.0);
        for _ in 0..100 {
            value = Value::list(vec![value]);
        }
        assert!(text(&value, &FactStore::default()).len() < 40);
    }
}
