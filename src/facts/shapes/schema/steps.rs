//! What one migration does to tables that are in use.

use std::collections::BTreeSet;

use crate::facts::{Fact, Value};
use crate::project::{FileId, Span};
use crate::syntax::sql::{Change, Rule, What};

use super::super::values::{fact, optional};
use super::fold::{Schema, Table, named, same};
use super::groups::Group;

/// A `migration-step` for each change; `schema` is what was there before. Only the newest migration can
/// still be changed.
pub(super) fn facts(file: FileId, changes: &[Change], schema: &Schema, group: &Group<'_>, newest: bool) -> Vec<Fact> {
    let created: BTreeSet<String> = changes
        .iter()
        .filter_map(|change| match &change.what {
            What::CreateTable { table, .. } => Some(table.to_ascii_lowercase()),
            What::RenameTable { to, .. } => Some(to.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    let alters = changes.iter().any(|change| alters_table(&change.what));
    let limited = changes.iter().any(|change| change.what == What::LimitLocks);
    let mut course = Course::default();
    changes
        .iter()
        .filter_map(|change| {
            let table = named(&change.what);
            let before = table.and_then(|table| schema.table(table));
            let step = course.step(&change.what, before);
            course.pass(&change.what);
            let step = step?;
            let at = Span { file, start: change.at.0, end: change.at.1 };
            let is_fresh = table.is_some_and(|table| created.contains(&table.to_ascii_lowercase()));
            Some(
                fact("migration-step", at, "shape migration-step", table.unwrap_or_default())
                    .with("op", Value::text(step.op))
                    .with("table", optional(table))
                    .with("column", optional(step.column))
                    .with("safe", Value::bool(step.safe))
                    .with("fresh", Value::bool(is_fresh))
                    .with("newest", Value::bool(newest))
                    .with("alters", Value::bool(alters))
                    .with("limited", Value::bool(limited))
                    .with("tool", optional(group.tool))
                    .with("provider", optional(group.dialect.name())),
            )
        })
        .collect()
}

fn alters_table(what: &What) -> bool {
    matches!(
        what,
        What::AddColumn { .. }
            | What::DropColumn { .. }
            | What::SetType { .. }
            | What::SetNullable { .. }
            | What::AddConstraint { .. }
    )
}

/// A step in the words of facts.
struct Step<'w> {
    op: &'static str,
    column: Option<&'w str>,
    /// Takes no long lock and breaks nobody who reads or writes meanwhile.
    safe: bool,
}

/// What the script did before the statement at hand.
#[derive(Default)]
struct Course<'w> {
    /// Inside a transaction that it opened itself.
    transaction: bool,
    /// Tables, checks on them, and the names of constraints that were added without looking at the rows.
    checks: Vec<(&'w str, &'w str)>,
    unchecked: Vec<&'w str>,
    /// Tables of which a constraint was validated.
    validated: Vec<&'w str>,
}

impl<'w> Course<'w> {
    fn step(&self, what: &'w What, before: Option<&Table>) -> Option<Step<'w>> {
        let risky = |op, column| Some(Step { op, column, safe: false });
        match what {
            What::CreateIndex { concurrently: true, .. } if self.transaction => risky("index-in-transaction", None),
            What::Validate { name, .. } if self.transaction && self.unchecked.iter().any(|other| same(other, name)) => {
                risky("validate-in-transaction", None)
            }
            What::SetNullable { table, column, nullable: false } if self.is_checked(table, column) => {
                Some(Step { op: "set-not-null", column: Some(column), safe: true })
            }
            _ => describe(what, before),
        }
    }

    fn is_checked(&self, table: &str, column: &str) -> bool {
        let by_check = self.checks.iter().any(|(of, text)| same(of, table) && says_not_null(text, column));
        by_check || self.validated.iter().any(|of| same(of, table))
    }

    fn pass(&mut self, what: &'w What) {
        match what {
            What::Begin => self.transaction = true,
            What::End => self.transaction = false,
            What::Validate { table, .. } => self.validated.push(table),
            What::AddConstraint { table, constraint, not_valid } => {
                if let Rule::Check(text) = &constraint.rule {
                    self.checks.push((table, text));
                }
                self.unchecked.extend(constraint.name.as_deref().filter(|_| *not_valid));
            }
            _ => {}
        }
    }
}

fn describe<'w>(what: &'w What, before: Option<&Table>) -> Option<Step<'w>> {
    let step = |op, column: Option<&'w str>, safe| Some(Step { op, column, safe });
    match what {
        What::CreateIndex { index, concurrently, .. } => {
            step("create-index", index.columns.first().and_then(Option::as_deref), *concurrently)
        }
        What::AddColumn { column, .. } => {
            let name = Some(column.name.as_str());
            let volatile = column.default.as_ref().is_some_and(|default| default.volatile);
            match (&column.default, column.nullable) {
                _ if volatile => step("add-column-volatile", name, false),
                (None, false) => step("add-column-required", name, false),
                _ if column.references.is_some() => step("add-column-references", name, false),
                _ if column.unique => step("add-column-unique", name, false),
                _ => step("add-column", name, true),
            }
        }
        What::SetType { column, kind, .. } => {
            let old = before.and_then(|table| table.column(column));
            // A text may become a longer text in place.
            let widened = old.is_some_and(|old| old.kind.name == "string" && kind.name == "string");
            let same_kind = old.is_some_and(|old| old.kind == *kind);
            step("set-type", Some(column), widened || same_kind)
        }
        What::SetNullable { column, nullable: false, .. } => {
            let already = before.and_then(|table| table.column(column)).is_some_and(|column| !column.nullable);
            step("set-not-null", Some(column), already || is_checked(before, column))
        }
        What::AddConstraint { constraint, not_valid, .. } => match &constraint.rule {
            Rule::ForeignKey { columns, .. } => {
                step("add-foreign-key", columns.first().map(String::as_str), *not_valid)
            }
            Rule::Check(_) => step("add-check", None, *not_valid),
            Rule::Unique(columns) | Rule::PrimaryKey(columns) => {
                step("add-unique", columns.first().map(String::as_str), false)
            }
            Rule::Index(_) => step("create-index", None, false),
        },
        What::DropColumn { column, .. } => step("drop-column", Some(column), false),
        What::DropTable { .. } => step("drop-table", None, false),
        What::RenameColumn { column, .. } => step("rename-column", Some(column), false),
        What::RenameTable { .. } => step("rename-table", None, false),
        What::Write { whole, .. } => step("write", None, !*whole),
        What::Truncate { .. } => step("truncate", None, false),
        What::DropIndex { concurrently, .. } => step("drop-index", None, *concurrently),
        What::Upkeep { op, safe, .. } => step(op, None, *safe),
        _ => None,
    }
}

/// A check says that the column holds something, so that the database need not look again.
fn is_checked(table: Option<&Table>, column: &str) -> bool {
    table.is_some_and(|table| table.checks.iter().any(|check| says_not_null(&check.text, column)))
}

/// `column IS NOT NULL` is part of the condition.
fn says_not_null(check: &str, column: &str) -> bool {
    let words: Vec<&str> = check.split_whitespace().collect();
    words.windows(4).any(|four| {
        same(four[0].trim_matches(['"', '(']), column)
            && same(four[1], "is")
            && same(four[2], "not")
            && same(four[3].trim_end_matches(')'), "null")
    })
}
