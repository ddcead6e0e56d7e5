//! What one migration does to tables that are in use.

use std::collections::BTreeSet;

use crate::facts::{Fact, Value};
use crate::project::{FileId, Span};
use crate::syntax::sql::{Change, Range, Rule, What};

use super::super::values::{fact, optional};
use super::fold::{Schema, Table, named, same};
use super::groups::Group;

/// A `migration-step` for each change; `schema` is what was there before. Only the newest migration can
/// still be changed.
pub(super) fn facts(file: FileId, changes: &[Change], schema: &Schema, group: &Group<'_>, newest: bool) -> Vec<Fact> {
    let made: BTreeSet<String> = changes.iter().filter_map(|change| creates(&change.what)).collect();
    let alters = changes.iter().any(|change| alters_table(&change.what) && !makes(&made, &change.what));
    let limited = changes.iter().any(|change| change.what == What::LimitLocks);
    let moved: Vec<Moved<'_>> = changes.iter().filter_map(|change| moves(&change.what)).collect();
    let write = |step: Step<'_>, table: Option<&str>, at: Range, fresh: bool| {
        let at = Span { file, start: at.0, end: at.1 };
        fact("migration-step", at, "shape migration-step", table.unwrap_or_default())
            .with("op", Value::text(step.op))
            .with("table", optional(table))
            .with("column", optional(step.column))
            .with("safe", Value::bool(step.safe))
            .with("fresh", Value::bool(fresh))
            .with("newest", Value::bool(newest))
            .with("alters", Value::bool(alters))
            .with("limited", Value::bool(limited))
            .with("tool", optional(group.tool))
            .with("provider", optional(group.dialect.name()))
    };
    let mut course = Course::default();
    let mut facts = Vec::new();
    for change in changes {
        let table = named(&change.what);
        let before = table.and_then(|table| schema.table(table));
        // A script that drops what it makes anew may find nothing to drop.
        let fresh = table.is_some_and(|table| {
            let key = table.to_ascii_lowercase();
            course.made.contains(&key) || (before.is_none() && made.contains(&key))
        });
        let mut step = course.step(&change.what, before);
        if let (Some(step), Some(one)) = (&mut step, moves(&change.what)) {
            step.safe |= moved.iter().any(|other| one.is_swapped_with(other));
        }
        course.pass(change);
        facts.extend(step.map(|step| write(step, table, change.at, fresh)));
    }
    let open = course
        .transaction
        .filter(|_| !course.lent)
        .map(|at| write(Step::risky("transaction-left-open"), None, at, false));
    facts.extend(open);
    facts
}

/// It is about a table that the script makes itself, and that nobody uses yet.
fn makes(made: &BTreeSet<String>, what: &What) -> bool {
    named(what).is_some_and(|table| made.contains(&table.to_ascii_lowercase()))
}

/// The name under which there is a table from here on.
fn creates(what: &What) -> Option<String> {
    match what {
        What::CreateTable { table, .. } => Some(table.to_ascii_lowercase()),
        What::RenameTable { to, .. } => Some(to.to_ascii_lowercase()),
        _ => None,
    }
}

/// A column under another name.
struct Moved<'w> {
    table: &'w str,
    from: &'w str,
    to: &'w str,
}

impl Moved<'_> {
    /// One of them takes the name that the other gives up: who reads by that name goes on.
    fn is_swapped_with(&self, other: &Moved<'_>) -> bool {
        same(self.table, other.table) && (same(self.from, other.to) || same(self.to, other.from))
    }
}

fn moves(what: &What) -> Option<Moved<'_>> {
    match what {
        What::RenameColumn { table, column, to } => Some(Moved { table, from: column, to }),
        _ => None,
    }
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

impl Step<'_> {
    fn risky(op: &'static str) -> Self {
        Step { op, column: None, safe: false }
    }
}

/// What the script did before the statement at hand.
#[derive(Default)]
struct Course<'w> {
    /// Where the transaction begins that is open.
    transaction: Option<Range>,
    /// It ended a transaction that it did not begin: the tool's own, and what is open at the end is for the tool.
    lent: bool,
    /// The tables that it made itself.
    made: BTreeSet<String>,
    checks: Vec<Added<'w>>,
    /// Constraints that this transaction added without looking at the rows.
    unchecked: Vec<&'w str>,
    /// Tables and their constraints that were validated.
    validated: Vec<(&'w str, &'w str)>,
}

/// A check that the script put on a table.
struct Added<'w> {
    table: &'w str,
    name: Option<&'w str>,
    text: &'w str,
    valid: bool,
}

impl<'w> Course<'w> {
    fn step(&self, what: &'w What, before: Option<&Table>) -> Option<Step<'w>> {
        let within = self.transaction.is_some();
        match what {
            What::Begin if within => Some(Step::risky("transaction-in-transaction")),
            What::RunCode => Some(Step { op: "run-code", column: None, safe: !within }),
            What::CreateIndex { concurrently: true, .. } if within => Some(Step::risky("index-in-transaction")),
            What::Validate { name, .. } if within && self.unchecked.iter().any(|other| same(other, name)) => {
                Some(Step::risky("validate-in-transaction"))
            }
            What::SetNullable { table, column, nullable: false } => {
                let already = before.and_then(|table| table.column(column)).is_some_and(|column| !column.nullable);
                let safe = already || self.is_checked(table, column, before);
                Some(Step { op: "set-not-null", column: Some(column), safe })
            }
            _ => describe(what, before),
        }
    }

    /// A check that holds for every row says that the column holds something, so that the database need not look again.
    fn is_checked(&self, table: &str, column: &str, before: Option<&Table>) -> bool {
        let validated = |name: &str| self.validated.iter().any(|(of, other)| same(of, table) && same(other, name));
        let own = self.checks.iter().filter(|check| same(check.table, table));
        let own = own.map(|check| (check.name, check.text, check.valid));
        let older = before.into_iter().flat_map(|table| &table.checks);
        let older = older.map(|check| (check.name.as_deref(), check.text.as_str(), check.valid));
        let known: Vec<_> = own.chain(older).collect();
        let says = known
            .iter()
            .any(|(name, text, valid)| (*valid || name.is_some_and(validated)) && says_not_null(text, column));
        // Of a constraint that nothing here tells of, anything may be true.
        let named = |wanted: &str| known.iter().any(|(name, ..)| name.is_some_and(|name| same(name, wanted)));
        says || self.validated.iter().any(|(of, name)| same(of, table) && !named(name))
    }

    fn pass(&mut self, change: &'w Change) {
        self.made.extend(creates(&change.what));
        match &change.what {
            What::Begin => {
                self.transaction = Some(change.at);
                self.unchecked.clear();
            }
            What::End => self.lent |= self.transaction.take().is_none(),
            What::Validate { table, name } => self.validated.push((table, name)),
            What::AddConstraint { table, constraint, not_valid } => {
                let name = constraint.name.as_deref();
                if let Rule::Check(text) = &constraint.rule {
                    self.checks.push(Added { table, name, text, valid: !not_valid });
                }
                self.unchecked.extend(name.filter(|_| *not_valid));
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
                (Some(default), false) if !default.lasting => step("add-column-unfilled", name, false),
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
