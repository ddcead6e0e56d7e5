//! Environment variables: is each checked at start-up, are defaults refused, and is there one schema for all?

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::names::shape;
use super::refusals::{Asked, Refusals};
use super::registered::class_around;
use super::roles::{Enforced, thrown};
use crate::facts::graph::is_audited;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::values::ITERATORS;
use crate::syntax::hir::{BinaryOp, ContextKind, Definition, ExprId, ExprKind, Module, PropKind};

/// Calls in a chain that makes a schema (`z.object({…}).extend({…}).strict()`).
const MAX_CHAIN: usize = 12;

/// Adds schemas of the environment, and `checked`, `refused`, `converted` and `switch` to every env fact.
pub fn check_env(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let program = evaluator.program;
    let reads: FxHashSet<ExprRef> = raws.iter().filter(|raw| &*raw.kind == "env").map(|raw| raw.at).collect();
    raws.retain(|raw| {
        let module = program.module(raw.at.module);
        &*raw.kind != "env" || !(is_way_to_read(module, raw.at, &reads) || is_kept_elsewhere(evaluator, module, raw))
    });
    let refusals = Refusals::new(evaluator.program, raws);
    let mut found = Vec::new();
    for raw in raws.iter().filter(|raw| &*raw.kind == "role" && raw.text("role") == Some("validate")) {
        found.extend(schema_of_environment(evaluator, &refusals, raw));
    }
    found.extend(computed_reads(evaluator, &refusals));
    let names = names_in_schemas(raws.iter().chain(&found));
    raws.extend(found);
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "env" && &*raw.clause != "shape env") {
        if raw.at.expr == ExprId::NONE {
            continue;
        }
        let by_hand = refusals.refuses(evaluator, raw.at, Asked::Missing);
        let stated = raw.get("checked").is_some_and(|value| value.data == Data::Bool(true));
        let named = stated || raw.text("name").is_some_and(|name| names.known.contains(name));
        let checked = match by_hand || named {
            false if names.more => Value::UNKNOWN,
            checked => Value::bool(checked),
        };
        let default = raw.get("default").and_then(Value::as_text).map(str::to_owned);
        let refused = match default {
            Some(default) => {
                default_refused(evaluator, &refusals, raw.at, &default)
                    || refused_by_class(evaluator.program.module(raw.at.module), raw.at.expr, &default)
            }
            None => by_hand || refusals.refuses(evaluator, raw.at, Asked::Present),
        };
        let converted = stated || is_converted(evaluator, raw.at);
        raw.set("checked", checked);
        raw.set("refused", Value::bool(refused));
        raw.set("converted", Value::bool(converted));
        raw.set("switch", Value::bool(is_switch(evaluator.program.module(raw.at.module), raw.at.expr)));
    }
}

/// `os.environ.get`, which reads no variable called `get`: the call does that reads one.
fn is_way_to_read(module: &Module, at: ExprRef, reads: &FxHashSet<ExprRef>) -> bool {
    let Some(parent) = at.expr.some().and_then(|expr| module.expr(expr).parent.some()) else { return false };
    let is_callee = module.call(parent).is_some_and(|(callee, _)| callee == at.expr);
    is_callee && reads.contains(&ExprRef { module: at.module, expr: parent })
}

/// `config.jwtSecret`: what was read from the environment before, under a name of the program's own.
fn is_kept_elsewhere(evaluator: &mut Evaluator<'_>, module: &Module, raw: &Raw) -> bool {
    let Some(expr) = raw.at.expr.some() else { return false };
    let ExprKind::Member { object, name } = module.kind(expr) else { return false };
    let object = ExprRef { module: raw.at.module, expr: object };
    raw.text("name") == Some(module.str(name))
        && !is_whole_environment(evaluator, object)
        && evaluator.paths_of(raw.at).iter().any(|&path| evaluator.paths.last_name(path) != module.str(name))
}

/// The variables that schemas name.
struct Names {
    known: FxHashSet<String>,
    /// Some schema has names that cannot be told.
    more: bool,
}

fn names_in_schemas<'r>(raws: impl Iterator<Item = &'r Raw>) -> Names {
    let mut names = Names { known: FxHashSet::default(), more: false };
    for raw in raws.filter(|raw| &*raw.kind == "schema" && raw.text("what") == Some("env")) {
        match raw.get("fields") {
            Some(Value { data: Data::List(fields), .. }) => {
                names.known.extend(fields.iter().filter_map(|field| field.as_text().map(str::to_owned)));
            }
            Some(Value { data: Data::Unknown, .. }) => names.more = true,
            _ => {}
        }
    }
    names
}

/// `schema.parse(process.env)`: the schema, and an env fact for every field with a default.
fn schema_of_environment(evaluator: &mut Evaluator<'_>, refusals: &Refusals, raw: &Raw) -> Vec<Raw> {
    let program = evaluator.program;
    let module = program.module(raw.at.module);
    let Some((_, args)) = module.call(raw.at.expr) else { return Vec::new() };
    let arguments: Vec<ExprRef> = module.list(args).map(|expr| ExprRef { module: raw.at.module, expr }).collect();
    let fields = schema_fields(evaluator, raw.at);
    let whole = arguments.into_iter().any(|argument| is_environment(evaluator, argument));
    let handed = is_handed_environment(raw) && fields.is_some();
    if !whole && !handed {
        return Vec::new();
    }
    let exits = match raw.text("fails") {
        Some("throws") => thrown(module, raw.at.expr) == Enforced::Yes || stops_in_catch(refusals, raw, module),
        _ => refusals.refuses(evaluator, raw.at, Asked::Missing) || refusals.refuses(evaluator, raw.at, Asked::Present),
    };
    let names = match &fields {
        Some(fields) => Value::texts(fields.iter().map(|(name, _)| name)),
        None => Value::UNKNOWN,
    };
    let about = vec![("what", Value::text("env")), ("exits", Value::bool(exits)), ("fields", names)];
    let mut found = vec![shape(program, "schema", raw.at, about)];
    for (name, at) in fields.unwrap_or_default() {
        if let Some(default) = default_of(evaluator, at) {
            let fields = vec![
                ("name", Value::text(name)),
                ("default", default),
                ("checked", Value::bool(true)),
                ("refused", Value::bool(false)),
            ];
            found.push(shape(program, "env", at, fields));
        }
    }
    found
}

/// `read(process.env)`, where `read` checks its parameter.
fn is_handed_environment(raw: &Raw) -> bool {
    let origins = raw.get("on").map(|on| on.origins);
    origins.is_some_and(|origins| origins.has(Origins::ENV) && origins.has(Origins::PARAMETER))
}

/// The `catch` around it ends the process.
fn stops_in_catch(refusals: &Refusals, raw: &Raw, module: &Module) -> bool {
    let inside_try = module.contexts_of(raw.at.expr).any(|(_, c)| matches!(c.kind, ContextKind::Try { catches: true }));
    let function = module.function_of(raw.at.expr);
    inside_try
        && module.contexts.iter().enumerate().any(|(index, context)| {
            let id = crate::syntax::hir::ContextId(u32::try_from(index).unwrap_or(u32::MAX));
            context.function == function
                && matches!(context.kind, ContextKind::Catch)
                && refusals.fails(raw.at.module, id)
        })
}

/// `process.env`, under whatever name.
fn is_whole_environment(evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
    evaluator.paths_of(at).into_iter().any(|path| evaluator.is_whole_environment(path))
}

/// The whole environment, or an object that is mostly made of it.
fn is_environment(evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
    if is_whole_environment(evaluator, at) {
        return true;
    }
    for thing in evaluator.things(at) {
        let Thing::Data(data) = thing else { continue };
        let module = evaluator.program.module(data.module);
        let ExprKind::Object(run) = module.kind(data.expr) else { continue };
        let props = module.object(run);
        let from_environment = props.iter().filter(|prop| {
            let value = ExprRef { module: data.module, expr: prop.value };
            match prop.kind {
                PropKind::Spread => is_whole_environment(evaluator, value),
                _ => evaluator.value(value).origins.without(Origins::LITERAL) == Origins::ENV,
            }
        });
        if from_environment.count() * 2 > props.len() {
            return true;
        }
    }
    false
}

/// The fields of the schema that a check belongs to: those of the objects in the chain of calls that makes it.
fn schema_fields(evaluator: &mut Evaluator<'_>, check: ExprRef) -> Option<Vec<(String, ExprRef)>> {
    let mut fields = Vec::new();
    let mut at = receiver(evaluator, check)?;
    for _ in 0..MAX_CHAIN {
        at = evaluator.origin(at);
        let module = evaluator.program.module(at.module);
        let Some((callee, args)) = module.call(at.expr) else { break };
        for argument in module.list(args) {
            for thing in evaluator.things(ExprRef { module: at.module, expr: argument }) {
                let Thing::Data(data) = thing else { continue };
                let hir = evaluator.program.module(data.module);
                let ExprKind::Object(run) = hir.kind(data.expr) else { continue };
                for prop in hir.object(run) {
                    let name = prop.key.filter(|_| prop.kind == PropKind::Value)?;
                    fields.push((hir.str(name).to_owned(), ExprRef { module: data.module, expr: prop.value }));
                }
            }
        }
        match module.kind(callee) {
            ExprKind::Member { object, .. } => at = ExprRef { module: at.module, expr: object },
            _ => break,
        }
    }
    (!fields.is_empty()).then_some(fields)
}

fn receiver(evaluator: &Evaluator<'_>, call: ExprRef) -> Option<ExprRef> {
    let module = evaluator.program.module(call.module);
    match module.kind(module.call(call.expr)?.0) {
        ExprKind::Member { object, .. } => Some(ExprRef { module: call.module, expr: object }),
        _ => None,
    }
}

/// `z.string().default("dev")`
fn default_of(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<Value> {
    let module = evaluator.program.module(at.module);
    let mut expr = at.expr;
    for _ in 0..MAX_CHAIN {
        let (callee, args) = module.call(expr)?;
        let ExprKind::Member { object, name } = module.kind(callee) else { return None };
        if module.str(name) == "default" {
            let default = module.list(args).next()?;
            return Some(evaluator.value(ExprRef { module: at.module, expr: default }));
        }
        expr = object;
    }
    None
}

/// `if (!process.env[name]) throw …` for a list of names, or in a helper that callers give the name.
fn computed_reads(evaluator: &mut Evaluator<'_>, refusals: &Refusals) -> Vec<Raw> {
    let program = evaluator.program;
    let mut found = Vec::new();
    for id in program.ids() {
        if !is_audited(program.project.file(program.loaded(id).file).area) {
            continue;
        }
        let module = program.module(id);
        for (index, expr) in module.exprs.iter().enumerate() {
            let ExprKind::Index { object, index: key } = expr.kind else { continue };
            let at = ExprRef { module: id, expr: ExprId(u32::try_from(index).unwrap_or(u32::MAX)) };
            let key = ExprRef { module: id, expr: key };
            if !is_whole_environment(evaluator, ExprRef { module: id, expr: object })
                || evaluator.value(key).as_text().is_some()
            {
                continue;
            }
            let by_itself = refusals.refuses(evaluator, at, Asked::Missing);
            let exits = by_itself || refused_as_list(evaluator, refusals, at);
            let fields = named_by(evaluator, key).map_or(Value::UNKNOWN, Value::texts);
            let fields = if exits { fields } else { Value::ABSENT };
            let about = vec![("what", Value::text("env")), ("exits", Value::bool(exits)), ("fields", fields)];
            found.push(shape(program, "schema", at, about));
        }
    }
    found
}

/// `const missing = names.filter((name) => !process.env[name]); if (missing.length) throw …`
fn refused_as_list(evaluator: &mut Evaluator<'_>, refusals: &Refusals, at: ExprRef) -> bool {
    let module = evaluator.program.module(at.module);
    let function = FunctionRef { module: at.module, function: module.function_of(at.expr) };
    if evaluator.iterated(function).is_none() && !is_reducer(evaluator, function) {
        return false;
    }
    let callback = module.function(function.function).expr;
    let Some(call) = callback.some().and_then(|callback| module.expr(callback).parent.some()) else { return false };
    let call = ExprRef { module: at.module, expr: call };
    refusals.refuses(evaluator, call, Asked::Present) || refusals.refuses(evaluator, call, Asked::Missing)
}

fn is_reducer(evaluator: &Evaluator<'_>, function: FunctionRef) -> bool {
    list_of_callback(evaluator, function).is_some()
}

/// What the callback of an iteration runs over.
fn list_of_callback(evaluator: &Evaluator<'_>, function: FunctionRef) -> Option<ExprRef> {
    let module = evaluator.program.module(function.module);
    let callback = module.function(function.function).expr.some()?;
    let (callee, _) = module.call(module.expr(callback).parent.some()?)?;
    match module.kind(callee) {
        ExprKind::Member { object, name } if ITERATORS.contains(&module.str(name)) => {
            Some(ExprRef { module: function.module, expr: object })
        }
        _ => None,
    }
}

/// The constant names that a key may be: of a list that is run over, or what callers pass.
fn named_by(evaluator: &mut Evaluator<'_>, key: ExprRef) -> Option<Vec<String>> {
    let program = evaluator.program;
    let module = program.module(key.module);
    let ExprKind::Ident(symbol) = module.kind(key.expr) else { return None };
    let list = match &module.symbol(symbol).definition {
        Definition::Element { of, .. } => ExprRef { module: key.module, expr: *of },
        Definition::Parameter { function, index, .. } => {
            let function = FunctionRef { module: key.module, function: *function };
            match list_of_callback(evaluator, function) {
                Some(list) => list,
                None => return passed_names(evaluator, function, *index as usize),
            }
        }
        _ => return None,
    };
    if let Some(names) = texts(&evaluator.value(list)) {
        return Some(names);
    }
    // The list itself is a parameter: `checkMissing(["DATABASE_URL"])`.
    let ExprKind::Ident(symbol) = program.module(list.module).kind(list.expr) else { return None };
    match &program.module(list.module).symbol(symbol).definition {
        Definition::Parameter { function, index, .. } => {
            let function = FunctionRef { module: list.module, function: *function };
            passed_names(evaluator, function, *index as usize)
        }
        _ => None,
    }
}

fn passed_names(evaluator: &mut Evaluator<'_>, function: FunctionRef, index: usize) -> Option<Vec<String>> {
    let number = evaluator.program.number(function);
    let callers = evaluator.links.callers.get(number.0 as usize)?.clone();
    let mut names = Vec::new();
    for call in callers {
        let value = evaluator.argument(call, index).map(|argument| evaluator.value(argument))?;
        names.extend(texts(&value)?);
    }
    (!names.is_empty()).then_some(names)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match &value.data {
        Data::Text(text) => Some(vec![text.to_string()]),
        Data::List(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
        Data::Record(record) if !record.open => Some(record.fields.iter().map(|(name, _)| name.to_string()).collect()),
        _ => None,
    }
}

/// `if (SECRET === "dev-secret") throw …`: the default is known and start-up refuses it.
fn default_refused(evaluator: &mut Evaluator<'_>, refusals: &Refusals, read: ExprRef, default: &str) -> bool {
    let module = evaluator.program.module(read.module);
    let mut root = read.expr;
    while let Some(parent) = module.expr(root).parent.some() {
        root = parent;
    }
    let holders: Vec<ExprId> = module
        .symbols
        .iter()
        .filter(|s| matches!(s.definition, Definition::Variable { init, .. } if init == root))
        .flat_map(|s| s.reads.iter().copied())
        .collect();
    holders.into_iter().any(|held| {
        let Some(parent) = module.expr(held).parent.some() else { return false };
        let ExprKind::Binary { left, right, .. } = module.kind(parent) else { return false };
        let other = ExprRef { module: read.module, expr: if left == held { right } else { left } };
        let is_default = evaluator.value(other).as_text() == Some(default);
        is_default && refusals.refuses(evaluator, ExprRef { module: read.module, expr: held }, Asked::Present)
    })
}

/// A validator in the class of settings knows the default and throws.
fn refused_by_class(module: &Module, expr: ExprId, default: &str) -> bool {
    let Some(class) = class_around(module, expr) else { return false };
    let class = module.class(class);
    let inside = |start: u32, end: u32| class.start <= start && class.end >= end;
    let throwing = module.functions.iter().filter(|entry| inside(entry.start, entry.end) && !entry.throws.is_empty());
    throwing.into_iter().any(|entry| {
        let mut exprs = module.exprs.iter().enumerate();
        exprs.any(|(index, expr)| {
            let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            entry.start <= expr.start && expr.end <= entry.end && module.literal(id) == Some(default)
        })
    })
}

/// `toNumber(process.env.PORT, 3000)`: a function of the project that tests what it is handed before it returns it.
fn is_converted(evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
    let program = evaluator.program;
    let module = program.module(at.module);
    let Some(parent) = module.expr(at.expr).parent.some() else { return false };
    let Some((callee, args)) = module.call(parent) else { return false };
    let Some(index) = module.list(args).position(|argument| argument == at.expr) else { return false };
    let callees = evaluator.things(ExprRef { module: at.module, expr: callee });
    callees.into_iter().any(|thing| {
        let Thing::Function(function) = thing else { return false };
        let hir = program.module(function.module);
        let entry = hir.function(function.function);
        let symbol = entry.parameters.get(index).and_then(|parameter| parameter.symbol.some());
        let outcomes = entry.returns.len() + entry.throws.len();
        outcomes > 1 && symbol.is_some_and(|symbol| hir.symbol(symbol).reads.iter().any(|&read| is_tested(hir, read)))
    })
}

/// `process.env.TRUST_PROXY === 'true'`: where it is missing, it is off.
fn is_switch(module: &Module, read: ExprId) -> bool {
    let Some(parent) = module.expr(read).parent.some() else { return false };
    let ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual, left, right } = module.kind(parent) else {
        return false;
    };
    let other = if left == read { right } else { left };
    matches!(module.kind(other), ExprKind::Str(_))
}

fn is_tested(module: &Module, read: ExprId) -> bool {
    let mut child = read;
    while let Some(parent) = module.expr(child).parent.some() {
        if matches!(module.kind(parent), ExprKind::Conditional { test, .. } if test == child) {
            return true;
        }
        child = parent;
    }
    module.expr(child).role == crate::syntax::hir::Use::Test
}
