//! Relations that a library loads when they are read: read of the rows of a query in turn, each is a query of its own.
//!
//! In go the queries and relations of the program, out comes a query for every such read in a loop.

use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::Raw;
use super::names::shape;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{ExprRef, ModuleId, Program};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Definition, ExprId, ExprKind, Language, MemberKind, Module, Symbol};

/// Calls and variables between a loop and its query.
const MAX_STEPS: u8 = 8;
const MAX_READS: usize = 24;

/// The relations by the name of the model and their own.
type Relations = FxHashSet<(String, String)>;
/// The models whose rows a query gives, by the call that makes it.
type Queries = FxHashMap<ExprRef, String>;

/// Adds a query for every relation that is first loaded in a loop over the rows of a query.
pub fn lazy_reads(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let relations = relations(evaluator.program, raws);
    let queries: Queries = raws.iter().filter_map(rows_of_query).collect();
    if relations.is_empty() || queries.is_empty() {
        return;
    }
    let program = evaluator.program;
    for module in program.ids().filter(|&module| program.module(module).language == Language::Python) {
        for symbol in &program.module(module).symbols {
            let Definition::Element { of, keys: false, steps } = &symbol.definition else { continue };
            let rows = ExprRef { module, expr: *of };
            if let Some(model) = model_of(evaluator, &queries, rows, 0).filter(|_| steps.is_empty()) {
                raws.extend(reads(program, module, symbol, &model, &relations));
            }
        }
    }
}

/// A query that gives rows and says nothing of what belongs to them.
fn rows_of_query(raw: &Raw) -> Option<(ExprRef, String)> {
    let gives_rows = &*raw.kind == "query" && raw.get("many").is_some_and(|many| many.data == Data::Bool(true));
    let is_plain = raw.get("joined").is_none_or(Value::is_absent);
    (gives_rows && is_plain).then_some(())?;
    Some((raw.at, raw.text("model")?.to_owned()))
}

/// Both ends of the relations that are loaded when they are read.
fn relations(program: &Program<'_>, raws: &[Raw]) -> Relations {
    let mut found = Relations::default();
    let lazy =
        |raw: &&Raw| &*raw.kind == "relationship" && raw.get("lazy").is_some_and(|lazy| lazy.data == Data::Bool(true));
    for raw in raws.iter().filter(lazy) {
        if let Some(own) = member(program.module(raw.at.module), raw.at.expr) {
            found.insert(own);
        }
        if let (Some(back), Some(target)) = (raw.text("back"), raw.text("target")) {
            found.insert((target.rsplit('.').next().unwrap_or(target).to_owned(), back.to_owned()));
        }
    }
    found
}

/// The class whose member an expression is, and the name of that.
fn member(module: &Module, value: ExprId) -> Option<(String, String)> {
    module.classes.iter().find_map(|class| {
        let own =
            class.members.iter().find(|member| matches!(member.kind, MemberKind::Field(field) if field == value))?;
        Some((module.str(class.name?).to_owned(), module.str(own.name).to_owned()))
    })
}

/// The model whose rows an expression gives: through `list(…)`, `session.scalars(…).all()`, a slice, a variable.
fn model_of(evaluator: &mut Evaluator<'_>, queries: &Queries, at: ExprRef, steps: u8) -> Option<String> {
    if steps > MAX_STEPS {
        return None;
    }
    if let Some(model) = queries.get(&at) {
        return Some(model.clone());
    }
    let module = evaluator.program.module(at.module);
    let inner = match module.kind(at.expr) {
        ExprKind::Await(inner) => Some(inner),
        ExprKind::Index { object, .. } => Some(object),
        ExprKind::Ident(_) => {
            let origin = evaluator.origin(at);
            return if origin == at { None } else { model_of(evaluator, queries, origin, steps + 1) };
        }
        ExprKind::Call { callee, args } => {
            if let ExprKind::Member { object, .. } = module.kind(callee) {
                let of = ExprRef { module: at.module, expr: object };
                if let Some(model) = model_of(evaluator, queries, of, steps + 1) {
                    return Some(model);
                }
            }
            module.list(args).next()
        }
        _ => None,
    };
    model_of(evaluator, queries, ExprRef { module: at.module, expr: inner? }, steps + 1)
}

/// The first read of every relation of the variable of a loop.
fn reads(program: &Program<'_>, at: ModuleId, symbol: &Symbol, model: &str, relations: &Relations) -> Vec<Raw> {
    let module = program.module(at);
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for &read in symbol.reads.iter().take(MAX_READS) {
        let Some(parent) = module.expr(read).parent.some() else { continue };
        let ExprKind::Member { object, name } = module.kind(parent) else { continue };
        let name = module.str(name);
        let is_relation = object == read && relations.contains(&(model.to_owned(), name.to_owned()));
        if is_relation && !is_assigned(module, parent) && seen.insert(name) {
            found.push(query(program, ExprRef { module: at, expr: parent }, model, name));
        }
    }
    found
}

fn is_assigned(module: &Module, target: ExprId) -> bool {
    let parent = module.expr(target).parent.some();
    parent.is_some_and(|parent| matches!(module.kind(parent), ExprKind::Assign { target: own, .. } if own == target))
}

fn query(program: &Program<'_>, at: ExprRef, model: &str, name: &str) -> Raw {
    let row = Value { data: Data::Unknown, origins: Origins::LOOP_VARIABLE };
    let fields = vec![("op", Value::text("read")), ("args", row), ("select", Value::text(format!("{model}.{name}")))];
    shape(program, "query", at, fields)
}
