//! Migrations that are written as calls: what each adds, column by column, as `schema-change` facts of their own.
//!
//! In go the facts that clauses saw (`op.create_table(…)` with its parts), out come flat ones that a schema can be folded
//! from: each part becomes a change of its own, at its own place.

use super::classes::Table;
use super::parts::{Parts, column_names, policy, target};
use super::types::column_type;
use crate::facts::code::extract::Raw;
use crate::facts::model::{Data, Value};
use crate::facts::resolve::Evaluator;

pub(super) const CHANGE: &str = "schema-change";

/// Adds the parts of what migrations add, and completes what their calls only name.
pub(super) fn changes(evaluator: &mut Evaluator<'_>, raws: &[Raw], parts: &Parts, found: &mut Vec<Raw>) {
    for (index, raw) in raws.iter().enumerate().filter(|(_, raw)| &*raw.kind == CHANGE) {
        if raw.refs("parts").is_empty() {
            continue;
        }
        let Some(table) = raw.get("table").filter(|table| table.as_text().is_some()).cloned() else { continue };
        let mut added = Vec::new();
        Table::new(evaluator, raws, parts, index, &mut added).of_table(table.clone()).of_call();
        let primary = primary_columns(&added);
        found.extend(added.into_iter().filter_map(|part| change(part, &table, &primary)));
    }
}

/// What a change names by an expression: the type of a column, the columns of a key, what it refers to.
pub(super) fn complete(evaluator: &mut Evaluator<'_>, raw: &mut Raw) {
    if let Some(&at) = raw.refs("type").first()
        && let Some((of, _)) = column_type(evaluator, at)
    {
        raw.set("type", Value::text(of.kind()));
    }
    if !raw.refs("columns").is_empty() {
        let columns = column_names(evaluator, raw.refs("columns"));
        raw.set("columns", columns);
    }
    if !raw.refs("target").is_empty() {
        let target = target(evaluator, raw);
        raw.set("target", target);
    }
    if raw.get("on_delete").is_some() {
        let policy = policy(evaluator, raw);
        raw.set("on_delete", policy);
    }
}

fn primary_columns(added: &[Raw]) -> Vec<String> {
    let is_primary = |raw: &&Raw| raw.get("primary").is_some_and(|value| value.data == Data::Bool(true));
    let columns = added.iter().filter(|raw| &*raw.kind == "column").filter(is_primary);
    columns.filter_map(|raw| raw.text("name").map(str::to_owned)).collect()
}

/// A part of a table as the change that adds it.
fn change(mut part: Raw, table: &Value, primary: &[String]) -> Option<Raw> {
    let is = |name: &str| part.get(name).is_some_and(|value| value.data == Data::Bool(true));
    let op = match &*part.kind {
        "column" => "add-column",
        "relation" => "add-foreign-key",
        "check" => "add-check",
        "index" if is("primary") || names_all(&part, primary) => "add-primary-key",
        "index" if is("unique") => "add-unique",
        "index" => "create-index",
        _ => return None,
    };
    part.kind = CHANGE.into();
    part.fields.retain(|(name, _)| !matches!(&**name, "model" | "auto_index" | "provider" | "primary"));
    part.set("op", Value::text(op));
    part.set("table", table.clone());
    Some(part)
}

fn names_all(index: &Raw, primary: &[String]) -> bool {
    let Some(Value { data: Data::List(columns), .. }) = index.get("columns") else { return false };
    !primary.is_empty() && columns.iter().map(Value::as_text).eq(primary.iter().map(|name| Some(name.as_str())))
}
