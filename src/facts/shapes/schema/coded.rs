//! Migrations that are written as calls of a library, in the order of their revisions.
//!
//! In go the `schema-change` facts of code, out come the changes of each file that the way forward makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Data, Fact, FunctionId, Value};
use crate::project::FileId;
use crate::syntax::sql::{self, Change, Column, Constraint, DefaultValue, Index, Kind, Reference, Rule, What};

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
        .filter(|fact| is_way_forward(fact) || fact.function.is_some_and(|function| forward.contains(&function)))
        .flat_map(|fact| changes_of(fact))
        .collect();
    changes.sort_by_key(|change| (!matches!(change.what, What::CreateTable { .. }), change.at));
    changes
}

/// It stands in the method that the clause names as the way forward (`way = "up"`).
fn is_way_forward(fact: &Fact) -> bool {
    let holder = fact.symbol.rsplit('.').next().unwrap_or_default();
    text(fact, "way").is_some_and(|way| way == holder)
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
        let changes = sql::parse(text, sql::dialect_of(text)).changes;
        return changes.into_iter().map(|change| Change { at: (fact.at.start, fact.at.end), ..change }).collect();
    }
    let Some(table) = text(fact, "table") else { return Vec::new() };
    let whats = Reader { fact, table }.read();
    whats.into_iter().map(|what| Change { at: (fact.at.start, fact.at.end), what }).collect()
}

fn text(fact: &Fact, name: &str) -> Option<String> {
    fact.get(name).and_then(Value::as_text).map(str::to_owned)
}

/// Said to be so, be it by the name of the call that says it (`notNullable`).
fn is(fact: &Fact, name: &str) -> bool {
    fact.get(name).is_some_and(says_yes)
}

fn says_yes(value: &Value) -> bool {
    matches!(&value.data, Data::Bool(true)) || value.as_text().is_some_and(|text| !text.is_empty())
}

/// A field of what is a record.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match &value.data {
        Data::Record(record) => record.fields.iter().find(|(own, _)| &**own == name).map(|(_, value)| value),
        _ => None,
    }
}

/// `SET NULL` → `setnull`
fn plain_policy(written: &str) -> String {
    written.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
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
            Some("create-table") => {
                What::CreateTable { table, columns: self.columns_of_record(), constraints: Vec::new() }
            }
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
        let primary = is(self.fact, "primary");
        let required =
            is(self.fact, "required") || self.fact.get("nullable").is_some_and(|value| value.data == Data::Bool(false));
        let column = Column {
            name,
            at: (self.fact.at.start, self.fact.at.end),
            kind: self.kind(),
            nullable: !required && !primary,
            primary,
            unique: is(self.fact, "unique"),
            default: default.map(|default| DefaultValue {
                text: default.as_text().unwrap_or_default().to_owned(),
                volatile: false,
            }),
            references: text(self.fact, "target").map(|_| self.reference()),
            check: None,
        };
        vec![What::AddColumn { table: self.table, column }]
    }

    /// The columns of `{ id: { type: …, allowNull: false }, … }`.
    fn columns_of_record(&self) -> Vec<Column> {
        let Some(Data::Record(record)) = self.fact.get("fields").map(|value| &value.data) else { return Vec::new() };
        record.fields.iter().map(|(name, said)| self.column_of_record(name, said)).collect()
    }

    fn column_of_record(&self, name: &str, said: &Value) -> Column {
        let says = |key: &str| field(said, key).is_some_and(says_yes);
        let refused = field(said, "allowNull").is_some_and(|value| value.data == Data::Bool(false));
        let to = field(said, "references");
        let target = to.and_then(|to| field(to, "model").or_else(|| field(to, "table"))).and_then(Value::as_text);
        let on_delete = field(said, "onDelete").and_then(Value::as_text).map(plain_policy);
        Column {
            name: name.to_owned(),
            at: (self.fact.at.start, self.fact.at.end),
            kind: Kind { name: "other".to_owned(), custom: None, zoned: None },
            nullable: !says("primaryKey") && !refused,
            primary: says("primaryKey"),
            unique: says("unique"),
            default: None,
            references: target.map(|table| Reference { table: table.to_owned(), on_delete }),
            check: None,
        }
    }

    fn kind(&self) -> Kind {
        let zoned = match self.fact.get("zoned").map(|value| &value.data) {
            Some(Data::Bool(zoned)) => Some(*zoned),
            _ => None,
        };
        let written = text(self.fact, "type").unwrap_or_else(|| "other".to_owned());
        let name = match sql::kind_of_word(&written.to_ascii_lowercase()) {
            "other" => written,
            known => known.to_owned(),
        };
        Kind { name, custom: None, zoned }
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
        Rule::ForeignKey { columns: self.columns(), reference: self.reference() }
    }

    fn reference(&self) -> Reference {
        let target = text(self.fact, "target").unwrap_or_default();
        // `users.id` names a column of the table.
        let table = target.rsplit_once('.').map_or(target.as_str(), |(table, _)| table).to_owned();
        Reference { table, on_delete: text(self.fact, "on_delete").as_deref().map(plain_policy) }
    }

    fn constraint(&self, rule: Rule) -> What {
        let at = (self.fact.at.start, self.fact.at.end);
        let constraint = Constraint { name: text(self.fact, "name"), at, rule };
        What::AddConstraint { table: self.table.clone(), constraint, not_valid: false }
    }
}
