//! Tables that models of libraries describe already.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Data, Fact, Value};

/// Models by what their tables may be called.
#[derive(Debug, Default)]
pub(super) struct Known {
    models: BTreeMap<String, Model>,
}

/// A model of a library.
#[derive(Debug, Default, Clone)]
pub(super) struct Model {
    pub name: String,
    /// Names of columns by their plain form.
    columns: BTreeMap<String, String>,
    indexes: BTreeSet<Vec<String>>,
}

impl Known {
    pub fn of(declared: &[Fact]) -> Known {
        let text = |fact: &Fact, name: &str| fact.get(name).and_then(Value::as_text).map(str::to_owned);
        let mut by_name: BTreeMap<String, Model> = BTreeMap::new();
        for fact in declared {
            match &*fact.kind {
                "column" => {
                    let (Some(model), Some(name)) = (text(fact, "model"), text(fact, "name")) else { continue };
                    let entry = by_name.entry(model.clone()).or_default();
                    entry.name = model;
                    entry.columns.insert(plain(&name), name);
                }
                "index" => {
                    let (Some(model), Some(columns)) = (text(fact, "model"), fact.get("columns")) else { continue };
                    if let Data::List(items) = &columns.data {
                        let columns = items.iter().filter_map(Value::as_text).map(plain).collect();
                        by_name.entry(model).or_default().indexes.insert(columns);
                    }
                }
                _ => {}
            }
        }
        let mut known = Known::default();
        // Rows of queries describe no table.
        let is_table = |fact: &&Fact| &*fact.kind == "model" && text(fact, "provider").as_deref() != Some("row");
        for fact in declared.iter().filter(is_table) {
            let Some(name) = text(fact, "name") else { continue };
            let Some(model) = by_name.get(&name).filter(|model| !model.columns.is_empty()) else { continue };
            for called in [text(fact, "table"), Some(name.clone())].into_iter().flatten() {
                known.models.entry(singular(&called)).or_insert_with(|| model.clone());
            }
        }
        known
    }

    pub fn model(&self, table: &str) -> Option<&Model> {
        self.models.get(&singular(table))
    }
}

impl Model {
    /// What the model calls a column.
    pub fn column<'m>(&'m self, name: &'m str) -> &'m str {
        self.columns.get(&plain(name)).map_or(name, String::as_str)
    }

    pub fn has_index(&self, columns: &[String]) -> bool {
        self.indexes.contains(&columns.iter().map(|column| plain(column)).collect::<Vec<_>>())
    }
}

/// `userId` and `user_id` are one column.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// `Users` and `user` are one table.
fn singular(name: &str) -> String {
    let plain = plain(name);
    match (plain.strip_suffix("ies"), plain.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => stem.to_owned(),
        _ => plain,
    }
}
