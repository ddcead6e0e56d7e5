//! Migrations that are written as calls of a library, in the order of their revisions.
//!
//! In go the `schema-change` facts of code, out come the changes of each file that the way forward makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Data, Fact, FunctionId, Value};
use crate::project::FileId;
use crate::syntax::sql::{self, Change, Column, Constraint, DefaultValue, Dialect, Index, Kind, Reference, Rule, What};

/// Longer chains of revisions are not followed.
const MAX_REVISIONS: usize = 10_000;

/// The changes of all coded migrations, by file.
#[derive(Debug, Default)]
pub(super) struct Coded {
    pub changes: BTreeMap<FileId, Vec<Change>>,
    /// How far each file stands behind the first revision.
    pub order: BTreeMap<FileId, usize>,
}

impl Coded {
    pub fn of(facts: &[Fact], calls: &[Vec<FunctionId>]) -> Coded {
        let mut by_file: BTreeMap<FileId, Vec<&Fact>> = BTreeMap::new();
        for fact in facts.iter().filter(|fact| &*fact.kind == "schema-change") {
            by_file.entry(fact.at.file).or_default().push(fact);
        }
        let changes: BTreeMap<FileId, Vec<Change>> = by_file
            .iter()
            .map(|(&file, facts)| (file, of_file(facts, calls)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        let order = order(&by_file, &changes);
        Coded { changes, order }
    }
}

/// What a file changes on the way forward; tables come before what is said of them.
fn of_file(facts: &[&Fact], calls: &[Vec<FunctionId>]) -> Vec<Change> {
    let forward = facts.iter().filter(|fact| op(fact) == Some("forward")).flat_map(|fact| &fact.roots);
    let forward = reached(forward.copied().collect(), calls);
    let mut changes: Vec<Change> = facts
        .iter()
        .filter(|fact| fact.function.is_some_and(|function| forward.contains(&function)))
        .flat_map(|fact| changes_of(fact))
        .collect();
    changes.sort_by_key(|change| (!matches!(change.what, What::CreateTable { .. }), change.at));
    changes
}

/// The functions that some functions call, with themselves.
fn reached(from: Vec<FunctionId>, calls: &[Vec<FunctionId>]) -> BTreeSet<FunctionId> {
    let mut found: BTreeSet<FunctionId> = from.iter().copied().collect();
    let mut open = from;
    while let Some(next) = open.pop() {
        for &callee in calls.get(next.0 as usize).into_iter().flatten() {
            if found.insert(callee) {
                open.push(callee);
            }
        }
    }
    found
}

/// By file: the number of revisions before it.
fn order(by_file: &BTreeMap<FileId, Vec<&Fact>>, changes: &BTreeMap<FileId, Vec<Change>>) -> BTreeMap<FileId, usize> {
    let named = |file: FileId, what: &str| -> Vec<String> {
        let facts = by_file.get(&file).into_iter().flatten().filter(|fact| op(fact) == Some(what));
        facts.filter_map(|fact| fact.get("name")).flat_map(names).collect()
    };
    let revisions: BTreeMap<String, FileId> =
        by_file.keys().flat_map(|&file| named(file, "revision").into_iter().map(move |name| (name, file))).collect();
    let mut depths: BTreeMap<FileId, usize> = BTreeMap::new();
    for &file in changes.keys() {
        let mut chain = Vec::new();
        let mut next = Some(file);
        while let Some(current) = next.take() {
            if depths.contains_key(&current) || chain.contains(&current) || chain.len() >= MAX_REVISIONS {
                break;
            }
            chain.push(current);
            next = named(current, "after").iter().find_map(|name| revisions.get(name)).copied();
        }
        for current in chain.into_iter().rev() {
            let before =
                named(current, "after").iter().filter_map(|name| depths.get(revisions.get(name)?)).max().copied();
            depths.insert(current, before.map_or(0, |before| before + 1));
        }
    }
    depths
}

fn op(fact: &Fact) -> Option<&str> {
    fact.get("op").and_then(Value::as_text)
}

/// A text, or the texts of a list.
fn names(value: &Value) -> Vec<String> {
    match &value.data {
        Data::Text(text) => vec![text.to_string()],
        Data::List(items) => items.iter().filter_map(Value::as_text).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The changes that one fact stands for; none where what it is about is not known.
fn changes_of(fact: &Fact) -> Vec<Change> {
    if op(fact) == Some("sql") {
        let text = fact.get("text").and_then(Value::as_text).unwrap_or_default();
        let changes = sql::parse(text, Dialect::Unknown).changes;
        return changes.into_iter().map(|change| Change { at: (fact.at.start, fact.at.end), ..change }).collect();
    }
    let Some(table) = text(fact, "table") else { return Vec::new() };
    let whats = Reader { fact, table }.read();
    whats.into_iter().map(|what| Change { at: (fact.at.start, fact.at.end), what }).collect()
}

fn text(fact: &Fact, name: &str) -> Option<String> {
    fact.get(name).and_then(Value::as_text).map(str::to_owned)
}

fn is(fact: &Fact, name: &str) -> bool {
    fact.get(name).is_some_and(|value| value.data == Data::Bool(true))
}

/// Reads the change of one table.
struct Reader<'f> {
    fact: &'f Fact,
    table: String,
}

impl Reader<'_> {
    fn read(self) -> Vec<What> {
        let (fact, table) = (self.fact, self.table.clone());
        let found = match op(fact) {
            Some("create-table") => What::CreateTable { table, columns: Vec::new(), constraints: Vec::new() },
            Some("drop-table") => What::DropTable { table },
            Some("rename-table") => return self.with("to", |table, to| What::RenameTable { table, to }),
            // The call itself: its column is a change of its own.
            Some("add-column") if fact.get("name").is_none() => return Vec::new(),
            Some("add-column") => return self.column(),
            Some("drop-column") => return self.with("name", |table, column| What::DropColumn { table, column }),
            Some("alter-column") => return self.altered(),
            Some("drop-constraint") => return self.with("name", |table, name| What::DropConstraint { table, name }),
            Some("drop-index") => {
                let concurrently = is(fact, "concurrently");
                return self.with("name", |table, name| What::DropIndex { table: Some(table), name, concurrently });
            }
            Some("create-index") => self.index(),
            Some("add-primary-key") => self.constraint(Rule::PrimaryKey(self.columns())),
            Some("add-unique") => self.constraint(Rule::Unique(self.columns())),
            Some("add-foreign-key") => self.constraint(self.foreign_key()),
            Some("add-check") => self.constraint(Rule::Check(text(fact, "text").unwrap_or_default())),
            _ => return Vec::new(),
        };
        vec![found]
    }

    fn with(self, name: &str, what: impl Fn(String, String) -> What) -> Vec<What> {
        text(self.fact, name).map(|name| what(self.table, name)).into_iter().collect()
    }

    fn column(self) -> Vec<What> {
        let Some(name) = text(self.fact, "name") else { return Vec::new() };
        let default = self.fact.get("default").filter(|default| !default.is_absent());
        let column = Column {
            name,
            at: (self.fact.at.start, self.fact.at.end),
            kind: self.kind(),
            nullable: !self.fact.get("nullable").is_some_and(|value| value.data == Data::Bool(false)),
            primary: false,
            unique: false,
            default: default.map(|default| DefaultValue {
                text: default.as_text().unwrap_or_default().to_owned(),
                volatile: false,
            }),
            references: None,
            check: None,
        };
        vec![What::AddColumn { table: self.table, column }]
    }

    fn kind(&self) -> Kind {
        let zoned = match self.fact.get("zoned").map(|value| &value.data) {
            Some(Data::Bool(zoned)) => Some(*zoned),
            _ => None,
        };
        Kind { name: text(self.fact, "type").unwrap_or_else(|| "other".to_owned()), custom: None, zoned }
    }

    fn altered(self) -> Vec<What> {
        let Some(column) = text(self.fact, "name") else { return Vec::new() };
        let mut found = Vec::new();
        let table = || self.table.clone();
        if text(self.fact, "type").is_some() {
            found.push(What::SetType { table: table(), column: column.clone(), kind: self.kind() });
        }
        if let Some(Data::Bool(nullable)) = self.fact.get("nullable").map(|value| &value.data) {
            found.push(What::SetNullable { table: table(), column: column.clone(), nullable: *nullable });
        }
        if let Some(to) = text(self.fact, "to") {
            found.push(What::RenameColumn { table: table(), column, to });
        }
        found
    }

    fn columns(&self) -> Vec<String> {
        self.fact.get("columns").map(names).unwrap_or_default()
    }

    fn index(&self) -> What {
        let columns = match self.fact.get("columns").map(|value| &value.data) {
            Some(Data::List(items)) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
            _ => vec![None],
        };
        let index = Index {
            name: text(self.fact, "name"),
            columns,
            unique: is(self.fact, "unique"),
            partial: self.fact.get("partial").is_some_and(|value| !value.is_absent()),
            equality: true,
            at: (self.fact.at.start, self.fact.at.end),
        };
        What::CreateIndex { table: self.table.clone(), index, concurrently: is(self.fact, "concurrently") }
    }

    fn foreign_key(&self) -> Rule {
        let target = text(self.fact, "target").unwrap_or_default();
        // `users.id` names a column of the table.
        let table = target.rsplit_once('.').map_or(target.as_str(), |(table, _)| table).to_owned();
        let reference = Reference { table, on_delete: text(self.fact, "on_delete") };
        Rule::ForeignKey { columns: self.columns(), reference }
    }

    fn constraint(&self, rule: Rule) -> What {
        let at = (self.fact.at.start, self.fact.at.end);
        let constraint = Constraint { name: text(self.fact, "name"), at, rule };
        What::AddConstraint { table: self.table.clone(), constraint, not_valid: false }
    }
}
