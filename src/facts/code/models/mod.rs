//! Models of databases that code declares: tables, their columns, keys, indexes and relations.
//!
//! Stack files say what makes a part: a call (`Column(…)`, `ForeignKey(…)`, `Index(…)`), a decorator, an annotation of
//! a class that a `model` clause names, or an object that describes a table (`shape`). What the parts belong to follows
//! from where they stand, and is worked out here.

mod classes;
mod migrated;
mod objects;
mod owners;
mod parts;
mod types;

use rustc_hash::FxHashSet;

use super::extract::Raw;
use crate::facts::model::{Data, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::{Evaluator, Thing};

/// Completes models, columns, indexes, relations and checks; parts that belong to no model are dropped.
pub fn models(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    objects::schemas(evaluator, raws);
    classes::tables(evaluator, raws);
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == migrated::CHANGE) {
        migrated::complete(evaluator, raw);
    }
    raws.iter_mut().filter(|raw| &*raw.kind == "datasource").for_each(name_provider);
}

/// The databases by the schemes of their addresses (`postgresql+asyncpg://…`).
const SCHEMES: [(&str, &str); 7] = [
    ("postgresql", "postgresql"),
    ("postgres", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
    ("sqlite", "sqlite"),
    ("mssql", "sqlserver"),
    ("mongodb", "mongodb"),
];

/// A data source is of the database that its address names; the address itself may hold a password and is not kept.
fn name_provider(raw: &mut Raw) {
    let Some(url) = raw.text("url") else { return };
    let scheme = url.split([':', '+']).next().unwrap_or_default().to_owned();
    if let Some((_, provider)) = SCHEMES.iter().find(|(name, _)| *name == scheme)
        && raw.get("provider").is_none()
    {
        raw.set("provider", Value::text(*provider));
    }
    raw.set("url", Value::text(format!("{scheme}://")));
}

/// The call among `sites` that made a value, also by way of the project's own helpers.
fn site_among(evaluator: &mut Evaluator<'_>, at: ExprRef, sites: &FxHashSet<ExprRef>) -> Option<ExprRef> {
    evaluator.things(at).into_iter().find_map(|thing| match thing {
        Thing::Path { site: Some(site), .. } if sites.contains(&site) => Some(site),
        _ => None,
    })
}

/// `true`, `[true, "message"]`, or anything that is not refused.
fn truthy(value: &Value) -> bool {
    match &value.data {
        Data::Bool(value) => *value,
        Data::Text(text) => !text.is_empty(),
        Data::Number(number) => *number != 0.0,
        Data::List(items) => items.first().is_some_and(truthy),
        Data::Record(_) => true,
        _ => false,
    }
}
