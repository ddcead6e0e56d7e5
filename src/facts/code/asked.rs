//! What the `if` of a clause asks of the place that it would match.

use super::dropped::is_dropped;
use super::extract::Place;
use super::figures::{is_calculated, is_of_hundredths};
use crate::facts::arguments::positional;
use crate::facts::graph::Callable;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::paths::Selector;
use crate::facts::program::ExprRef;
use crate::facts::resolve::Evaluator;
use crate::facts::stacks::{Clause, NamedArgument, Test, later_call, named_argument};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Module, Type, TypeId, TypeRoot};

/// Does the clause's `if` hold here? What cannot be told does not.
pub(super) fn holds(evaluator: &mut Evaluator<'_>, clause: &Clause, place: Place<'_>) -> bool {
    made_by(evaluator, clause, place)
        && clause.condition.iter().all(|(key, test)| {
            match test {
                Test::Names(selector) => {
                    let asked = asked_of(evaluator, key, place);
                    return asked.is_some_and(|at| is_named(evaluator, selector, at));
                }
                Test::Text => return asked_of(evaluator, key, place).is_some_and(|at| is_text(evaluator, at)),
                _ => {}
            }
            let value = tested(evaluator, key, place);
            match test {
                Test::Like(words) => {
                    let name = value.as_text().unwrap_or_default().to_ascii_lowercase();
                    words.iter().any(|word| name.contains(word.as_str()))
                }
                Test::Names(_) | Test::Text => false,
                Test::Absent => value.is_absent(),
                Test::Present => !value.is_absent(),
                Test::Equals(wanted) => match &value.data {
                    Data::List(items) => items.iter().any(|item| wanted.iter().any(|w| w.data == item.data)),
                    data => wanted.iter().any(|w| w.data == *data),
                },
                Test::Range { min, max } => match value.data {
                    Data::Number(n) => n >= *min && n <= *max,
                    _ => false,
                },
            }
        })
}

/// Is an expression a text, written out or joined from parts right there? What a call makes of a text is its own.
pub(super) fn is_text(evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
    let value = evaluator.value(at);
    if value.as_text().is_some() {
        return true;
    }
    let origin = evaluator.origin(at);
    value.origins.has(Origins::BUILT) && joins_text(evaluator.program.module(origin.module), origin.expr)
}

/// Does the expression join a text, or stand for a variable into which such a text was put last?
fn joins_text(module: &Module, expr: ExprId) -> bool {
    match module.kind(expr) {
        ExprKind::Template { .. } | ExprKind::Binary { .. } => true,
        ExprKind::Call { callee, .. } => {
            matches!(module.kind(callee), ExprKind::Member { name, .. } if matches!(module.str(name), "format" | "join"))
        }
        ExprKind::Ident(symbol) => {
            let symbol = module.symbol(symbol);
            let Definition::Variable { init, .. } = symbol.definition else { return false };
            let put_in = std::iter::once(init).chain(symbol.assigned.iter().copied()).filter(|&e| e != ExprId::NONE);
            let read = module.expr(expr).start;
            let last = put_in.filter(|&e| module.expr(e).end <= read).max_by_key(|&e| module.expr(e).start);
            last.is_some_and(|value| module.literal(value).is_some() || is_joined(module, value))
        }
        _ => false,
    }
}

/// The same of what a variable is given: one step only, so that `a = b; b = a` ends.
fn is_joined(module: &Module, expr: ExprId) -> bool {
    !matches!(module.kind(expr), ExprKind::Ident(_)) && joins_text(module, expr)
}

/// Is the value of an attribute made by what the clause's `is` names?
fn made_by(evaluator: &mut Evaluator<'_>, clause: &Clause, place: Place<'_>) -> bool {
    let Some(selector) = &clause.made_by else { return true };
    let Some(value) = place.target.and_then(|target| target.value) else { return false };
    is_named(evaluator, selector, value)
}

/// Is an expression what a selector names?
fn is_named(evaluator: &mut Evaluator<'_>, selector: &Selector, at: ExprRef) -> bool {
    let stacks = evaluator.stacks;
    let paths = evaluator.paths_of(at);
    paths.iter().any(|&path| {
        selector
            .patterns
            .iter()
            .any(|pattern| evaluator.matcher.matches_pattern(&evaluator.paths, &stacks.types, path, pattern))
    })
}

/// The argument that a test's key asks for.
fn asked_of(evaluator: &mut Evaluator<'_>, key: &str, place: Place<'_>) -> Option<ExprRef> {
    match key.split_once('.') {
        None if key == "assigned" => evaluator.assigned_to(place.at),
        None => evaluator.argument(place.at, usize::from(key == "arg1")),
        Some((_, name)) => evaluator.option_ref(place.at, name),
    }
}

fn tested(evaluator: &mut Evaluator<'_>, key: &str, place: Place<'_>) -> Value {
    let module = evaluator.program.module(place.at.module);
    let args = module.call(place.at.expr).map(|(_, args)| args);
    if let Some(names) = later_call(key) {
        return evaluator.called_later(place.at, names);
    }
    if let Some(named) = named_argument(key) {
        let argument = match named {
            NamedArgument::At(index) => evaluator.argument(place.at, index),
            NamedArgument::Keyword(name) => evaluator.keyword(place.at, name),
        };
        return argument.map_or(Value::ABSENT, |argument| evaluator.value_or_name(argument));
    }
    let (head, rest) = key.split_once('.').unwrap_or((key, ""));
    let value = match head {
        "argc" => Value::number(args.map_or(0.0, |args| positional(module, args).count() as f64)),
        "params" => Value::number(most_parameters(evaluator, place) as f64),
        "arg0" | "arg1" => {
            let index = usize::from(head == "arg1");
            match evaluator.argument(place.at, index) {
                Some(argument) => evaluator.value_or_texts(argument),
                None => Value::ABSENT,
            }
        }
        "opt" => evaluator.options(called_by(module, place.at)),
        "value" => match place.target.and_then(|target| target.value) {
            Some(value) => evaluator.value(value),
            None => Value::ABSENT,
        },
        "setting" => return evaluator.setting_value(place.at.module, rest),
        "generic" => {
            let ty = match place.target {
                Some(target) => first_argument(module, target.ty),
                None => module.call_type(place.at.expr),
            };
            ty.and_then(|ty| type_name(module, ty)).map_or(Value::ABSENT, Value::text)
        }
        "name" => place.name.map_or(Value::ABSENT, Value::text),
        "assigned" => match evaluator.assigned_to(place.at) {
            Some(value) => evaluator.value(value),
            None => Value::ABSENT,
        },
        "dropped" => Value::bool(is_dropped(module, place.at.expr)),
        "calculated" => Value::bool(is_calculated(module, place.at.expr)),
        "hundredths" => Value::bool(is_of_hundredths(module, place.at.expr)),
        "optional" => Value::bool(place.target.is_some_and(|target| is_optional(module, target.ty))),
        _ => Value::UNKNOWN,
    };
    rest.split('.').filter(|s| !s.is_empty()).fold(value, |value, step| value.field(step))
}

/// A property that is called is asked for the options of its call; everything else for its own.
fn called_by(module: &Module, at: ExprRef) -> ExprRef {
    let call = module.expr(at.expr).parent.some();
    let call = call.filter(|&call| module.call(call).is_some_and(|(callee, _)| callee == at.expr));
    ExprRef { expr: call.unwrap_or(at.expr), ..at }
}

/// What a generic type holds first.
fn first_argument(module: &Module, ty: TypeId) -> Option<TypeId> {
    match module.ty(ty)? {
        Type::Reference { args, .. } => args.first().copied(),
        _ => None,
    }
}

/// The last name of a type.
fn type_name(module: &Module, ty: TypeId) -> Option<&str> {
    let Some(Type::Reference { root, path, .. }) = module.ty(ty) else { return None };
    match (path.last(), root) {
        (Some(&last), _) => Some(module.str(last)),
        (None, TypeRoot::Symbol(symbol)) => Some(module.str(module.symbol(*symbol).name)),
        (None, TypeRoot::Global(name)) => Some(module.str(*name)),
        (None, TypeRoot::Source(_)) => None,
    }
}

/// Is a value of the type only there if it could be had: `Option<T>`, `Result<T, E>`?
fn is_optional(module: &Module, ty: TypeId) -> bool {
    matches!(module.ty(ty), Some(Type::Reference { root: TypeRoot::Global(name), .. })
        if matches!(module.str(*name), "Option" | "Result"))
}

/// The most parameters that a function among the arguments has.
fn most_parameters(evaluator: &mut Evaluator<'_>, place: Place<'_>) -> usize {
    evaluator
        .callables(place.at)
        .into_iter()
        .filter_map(|callable| match callable {
            Callable::Function(f) => Some(evaluator.program.module(f.module).function(f.function).parameters.len()),
            _ => None,
        })
        .max()
        .unwrap_or(0)
}
