//! Tables that classes and calls declare part by part: attributes of a class, arguments of `Table(…)`.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::migrated;
use super::owners::{ClassRef, Owner, Owners, with_ancestors};
use super::parts::{Parts, column_names, named, policy, target};
use super::types::{ColumnType, annotated, column_type};
use super::{site_among, truthy};
use crate::facts::code::extract::Raw;
use crate::facts::code::names::{last_name, shape};
use crate::facts::model::{Data, Value};
use crate::facts::program::{ExprRef, Program};
use crate::facts::resolve::Evaluator;
use crate::project::Area;
use crate::syntax::hir::{ClassMember, ExprKind, Language, MemberKind};

/// What stack files call the type of a member that stands for rows of another table.
const NO_COLUMN: &str = "relation";

/// Replaces the parts by the facts of the models that they belong to; abstract models are none.
pub(super) fn tables(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let owners = Owners::of(evaluator.program);
    let parts = Parts::of(evaluator, raws, &owners);
    let mut found = Vec::new();
    let mut left_out: FxHashSet<usize> = parts.all.iter().copied().collect();
    let mut declared: FxHashSet<ClassRef> = FxHashSet::default();
    for index in 0..raws.len() {
        if &*raws[index].kind != "model" || raws[index].stack.is_none() {
            continue;
        }
        if is_in_migration(evaluator, &raws[index]) {
            left_out.insert(index);
        } else if let Some(class) = described_class(evaluator, &raws[index], &owners) {
            if raws[index].get("abstract").is_some_and(truthy) || !declared.insert(class) {
                left_out.insert(index);
                continue;
            }
            name_model(evaluator, &mut raws[index], class);
            let before = found.len();
            Table::new(evaluator, raws, &parts, index, &mut found).of_class(class);
            // A base of the project's models (`class Base(DeclarativeBase)`) has no table.
            if found.len() == before && raws[index].text("table").is_none() {
                left_out.insert(index);
            }
        } else if !raws[index].refs("parts").is_empty() {
            Table::new(evaluator, raws, &parts, index, &mut found).of_call();
        }
    }
    left_out.extend(migrated::changes(evaluator, raws, &parts, &mut found));
    for (class, column) in decorated_classes(evaluator.program, raws, &parts, &owners) {
        if !declared.contains(&class) {
            Table::new(evaluator, raws, &parts, column, &mut found).named_after(class).of_class(class);
        }
    }
    let mut number = 0;
    raws.retain(|_| {
        number += 1;
        !left_out.contains(&(number - 1))
    });
    raws.extend(found);
}

/// Classes whose members carry decorators of columns, whatever is written on the class itself; each with its first such
/// column.
fn decorated_classes(program: &Program<'_>, raws: &[Raw], parts: &Parts, owners: &Owners) -> BTreeMap<ClassRef, usize> {
    let mut found = BTreeMap::new();
    for &index in &parts.all {
        let raw = &raws[index];
        let module = program.module(raw.at.module);
        if &*raw.kind == "column"
            && module.language == Language::JavaScript
            && let Some(owner) = owners.owner(module, raw.at)
        {
            found.entry(owner.class).or_insert(index);
        }
    }
    found
}

/// Models that a migration declares for its own use tell nothing of the schema.
fn is_in_migration(evaluator: &Evaluator<'_>, raw: &Raw) -> bool {
    evaluator.program.project.file(raw.span.file).area == Area::Migration
}

/// The class that a `model` clause names: by its base, or by a decorator on it.
fn described_class(evaluator: &Evaluator<'_>, raw: &Raw, owners: &Owners) -> Option<ClassRef> {
    let module = evaluator.program.module(raw.at.module);
    match module.kind(raw.at.expr) {
        ExprKind::Class(class) => Some((raw.at.module, class)),
        _ => match owners.owner(module, raw.at)? {
            Owner { class, member: None } => Some(class),
            _ => None,
        },
    }
}

fn name_model(evaluator: &Evaluator<'_>, raw: &mut Raw, (module, class): ClassRef) {
    let hir = evaluator.program.module(module);
    if raw.text("name").is_none()
        && let Some(name) = hir.class(class).name
    {
        raw.set("name", Value::text(hir.str(name)));
    }
}

/// Reads one table.
pub(super) struct Table<'e, 'p, 'r> {
    evaluator: &'e mut Evaluator<'p>,
    raws: &'r [Raw],
    parts: &'r Parts,
    /// The `model`.
    source: &'r Raw,
    model: Value,
    primary: Vec<(ExprRef, String)>,
    out: &'e mut Vec<Raw>,
}

impl<'e, 'p, 'r> Table<'e, 'p, 'r> {
    pub(super) fn new(
        evaluator: &'e mut Evaluator<'p>,
        raws: &'r [Raw],
        parts: &'r Parts,
        index: usize,
        out: &'e mut Vec<Raw>,
    ) -> Self {
        let source = &raws[index];
        let model = source.get("name").cloned().unwrap_or(Value::UNKNOWN);
        Table { evaluator, raws, parts, source, model, primary: Vec::new(), out }
    }

    fn named_after(mut self, (module, class): ClassRef) -> Self {
        let hir = self.evaluator.program.module(module);
        self.model = hir.class(class).name.map_or(Value::UNKNOWN, |name| Value::text(hir.str(name)));
        self
    }

    /// For the table of that name.
    pub(super) fn of_table(mut self, name: Value) -> Self {
        self.model = name;
        self
    }

    fn of_class(mut self, class: ClassRef) {
        let program = self.evaluator.program;
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        let chain = with_ancestors(self.evaluator, class);
        for &(module, class) in &chain {
            let hir = program.module(module);
            for (number, member) in hir.class(class).members.iter().enumerate() {
                if seen.insert(hir.str(member.name)) {
                    self.member(Owner { class: (module, class), member: Some(number) }, member);
                }
            }
        }
        for owner in &chain {
            for &part in self.parts.by_class.get(owner).into_iter().flatten() {
                self.part(part);
            }
        }
        self.listed("uniques", true);
        self.listed("indexes", false);
        self.primary_key();
    }

    /// `Table("orders", metadata, Column(…), Index(…))`
    pub(super) fn of_call(mut self) {
        let site = self.source.at;
        let handed = self.source.refs("parts");
        let members: Vec<_> = handed.iter().flat_map(|&at| migrated::members(self.evaluator, at)).collect();
        for (before, at) in members {
            let Some(column) = site_among(self.evaluator, at, &self.parts.columns) else { continue };
            let own = self.column_at(column).and_then(|raw| raw.text("name")).map(str::to_owned);
            let Some(name) = before.or(own).or_else(|| migrated::name_of_part(self.source)) else { continue };
            self.column(&name, at, Some(column), None);
        }
        for &part in self.parts.by_site.get(&site).into_iter().flatten() {
            self.part(part);
        }
        self.primary_key();
    }

    fn column_at(&self, site: ExprRef) -> Option<&'r Raw> {
        self.parts.column_at.get(&site).map(|&index| &self.raws[index])
    }

    fn member(&mut self, owner: Owner, member: &ClassMember) {
        let MemberKind::Field(value) = member.kind else { return };
        let module = owner.class.0;
        let hir = self.evaluator.program.module(module);
        let name = hir.str(member.name);
        let here = |expr| ExprRef { module, expr };
        let value = value.some().map(here);
        let made = value.and_then(|value| site_among(self.evaluator, value, &self.parts.columns));
        let decorated = || member.decorators.iter().map(|&d| here(d)).find(|d| self.parts.columns.contains(d));
        let written = hir.written_type(member.annotation).map(here);
        let annotation = annotated(self.evaluator, module, member.annotation);
        if let Some(site) = made.or_else(decorated) {
            self.column(name, value.unwrap_or(site), Some(site), annotation);
        } else if self.is_annotated_column(value, annotation.as_ref()) {
            let at = value.or(written).unwrap_or(self.source.at);
            self.column(name, at, None, annotation);
        }
        for &part in self.parts.by_member.get(&owner).into_iter().flatten() {
            let raw = &self.raws[part];
            match &*raw.kind {
                "index" => self.index(
                    raw.at,
                    Value::texts([name]),
                    Value::bool(raw.get("unique").is_some_and(truthy)),
                    raw.get("partial").cloned().unwrap_or(Value::ABSENT),
                ),
                _ => self.relation(part, None, Value::texts([name])),
            }
        }
    }

    /// `price: float`, where the annotation alone makes a column.
    fn is_annotated_column(&self, value: Option<ExprRef>, annotation: Option<&ColumnType<'_>>) -> bool {
        let is_call = |at: ExprRef| self.evaluator.program.module(at.module).call(at.expr).is_some();
        self.source.text("fields") == Some("annotated") && annotation.is_some() && !value.is_some_and(is_call)
    }

    /// A column shown at `at`, made by the call or decorator at `site`.
    fn column(&mut self, name: &str, at: ExprRef, site: Option<ExprRef>, annotation: Option<ColumnType<'p>>) {
        let raw = site.and_then(|site| self.column_at(site));
        let is = |field: &str| raw.and_then(|raw| raw.get(field)).is_some_and(truthy);
        let (primary, unique, indexed) = (is("primary"), is("unique"), is("indexed"));
        let own = self.type_of(raw);
        let wrapper = raw.filter(|_| own.is_none()).and_then(|raw| self.type_called(raw));
        let of = own.or(annotation.clone()).unwrap_or_default();
        if of.kind() == NO_COLUMN {
            return;
        }
        let nullable = match raw.and_then(|raw| raw.get("nullable")).map(|value| &value.data) {
            Some(Data::Bool(nullable)) => Value::bool(*nullable && !primary),
            Some(Data::Unknown) => Value::UNKNOWN,
            _ => Value::bool(!primary && annotation.is_some_and(|annotation| annotation.nullable)),
        };
        let said = |field: &str| raw.and_then(|raw| raw.get(field)).cloned().unwrap_or(Value::ABSENT);
        let fields = vec![
            ("name", Value::text(name)),
            ("type", Value::text(of.kind())),
            ("annotation", wrapper.map_or(Value::ABSENT, Value::text)),
            ("zoned", of.zoned.clone()),
            ("primary", Value::bool(primary)),
            ("unique", Value::bool(unique || primary)),
            ("nullable", nullable),
            ("default", said("default")),
            ("stored_default", said("stored_default")),
        ];
        self.push("column", at, fields);
        if primary {
            self.primary.push((at, name.to_owned()));
        }
        if unique || indexed {
            self.index(at, Value::texts([name]), Value::bool(unique), Value::ABSENT);
        }
        for &part in site.and_then(|site| self.parts.by_column.get(&site)).into_iter().flatten() {
            match &*self.raws[part].kind {
                "relation" => self.relation(part, Some(self.decided_at(at, site)), Value::texts([name])),
                _ => self.part(part),
            }
        }
    }

    /// Where a column's relation is decided on: at the column, or in the helper that makes such columns.
    fn decided_at(&self, at: ExprRef, site: Option<ExprRef>) -> ExprRef {
        let in_helper = |site: &ExprRef| self.evaluator.program.module(site.module).function_of(site.expr).0 != 0;
        site.filter(in_helper).unwrap_or(at)
    }

    fn type_of(&mut self, raw: Option<&Raw>) -> Option<ColumnType<'p>> {
        let candidates = raw?.refs("type").to_vec();
        candidates.into_iter().find_map(|at| column_type(self.evaluator, at)).map(|(of, _)| of)
    }

    /// What makes a type that nobody knows: `EncryptedType` of `EncryptedType(Text, key)`.
    fn type_called(&self, raw: &Raw) -> Option<&'p str> {
        raw.refs("type").iter().find_map(|at| {
            let module = self.evaluator.program.module(at.module);
            let (callee, _) = module.call(at.expr)?;
            Some(last_name(module, callee)).filter(|name| !name.is_empty())
        })
    }

    /// What stands on its own: an index, a constraint, a key over several columns.
    fn part(&mut self, part: usize) {
        let raw = &self.raws[part];
        match &*raw.kind {
            "index" => {
                let columns = column_names(self.evaluator, raw.refs("columns"));
                let or_absent = |name: &str| raw.get(name).cloned().unwrap_or(Value::ABSENT);
                if truthy(&or_absent("primary")) {
                    return self.key(raw.at, columns);
                }
                self.index(raw.at, columns, Value::bool(truthy(&or_absent("unique"))), or_absent("partial"));
            }
            "relation" => {
                let columns = column_names(self.evaluator, raw.refs("columns"));
                self.relation(part, None, columns);
            }
            "check" => {
                let said = |field: &str| raw.get(field).cloned().unwrap_or(Value::ABSENT);
                self.push("check", raw.at, vec![("name", said("name")), ("text", said("text"))]);
            }
            _ => {}
        }
    }

    /// A relation of columns; what a column declares is shown where the column is.
    fn relation(&mut self, part: usize, at: Option<ExprRef>, columns: Value) {
        let raw = &self.raws[part];
        if &*raw.kind != "relation" {
            return;
        }
        let fields = vec![
            ("columns", columns),
            ("target", target(self.evaluator, raw)),
            ("auto_index", Value::bool(raw.get("auto_index").is_some_and(truthy))),
            ("on_delete", policy(self.evaluator, raw)),
            ("provider", raw.get("provider").cloned().unwrap_or(Value::ABSENT)),
        ];
        self.push("relation", at.unwrap_or(raw.at), fields);
    }

    /// `unique_together = [("a", "b")]`, or one such tuple.
    fn listed(&mut self, field: &str, unique: bool) {
        let Some(Value { data: Data::List(items), .. }) = self.source.get(field) else { return };
        let is_list = |item: &Value| matches!(item.data, Data::List(_));
        let all: Vec<Value> = if items.iter().any(is_list) {
            items.iter().filter(|item| is_list(item)).cloned().collect()
        } else {
            vec![Value { data: Data::List(items.clone()), ..Value::default() }]
        };
        for columns in all {
            self.index(self.source.at, named(&columns), Value::bool(unique), Value::ABSENT);
        }
    }

    fn primary_key(&mut self) {
        let columns = std::mem::take(&mut self.primary);
        if let Some((at, _)) = columns.first() {
            self.key(*at, Value::texts(columns.iter().map(|(_, name)| name)));
        }
    }

    fn key(&mut self, at: ExprRef, columns: Value) {
        let Data::List(names) = &columns.data else { return };
        for raw in self.out.iter_mut().filter(|raw| &*raw.kind == "column" && raw.get("model") == Some(&self.model)) {
            if raw.get("name").is_some_and(|name| names.iter().any(|key| key.data == name.data)) {
                raw.set("primary", Value::bool(true));
            }
        }
        self.index(at, columns, Value::bool(true), Value::ABSENT);
        if let Some(key) = self.out.last_mut() {
            key.set("primary", Value::bool(true));
        }
    }

    fn index(&mut self, at: ExprRef, columns: Value, unique: Value, partial: Value) {
        self.push("index", at, vec![("columns", columns), ("unique", unique), ("partial", partial)]);
    }

    fn push(&mut self, kind: &str, at: ExprRef, fields: Vec<(&str, Value)>) {
        let mut raw = shape(self.evaluator.program, kind, at, fields);
        raw.fields.insert(0, ("model".into(), self.model.clone()));
        raw.stack = self.source.stack;
        raw.clause = self.source.clause.clone();
        raw.certain = self.source.certain;
        self.out.push(raw);
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::{Data, Fact, Value};

    fn of_kind(kind: &str, text: &str) -> Vec<Fact> {
        let manifest = ("requirements.txt", "sqlalchemy\nsqlmodel\nflask-sqlalchemy\ndjango\ntortoise-orm\n");
        let store = facts_of(&[manifest, ("app/models.py", text)]);
        store.facts.iter().filter(|fact| &*fact.kind == kind).cloned().collect()
    }

    fn row(fact: &Fact, fields: &[&str]) -> String {
        let show = |name: &&str| match fact.get(name).map(|value| &value.data) {
            Some(Data::Text(text)) => text.to_string(),
            Some(Data::Bool(value)) => value.to_string(),
            Some(Data::List(items)) => items.iter().filter_map(Value::as_text).collect::<Vec<_>>().join("+"),
            _ => "-".to_owned(),
        };
        fields.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn rows(kind: &str, fields: &[&str], text: &str) -> Vec<String> {
        of_kind(kind, text).iter().map(|fact| row(fact, fields)).collect()
    }

    const COLUMN: &[&str] = &["model", "name", "type", "nullable"];

    #[test]
    fn sqlalchemy_untyped_and_typed() {
        let text = "from decimal import Decimal\nfrom typing import Optional\nimport sqlalchemy as sa\n\
            from sqlalchemy import Column, Float, ForeignKey, Index, DateTime\n\
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship\n\
            class Base(DeclarativeBase):\n    pass\n\
            class Stamped:\n    made = Column(DateTime(timezone=True), nullable=False)\n\
            class Order(Stamped, Base):\n    __tablename__ = 'orders'\n    id = Column(sa.Integer, primary_key=True)\n\
            \x20   total = Column(Float)\n    fee: Mapped[Optional[float]] = mapped_column()\n    tax: Mapped[Decimal]\n\
            \x20   note: Mapped[str | None]\n    lines: Mapped[list['Line']] = relationship()\n\
            \x20   user_id = Column(ForeignKey('users.id', ondelete='SET NULL'), index=True)\n\
            \x20   __table_args__ = (Index('ix', 'user_id', 'made'),)\n";
        let expected = [
            "Order made datetime false",
            "Order id integer false",
            "Order total float true",
            "Order fee float true",
            "Order tax decimal false",
            "Order note string true",
            "Order user_id other true",
        ];
        assert_eq!(rows("column", COLUMN, text), expected);
        let relations = rows("relation", &["columns", "target", "on_delete", "auto_index"], text);
        assert_eq!(relations, ["user_id users.id setnull false"]);
        let indexes = rows("index", &["columns", "unique"], text);
        assert_eq!(indexes, ["id true", "user_id false", "user_id+made false"]);
        assert_eq!(rows("model", &["name", "table"], text), ["Order orders"]);
    }

    #[test]
    fn sqlmodel_takes_only_tables() {
        let text = "from sqlmodel import SQLModel, Field, Relationship\n\
            class HeroBase(SQLModel):\n    salary: float = Field(default=0, index=True)\n    power: int = 0\n\
            class HeroIn(HeroBase):\n    pass\n\
            class Hero(HeroBase, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n\
            \x20   team_id: int = Field(foreign_key='team.id', ondelete='CASCADE')\n    team: 'Team' = Relationship()\n";
        let expected = [
            "Hero salary float false",
            "Hero power integer false",
            "Hero id integer false",
            "Hero team_id integer false",
        ];
        assert_eq!(rows("column", COLUMN, text), expected);
        assert_eq!(rows("relation", &["columns", "target", "on_delete"], text), ["team_id team.id cascade"]);
    }

    #[test]
    fn tables_that_calls_make() {
        let text = "from sqlalchemy import Table, Column, Integer, ForeignKey, MetaData, UniqueConstraint\n\
            links = Table('links', MetaData(), Column('a', Integer, ForeignKey('a.id')), Column('b', Integer, index=True), UniqueConstraint('a', 'b'))\n";
        assert_eq!(rows("column", COLUMN, text), ["links a integer true", "links b integer true"]);
        assert_eq!(rows("relation", &["model", "columns", "target"], text), ["links a a.id"]);
        assert_eq!(rows("index", &["model", "columns", "unique"], text), ["links b false", "links a+b true"]);
    }

    #[test]
    fn django_models() {
        let text = "from django.db import models\n\
            class Timed(models.Model):\n    made = models.DateTimeField(db_index=True)\n\
            \x20   class Meta:\n        abstract = True\n\
            class Order(Timed):\n    price = models.FloatField(null=True)\n\
            \x20   customer = models.ForeignKey('shop.Customer', on_delete=models.CASCADE)\n\
            \x20   tags = models.ManyToManyField('Tag')\n\
            \x20   class Meta:\n        unique_together = [('customer', 'price')]\n\
            \x20       indexes = [models.Index(fields=['-made', 'price'])]\n\
            \x20       constraints = [models.CheckConstraint(check=models.Q(price__gte=0), name='positive')]\n";
        let expected = ["Order made datetime false", "Order price float true", "Order customer other false"];
        assert_eq!(rows("column", COLUMN, text), expected);
        let relations = rows("relation", &["target", "on_delete", "auto_index"], text);
        assert_eq!(relations, ["shop.Customer cascade true"]);
        let mut indexes = rows("index", &["columns", "unique"], text);
        indexes.sort();
        assert_eq!(indexes, ["customer+price true", "made false", "made+price false"]);
        assert_eq!(rows("check", &["model", "text"], text), ["Order positive"]);
    }

    #[test]
    fn tortoise_models() {
        let text = "from tortoise import fields, models\n\
            class Order(models.Model):\n    id = fields.IntField(pk=True)\n    total = fields.FloatField()\n\
            \x20   user = fields.ForeignKeyField('models.User')\n";
        let expected = ["Order id integer false", "Order total float false", "Order user other false"];
        assert_eq!(rows("column", COLUMN, text), expected);
        assert_eq!(rows("relation", &["target", "on_delete"], text), ["models.User cascade"]);
    }

    #[test]
    fn helpers_that_make_columns() {
        let text = "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nColumn = db.Column\n\
            def reference(table, **kw):\n    return db.Column(db.ForeignKey(table), **kw)\n\
            class Note(db.Model):\n    price = Column(db.Float)\n    author_id = reference('users.id')\n";
        assert_eq!(rows("column", &["name", "type"], text), ["price float", "author_id other"]);
        assert_eq!(rows("relation", &["columns"], text), ["author_id"]);
    }

    #[test]
    fn typeorm_entities() {
        let text = "import { Entity, Column, ManyToOne, Index, Unique, PrimaryGeneratedColumn } from 'typeorm'\n\
            @Entity('orders')\n@Unique(['number', 'shop'])\nexport class Order {\n  @PrimaryGeneratedColumn() id: number\n\
            \x20 @Column('float') price: number\n  @Index() @Column({ type: 'varchar', nullable: true }) email: string\n\
            \x20 @ManyToOne(() => User, { onDelete: 'SET NULL' }) user: User\n}\n";
        let store = facts_of(&[("src/order.ts", text)]);
        let rows = |kind: &str, fields: &[&str]| -> Vec<String> {
            store.facts.iter().filter(|fact| &*fact.kind == kind).map(|fact| row(fact, fields)).collect()
        };
        assert_eq!(rows("model", &["name", "table"]), ["Order orders"]);
        let columns = ["Order id other false", "Order price float false", "Order email string true"];
        assert_eq!(rows("column", COLUMN), columns);
        assert_eq!(rows("relation", &["columns", "target", "on_delete"]), ["user User setnull"]);
        let indexes = rows("index", &["columns", "unique"]);
        assert_eq!(indexes, ["number+shop true", "id true", "email false"]);
    }

    #[test]
    fn parts_of_nothing_are_dropped() {
        let text = "from sqlalchemy import Column, Float\nloose = Column(Float)\n";
        assert!(of_kind("column", text).is_empty());
    }
}
