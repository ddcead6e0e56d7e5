//! Fields of schemas that anybody asks for (`password`), whatever the library: what holds them, what is said about
//! them, and how short their text may be.
//!
//! In go the words of the stacks; out come facts of kind `field`, from keys of records (`password: z.string().min(8)`),
//! members of classes with their annotations and decorators, texts that a checker is told (`body("password")`), and
//! lengths that are compared.

use rustc_hash::FxHashSet;

use super::asked_words::AskedWords;
use super::extract::Raw;
use super::names::{last_name, shape, words};
use super::written::expressions;
use crate::facts::graph::Callable;
use crate::facts::model::{Data, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Atom, BinaryOp, ClassIdx, ClassMember, ExprId, ExprKind, Language, MemberKind, Module};

/// Definitions that are followed one after the other (`password: secret`, `const secret = text.min(8)`).
const MAX_STEPS: u8 = 3;
/// Expressions around a field that are looked at.
const MAX_AROUND: usize = 12;

/// Said of a field whose class has a method that looks at it.
const VALIDATED: &str = "validator";
/// Said where a length is compared by hand.
const COMPARED: &str = "comparison";
/// Said of a call whose name says that it judges.
const JUDGED: &str = "judged";

/// What stands in a field.
#[derive(Debug, Default)]
struct Said {
    names: Vec<String>,
    least: Vec<Value>,
    /// A record that says of what type the field is.
    is_typed: bool,
    seen: FxHashSet<ExprRef>,
}

/// Adds the facts of kind `field`.
pub(super) fn field_shapes(evaluator: &mut Evaluator<'_>, asked: &[(ModuleId, AskedWords)], out: &mut Vec<Raw>) {
    for (module, asked) in asked.iter().filter(|(_, asked)| !asked.fields.is_empty()) {
        of_expressions(evaluator, *module, &asked.fields, out);
        of_classes(evaluator, *module, &asked.fields, out);
    }
}

/// What the expressions of a module say about the names that are asked for.
fn of_expressions(evaluator: &mut Evaluator<'_>, module: ModuleId, asked: &FxHashSet<Atom>, out: &mut Vec<Raw>) {
    let hir = evaluator.program.module(module);
    for id in expressions(hir) {
        match hir.kind(id) {
            ExprKind::Object(run) => {
                for prop in hir.object(run).iter().filter(|prop| prop.key.is_some_and(|key| asked.contains(&key))) {
                    out.extend(of_key(evaluator, module, prop.key, prop.value));
                }
            }
            ExprKind::Call { callee, args } if evaluator.stacks.fields.checkers.contains(last_name(hir, callee)) => {
                let told = hir.list(args).next().filter(|&arg| is_asked(hir, arg, asked));
                out.extend(told.and_then(|told| of_checker(evaluator, module, told, id)));
            }
            ExprKind::Call { callee, .. } if is_judge(evaluator, hir, callee, asked) => {
                out.push(of_judge(evaluator, module, callee, id));
            }
            ExprKind::Binary { op: BinaryOp::Compare, left, right } => {
                out.extend(of_comparison(evaluator, module, id, asked, (left, right)));
                out.extend(of_comparison(evaluator, module, id, asked, (right, left)));
            }
            _ => {}
        }
    }
}

/// What the classes of a module say about the names that are asked for.
fn of_classes(evaluator: &mut Evaluator<'_>, module: ModuleId, asked: &FxHashSet<Atom>, out: &mut Vec<Raw>) {
    let hir = evaluator.program.module(module);
    for index in 0..hir.classes.len() {
        let class = ClassIdx(u32::try_from(index).unwrap_or(u32::MAX));
        for member in hir.class(class).members.iter().filter(|member| asked.contains(&member.name)) {
            out.extend(of_member(evaluator, module, class, member));
        }
    }
}

fn is_asked(hir: &Module, expr: ExprId, asked: &FxHashSet<Atom>) -> bool {
    matches!(hir.kind(expr), ExprKind::Str(atom) if asked.contains(&atom))
}

/// `password: z.string().min(8)`, `password: { type: "string", minLength: 8 }`
fn of_key(evaluator: &mut Evaluator<'_>, module: ModuleId, key: Option<Atom>, value: ExprId) -> Option<Raw> {
    let hir = evaluator.program.module(module);
    let mut said = Said::default();
    said.look_at(evaluator, ExprRef { module, expr: value }, MAX_STEPS);
    let makers = &evaluator.stacks.fields.makers;
    (said.is_typed || said.names.iter().any(|name| makers.contains(name))).then_some(())?;
    let holders = holders(hir, value);
    Some(said.fact(evaluator, ExprRef { module, expr: value }, hir.str(key?), &holders))
}

/// `body("password").isLength({ min: 8 })`: the checks follow as calls on the result.
fn of_checker(evaluator: &mut Evaluator<'_>, module: ModuleId, told: ExprId, call: ExprId) -> Option<Raw> {
    let hir = evaluator.program.module(module);
    let mut end = call;
    while let Some(parent) = hir.expr(end).parent.some() {
        match hir.kind(parent) {
            ExprKind::Member { object, .. } if object == end => end = parent,
            ExprKind::Call { callee, .. } if callee == end => end = parent,
            _ => break,
        }
    }
    let mut said = Said::default();
    said.look_at(evaluator, ExprRef { module, expr: end }, MAX_STEPS);
    let holders = holders(hir, end);
    Some(said.fact(evaluator, ExprRef { module, expr: call }, hir.literal(told)?, &holders))
}

/// `validatePassword(…)`: a function whose name says that it judges what is asked for.
fn is_judge(evaluator: &Evaluator<'_>, hir: &Module, callee: ExprId, asked: &FxHashSet<Atom>) -> bool {
    let atom = match hir.kind(callee) {
        ExprKind::Ident(symbol) => hir.symbol(symbol).name,
        ExprKind::Member { name, .. } | ExprKind::Global(name) => name,
        _ => return false,
    };
    asked.contains(&atom) && words(hir.str(atom)).iter().any(|word| evaluator.stacks.fields.judges.contains(word))
}

fn of_judge(evaluator: &mut Evaluator<'_>, module: ModuleId, callee: ExprId, call: ExprId) -> Raw {
    let hir = evaluator.program.module(module);
    let mut said = Said { names: vec![JUDGED.to_owned()], ..Said::default() };
    said.look_into(evaluator, ExprRef { module, expr: callee });
    let holders = holders(hir, call);
    said.fact(evaluator, ExprRef { module, expr: call }, last_name(hir, callee), &holders)
}

/// `password.length < 8`, `len(password) < 8`: which way it is compared is not looked at.
fn of_comparison(
    evaluator: &mut Evaluator<'_>,
    module: ModuleId,
    at: ExprId,
    asked: &FxHashSet<Atom>,
    (measured, bound): (ExprId, ExprId),
) -> Option<Raw> {
    let hir = evaluator.program.module(module);
    let name = measured_name(hir, measured).filter(|name| asked.iter().any(|&atom| hir.str(atom) == *name))?;
    let mut said = Said { names: vec![COMPARED.to_owned()], ..Said::default() };
    said.bound(evaluator, ExprRef { module, expr: bound });
    let holders = holders(hir, at);
    Some(said.fact(evaluator, ExprRef { module, expr: at }, name, &holders))
}

/// What has its length taken.
fn measured_name(hir: &Module, expr: ExprId) -> Option<&str> {
    let is_length = |name: &str| matches!(name, "length" | "len" | "count");
    match hir.kind(expr) {
        ExprKind::Member { object, name } if is_length(hir.str(name)) => Some(last_name(hir, object)),
        ExprKind::Call { callee, args } if is_length(last_name(hir, callee)) => {
            match (hir.kind(callee), hir.list(args).next()) {
                (ExprKind::Member { object, .. }, None) => Some(last_name(hir, object)),
                (_, Some(first)) => Some(last_name(hir, first)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `password: str = Field(min_length=8)`, `@MinLength(8) password: string`, `#[validate(length(min = 8))] password: String`
fn of_member(evaluator: &mut Evaluator<'_>, module: ModuleId, class: ClassIdx, member: &ClassMember) -> Option<Raw> {
    let MemberKind::Field(value) = member.kind else { return None };
    let hir = evaluator.program.module(module);
    let written = hir.written_type(member.annotation);
    let parts = value.some().into_iter().chain(written).chain(member.decorators.iter().copied());
    let parts: Vec<ExprId> = parts.collect();
    let declared = hir.class_exprs.get(class.0 as usize).copied().filter(|_| hir.language != Language::JavaScript);
    let at = parts.first().copied().or(declared)?;
    let mut said = Said::default();
    for expr in parts {
        said.look_at(evaluator, ExprRef { module, expr }, MAX_STEPS);
    }
    let has_validator = hir.class(class).members.iter().any(|other| validates(hir, other, member.name));
    said.names.extend(has_validator.then(|| VALIDATED.to_owned()));
    let holders: Vec<&str> = hir.class(class).name.map(|name| hir.str(name)).into_iter().collect();
    Some(said.fact(evaluator, ExprRef { module, expr: at }, hir.str(member.name), &holders))
}

/// A method that a class has for one of its fields: `@field_validator("password")`, `def validate_password(…)`.
fn validates(hir: &Module, method: &ClassMember, field: Atom) -> bool {
    let is_told = |decorator: &ExprId| {
        let told = hir.call(*decorator).map(|(_, args)| hir.list(args));
        told.is_some_and(|mut args| args.any(|arg| hir.literal(arg) == Some(hir.str(field))))
    };
    let is_named = || hir.str(method.name).strip_prefix("validate_") == Some(hir.str(field));
    matches!(method.kind, MemberKind::Method(_)) && (is_named() || method.decorators.iter().any(is_told))
}

/// What holds an expression, innermost first: keys, the variable, the function.
fn holders(hir: &Module, value: ExprId) -> Vec<&str> {
    let mut names = Vec::new();
    let mut child = value;
    for _ in 0..MAX_AROUND {
        let Some(parent) = hir.expr(child).parent.some() else { break };
        if let ExprKind::Object(run) = hir.kind(parent)
            && child != value
            && let Some(key) = hir.object(run).iter().find(|prop| prop.value == child).and_then(|prop| prop.key)
        {
            names.push(hir.str(key));
        }
        if let ExprKind::Assign { target, .. } = hir.kind(parent) {
            names.push(last_name(hir, target));
        }
        child = parent;
    }
    names.extend(hir.variables_of(child).into_iter().map(|symbol| hir.str(hir.symbol(symbol).name)));
    names.extend(hir.function(hir.function_of(value)).name.map(|name| hir.str(name)));
    names
}

fn number(value: &Value) -> Option<f64> {
    match value.data {
        Data::Number(number) => Some(number),
        _ => None,
    }
}

impl Said {
    /// Takes in what stands in an expression, and in the definitions of what it names.
    fn look_at(&mut self, evaluator: &mut Evaluator<'_>, at: ExprRef, steps: u8) {
        if steps == 0 || !self.seen.insert(at) {
            return;
        }
        let hir = evaluator.program.module(at.module);
        let range = hir.expr(at.expr);
        let (start, end, function) = (range.start, range.end, hir.function_of(at.expr));
        for (index, expr) in hir.exprs.iter().enumerate() {
            if expr.start < start || expr.end > end {
                continue;
            }
            let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            if hir.function_of(id) == function {
                self.take(evaluator, ExprRef { module: at.module, expr: id }, steps);
            }
        }
    }

    fn take(&mut self, evaluator: &mut Evaluator<'_>, at: ExprRef, steps: u8) {
        let hir = evaluator.program.module(at.module);
        match hir.kind(at.expr) {
            ExprKind::Call { callee, args } | ExprKind::New { callee, args } => {
                let name = last_name(hir, callee);
                self.names.push(name.to_owned());
                if evaluator.stacks.fields.least.contains(name)
                    && let Some(first) = hir.list(args).next()
                {
                    self.bound(evaluator, ExprRef { expr: first, ..at });
                }
            }
            ExprKind::Object(run) => {
                for prop in hir.object(run) {
                    let Some(key) = prop.key.map(|key| hir.str(key)) else { continue };
                    self.is_typed |= key == "type";
                    if evaluator.stacks.fields.least.contains(key) {
                        self.bound(evaluator, ExprRef { expr: prop.value, ..at });
                    }
                }
            }
            ExprKind::Ident(symbol) => {
                self.names.push(hir.str(hir.symbol(symbol).name).to_owned());
                let origin = evaluator.origin(at);
                if origin != at {
                    self.look_at(evaluator, origin, steps - 1);
                }
                self.look_into(evaluator, at);
            }
            ExprKind::Member { name, .. } | ExprKind::Global(name) => self.names.push(hir.str(name).to_owned()),
            _ => {}
        }
    }

    /// A check of the project's own: the least that it compares a length with, for it may have an upper bound, too.
    fn look_into(&mut self, evaluator: &mut Evaluator<'_>, at: ExprRef) {
        let mut compared = Said::default();
        for callable in evaluator.callables(at) {
            let Callable::Function(FunctionRef { module, function }) = callable else { continue };
            let hir = evaluator.program.module(module);
            for (index, expr) in hir.exprs.iter().enumerate() {
                let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
                let ExprKind::Binary { op: BinaryOp::Compare, left, right } = expr.kind else { continue };
                if hir.function_of(id) != function {
                    continue;
                }
                for (measured, bound) in [(left, right), (right, left)] {
                    if measured_name(hir, measured).is_some() {
                        compared.bound(evaluator, ExprRef { module, expr: bound });
                    }
                }
            }
        }
        let numbers = compared.least.iter().filter_map(number);
        self.least.extend(numbers.min_by(f64::total_cmp).map(Value::number));
    }

    /// A number, or the first of a list; what is no number is no bound.
    fn bound(&mut self, evaluator: &mut Evaluator<'_>, at: ExprRef) {
        let value = match evaluator.value(at) {
            Value { data: Data::List(items), .. } => items.first().cloned().unwrap_or(Value::ABSENT),
            value => value,
        };
        if matches!(value.data, Data::Number(_) | Data::Unknown) {
            self.least.push(value);
        }
    }

    /// The closest bound counts; one that nobody can tell may be closer.
    fn least(&self) -> Value {
        let number = |value: &Value| match value.data {
            Data::Number(number) => Some(number),
            _ => None,
        };
        let known = self
            .least
            .iter()
            .filter_map(number)
            .fold(None, |most: Option<f64>, next| Some(most.map_or(next, |most| most.max(next))));
        match known {
            _ if self.least.iter().any(Value::is_unknown) => Value::UNKNOWN,
            Some(number) => Value::number(number),
            None => Value::ABSENT,
        }
    }

    fn fact(mut self, evaluator: &Evaluator<'_>, at: ExprRef, name: &str, holders: &[&str]) -> Raw {
        let least = self.least();
        self.names.sort_unstable();
        self.names.dedup();
        let fields = vec![
            ("name", Value::text(name)),
            ("holders", Value::texts(holders)),
            ("said", Value::texts(&self.names)),
            ("least", least),
        ];
        shape(evaluator.program, "field", at, fields)
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::{Data, Value};

    fn least(path: &str, text: &str) -> Vec<Option<f64>> {
        let number = |value: &Value| match value.data {
            Data::Number(number) => Some(number),
            _ => None,
        };
        let facts = facts_of(&[(path, text)]).facts;
        facts.iter().filter(|fact| &*fact.kind == "field").map(|fact| fact.get("least").and_then(number)).collect()
    }

    #[test]
    fn a_bound_is_found_in_chains_records_and_names() {
        let script = "import { z } from 'zod'\nconst secret = z.string().min(10)\n\
            export const a = z.object({ password: z.string().trim().min(8) })\n\
            export const b = { password: { type: 'string', minLength: 9 } }\n\
            export const c = z.object({ newPassword: secret, name: z.string().min(2) })\n\
            export const d = z.object({ password: z.string() })\n\
            export const row = { password: hash('x') }\n";
        assert_eq!(least("src/server.ts", script), [Some(8.0), Some(9.0), Some(10.0), None]);
    }

    #[test]
    fn a_check_of_the_project_is_followed() {
        let script = "import Joi from 'joi'\nconst strong = (value) => {\n  if (value.length < 9) throw new Error('short')\n\
            if (value.length > 72) throw new Error('long')\n  return value\n}\n\
            export const a = Joi.object({ password: Joi.string().custom(strong) })\n";
        assert_eq!(least("src/server.ts", script), [Some(9.0)]);
    }

    #[test]
    fn members_of_classes_are_fields() {
        let python = "from pydantic import BaseModel, Field\nclass Registration(BaseModel):\n    password: str = Field(min_length=7)\n\
            class Change(BaseModel):\n    new_password: str\n";
        assert_eq!(least("app.py", python), [Some(7.0), None]);
    }
}
