//! Names that facts of code and of schemas have in common.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::model::{Fact, Value};

/// Gives queries the name that their model is declared with: clients spell it in lower camel case
/// (`client.orderLine` asks `OrderLine`).
pub fn name_queried_models(facts: &mut [Fact]) {
    let declared: Vec<Arc<str>> = facts
        .iter()
        .filter(|fact| &*fact.kind == "model")
        .filter_map(|fact| fact.get("name").and_then(Value::as_text).map(Arc::from))
        .collect();
    let by_member: FxHashMap<String, Option<Arc<str>>> = {
        let mut names: FxHashMap<String, Option<Arc<str>>> = FxHashMap::default();
        for name in &declared {
            let entry = names.entry(lower_first(name)).or_insert_with(|| Some(name.clone()));
            // Two spellings of one member: which is meant cannot be told.
            if entry.as_ref().is_some_and(|seen| seen != name) {
                *entry = None;
            }
        }
        names
    };
    for fact in facts.iter_mut().filter(|fact| &*fact.kind == "query") {
        let Some((_, value)) = fact.fields.iter_mut().find(|(name, _)| &**name == "model") else { continue };
        let Some(Some(name)) = value.as_text().and_then(|member| by_member.get(member)) else { continue };
        *value = Value::text(name.clone());
    }
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{FileId, Span};

    fn fact(kind: &str, field: &str, name: &str) -> Fact {
        Fact::new(kind, Span { file: FileId(0), start: 0, end: 0 }, "").with(field, Value::text(name))
    }

    #[test]
    fn queries_name_the_declared_model() {
        let mut facts = vec![
            fact("model", "name", "OrderLine"),
            fact("model", "name", "user"),
            fact("model", "name", "User"),
            fact("query", "model", "orderLine"),
            fact("query", "model", "user"),
            fact("query", "model", "other"),
        ];
        name_queried_models(&mut facts);
        let models: Vec<_> = facts.iter().filter_map(|fact| fact.get("model")?.as_text()).collect();
        assert_eq!(models, ["OrderLine", "user", "other"]);
    }
}
