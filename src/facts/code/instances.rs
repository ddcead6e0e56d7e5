//! Fields of rows that Python sets on instances: `user.password = …`, `User(password=…)`.
//!
//! In go the columns that models declare, out comes a `stored` fact at each value that such a column is given.

use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::Raw;
use super::stored::{Assignments, TOLD, field};
use crate::facts::graph::is_audited;
use crate::facts::model::{Origins, Value};
use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, Language, PropKind};

/// The columns that hold text, by model.
#[derive(Default)]
struct Columns {
    of_model: FxHashMap<String, FxHashSet<String>>,
    /// Of any model.
    names: FxHashSet<String>,
}

impl Columns {
    fn has(&self, model: &str, column: &str) -> bool {
        self.of_model.get(model).is_some_and(|own| own.contains(column))
    }
}

/// A value that a column of a model is given.
struct Given {
    model: String,
    /// Where the model stands.
    home: ModuleId,
    column: String,
    value: ExprRef,
}

/// Adds a `stored` fact for each text column that is set on an instance.
/// `hashing_homes`: modules whose models hash what they are given.
pub(super) fn given_fields(
    evaluator: &mut Evaluator<'_>,
    raws: &[Raw],
    assigned: &mut Assignments,
    hashing_homes: &FxHashSet<ModuleId>,
) -> Vec<Raw> {
    let columns = text_columns(raws);
    let mut given = Vec::new();
    if columns.names.is_empty() {
        return Vec::new();
    }
    for module in evaluator.program.ids() {
        let loaded = evaluator.program.loaded(module);
        let is_read = is_audited(evaluator.program.project.file(loaded.file).area);
        if loaded.module.language == Language::Python && is_read {
            of_module(evaluator, module, &columns, &mut given);
        }
    }
    let hashing: FxHashSet<(String, String)> = given
        .iter()
        .filter(|one| evaluator.value(one.value).origins.has(Origins::HASHED))
        .map(|one| (one.model.clone(), one.column.clone()))
        .collect();
    let facts = given.iter().map(|one| {
        // `user.hash_password()` afterwards replaces what came in.
        let hashed = hashing_homes.contains(&one.home) || hashing.contains(&(one.model.clone(), one.column.clone()));
        let mut fact = field(evaluator, assigned, (&one.column, one.value), &Value::text(one.model.as_str()), hashed);
        // What callers hand in may have been hashed by them.
        let told = TOLD.with(Origins::REQUEST);
        if fact.get("value").is_some_and(|value| value.is_unknown() && !value.origins.has(told)) {
            fact.set("value", Value::UNKNOWN);
        }
        fact
    });
    facts.collect()
}

fn text_columns(raws: &[Raw]) -> Columns {
    let mut columns = Columns::default();
    for raw in raws.iter().filter(|raw| &*raw.kind == "column" && raw.text("type") == Some("string")) {
        if let (Some(model), Some(name)) = (raw.text("model"), raw.text("name")) {
            columns.of_model.entry(model.to_owned()).or_default().insert(name.to_owned());
            columns.names.insert(name.to_owned());
        }
    }
    columns
}

fn of_module(evaluator: &mut Evaluator<'_>, module: ModuleId, columns: &Columns, out: &mut Vec<Given>) {
    let hir = evaluator.program.module(module);
    let here = |expr| ExprRef { module, expr };
    let is_column = |name: &str| columns.names.contains(name);
    for (index, expr) in hir.exprs.iter().enumerate() {
        match expr.kind {
            ExprKind::Assign { target, value, .. } => {
                let ExprKind::Member { object, name } = hir.kind(target) else { continue };
                let name = hir.str(name);
                if is_column(name)
                    && let Some((home, model)) = instance_of(evaluator, here(object), columns, name)
                {
                    out.push(Given { model, home, column: name.to_owned(), value: here(value) });
                }
            }
            ExprKind::Call { callee, args } => {
                let Some(ExprKind::Object(run)) = hir.keywords(args).map(|keywords| hir.kind(keywords)) else {
                    continue;
                };
                let named = hir.object(run).iter().filter(|prop| prop.kind == PropKind::Value);
                let named = named.filter_map(|prop| Some((hir.str(prop.key?), prop.value)));
                let named: Vec<(&str, ExprId)> = named.filter(|(name, _)| is_column(name)).collect();
                if named.is_empty() {
                    continue;
                }
                let made = here(ExprId(u32::try_from(index).unwrap_or(u32::MAX)));
                let Some((home, model)) = made_by(evaluator, made, callee, columns) else { continue };
                for (name, value) in named.into_iter().filter(|(name, _)| columns.has(&model, name)) {
                    out.push(Given { model: model.clone(), home, column: name.to_owned(), value: here(value) });
                }
            }
            _ => {}
        }
    }
}

/// The model that an expression is a row of, if it has that column.
fn instance_of(
    evaluator: &mut Evaluator<'_>,
    at: ExprRef,
    columns: &Columns,
    column: &str,
) -> Option<(ModuleId, String)> {
    let things = evaluator.things(at);
    things.into_iter().find_map(|thing| match thing {
        Thing::Instance(module, class) => {
            let model = name_of(evaluator, module, class)?;
            columns.has(&model, column).then_some((module, model))
        }
        _ => None,
    })
}

/// The model whose row a call makes, unless the model's own constructor says what becomes of the arguments.
fn made_by(
    evaluator: &mut Evaluator<'_>,
    made: ExprRef,
    callee: ExprId,
    columns: &Columns,
) -> Option<(ModuleId, String)> {
    let things = evaluator.things(ExprRef { module: made.module, expr: callee });
    things.into_iter().find_map(|thing| match thing {
        Thing::Class(module, class) if evaluator.program.module(module).class(class).constructor.some().is_none() => {
            let model = name_of(evaluator, module, class).filter(|model| columns.of_model.contains_key(model))?;
            Some((module, model))
        }
        _ => None,
    })
}

fn name_of(evaluator: &Evaluator<'_>, module: ModuleId, class: ClassIdx) -> Option<String> {
    let hir = evaluator.program.module(module);
    hir.class(class).name.map(|name| hir.str(name).to_owned())
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::{Origins, Value};

    /// Each stored password: whether it was hashed before, whether the model hashes it.
    fn passwords(body: &str) -> Vec<(bool, bool)> {
        let text = format!(
            "from flask import Flask, request\nfrom flask_sqlalchemy import SQLAlchemy\n\
            from werkzeug.security import generate_password_hash\napp = Flask(__name__)\ndb = SQLAlchemy(app)\n{body}"
        );
        let store = facts_of(&[("requirements.txt", "flask\nflask-sqlalchemy\n"), ("app.py", &text)]);
        let stored = store.facts.iter().filter(|fact| &*fact.kind == "stored");
        let row = |fact: &crate::facts::Fact| {
            let hashed = fact.get("value").is_some_and(|value| value.origins.has(Origins::HASHED));
            (hashed, fact.get("hashed_on_write") == Some(&Value::bool(true)))
        };
        stored.map(row).collect()
    }

    const MODEL: &str = "class User(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n    password = db.Column(db.String(80))\n";

    #[test]
    fn what_a_constructor_is_given_is_stored() {
        let body = format!(
            "{MODEL}@app.post('/a')\ndef a():\n    db.session.add(User(password=request.json['password']))\n\
            @app.post('/b')\ndef b():\n    db.session.add(Note(password='x'))\n"
        );
        assert_eq!(passwords(&body), [(false, false)]);
    }

    #[test]
    fn a_constructor_of_its_own_says_what_is_stored() {
        let init = "    def __init__(self, password):\n        self.password = generate_password_hash(password)\n";
        let body = format!(
            "{MODEL}{init}@app.post('/a')\ndef a():\n    db.session.add(User(password=request.json['password']))\n"
        );
        assert_eq!(passwords(&body), [(true, true)]);
    }

    #[test]
    fn a_model_that_hashes_its_own_field_stores_no_plain_one() {
        let method = "    def protect(self):\n        self.password = generate_password_hash(self.password)\n";
        let body = format!(
            "{MODEL}{method}@app.post('/a')\ndef a():\n    user = User(password=request.json['password'])\n    user.protect()\n"
        );
        assert!(passwords(&body).iter().all(|(_, by_model)| *by_model));
    }
}
