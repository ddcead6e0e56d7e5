//! The value of a call: what a function of the project returns, what a callback maps to.
//!
//! In go the callee and its arguments, out comes the result with the origins of both.

use smallvec::SmallVec;

use super::MAX_DEPTH;
use super::errors::is_rejection;
use super::fold::{built, fold_method, formatted_start};
use crate::facts::apart::{join, put_in};
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing, gives_what_it_holds};
use crate::syntax::hir::{ExprId, ExprKind, Language, Module, Run, Type};

/// Functions are looked into at these depths alone, so that what one returns is worked out a few times at most.
const RETURN_STEP: u16 = 8;

/// What no longer holds of a value that is looked up by another.
const ASKED: Origins = Origins(Origins::REQUEST.0 | Origins::GIVEN.0 | Origins::LOOP_VARIABLE.0);

/// How the names of methods begin that look something up; `get` alone may as well read a part of its argument.
const FINDING: &[&str] = &["find", "get", "fetch", "load", "lookup", "select"];

impl Evaluator<'_> {
    pub(super) fn call_value(&mut self, at: ExprRef, callee: ExprId, args: Run) -> Value {
        let module = self.program.module(at.module);
        if let Some(text) = parsed_text(module, callee, args) {
            let text = self.value(ExprRef { module: at.module, expr: text });
            return parsed(text, module.call_type(at.expr).and_then(|ty| module.ty(ty)));
        }
        if let Some(value) = self.path_value(at) {
            return value;
        }
        let arguments: SmallVec<[ExprId; 4]> = module.list(args).take(8).collect();
        let here = |expr| ExprRef { module: at.module, expr };
        let passed: SmallVec<[Value; 4]> = arguments
            .iter()
            .map(|&argument| match module.kind(argument) {
                ExprKind::Function(_) => Value::UNKNOWN,
                _ => self.value(here(argument)),
            })
            .collect();
        let mut origins = passed.iter().fold(Origins::default(), |all, value| all.gathered(value.origins));
        let mut method = "";
        let mut begins = Origins::default();
        if let ExprKind::Member { object, name } = module.kind(callee) {
            method = module.str(name);
            if module.language == Language::Rust && gives_what_it_holds(method, args.len) {
                return self.value(here(object));
            }
            if let Some(mapped) = self.mapped_value(at.module, method, &arguments) {
                return mapped;
            }
            let receiver = self.value(here(object));
            if let Some(folded) = fold_method(&receiver, method) {
                return folded;
            }
            if let ("format", Some(first)) = (method, passed.first()) {
                begins = formatted_start(&receiver, '{', first);
            }
            // `base.join(path)` begins with the base.
            if method == "join" {
                origins = origins.without(Origins::LEADING);
            }
            origins = match method {
                // The keys of an object are written where it is made.
                "keys" if has_known_keys(module, object, &receiver) => Origins::ALLOW_LISTED,
                "keys" => origins.with(receiver.origins).without(Origins::GIVEN),
                // How often says nothing of what.
                "repeat" => receiver.origins,
                "fill" => origins,
                // What is found by a request's words is no longer the request's.
                _ if finds(method) && !receiver.origins.has(Origins::REQUEST.with(Origins::GIVEN)) => {
                    origins.without(ASKED).joined(receiver.origins).joined(Origins::FOUND)
                }
                _ => origins.joined(receiver.origins),
            };
        }
        for thing in self.things(here(callee)) {
            if let Thing::Function(function) = thing {
                let by_name = module.keywords(args).map(|_| self.passed_values(at, function));
                return self.returned_value(function, by_name.as_ref().unwrap_or(&passed));
            }
            if let Thing::Path { path, .. } = thing
                && let Some(first) = passed.first()
                && self.gives_first(path)
            {
                let origins = self.declared_origin(path, first.origins).unwrap_or(first.origins);
                return Value { data: first.data.clone(), origins };
            }
            if let Thing::Path { path, .. } = thing
                && let Some(replaced) = self.declared_origin(path, origins)
            {
                return Value { data: Data::Unknown, origins: replaced };
            }
        }
        // A statement has a `join` too, with more than the parts of a text.
        let joins = method == "format" || method == "join" && args.len == 1;
        if module.language == Language::Python && joins {
            return built(false, String::new(), origins.without(Origins::LEADING).with(begins));
        }
        let (keep_literal, masked) = match method {
            "slice" | "substring" | "substr" => (false, Origins::MASKED),
            _ => (false, Origins::default()),
        };
        let kept = if keep_literal { origins } else { Origins(origins.0 & !Origins::LITERAL.0) };
        Value { data: Data::Unknown, origins: kept.with(masked) }
    }

    /// `ids.map(() => "?")`: what the callback returns, whatever it runs over.
    fn mapped_value(&mut self, module: ModuleId, method: &str, arguments: &[ExprId]) -> Option<Value> {
        let callback = match method {
            "map" | "flatMap" => *arguments.first()?,
            "from" => *arguments.get(1)?,
            _ => return None,
        };
        let ExprKind::Function(function) = self.program.module(module).kind(callback) else { return None };
        let entry = self.program.module(module).function(function);
        let returns: SmallVec<[ExprId; 4]> = entry.returns.iter().take(6).copied().collect();
        let origins = returns
            .into_iter()
            .fold(Origins::default(), |all, expr| all.joined(self.value(ExprRef { module, expr }).origins));
        Some(Value { data: Data::Unknown, origins: origins.without(Origins::LITERAL.with(Origins::LOOP_VARIABLE)) })
    }

    /// What a call of a function of the project gives, with what it passes.
    fn returned_value(&mut self, function: FunctionRef, passed: &[Value]) -> Value {
        if let Some(known) = self.returned.get(&function) {
            return put_in(known, passed);
        }
        let depth = self.value_depth.next_multiple_of(RETURN_STEP);
        if let Some(known) = self.returned_deep.get(&(function, depth)) {
            let value = put_in(known, passed);
            self.cut();
            return value;
        }
        if !self.returning.insert(function) {
            self.cut();
            return Value::UNKNOWN;
        }
        let outer = std::mem::take(&mut self.rests);
        let asked_at = std::mem::replace(&mut self.value_depth, depth);
        let program = self.program;
        let entry = program.module(function.module).function(function.function);
        let mut returned: Option<Value> = None;
        let hir = program.module(function.module);
        for &expr in entry.returns.iter().filter(|&&expr| !is_rejection(hir, expr)).take(6) {
            let mut value = self.value_apart(function, ExprRef { module: function.module, expr });
            // What a function finds by a request's words is no longer the request's.
            value.origins = value.origins.without(ASKED);
            returned = Some(match returned {
                Some(seen) => {
                    let origins = seen.origins.joined(value.origins);
                    Value { data: join(&seen, &value, 0).data, origins }
                }
                None => value,
            });
        }
        self.value_depth = asked_at;
        self.returning.remove(&function);
        // What a function without a body or without returns does to its arguments is anybody's guess.
        let returned = returned.unwrap_or_else(|| {
            let marks = (0..passed.len()).map(Origins::of_parameter).fold(Origins::PARAMETER, Origins::with);
            Value { data: Data::Unknown, origins: marks }
        });
        let value = put_in(&returned, passed);
        let is_whole = depth < MAX_DEPTH / 2 || !self.rests.is_cut();
        self.rests = outer;
        if is_whole {
            self.returned.insert(function, returned);
        } else {
            self.cut();
            self.returned_deep.insert((function, depth), returned);
        }
        value
    }
}

/// A record whose every key stands in the source: none is added by a value.
fn has_known_keys(module: &Module, object: ExprId, record: &Value) -> bool {
    let is_closed = matches!(&record.data, Data::Record(record) if !record.open);
    let ExprKind::Ident(symbol) = module.kind(object) else { return is_closed };
    let is_it = |expr: ExprId| matches!(module.kind(expr), ExprKind::Ident(of) if of == symbol);
    let adds_others = |kind: &ExprKind| match *kind {
        ExprKind::Index { object, .. } => is_it(object),
        ExprKind::Member { object, name } => is_it(object) && matches!(module.str(name), "update" | "setdefault"),
        _ => false,
    };
    is_closed && !module.exprs.iter().any(|expr| adds_others(&expr.kind))
}

/// `findByPk`, `getPath`, `find_one`
fn finds(method: &str) -> bool {
    FINDING.iter().any(|word| {
        let rest = method.strip_prefix(word);
        rest.is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_uppercase() || c == '_') || rest.is_empty() && *word != "get"
        })
    })
}

/// What Rust's `parse` is called on.
fn parsed_text(module: &Module, callee: ExprId, args: Run) -> Option<ExprId> {
    let ExprKind::Member { object, name } = module.kind(callee) else { return None };
    let parses = module.language == Language::Rust && args.len == 0 && module.str(name) == "parse";
    parses.then_some(object)
}

/// `text.parse::<u16>()`: a number is no text any more, anything else is what was written.
fn parsed(text: Value, ty: Option<&Type>) -> Value {
    match ty {
        Some(Type::Keyword(_)) => {
            Value { data: Data::Unknown, origins: text.origins.with(Origins::ALLOW_LISTED).with(Origins::NUMERIC) }
        }
        _ => text,
    }
}
