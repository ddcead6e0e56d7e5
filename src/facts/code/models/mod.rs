//! Models of databases that code declares: tables, their columns, keys, indexes and relations.
//!
//! Stack files say what makes a part: a call (`Column(…)`, `ForeignKey(…)`, `Index(…)`), a decorator, an annotation of
//! a class that a `model` clause names, or an object that describes a table (`shape`). What the parts belong to follows
//! from where they stand, and is worked out here.

mod classes;
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
