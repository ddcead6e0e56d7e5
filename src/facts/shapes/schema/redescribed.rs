//! Columns that a migration describes as a whole (`AlterField`): what that changes, by what they were before.

use std::borrow::Cow;

use super::fold::{Schema, Table};
use crate::project::FileId;
use crate::syntax::sql::{Change, Column, Constraint, Index, Rule, What};

/// What the library calls a type that nobody here knows.
const OTHER: &str = "other";

/// The changes of a script with each description replaced by what it changes.
pub(super) fn resolved(changes: &[Change], before: &Schema, file: FileId) -> Vec<Change> {
    let describes = |change: &Change| matches!(change.what, What::Describe { .. });
    if !changes.iter().any(describes) {
        return changes.to_vec();
    }
    let mut schema = before.clone();
    let mut found = Vec::new();
    for change in changes {
        for what in differences(&change.what, &schema) {
            let change = Change { at: change.at, what: what.into_owned() };
            schema.apply(file, &change);
            found.push(change);
        }
    }
    found
}

fn differences<'c>(what: &'c What, schema: &Schema) -> Vec<Cow<'c, What>> {
    let What::Describe { table, column, indexed } = what else { return vec![Cow::Borrowed(what)] };
    let Some(before) = schema.table(table) else { return Vec::new() };
    let Some(old) = before.column(&column.name) else { return Vec::new() };
    let mut found = Vec::new();
    let (table_name, name) = (|| table.clone(), || column.name.clone());
    if old.kind != column.kind && old.kind.name != OTHER && column.kind.name != OTHER {
        found.push(What::SetType { table: table_name(), column: name(), kind: column.kind.clone() });
    }
    if old.nullable != column.nullable {
        found.push(What::SetNullable { table: table_name(), column: name(), nullable: column.nullable });
    }
    if column.unique && !is_indexed(before, column, true) {
        let constraint = Constraint { name: None, at: column.at, rule: Rule::Unique(vec![name()]) };
        found.push(What::AddConstraint { table: table_name(), constraint, not_valid: false });
    } else if *indexed && !is_indexed(before, column, false) {
        let columns = vec![Some(name())];
        let index = Index { name: None, columns, unique: false, partial: false, equality: true, at: column.at };
        found.push(What::CreateIndex { table: table_name(), index, concurrently: false });
    }
    found.into_iter().map(Cow::Owned).collect()
}

/// Some index, or a unique one, over nothing but that column is there already.
fn is_indexed(table: &Table, column: &Column, unique: bool) -> bool {
    table.indexes.iter().any(|(index, _)| {
        let only = matches!(index.columns.as_slice(), [Some(own)] if own.eq_ignore_ascii_case(&column.name));
        only && (index.unique || !unique)
    })
}
