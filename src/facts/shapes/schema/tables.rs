//! Facts of one table.

use crate::facts::{Data, Fact, Origins, Value};
use crate::syntax::sql::{Column, Dialect, Index};

use super::super::values::{fact, optional};
use super::fold::{RowSecurity, Schema, Table};
use super::known::Model;

const CLAUSE: &str = "shape sql";

/// All that a table is; of one that a model describes only what the model lacks.
pub(super) fn facts(table: &Table, schema: &Schema, dialect: Dialect, model: Option<&Model>) -> Vec<Fact> {
    let writer = Writer { table, schema, dialect, model };
    let mut facts = Vec::new();
    if model.is_none() {
        facts.push(writer.model());
        facts.extend(table.columns.iter().map(|(column, at)| writer.column(column).at(*at)));
        facts.extend(writer.relations());
    }
    facts.extend(writer.indexes());
    facts.extend(writer.checks());
    facts
}

/// A `row-security` for a table whose rows the database keeps apart itself.
pub(super) fn row_security(security: &RowSecurity, model: Option<&Model>) -> Fact {
    let name = model.map_or(security.table.as_str(), |model| model.name.as_str());
    let conditions: Vec<&str> = security.policies.iter().filter_map(|(_, condition)| condition.as_deref()).collect();
    let policies: Vec<&str> = security.policies.iter().map(|(name, _)| name.as_str()).collect();
    fact("row-security", security.at, CLAUSE, name)
        .with("model", Value::text(name))
        .with("table", Value::text(security.table.as_str()))
        .with("forced", Value::bool(security.forced))
        .with("policies", Value::texts(&policies))
        .with("conditions", Value::texts(&conditions))
}

struct Writer<'s> {
    table: &'s Table,
    schema: &'s Schema,
    dialect: Dialect,
    model: Option<&'s Model>,
}

/// A fact that is put somewhere.
trait Placed {
    fn at(self, at: crate::project::Span) -> Fact;
}

impl Placed for Fact {
    fn at(mut self, at: crate::project::Span) -> Fact {
        self.at = at;
        self
    }
}

impl Writer<'_> {
    fn new_fact(&self, kind: &str) -> Fact {
        let name = self.model.map_or(self.table.name.as_str(), |model| model.name.as_str());
        fact(kind, self.table.at, CLAUSE, name).with("model", Value::text(name))
    }

    fn name<'n>(&'n self, column: &'n str) -> &'n str {
        self.model.map_or(column, |model| model.column(column))
    }

    fn model(&self) -> Fact {
        let name = self.table.name.as_str();
        fact("model", self.table.at, CLAUSE, name)
            .with("name", Value::text(name))
            .with("table", Value::text(name))
            .with("provider", optional(self.dialect.name()))
            .with("row_security", Value::bool(self.is_secured()))
    }

    fn is_secured(&self) -> bool {
        self.schema.security.get(&self.table.name.to_ascii_lowercase()).is_some_and(|security| security.on)
    }

    fn column(&self, column: &Column) -> Fact {
        let is_enum = column.kind.custom.as_ref().is_some_and(|custom| self.schema.enums.contains(custom));
        let kind = if is_enum { "enum" } else { column.kind.name.as_str() };
        let default = column
            .default
            .as_ref()
            .map(|default| Value { data: Data::Text(default.text.as_str().into()), origins: Origins::default() });
        self.new_fact("column")
            .with("name", Value::text(column.name.as_str()))
            .with("type", Value::text(kind))
            .with("zoned", column.kind.zoned.map_or(Value::ABSENT, Value::bool))
            .with("primary", Value::bool(column.primary))
            .with("unique", Value::bool(column.primary || column.unique))
            .with("nullable", Value::bool(column.nullable))
            .with("default", default.unwrap_or(Value::ABSENT))
    }

    fn relations(&self) -> impl Iterator<Item = Fact> + '_ {
        self.table.keys.iter().map(|key| {
            self.new_fact("relation")
                .with("columns", Value::texts(&key.columns))
                .with("target", Value::text(key.reference.table.as_str()))
                // MySQL makes an index for each foreign key.
                .with("auto_index", Value::bool(self.dialect == Dialect::Mysql))
                .with("on_delete", optional(key.reference.on_delete.as_deref()))
                .with("provider", optional(self.dialect.name()))
                .at(key.at)
        })
    }

    fn indexes(&self) -> impl Iterator<Item = Fact> + '_ {
        self.table.indexes.iter().filter(|(index, _)| index.equality && !self.is_known(index)).map(|(index, at)| {
            let name = |column: &Option<String>| {
                column.as_deref().map_or(Value::UNKNOWN, |column| Value::text(self.name(column)))
            };
            self.new_fact("index")
                .with("columns", Value::list(index.columns.iter().map(name).collect()))
                .with("unique", Value::bool(index.unique))
                .with("partial", if index.partial { Value::bool(true) } else { Value::ABSENT })
                .at(*at)
        })
    }

    fn is_known(&self, index: &Index) -> bool {
        let columns: Option<Vec<String>> = index.columns.iter().cloned().collect();
        self.model.zip(columns).is_some_and(|(model, columns)| model.has_index(&columns))
    }

    fn checks(&self) -> impl Iterator<Item = Fact> + '_ {
        self.table
            .checks
            .iter()
            .map(|check| self.new_fact("check").with("text", Value::text(check.text.as_str())).at(check.at))
    }
}
