//! Migrations that are written as calls: what each adds, column by column, as `schema-change` facts of their own.
//!
//! In go the facts that clauses saw (`op.create_table(…)` with its parts), out come flat ones that a schema can be folded
//! from: each part becomes a change of its own, at its own place.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::classes::Table;
use super::objects::{member, objects};
use super::owners::around;
use super::parts::{Parts, column_names, policy, target};
use super::types::column_type;
use crate::facts::code::extract::Raw;
use crate::facts::model::{Data, Origins, Record, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{ExprId, ExprKind};

pub(super) const CHANGE: &str = "schema-change";

/// Adds the parts of what migrations add, and completes what their calls only name. Gives the indices of what changes no
/// database.
pub(super) fn changes(
    evaluator: &mut Evaluator<'_>,
    raws: &[Raw],
    parts: &Parts,
    found: &mut Vec<Raw>,
) -> FxHashSet<usize> {
    let told = only_told(raws);
    let mut left_out = FxHashSet::default();
    for (index, raw) in raws.iter().enumerate().filter(|(_, raw)| &*raw.kind == CHANGE) {
        if raw.text("op") == Some(TELLS) || is_inside(evaluator, raw, &told) {
            left_out.insert(index);
            continue;
        }
        if raw.refs("parts").is_empty() {
            continue;
        }
        let Some(table) = raw.get("table").filter(|table| table.as_text().is_some()).cloned() else { continue };
        let mut added = Vec::new();
        Table::new(evaluator, raws, parts, index, &mut added).of_table(table.clone()).of_call();
        found.extend(Addition::of(raw, &table, &added).changes(added));
    }
    left_out
}

/// Changes of what the library believes only: the `op` of the call that is handed them as `parts`.
const TELLS: &str = "only-told";

fn only_told(raws: &[Raw]) -> FxHashSet<ExprRef> {
    let tells = raws.iter().filter(|raw| &*raw.kind == CHANGE && raw.text("op") == Some(TELLS));
    tells.flat_map(|raw| raw.refs("parts")).copied().collect()
}

/// It stands in one of the expressions; what an export names may stand in none at all.
fn is_inside(evaluator: &Evaluator<'_>, raw: &Raw, exprs: &FxHashSet<ExprRef>) -> bool {
    let here = |expr| ExprRef { module: raw.at.module, expr };
    let module = evaluator.program.module(raw.at.module);
    !exprs.is_empty()
        && raw.at.expr.some().is_some_and(|expr| around(module, expr).map(here).any(|at| exprs.contains(&at)))
}

/// What a migration is handed as parts: the expression itself, or the members of a list, each with the name before it
/// (`[("id", models.AutoField())]`).
pub(super) fn members(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<(Option<String>, ExprRef)> {
    let module = evaluator.program.module(at.module);
    let here = |expr| ExprRef { module: at.module, expr };
    let ExprKind::Array(members) = module.kind(at.expr) else { return vec![(None, at)] };
    let pair = |member: ExprId| match module.kind(member) {
        ExprKind::Array(inner) => match module.list(inner).collect::<Vec<_>>().as_slice() {
            &[name, part] => (Some(here(name)), here(part)),
            _ => (None, here(member)),
        },
        _ => (None, here(member)),
    };
    let pairs: Vec<(Option<ExprRef>, ExprRef)> = module.list(members).map(pair).collect();
    let mut text = |at: ExprRef| evaluator.value(at).as_text().map(str::to_owned);
    pairs.into_iter().map(|(name, part)| (name.and_then(&mut text), part)).collect()
}

/// The name that a migration gives to the only part that it is handed.
pub(super) fn name_of_part(source: &Raw) -> Option<String> {
    source.text("name").filter(|_| &*source.kind == CHANGE).map(str::to_owned)
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
    if let Some(&at) = raw.refs("shape").first() {
        let types = types_of(evaluator, at);
        raw.set("types", types);
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

/// The types of columns that an object describes: `{ id: { type: Sequelize.INTEGER }, note: Sequelize.TEXT }`.
fn types_of(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Value {
    let mut found = Vec::new();
    for object in objects(evaluator, at) {
        let module = evaluator.program.module(object.module);
        let ExprKind::Object(run) = module.kind(object.expr) else { continue };
        for prop in module.object(run) {
            let Some(name) = prop.key.map(|key| module.str(key)) else { continue };
            let described = ExprRef { module: object.module, expr: prop.value };
            let of = member(module, described, "type").unwrap_or(described);
            if let Some((of, _)) = column_type(evaluator, of) {
                found.push((name.into(), Value::text(of.kind())));
            }
        }
    }
    Value { data: Data::Record(Arc::new(Record::closed(found))), origins: Origins::default() }
}

/// A call that adds parts to a table, or says anew what one is.
struct Addition<'r> {
    source: &'r Raw,
    table: &'r Value,
    primary: Vec<String>,
    unique: Vec<String>,
    indexed: Vec<String>,
}

impl<'r> Addition<'r> {
    fn of(source: &'r Raw, table: &'r Value, added: &[Raw]) -> Addition<'r> {
        let columns = |field: &str| -> Vec<String> {
            let said = added.iter().filter(|raw| &*raw.kind == "column" && is(raw, field));
            said.filter_map(|raw| raw.text("name").map(str::to_owned)).collect()
        };
        let plain = added.iter().filter(|raw| &*raw.kind == "index" && !is(raw, "unique"));
        let indexed = plain.filter_map(only_column).collect();
        Addition { source, table, primary: columns("primary"), unique: columns("unique"), indexed }
    }

    fn changes(&self, added: Vec<Raw>) -> Vec<Raw> {
        added.into_iter().filter_map(|part| self.change(part)).collect()
    }

    /// A part of a table as the change that adds it.
    fn change(&self, mut part: Raw) -> Option<Raw> {
        let anew = self.source.text("op") == Some("alter-column");
        let op = match &*part.kind {
            "column" if anew => "describe-column",
            _ if anew => return None,
            "column" => "add-column",
            "relation" => "add-foreign-key",
            "check" => "add-check",
            "index" if is(&part, "primary") || self.names_key(&part) => "add-primary-key",
            // The column says so itself.
            "index" if is(&part, "unique") && only_column(&part).is_some_and(|name| self.unique.contains(&name)) => {
                return None;
            }
            "index" if is(&part, "unique") => "add-unique",
            "index" => "create-index",
            _ => return None,
        };
        let indexed = part.text("name").is_some_and(|name| self.indexed.iter().any(|column| column == name));
        part.kind = CHANGE.into();
        part.fields.retain(|(name, _)| !matches!(&**name, "model" | "auto_index" | "provider" | "primary"));
        part.set("op", Value::text(op));
        part.set("table", self.table.clone());
        part.set("indexed", Value::bool(indexed));
        for field in ["concurrently", "not_valid", "keeps_default", "way"] {
            if let Some(value) = self.source.get(field) {
                part.set(field, value.clone());
            }
        }
        Some(part)
    }

    fn names_key(&self, index: &Raw) -> bool {
        let Some(Value { data: Data::List(columns), .. }) = index.get("columns") else { return false };
        let key = self.primary.iter().map(|name| Some(name.as_str()));
        !self.primary.is_empty() && columns.iter().map(Value::as_text).eq(key)
    }
}

fn is(raw: &Raw, name: &str) -> bool {
    raw.get(name).is_some_and(|value| value.data == Data::Bool(true))
}

/// The column of an index over a single one.
fn only_column(index: &Raw) -> Option<String> {
    match index.get("columns").map(|value| &value.data) {
        Some(Data::List(columns)) if columns.len() == 1 => columns[0].as_text().map(str::to_owned),
        _ => None,
    }
}
