//! The fields that writing queries store, each at the place where its value stands.

use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::Raw;
use super::instances::given_fields;
use super::names::shape;
use crate::facts::graph::Callable;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx, Module, PropKind};

/// Objects in lists and operators (`$set: { … }`) around a field.
const MAX_NESTING: u8 = 3;
/// Members of members that are told apart.
const MAX_MEMBERS: usize = 8;
/// Assignments to one target that are looked at.
const MAX_ASSIGNMENTS: usize = 16;
/// Conversions that leave a text what it was.
const KEEPING: &[&str] = &["trim", "toString", "toLowerCase", "normalize", "String"];

/// What a call makes is told by these.
pub(super) const TOLD: Origins = Origins(
    Origins::HASHED.0
        | Origins::DIGEST.0
        | Origins::RANDOM.0
        | Origins::LITERAL.0
        | Origins::CONSTANT.0
        | Origins::ENV.0
        | Origins::NUMERIC.0,
);

/// Adds a `stored` fact for every field that an object literal hands to a write, or that is set on a row.
pub fn stored_fields(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let hashing = modules_that_hash_on_write(evaluator, raws);
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut assigned = Assignments::default();
    for raw in raws.iter().filter(|raw| &*raw.kind == "query" && raw.text("op") == Some("write")) {
        let hashed = made_in(evaluator, raw).is_some_and(|module| hashing.contains(&module));
        let mut fields = Vec::new();
        for &data in raw.refs("data") {
            collect(evaluator, data, &mut fields, 0);
        }
        let model = raw.get("model").cloned().unwrap_or_default();
        fields.retain(|(_, at)| seen.insert(*at));
        for (name, at) in fields {
            let hashed = hashed || assigned.hashed_around(evaluator, raw.at, &name);
            found.push(field(evaluator, &mut assigned, (&name, at), &model, hashed));
        }
    }
    found.extend(given_fields(evaluator, raws, &mut assigned, &hashing));
    raws.extend(found);
}

/// A `stored` fact of one field, at its value.
pub(super) fn field(
    evaluator: &mut Evaluator<'_>,
    assigned: &mut Assignments,
    (name, at): (&str, ExprRef),
    model: &Value,
    hashed: bool,
) -> Raw {
    let mut value = evaluator.value(at);
    let before = assigned.before(evaluator, at);
    if any_hashed(evaluator, &before) || assigned.hashed_by_callers(evaluator, at) {
        value.origins = value.origins.with(Origins::HASHED);
    }
    // What some function made of it is not what came in.
    if is_made(evaluator, at) {
        value.origins = value.origins.with(Origins::DYNAMIC).without(Origins::REQUEST.with(Origins::PARAMETER));
        // … and what nobody can tell may be a hash or not.
        if !value.origins.has(TOLD) {
            value = Value::UNKNOWN;
        }
    }
    let fields = vec![
        ("field", Value::text(name)),
        ("value", value),
        ("model", model.clone()),
        ("hashed_on_write", Value::bool(hashed)),
    ];
    shape(evaluator.program, "stored", at, fields)
}

/// What is assigned to variables and their members (`password = …`, `req.body.password = …`), by module and target.
#[derive(Default)]
pub(super) struct Assignments {
    modules: FxHashMap<ModuleId, FxHashMap<String, Vec<ExprId>>>,
}

impl Assignments {
    /// What stands before the place, in the same function, on the right of an assignment to what is read there.
    fn before(&mut self, evaluator: &Evaluator<'_>, at: ExprRef) -> Vec<ExprRef> {
        let module = evaluator.program.module(at.module);
        let Some(target) = target(module, at.expr, "") else { return Vec::new() };
        self.given(evaluator, at, &target)
    }

    /// What is assigned before the place, in the same function, to the target.
    fn given(&mut self, evaluator: &Evaluator<'_>, at: ExprRef, target: &str) -> Vec<ExprRef> {
        let module = evaluator.program.module(at.module);
        let known = self.modules.entry(at.module).or_insert_with(|| assignments(module));
        let values = known.get(target).map_or(&[][..], Vec::as_slice).iter().copied();
        let here = |value: &ExprId| {
            module.expr(*value).start < module.expr(at.expr).start
                && module.function_of(*value) == module.function_of(at.expr)
        };
        let values = values.filter(here).take(MAX_ASSIGNMENTS);
        values.map(|expr| ExprRef { module: at.module, expr }).collect()
    }

    /// Does the function that writes hash the field itself: `update.password = await hash(update.password)`?
    fn hashed_around(&mut self, evaluator: &mut Evaluator<'_>, query: ExprRef, field: &str) -> bool {
        let given = self.given(evaluator, query, &format!(".{field}"));
        any_hashed(evaluator, &given)
    }

    /// Is it a field of a parameter that every caller has hashed in what it hands over?
    fn hashed_by_callers(&mut self, evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
        let program = evaluator.program;
        let module = program.module(at.module);
        let ExprKind::Member { object, name } = module.kind(at.expr) else { return false };
        let ExprKind::Ident(symbol) = module.kind(object) else { return false };
        let Definition::Parameter { function, index, .. } = module.symbol(symbol).definition else { return false };
        let number = program.number(FunctionRef { module: at.module, function });
        let callers = evaluator.links.callers.get(number.0 as usize).cloned().unwrap_or_default();
        let mut hashed_at = |call: &ExprRef| {
            let Some(given) = evaluator.argument(*call, index as usize) else { return false };
            let Some(target) = target(program.module(given.module), given.expr, module.str(name)) else { return false };
            let given = self.given(evaluator, given, &target);
            any_hashed(evaluator, &given)
        };
        !callers.is_empty() && callers.len() <= MAX_ASSIGNMENTS && callers.iter().all(&mut hashed_at)
    }
}

fn any_hashed(evaluator: &mut Evaluator<'_>, values: &[ExprRef]) -> bool {
    values.iter().any(|&value| evaluator.value(value).origins.has(Origins::HASHED))
}

/// By target, and by the last name of one behind a dot.
fn assignments(module: &Module) -> FxHashMap<String, Vec<ExprId>> {
    let mut found: FxHashMap<String, Vec<ExprId>> = FxHashMap::default();
    for expr in &module.exprs {
        if let ExprKind::Assign { target: to, value, .. } = expr.kind
            && let Some(target) = target(module, to, "")
        {
            if let ExprKind::Member { name, .. } = module.kind(to) {
                found.entry(format!(".{}", module.str(name))).or_default().push(value);
            }
            found.entry(target).or_default().push(value);
        }
    }
    found
}

/// A variable or a member of one, or that `member` of it, in words that only it has.
fn target(module: &Module, mut expr: ExprId, member: &str) -> Option<String> {
    let mut names = if member.is_empty() { Vec::new() } else { vec![member] };
    loop {
        match module.kind(expr) {
            ExprKind::Member { object, name } if names.len() < MAX_MEMBERS => {
                names.push(module.str(name));
                expr = object;
            }
            ExprKind::Ident(symbol) => {
                names.reverse();
                return Some(format!("{}.{}", symbol.0, names.join(".")));
            }
            _ => return None,
        }
    }
}

fn is_made(evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
    let origin = evaluator.origin(at);
    is_made_by_call(evaluator.program.module(origin.module), origin.expr, MAX_NESTING)
}

/// A call that makes something, also where a condition chooses between such calls and nothing at all.
fn is_made_by_call(module: &Module, expr: ExprId, depth: u8) -> bool {
    let is_nothing = |expr: ExprId| match module.kind(expr) {
        ExprKind::Null | ExprKind::Undefined => true,
        ExprKind::Str(text) => module.str(text).is_empty(),
        _ => false,
    };
    match module.kind(expr) {
        ExprKind::Await(inner) => is_made_by_call(module, inner, depth),
        ExprKind::Conditional { branches, .. } if depth > 0 => {
            let mut chosen = module.list(branches).filter(|&branch| !is_nothing(branch)).peekable();
            chosen.peek().is_some() && chosen.all(|branch| is_made_by_call(module, branch, depth - 1))
        }
        _ => module.call(expr).is_some_and(|(callee, _)| !KEEPING.contains(&super::names::last_name(module, callee))),
    }
}

fn collect(evaluator: &mut Evaluator<'_>, at: ExprRef, out: &mut Vec<(String, ExprRef)>, depth: u8) {
    for thing in evaluator.things(at) {
        let Thing::Data(data) = thing else { continue };
        let module = evaluator.program.module(data.module);
        let here = |expr| ExprRef { module: data.module, expr };
        match module.kind(data.expr) {
            ExprKind::Array(run) if depth < MAX_NESTING => {
                for item in module.list(run).take(16) {
                    collect(evaluator, here(item), out, depth + 1);
                }
            }
            ExprKind::Object(run) => {
                for prop in module.object(run) {
                    match (prop.kind, prop.key.map(|key| module.str(key))) {
                        (PropKind::Value, Some(name)) if name.starts_with('$') && depth < MAX_NESTING => {
                            collect(evaluator, here(prop.value), out, depth + 1);
                        }
                        (PropKind::Value, Some(name)) => out.push((name.to_owned(), here(prop.value))),
                        (PropKind::Spread, _) if depth < MAX_NESTING => {
                            collect(evaluator, here(prop.value), out, depth + 1);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// The module in which the model of a query is made.
fn made_in(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Option<ModuleId> {
    let module = evaluator.program.module(raw.at.module);
    let (mut callee, _) = module.call(raw.at.expr)?;
    while let ExprKind::Member { object, .. } = module.kind(callee) {
        let site =
            evaluator.things(ExprRef { module: raw.at.module, expr: object }).into_iter().find_map(
                |thing| match thing {
                    Thing::Path { site, .. } => site,
                    _ => None,
                },
            );
        match site {
            // `new User(…).save()`: the instance is made here, its model elsewhere.
            Some(site) if site.module != raw.at.module => return Some(site.module),
            Some(site) => {
                let (next, _) = module.call(site.expr)?;
                let model = evaluator.things(ExprRef { module: site.module, expr: next });
                let maker = model.into_iter().find_map(|thing| match thing {
                    Thing::Path { site: Some(site), .. } => Some(site.module),
                    _ => None,
                });
                return Some(maker.unwrap_or(site.module));
            }
            None => callee = object,
        }
    }
    None
}

/// Modules with a hook before writes that hashes something.
fn modules_that_hash_on_write(evaluator: &mut Evaluator<'_>, raws: &[Raw]) -> FxHashSet<ModuleId> {
    let mut modules = FxHashSet::default();
    for raw in raws.iter().filter(|raw| &*raw.kind == "hook" && raw.text("on") == Some("write")) {
        for &handler in raw.refs("handler") {
            for callable in evaluator.callables(handler) {
                if let Callable::Function(function) = callable
                    && hashes(evaluator, function)
                {
                    modules.insert(raw.at.module);
                }
            }
        }
    }
    modules
}

/// Functions that are looked through for where a hook hashes.
const MAX_HELPERS: usize = 16;

/// Does a function hash something, by itself or through functions of the project?
fn hashes(evaluator: &mut Evaluator<'_>, function: FunctionRef) -> bool {
    let mut helpers = vec![function];
    let mut next = 0;
    while let Some(&function) = helpers.get(next).filter(|_| next < MAX_HELPERS) {
        next += 1;
        for (call, callee) in calls_of(evaluator.program.module(function.module), function.function) {
            let value = evaluator.value(ExprRef { module: function.module, expr: call });
            if value.origins.has(Origins::HASHED) && !matches!(value.data, Data::Absent) {
                return true;
            }
            for thing in evaluator.things(ExprRef { module: function.module, expr: callee }) {
                if let Thing::Function(helper) = thing
                    && !helpers.contains(&helper)
                {
                    helpers.push(helper);
                }
            }
        }
    }
    false
}

/// The calls in a function and those inside it, with what they call.
fn calls_of(module: &Module, function: FunctionIdx) -> Vec<(ExprId, ExprId)> {
    let inside = |mut index: FunctionIdx| loop {
        if index == function {
            return true;
        }
        match module.function(index).parent.some() {
            Some(parent) if parent != index && index != FunctionIdx(0) => index = parent,
            _ => return false,
        }
    };
    let calls = (0..).map(ExprId).take(module.exprs.len());
    let calls = calls.filter_map(|expr| module.call(expr).map(|(callee, _)| (expr, callee)));
    calls.filter(|&(expr, _)| inside(module.function_of(expr))).collect()
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::Origins;

    /// The origins of each stored password, in order.
    fn passwords(body: &str) -> Vec<Origins> {
        let text = format!(
            "import express from 'express'\nimport {{ hash }} from 'bcryptjs'\nimport {{ PrismaClient }} from '@prisma/client'\n\
            const prisma = new PrismaClient()\nconst app = express()\napp.post('/users', async (req, res) => {{\n{body}\n}})\napp.listen(3000)"
        );
        let store = facts_of(&[("src/server.ts", &text)]);
        let stored = store.facts.iter().filter(|fact| &*fact.kind == "stored");
        stored.map(|fact| fact.get("value").map_or(Origins::default(), |value| value.origins)).collect()
    }

    #[test]
    fn what_is_hashed_in_place_before_is_hashed() {
        let member = passwords(
            "req.body.password = await hash(req.body.password, 12)\n\
            await prisma.user.create({ data: { password: req.body.password } })",
        );
        assert!(member.len() == 1 && member[0].has(Origins::HASHED));
        let variable = passwords(
            "let given = req.body.password\ngiven = await hash(given, 12)\n\
            await prisma.user.create({ data: { password: given } })",
        );
        assert!(variable.len() == 1 && variable[0].has(Origins::HASHED));
    }

    #[test]
    fn what_a_condition_chooses_among_things_made_is_made() {
        let made = passwords(
            "const password = req.body.password ? await seal(req.body.password) : null\n\
            await prisma.user.create({ data: { password } })",
        );
        assert!(made.len() == 1 && !made[0].has(Origins::REQUEST));
        let given = passwords(
            "const password = req.body.sealed ? await seal(req.body.password) : req.body.password\n\
            await prisma.user.create({ data: { password } })",
        );
        assert!(given.len() == 1 && given[0].has(Origins::REQUEST));
    }

    #[test]
    fn what_is_hashed_afterwards_or_elsewhere_is_not() {
        let after = passwords(
            "await prisma.user.create({ data: { password: req.body.password } })\n\
            req.body.password = await hash(req.body.password, 12)",
        );
        assert!(after.len() == 1 && !after[0].has(Origins::HASHED));
        let other = passwords(
            "req.body.pin = await hash(req.body.pin, 12)\n\
            await prisma.user.create({ data: { password: req.body.password } })",
        );
        assert!(other.len() == 1 && !other[0].has(Origins::HASHED));
    }
}
