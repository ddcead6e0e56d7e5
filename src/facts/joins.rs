//! Names that facts of code and of schemas have in common.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::model::{Fact, Value};

/// Gives queries the name that their model is declared with: clients spell it in lower camel case
/// (`client.orderLine` asks `OrderLine`), statements name the table.
pub fn name_queried_models(facts: &mut [Fact]) {
    let declared: Vec<(String, Arc<str>)> =
        facts.iter().filter(|fact| &*fact.kind == "model").flat_map(called).collect();
    let by_member: FxHashMap<String, Option<Arc<str>>> = {
        let mut names: FxHashMap<String, Option<Arc<str>>> = FxHashMap::default();
        for (called, name) in &declared {
            let entry = names.entry(called.clone()).or_insert_with(|| Some(name.clone()));
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

/// What queries may call a model, with its name: the member of a client, the table.
fn called(fact: &Fact) -> Vec<(String, Arc<str>)> {
    let text = |field: &str| fact.get(field).and_then(Value::as_text);
    let Some(name) = text("name") else { return Vec::new() };
    let table = text("table").map(str::to_owned);
    let all = std::iter::once(lower_first(name)).chain(table.filter(|table| *table != lower_first(name)));
    all.map(|called| (called, Arc::from(name))).collect()
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
