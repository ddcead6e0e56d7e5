//! Response headers that stand in lists and objects, and what they and callbacks say about other origins.

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::names::{last_name, shape};
use crate::facts::graph::Callable;
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Data, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::project::Span;
use crate::syntax::hir::{
    BinaryOp, ContextKind, Definition, ExprId, ExprKind, Language, LogicalOp, Module, PropKind, SymbolIdx,
};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
/// Expressions that are followed to an alternative of an origin.
const MAX_DEPTH: u8 = 6;

/// Adds `header` facts of configuration, and `cors` facts of headers; looks into callbacks that decide on origins.
pub fn headers(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let program = evaluator.program;
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    for module in program.ids() {
        if !is_audited(program.project.file(program.loaded(module).file).area) {
            continue;
        }
        let hir = program.module(module);
        for (index, expr) in hir.exprs.iter().enumerate() {
            if let ExprKind::Object(_) = expr.kind {
                let at = ExprRef { module, expr: ExprId(u32::try_from(index).unwrap_or(u32::MAX)) };
                listed_headers(evaluator, at, &mut seen, &mut found);
                object_headers(evaluator, at, &mut found);
            }
        }
    }
    spell_constants(raws);
    set_by_hand(evaluator, raws, &mut found);
    decided_by_code(evaluator, raws, &mut found);
    raws.extend(found);
}

fn member(module: &Module, object: ExprRef, name: &str) -> Option<ExprRef> {
    let ExprKind::Object(run) = module.kind(object.expr) else { return None };
    let found = module.object(run).iter().rev().find(|p| p.key.is_some_and(|key| module.str(key) == name))?;
    Some(ExprRef { module: object.module, expr: found.value })
}

/// `{ source: "/api/:path*", headers: [{ key, value }] }`
fn listed_headers(evaluator: &mut Evaluator<'_>, at: ExprRef, seen: &mut FxHashSet<ExprRef>, out: &mut Vec<Raw>) {
    let module = evaluator.program.module(at.module);
    let (Some(source), Some(list)) = (member(module, at, "source"), member(module, at, "headers")) else { return };
    let path = evaluator.value(source);
    let mut items = Vec::new();
    list_items(evaluator, list, &mut items, 0);
    let mut entries = Vec::new();
    for item in items {
        let module = evaluator.program.module(item.module);
        let (Some(key), Some(value)) = (member(module, item, "key"), member(module, item, "value")) else { continue };
        if let Some(name) = evaluator.constant_text(key) {
            entries.push((item, name, evaluator.value(value)));
        }
    }
    let credentials = entries.iter().any(|(_, name, value)| allows_credentials(name, value));
    for (item, name, value) in entries {
        if !seen.insert(item) {
            continue;
        }
        if name.eq_ignore_ascii_case(ALLOW_ORIGIN) {
            out.push(cors(evaluator, item, value.clone(), credentials, path.clone()));
        }
        let fields = vec![("name", Value::text(name)), ("value", value), ("path", path.clone())];
        out.push(shape(evaluator.program, "header", item, fields));
    }
}

/// The objects of a list, through variables and spreads.
fn list_items(evaluator: &mut Evaluator<'_>, at: ExprRef, out: &mut Vec<ExprRef>, depth: u8) {
    if depth > MAX_DEPTH || out.len() > 128 {
        return;
    }
    for thing in evaluator.things(at) {
        let Thing::Data(data) = thing else { continue };
        let module = evaluator.program.module(data.module);
        match module.kind(data.expr) {
            ExprKind::Array(run) => {
                for item in module.list(run) {
                    list_items(evaluator, ExprRef { module: data.module, expr: item }, out, depth + 1);
                }
            }
            ExprKind::Object(_) => out.push(data),
            _ => {}
        }
    }
}

/// `{ "Access-Control-Allow-Origin": "*", … }` that is handed to a response or holds more headers of the sort.
fn object_headers(evaluator: &mut Evaluator<'_>, at: ExprRef, out: &mut Vec<Raw>) {
    let module = evaluator.program.module(at.module);
    let ExprKind::Object(run) = module.kind(at.expr) else { return };
    let named: Vec<(&str, ExprId)> = module
        .object(run)
        .iter()
        .filter(|prop| prop.kind == PropKind::Value)
        .filter_map(|prop| Some((module.str(prop.key?), prop.value)))
        .filter(|(name, _)| name.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("access-control-")))
        .collect();
    let Some(&(_, origin)) = named.iter().find(|(name, _)| name.eq_ignore_ascii_case(ALLOW_ORIGIN)) else { return };
    if named.len() < 2 && !is_given_to_a_response(module, at.expr) {
        return;
    }
    let here = |expr| ExprRef { module: at.module, expr };
    let credentials = named.iter().any(|&(name, value)| allows_credentials(name, &evaluator.value(here(value))));
    let value = evaluator.value(here(origin));
    let value = reflected_or_listed(evaluator, here(origin), value);
    out.push(cors(evaluator, here(origin), value, credentials, Value::ABSENT));
}

fn is_given_to_a_response(module: &Module, expr: ExprId) -> bool {
    let mut child = expr;
    for _ in 0..4 {
        let Some(parent) = module.expr(child).parent.some() else { return false };
        if let Some((callee, _)) = module.call(parent) {
            return matches!(
                last_name(module, callee),
                "Response" | "NextResponse" | "json" | "next" | "redirect" | "writeHead" | "set"
            );
        }
        child = parent;
    }
    false
}

fn allows_credentials(name: &str, value: &Value) -> bool {
    name.eq_ignore_ascii_case(ALLOW_CREDENTIALS) && is_true(value)
}

fn is_true(value: &Value) -> bool {
    value.data == Data::Bool(true) || value.as_text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn cors(evaluator: &Evaluator<'_>, at: ExprRef, origin: Value, credentials: bool, path: Value) -> Raw {
    let fields = vec![("origin", origin), ("credentials", Value::bool(credentials)), ("path", path)];
    shape(evaluator.program, "cors", at, fields)
}

/// `res.setHeader("Access-Control-Allow-Origin", …)`, with the credentials of the same function.
/// Names of constants as the names of headers: `X_FRAME_OPTIONS` is `X-FRAME-OPTIONS`.
fn spell_constants(raws: &mut [Raw]) {
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "header") {
        let is_constant =
            |name: &&str| name.contains('_') && !name.contains(|letter: char| letter.is_ascii_lowercase());
        if let Some(name) = raw.text("name").filter(is_constant).map(|name| name.replace('_', "-")) {
            raw.set("name", Value::text(name));
        }
    }
}

fn set_by_hand(evaluator: &mut Evaluator<'_>, raws: &[Raw], out: &mut Vec<Raw>) {
    let set: Vec<&Raw> = raws.iter().filter(|raw| &*raw.kind == "header").collect();
    for raw in &set {
        if !raw.text("name").is_some_and(|name| name.eq_ignore_ascii_case(ALLOW_ORIGIN)) {
            continue;
        }
        let credentials = set.iter().any(|other| {
            let same = other.at.module == raw.at.module && other.function == raw.function;
            same && other
                .text("name")
                .is_some_and(|name| other.get("value").is_some_and(|value| allows_credentials(name, value)))
        });
        let value = raw.get("value").cloned().unwrap_or(Value::UNKNOWN);
        let value = match evaluator.argument(raw.at, 1) {
            Some(argument) => reflected_or_listed(evaluator, argument, value),
            None => value,
        };
        // `null` lets nobody in on purpose.
        if !matches!(value.data, Data::Null) {
            out.push(cors(evaluator, raw.at, value, credentials, Value::ABSENT));
        }
    }
}

/// The request's own origin, let in as it is or after a look into a list.
fn reflected_or_listed(evaluator: &mut Evaluator<'_>, at: ExprRef, value: Value) -> Value {
    if !value.origins.has(Origins::REQUEST) || !value.is_unknown() {
        return value;
    }
    let origin = evaluator.origin(at);
    let chosen = matches!(evaluator.program.kind(origin), ExprKind::Conditional { test, .. }
        if looks_up(evaluator.program.module(origin.module), test));
    if chosen || is_looked_up_before(evaluator.program.module(at.module), at.expr) { listed() } else { reflected() }
}

fn reflected() -> Value {
    Value { data: Data::Unknown, origins: Origins::REFLECTED }
}

fn listed() -> Value {
    Value { data: Data::List(Vec::new().into()), origins: Origins::ALLOW_LISTED }
}

/// Some test around the expression, or one that leaves the function, asks about more than presence.
fn is_looked_up_before(module: &Module, expr: ExprId) -> bool {
    let function = module.function_of(expr);
    let around = module.contexts_of(expr).any(|(_, context)| match context.kind {
        ContextKind::Then(test) | ContextKind::Else(test) => looks_up(module, test),
        _ => false,
    });
    around
        || module.contexts.iter().any(|context| match context.kind {
            ContextKind::Then(test) => {
                context.function == function
                    && context.exits
                    && module.expr(test).end <= module.expr(expr).start
                    && looks_up(module, test)
            }
            _ => false,
        })
}

/// Does a test compare with something or ask a list (`allowed.includes(origin)`), rather than for presence?
fn looks_up(module: &Module, test: ExprId) -> bool {
    match module.kind(test) {
        ExprKind::Not(inner) | ExprKind::Unary(inner) | ExprKind::Await(inner) => looks_up(module, inner),
        ExprKind::Logical { left, right, .. } => looks_up(module, left) || looks_up(module, right),
        // `req.get("origin")` only reads.
        ExprKind::Call { args, .. } => module.list(args).any(|arg| module.literal(arg).is_none()),
        ExprKind::Binary {
            op: BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In | BinaryOp::Compare,
            left,
            right,
        } => {
            let names = [last_name(module, left), last_name(module, right)];
            let empty = [left, right].iter().any(|&side| {
                matches!(module.kind(side), ExprKind::Null | ExprKind::Undefined) || module.literal(side) == Some("")
            });
            !empty && !names.contains(&"method")
        }
        _ => false,
    }
}

/// A list that stands in for one that comes from elsewhere (`const { origins = [] } = await settings()`).
fn is_empty_list(value: &Value) -> bool {
    matches!(&value.data, Data::List(items) if items.is_empty())
}

/// Options that a callback gives, origins that one decides on, and origins with more than one alternative.
fn decided_by_code(evaluator: &mut Evaluator<'_>, raws: &mut [Raw], out: &mut Vec<Raw>) {
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "cors") {
        if let Some(path) = mounted_at(evaluator, raw.at) {
            raw.set("path", path);
        }
        let mut decides = raw.refs("decides").first().copied();
        if let Some(first) = evaluator.argument(raw.at, 0)
            && let Some(function) = function_of(evaluator, first)
        {
            let options = given_options(evaluator, function);
            let of = |name| options.and_then(|at| member(evaluator.program.module(at.module), at, name));
            let (origin, credentials) = (of("origin"), of("credentials"));
            raw.set("origin", origin.map_or(Value::UNKNOWN, |at| evaluator.value(at)));
            raw.set("credentials", credentials.map_or(Value::UNKNOWN, |at| evaluator.value(at)));
            decides = origin;
        }
        let Some(at) = decides else { continue };
        show_at_setting(evaluator, raw, at);
        let open = open_alternative(evaluator, at, 0);
        if open.is_none()
            && let Some(function) = function_of(evaluator, at)
        {
            raw.set("origin", decision(evaluator, function));
            continue;
        }
        let unsettled = raw.get("origin").is_some_and(|value| value.is_unknown() || is_empty_list(value));
        if unsettled && let Some(open) = open {
            let credentials = raw.get("credentials").cloned().unwrap_or(Value::ABSENT);
            let mut other = cors(evaluator, open, literal_value(evaluator, open), false, Value::ABSENT);
            other.set("credentials", credentials);
            other.certain = Confidence::Medium;
            out.push(other);
            if raw.get("origin").is_some_and(|value| !value.origins.has(Origins::REQUEST)) {
                raw.set("origin", listed());
            }
        }
    }
}

/// Origins that a class of settings in another file lists are shown there: that is what has to change.
fn show_at_setting(evaluator: &mut Evaluator<'_>, raw: &mut Raw, decides: ExprRef) {
    let program = evaluator.program;
    if program.module(decides.module).language != Language::Python {
        return;
    }
    if let [Thing::Data(list)] = evaluator.things(decides).as_slice()
        && list.module != decides.module
    {
        let loaded = program.loaded(list.module);
        let expr = loaded.module.expr(list.expr);
        raw.span = Span { file: loaded.file, start: expr.start, end: expr.end };
    }
}

/// The path beside a middleware: `app.use("/api", cors())`.
fn mounted_at(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<Value> {
    let module = evaluator.program.module(at.module);
    let call = module.expr(at.expr).parent.some()?;
    let first = module.call(call).and_then(|(_, args)| module.list(args).next()).filter(|&first| first != at.expr)?;
    let value = evaluator.value(ExprRef { module: at.module, expr: first });
    value.as_text().is_some().then_some(value)
}

fn literal_value(evaluator: &Evaluator<'_>, at: ExprRef) -> Value {
    match evaluator.program.kind(at) {
        ExprKind::Bool(value) => Value::bool(value),
        _ => Value::text("*"),
    }
}

fn function_of(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<FunctionRef> {
    evaluator.callables(at).into_iter().find_map(|callable| match callable {
        Callable::Function(function) => Some(function),
        _ => None,
    })
}

/// The calls of a function's parameter inside it, with their arguments.
fn calls_of_parameter(module: &Module, function: FunctionRef, index: usize) -> Vec<Vec<ExprId>> {
    let Some(symbol) = module.function(function.function).parameters.get(index).and_then(|p| p.symbol.some()) else {
        return Vec::new();
    };
    let reads = &module.symbol(symbol).reads;
    reads
        .iter()
        .filter_map(|&read| {
            let (callee, args) = module.call(module.expr(read).parent.some()?)?;
            (callee == read).then(|| module.list(args).collect())
        })
        .collect()
}

/// The object that a callback of options hands on: `callback(null, { origin, credentials })`, or what it returns.
fn given_options(evaluator: &mut Evaluator<'_>, function: FunctionRef) -> Option<ExprRef> {
    let module = evaluator.program.module(function.module);
    let handed = calls_of_parameter(module, function, 1).into_iter().filter_map(|args| args.get(1).copied());
    let given: Vec<ExprId> = handed.chain(module.function(function.function).returns.iter().copied()).collect();
    given.into_iter().find_map(|expr| {
        evaluator.things(ExprRef { module: function.module, expr }).into_iter().find_map(|thing| match thing {
            Thing::Data(data) if matches!(evaluator.program.kind(data), ExprKind::Object(_)) => Some(data),
            _ => None,
        })
    })
}

/// `(origin, callback) => …`: everything is let in unless some way refuses.
fn decision(evaluator: &Evaluator<'_>, function: FunctionRef) -> Value {
    let module = evaluator.program.module(function.module);
    let entry = module.function(function.function);
    let asked = entry.parameters.first().and_then(|p| p.symbol.some());
    let mut answers: Vec<ExprId> = Vec::new();
    let mut refuses = !entry.throws.is_empty();
    for args in calls_of_parameter(module, function, 1) {
        let error = args.first().is_some_and(|&e| !matches!(module.kind(e), ExprKind::Null | ExprKind::Undefined));
        refuses |= error;
        answers.extend(args.get(1).copied());
    }
    if answers.is_empty() && !refuses {
        answers.extend(entry.returns.iter().copied());
    }
    refuses |= answers.iter().any(|&answer| !lets_in(module, answer, asked));
    match (refuses, answers.is_empty()) {
        (true, _) => listed(),
        (false, false) => reflected(),
        (false, true) => Value::UNKNOWN,
    }
}

/// `true`, `"*"`, or the origin itself.
fn lets_in(module: &Module, answer: ExprId, asked: Option<SymbolIdx>) -> bool {
    match module.kind(answer) {
        ExprKind::Bool(value) => value,
        ExprKind::Ident(symbol) => Some(symbol) == asked,
        ExprKind::Logical { op: LogicalOp::Or | LogicalOp::Nullish, left, right } => {
            lets_in(module, left, asked) && lets_in(module, right, asked)
        }
        _ => module.literal(answer) == Some("*"),
    }
}

/// The wildcard among what an origin may be, if the environment does not choose.
fn open_alternative(evaluator: &mut Evaluator<'_>, at: ExprRef, depth: u8) -> Option<ExprRef> {
    if depth > MAX_DEPTH {
        return None;
    }
    let module = evaluator.program.module(at.module);
    let here = |expr| ExprRef { module: at.module, expr };
    let mut next: Vec<ExprRef> = Vec::new();
    match module.kind(at.expr) {
        ExprKind::Bool(true) => return Some(at),
        ExprKind::Str(_) => return (module.literal(at.expr) == Some("*")).then_some(at),
        ExprKind::Conditional { test, branches } => {
            if evaluator.value(here(test)).origins.has(Origins::PROD) {
                return None;
            }
            next.extend(module.list(branches).map(here));
        }
        ExprKind::Logical { op: LogicalOp::Or | LogicalOp::Nullish, right, .. } => next.push(here(right)),
        ExprKind::Call { callee, .. } => {
            let function = function_of(evaluator, here(callee))?;
            let returns = &evaluator.program.module(function.module).function(function.function).returns;
            next.extend(returns.iter().take(8).map(|&expr| ExprRef { module: function.module, expr }));
        }
        ExprKind::Ident(symbol) => next.extend(initial(module, at.module, symbol)),
        _ => {}
    }
    next.into_iter().find_map(|at| open_alternative(evaluator, at, depth + 1))
}

fn initial(module: &Module, id: ModuleId, symbol: SymbolIdx) -> Option<ExprRef> {
    match &module.symbol(symbol).definition {
        Definition::Variable { init, steps, .. } if steps.is_empty() => {
            init.some().map(|expr| ExprRef { module: id, expr })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::{Fact, Origins, Value};

    fn of_kind(kind: &str, path: &str, text: &str) -> Vec<Fact> {
        let store =
            facts_of(&[("package.json", r#"{ "dependencies": { "next": "^15", "express": "^4" } }"#), (path, text)]);
        store.facts.iter().filter(|fact| &*fact.kind == kind).cloned().collect()
    }

    /// The first origin that a server lets in by these options of `cors`.
    fn origin(options: &str) -> Value {
        let text = format!(
            "import express from 'express'\nimport cors from 'cors'\nconst LIST = ['https://shop.test']\nconst app = express()\n\
            app.use(cors({{ origin: {options}, credentials: true }}))\napp.listen(3000)"
        );
        let facts = of_kind("cors", "src/server.ts", &text);
        facts.first().and_then(|fact| fact.get("origin")).cloned().unwrap_or_default()
    }

    #[test]
    fn configuration_lists_headers_by_path() {
        let text = "module.exports = { async headers() { return [{ source: '/api/:path*', headers: [\n\
            { key: 'X-Frame-Options', value: 'DENY' }, { key: 'Access-Control-Allow-Origin', value: '*' }] }] } }";
        let header = of_kind("header", "next.config.js", text);
        let frame = header.iter().find(|fact| fact.get("name") == Some(&Value::text("X-Frame-Options"))).unwrap();
        assert_eq!(frame.get("path"), Some(&Value::text("/api/:path*")));
        let cors = of_kind("cors", "next.config.js", text);
        assert_eq!(cors.len(), 1);
        assert_eq!(cors[0].get("origin"), Some(&Value::text("*")));
    }

    #[test]
    fn a_callback_that_refuses_nobody_reflects() {
        assert!(origin("(asked, done) => done(null, true)").origins.has(Origins::REFLECTED));
        assert!(origin("(asked, done) => done(null, asked)").origins.has(Origins::REFLECTED));
    }

    #[test]
    fn a_callback_that_asks_a_list_does_not() {
        let listed = origin("(asked, done) => (LIST.includes(asked) ? done(null, true) : done(new Error('no')))");
        assert!(!listed.origins.has(Origins::REFLECTED));
    }
}
