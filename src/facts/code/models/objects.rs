//! Models that are declared in code: each property of an object that describes a table or document is a column.
//!
//! Clauses say which calls describe a model (`fact.model` with `shape`), which add an index (`fact.index` with `of`), and
//! what the type names mean (`column_types`).

use rustc_hash::{FxHashMap, FxHashSet};

use super::types::{ColumnType, column_type};
use super::{site_among, truthy};
use crate::facts::code::extract::Raw;
use crate::facts::code::names::shape;
use crate::facts::model::{Data, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Module, PropKind};

/// Objects inside objects are followed this far.
const MAX_DEPTH: u8 = 6;

/// Adds columns, relations and indexes of models, and names models that are named elsewhere.
pub fn schemas(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let models: Vec<usize> = indices(raws, "model").filter(|&i| !raws[i].refs("shape").is_empty()).collect();
    let sites: FxHashSet<ExprRef> = models.iter().map(|&index| raws[index].at).collect();
    let mut names: FxHashMap<ExprRef, String> = FxHashMap::default();
    let mut described: Vec<(usize, ExprRef)> = Vec::new();
    let mut only_named: FxHashSet<usize> = FxHashSet::default();
    for &index in &models {
        let raw = &raws[index];
        match described_by(evaluator, raw.refs("shape")[0], &sites) {
            Some(Described::Object(object)) => described.push((index, object)),
            Some(Described::Site(site)) => {
                if let Some(name) = raw.text("name") {
                    names.entry(site).or_insert_with(|| name.to_owned());
                }
                only_named.insert(index);
            }
            None => {}
        }
    }
    let mut found = Vec::new();
    for (index, object) in described {
        let raw = &mut raws[index];
        let name = raw.text("name").map(str::to_owned).or_else(|| names.get(&raw.at).cloned());
        let name = name.unwrap_or_else(|| variable_name(evaluator.program.module(raw.at.module), raw.at.expr));
        raw.set("name", Value::text(name.as_str()));
        names.insert(raw.at, name.clone());
        let mut reader = Reader { evaluator, model: name, source: raw.clone(), sites: &sites, out: &mut found };
        reader.object(object, "", 0);
    }
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "index") {
        let Some(&of) = raw.refs("of").first() else { continue };
        if let Some(name) = site_among(evaluator, of, &sites).and_then(|site| names.get(&site)) {
            raw.set("model", Value::text(name.as_str()));
        }
    }
    let mut index = 0;
    raws.retain(|_| {
        index += 1;
        !only_named.contains(&(index - 1))
    });
    raws.extend(found);
}

fn indices<'r>(raws: &'r [Raw], kind: &'r str) -> impl Iterator<Item = usize> + 'r {
    raws.iter().enumerate().filter(move |(_, raw)| &*raw.kind == kind).map(|(index, _)| index)
}

enum Described {
    Object(ExprRef),
    /// What another clause has described.
    Site(ExprRef),
}

fn described_by(evaluator: &mut Evaluator<'_>, at: ExprRef, sites: &FxHashSet<ExprRef>) -> Option<Described> {
    if let Some(site) = site_among(evaluator, at, sites) {
        return Some(Described::Site(site));
    }
    evaluator.things(at).into_iter().find_map(|thing| match thing {
        Thing::Data(data) if matches!(evaluator.program.kind(data), ExprKind::Object(_)) => {
            Some(Described::Object(data))
        }
        _ => None,
    })
}

/// The variable that holds a description, without a trailing `Schema`.
fn variable_name(module: &Module, expr: ExprId) -> String {
    let mut root = expr;
    while let Some(parent) = module.expr(root).parent.some() {
        root = parent;
    }
    let symbol =
        module.symbols.iter().find(|s| matches!(s.definition, Definition::Variable { init, .. } if init == root));
    let name = symbol.map_or("", |symbol| module.str(symbol.name));
    let bare = name.strip_suffix("Schema").or_else(|| name.strip_suffix("_schema")).unwrap_or(name);
    if bare.is_empty() { name.to_owned() } else { bare.to_owned() }
}

struct Reader<'e, 'p, 'o> {
    evaluator: &'e mut Evaluator<'p>,
    model: String,
    source: Raw,
    sites: &'o FxHashSet<ExprRef>,
    out: &'o mut Vec<Raw>,
}

impl Reader<'_, '_, '_> {
    /// The properties of a description; `prefix` is the path of an inner one (`items.`).
    fn object(&mut self, at: ExprRef, prefix: &str, depth: u8) {
        let module = self.evaluator.program.module(at.module);
        let ExprKind::Object(run) = module.kind(at.expr) else { return };
        for prop in module.object(run) {
            let value = ExprRef { module: at.module, expr: prop.value };
            match (prop.kind, prop.key) {
                (PropKind::Value, Some(key)) => self.property(module.str(key), value, value, prefix, depth),
                (PropKind::Spread, _) if depth < MAX_DEPTH => {
                    for inner in objects(self.evaluator, value) {
                        self.object(inner, prefix, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// One property, shown at `shown`, described by `at`.
    fn property(&mut self, name: &str, at: ExprRef, shown: ExprRef, prefix: &str, depth: u8) {
        if depth > MAX_DEPTH {
            return;
        }
        if let Some((of, calls)) = column_type(self.evaluator, at) {
            self.column(name, shown, prefix, &of, &Value::ABSENT, &calls);
            return;
        }
        if site_among(self.evaluator, at, self.sites).is_some() {
            return;
        }
        let Some(data) = self.literal(at) else { return };
        let module = self.evaluator.program.module(data.module);
        match module.kind(data.expr) {
            ExprKind::Array(run) => {
                if let Some(item) = module.list(run).next() {
                    self.property(name, ExprRef { module: data.module, expr: item }, shown, prefix, depth + 1);
                }
            }
            ExprKind::Object(_) => match member(module, data, "type") {
                Some(inner) if self.is_inner(inner) => self.nested(name, inner, prefix, depth),
                Some(of) => {
                    let options = self.evaluator.value(data);
                    let of = column_type(self.evaluator, of).map(|(of, _)| of).unwrap_or_default();
                    self.column(name, shown, prefix, &of, &options, &[]);
                }
                None => self.nested(name, data, prefix, depth),
            },
            _ => {}
        }
    }

    fn literal(&mut self, at: ExprRef) -> Option<ExprRef> {
        self.evaluator.things(at).into_iter().find_map(|thing| match thing {
            Thing::Data(data) => Some(data),
            _ => None,
        })
    }

    /// `type: [{ … }]` and `type: { … }` describe what lies inside.
    fn is_inner(&mut self, of: ExprRef) -> bool {
        let module = self.evaluator.program.module(of.module);
        match module.kind(of.expr) {
            ExprKind::Object(_) => true,
            ExprKind::Array(run) => {
                module.list(run).next().is_some_and(|item| matches!(module.kind(item), ExprKind::Object(_)))
            }
            _ => false,
        }
    }

    fn nested(&mut self, name: &str, at: ExprRef, prefix: &str, depth: u8) {
        let module = self.evaluator.program.module(at.module);
        match module.kind(at.expr) {
            ExprKind::Object(_) => self.object(at, &format!("{prefix}{name}."), depth + 1),
            _ => self.property(name, at, at, prefix, depth + 1),
        }
    }

    fn column(&mut self, name: &str, at: ExprRef, prefix: &str, of: &ColumnType<'_>, options: &Value, calls: &[&str]) {
        let is = |name: &str| truthy(&options.field(name));
        let primary = is("primaryKey") || is("primary") || calls.contains(&"primaryKey");
        let unique = primary || is("unique") || calls.contains(&"unique");
        let required =
            is("required") || options.field("allowNull").data == Data::Bool(false) || calls.contains(&"notNull");
        let path = format!("{prefix}{name}");
        let target = options.field("ref");
        if !target.is_absent() {
            self.push(
                "relation",
                at,
                vec![
                    ("model", Value::text(self.model.as_str())),
                    ("columns", Value::texts([path.as_str()])),
                    ("target", target),
                    ("auto_index", Value::bool(false)),
                    ("provider", self.source.get("provider").cloned().unwrap_or(Value::ABSENT)),
                ],
            );
        }
        if unique || is("index") {
            self.push(
                "index",
                at,
                vec![
                    ("model", Value::text(self.model.as_str())),
                    ("columns", Value::texts([path.as_str()])),
                    ("unique", Value::bool(unique)),
                    ("partial", Value::ABSENT),
                ],
            );
        }
        let model = match prefix.strip_suffix('.') {
            Some(inner) => format!("{}.{inner}", self.model),
            None => self.model.clone(),
        };
        self.push(
            "column",
            at,
            vec![
                ("model", Value::text(model)),
                ("name", Value::text(name)),
                ("type", Value::text(of.kind())),
                ("zoned", of.zoned.clone()),
                ("primary", Value::bool(primary)),
                ("unique", Value::bool(unique)),
                ("nullable", Value::bool(!required)),
                ("default", options.field("default")),
            ],
        );
    }

    fn push(&mut self, kind: &str, at: ExprRef, fields: Vec<(&str, Value)>) {
        let mut raw = shape(self.evaluator.program, kind, at, fields);
        raw.stack = self.source.stack;
        raw.certain = self.source.certain;
        self.out.push(raw);
    }
}

pub(super) fn member(module: &Module, object: ExprRef, name: &str) -> Option<ExprRef> {
    let ExprKind::Object(run) = module.kind(object.expr) else { return None };
    let found = module.object(run).iter().rev().find(|p| p.key.is_some_and(|key| module.str(key) == name))?;
    Some(ExprRef { module: object.module, expr: found.value })
}

pub(super) fn objects(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<ExprRef> {
    let things = evaluator.things(at);
    things.into_iter().filter_map(|thing| if let Thing::Data(data) = thing { Some(data) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::{Fact, Value};

    fn of_kind(kind: &str, text: &str) -> Vec<Fact> {
        let store = facts_of(&[("src/models.ts", text)]);
        store.facts.iter().filter(|fact| &*fact.kind == kind).cloned().collect()
    }

    fn column<'f>(facts: &'f [Fact], name: &str) -> &'f Fact {
        facts.iter().find(|fact| fact.get("name") == Some(&Value::text(name))).unwrap()
    }

    #[test]
    fn columns_have_the_types_of_their_library() {
        let text = "import { pgTable, real, text, integer } from 'drizzle-orm/pg-core'\n\
            export const orders = pgTable('orders', { id: integer('id').primaryKey(), total: real('total').notNull(), note: text('note').unique() })";
        let columns = of_kind("column", text);
        assert_eq!(column(&columns, "total").get("type"), Some(&Value::text("float")));
        assert_eq!(column(&columns, "id").get("primary"), Some(&Value::bool(true)));
        assert_eq!(column(&columns, "id").get("unique"), Some(&Value::bool(true)));
        assert_eq!(column(&columns, "note").get("unique"), Some(&Value::bool(true)));
        assert_eq!(column(&columns, "total").get("unique"), Some(&Value::bool(false)));
    }

    #[test]
    fn documents_refer_to_others_and_hold_others() {
        let text = "import mongoose from 'mongoose'\n\
            const schema = new mongoose.Schema({ user: { type: mongoose.Schema.Types.ObjectId, ref: 'User' }, items: [{ price: Number }] })\n\
            export const Order = mongoose.model('Order', schema)";
        let relations = of_kind("relation", text);
        assert_eq!(relations.len(), 1);
        assert_eq!(relations[0].get("target"), Some(&Value::text("User")));
        let columns = of_kind("column", text);
        assert_eq!(column(&columns, "price").get("type"), Some(&Value::text("js-number")));
        assert_eq!(column(&columns, "price").get("model"), Some(&Value::text("Order.items")));
    }
}
