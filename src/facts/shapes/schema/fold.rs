//! Changes in their order make tables.

use std::collections::BTreeMap;

use crate::project::{FileId, Span};
use crate::syntax::sql::{Change, Column, Constraint, Index, Kind, Range, Reference, Rule, Security, What};

/// The tables after all changes so far, by their lower-case names.
#[derive(Debug, Default, Clone)]
pub(super) struct Schema {
    pub tables: BTreeMap<String, Table>,
    pub enums: Vec<String>,
    /// By the same names; of tables, too, that no script made.
    pub security: BTreeMap<String, RowSecurity>,
}

/// Who may see and write which rows of a table.
#[derive(Debug, Clone)]
pub(super) struct RowSecurity {
    pub table: String,
    pub at: Span,
    pub on: bool,
    /// Binds the owner of the table, too.
    pub forced: bool,
    /// Names and conditions.
    pub policies: Vec<(String, Option<String>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub name: String,
    pub at: Span,
    pub columns: Vec<(Column, Span)>,
    pub indexes: Vec<(Index, Span)>,
    pub keys: Vec<Key>,
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub name: Option<String>,
    pub columns: Vec<String>,
    pub reference: Reference,
    pub at: Span,
}

#[derive(Debug, Clone)]
pub(super) struct Check {
    pub name: Option<String>,
    pub text: String,
    /// Holds for the rows that were there before it too.
    pub valid: bool,
    pub at: Span,
}

pub(super) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

impl Schema {
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(&name.to_ascii_lowercase())
    }

    fn table_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.tables.get_mut(&name.to_ascii_lowercase())
    }

    pub fn apply(&mut self, file: FileId, change: &Change) {
        let span = |at: Range| Span { file, start: at.0, end: at.1 };
        match &change.what {
            What::CreateTable { table, columns, constraints } => {
                self.create(table, columns, constraints, file, span(change.at));
            }
            What::DropTable { table } => {
                self.tables.remove(&table.to_ascii_lowercase());
                self.security.remove(&table.to_ascii_lowercase());
            }
            What::RenameTable { table, to } => {
                if let Some(mut renamed) = self.tables.remove(&table.to_ascii_lowercase()) {
                    renamed.name.clone_from(to);
                    self.tables.insert(to.to_ascii_lowercase(), renamed);
                }
                if let Some(mut renamed) = self.security.remove(&table.to_ascii_lowercase()) {
                    renamed.table.clone_from(to);
                    self.security.insert(to.to_ascii_lowercase(), renamed);
                }
            }
            What::RowSecurity { table, is } => self.secure(table, is, span(change.at)),
            What::CreateType { name } => self.enums.push(name.to_ascii_lowercase()),
            What::DropIndex { table: None, name, .. } => {
                self.tables.values_mut().for_each(|table| table.drop_index(name));
            }
            What::CreateIndex { table, index, .. } => {
                if let Some(table) = self.table_mut(table) {
                    table.indexes.push((index.clone(), span(change.at)));
                }
            }
            What::AddColumn { table, column } => {
                if let Some(table) = self.table_mut(table) {
                    table.add_column(column, file);
                }
            }
            What::AddConstraint { table, constraint, not_valid } => {
                if let Some(table) = self.table_mut(table) {
                    table.add_constraint(constraint, !not_valid, file);
                }
            }
            what => {
                if let Some(table) = named(what).and_then(|name| self.table_mut(name)) {
                    table.change(what);
                }
            }
        }
    }

    fn secure(&mut self, table: &str, is: &Security, at: Span) {
        let entry = self.security.entry(table.to_ascii_lowercase()).or_insert_with(|| RowSecurity {
            table: table.to_owned(),
            at,
            on: false,
            forced: false,
            policies: Vec::new(),
        });
        match is {
            Security::On => (entry.on, entry.at) = (true, at),
            Security::Off => entry.on = false,
            Security::Forced(forced) => entry.forced = *forced,
            Security::Policy { name, condition } => {
                entry.policies.retain(|(own, _)| !same(own, name));
                entry.policies.push((name.clone(), condition.clone()));
            }
            Security::NoPolicy { name } => entry.policies.retain(|(own, _)| !same(own, name)),
        }
    }

    fn create(&mut self, name: &str, columns: &[Column], constraints: &[Constraint], file: FileId, at: Span) {
        let key = name.to_ascii_lowercase();
        // `IF NOT EXISTS` in a second script says the same again.
        if self.tables.contains_key(&key) {
            return;
        }
        let mut table = Table {
            name: name.to_owned(),
            at,
            columns: Vec::new(),
            indexes: Vec::new(),
            keys: Vec::new(),
            checks: Vec::new(),
        };
        columns.iter().for_each(|column| table.add_column(column, file));
        constraints.iter().for_each(|constraint| table.add_constraint(constraint, true, file));
        self.tables.insert(key, table);
    }
}

/// The table that a change is about.
pub(super) fn named(what: &What) -> Option<&str> {
    match what {
        What::CreateTable { table, .. }
        | What::DropTable { table }
        | What::RenameTable { table, .. }
        | What::AddColumn { table, .. }
        | What::DropColumn { table, .. }
        | What::RenameColumn { table, .. }
        | What::SetType { table, .. }
        | What::Describe { table, .. }
        | What::SetNullable { table, .. }
        | What::SetDefault { table, .. }
        | What::AddConstraint { table, .. }
        | What::DropConstraint { table, .. }
        | What::CreateIndex { table, .. }
        | What::RowSecurity { table, .. }
        | What::Write { table, .. }
        | What::Truncate { table }
        | What::Validate { table, .. }
        | What::DropIndex { table: Some(table), .. } => Some(table),
        What::Upkeep { table, .. } => table.as_deref(),
        What::DropIndex { table: None, .. }
        | What::CreateType { .. }
        | What::RunCode
        | What::LimitLocks
        | What::Begin
        | What::End => None,
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().map(|(column, _)| column).find(|column| same(&column.name, name))
    }

    fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().map(|(column, _)| column).find(|column| same(&column.name, name))
    }

    fn add_column(&mut self, column: &Column, file: FileId) {
        let at = Span { file, start: column.at.0, end: column.at.1 };
        if column.primary || column.unique {
            self.add_index(None, std::slice::from_ref(&column.name), true, at);
        }
        if let Some(reference) = &column.references {
            let columns = vec![column.name.clone()];
            self.keys.push(Key { name: None, columns, reference: reference.clone(), at });
        }
        if let Some(text) = &column.check {
            self.checks.push(Check { name: None, text: text.clone(), valid: true, at });
        }
        self.columns.retain(|(known, _)| !same(&known.name, &column.name));
        self.columns.push((column.clone(), at));
    }

    fn add_constraint(&mut self, constraint: &Constraint, valid: bool, file: FileId) {
        let at = Span { file, start: constraint.at.0, end: constraint.at.1 };
        let name = constraint.name.clone();
        match &constraint.rule {
            Rule::PrimaryKey(columns) => {
                for key in columns {
                    if let Some(column) = self.column_mut(key) {
                        (column.primary, column.nullable) = (true, false);
                    }
                }
                self.add_index(name, columns, true, at);
            }
            Rule::Unique(columns) => {
                if let [only] = columns.as_slice()
                    && let Some(column) = self.column_mut(only)
                {
                    column.unique = true;
                }
                self.add_index(name, columns, true, at);
            }
            Rule::ForeignKey { columns, reference } => {
                self.keys.push(Key { name, columns: columns.clone(), reference: reference.clone(), at });
            }
            Rule::Check(text) => self.checks.push(Check { name, text: text.clone(), valid, at }),
            Rule::Index(index) => self.indexes.push((index.clone(), at)),
        }
    }

    fn add_index(&mut self, name: Option<String>, columns: &[String], unique: bool, at: Span) {
        let columns: Vec<Option<String>> = columns.iter().cloned().map(Some).collect();
        // A column that says of itself what a constraint without a name says again.
        let known = |(index, _): &(Index, Span)| index.unique == unique && !index.partial && index.columns == columns;
        if name.is_none() && self.indexes.iter().any(known) {
            return;
        }
        let index = Index { name, columns, unique, partial: false, equality: true, at: (at.start, at.end) };
        self.indexes.push((index, at));
    }

    fn drop_index(&mut self, name: &str) {
        self.indexes.retain(|(index, _)| !index.name.as_deref().is_some_and(|own| same(own, name)));
    }

    fn change(&mut self, what: &What) {
        match what {
            What::DropColumn { column, .. } => self.drop_column(column),
            What::RenameColumn { column, to, .. } => self.rename_column(column, to),
            What::SetType { column, kind, .. } => self.set_type(column, kind),
            What::SetNullable { column, nullable, .. } => {
                if let Some(column) = self.column_mut(column) {
                    column.nullable = *nullable;
                }
            }
            What::SetDefault { column, default, .. } => {
                if let Some(column) = self.column_mut(column) {
                    column.default.clone_from(default);
                }
            }
            What::DropConstraint { name, .. } => {
                let is_other = |own: &Option<String>| !own.as_deref().is_some_and(|own| same(own, name));
                self.keys.retain(|key| is_other(&key.name));
                self.checks.retain(|check| is_other(&check.name));
                self.drop_index(name);
            }
            What::Validate { name, .. } => {
                let named = |check: &&mut Check| check.name.as_deref().is_some_and(|own| same(own, name));
                self.checks.iter_mut().filter(named).for_each(|check| check.valid = true);
            }
            What::DropIndex { name, .. } => self.drop_index(name),
            _ => {}
        }
    }

    fn drop_column(&mut self, name: &str) {
        self.columns.retain(|(column, _)| !same(&column.name, name));
        self.indexes.retain(|(index, _)| !index.columns.iter().flatten().any(|column| same(column, name)));
        self.keys.retain(|key| !key.columns.iter().any(|column| same(column, name)));
    }

    fn rename_column(&mut self, name: &str, to: &str) {
        let renamed = |column: &mut String| {
            if same(column, name) {
                to.clone_into(column);
            }
        };
        self.columns.iter_mut().for_each(|(column, _)| renamed(&mut column.name));
        self.indexes.iter_mut().flat_map(|(index, _)| index.columns.iter_mut().flatten()).for_each(renamed);
        self.keys.iter_mut().flat_map(|key| key.columns.iter_mut()).for_each(renamed);
    }

    fn set_type(&mut self, name: &str, kind: &Kind) {
        if let Some(column) = self.column_mut(name) {
            column.kind = kind.clone();
        }
    }
}
