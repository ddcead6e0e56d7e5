//! The value of a parameter: what callers pass, what a loop or a library hands in, what its type allows.
//!
//! In go a function and the position of the parameter, out comes what all of its callers agree on.

use super::fold::follow;
use crate::facts::apart::join;
use crate::facts::memo::Rests;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing, Things};
use crate::facts::stacks::Verb;
use crate::syntax::hir::{Definition, ExprKind, Language, Step, Type, TypeId, TypeRoot};

/// With more callers than these nobody says what all of them pass.
const MAX_CALLERS: usize = 16;

impl Evaluator<'_> {
    pub(super) fn parameter_value(&mut self, function: FunctionRef, index: usize, steps: &[Step]) -> Value {
        let program = self.program;
        let hir = program.module(function.module);
        if self.is_element_callback(function, index) {
            let iterated = self.iterated(function).map(|expr| ExprRef { module: function.module, expr });
            if let Some(value) = iterated.and_then(|iterated| self.element_value(iterated)) {
                return follow(hir, value, steps);
            }
            return Value {
                data: Data::Unknown,
                origins: Origins::LOOP_VARIABLE.with(self.iterated_origins(function)),
            };
        }
        if self.is_error_parameter(function, index) {
            let passed = if hir.language == Language::Python {
                self.passed_by_callers(function, index, steps).origins
            } else {
                Origins::default()
            };
            let of_any = if passed.has(Origins::ANY_ERROR) { Origins::ANY_ERROR } else { Origins::default() };
            return Value { data: Data::Unknown, origins: Origins::CAUGHT_ERROR.with(of_any) };
        }
        if self.is_position(function, index) {
            return Value { data: Data::Unknown, origins: Origins::NUMERIC };
        }
        if self.is_extracted(function, index) {
            return Value { data: Data::Unknown, origins: Origins::REQUEST.with(Origins::ALLOW_LISTED) };
        }
        if let Some(value) = self.handed_by_library(function, index) {
            return follow(hir, value, steps);
        }
        let value = self.passed_by_callers(function, index, steps);
        self.marked(function, index, value)
    }

    /// What the callers of a function pass for a parameter, as far as they agree.
    fn passed_by_callers(&mut self, function: FunctionRef, index: usize, steps: &[Step]) -> Value {
        let program = self.program;
        let hir = program.module(function.module);
        let links = self.links;
        self.rests = self.rests.with(Rests::on_function(function));
        let entered = self.turn.call_of(function);
        let callers = match &entered {
            Some(call) => std::slice::from_ref(call),
            None => links.callers.get(program.number(function).0 as usize).map_or(&[][..], Vec::as_slice),
        };
        let mut origins = Origins::PARAMETER;
        let mut given = callers.is_empty() || callers.len() >= MAX_CALLERS;
        let mut agreed: Option<Value> = None;
        for call in callers.iter().take(MAX_CALLERS) {
            let value = match self.passed(*call, function, index) {
                Some(argument) => follow(hir, self.value(argument), steps),
                None if self.spreads_arguments(*call) => Value::UNKNOWN,
                None => Value::ABSENT,
            };
            given |= matches!(value.data, Data::Unknown) && value.origins.without(Origins::DYNAMIC).0 == 0;
            // A loop variable of the caller is not one here, and what the caller built is the caller's.
            let passed = value.origins.without(Origins::LOOP_VARIABLE.with(Origins::BUILT));
            origins = if agreed.is_none() { origins.with(passed) } else { origins.joined(passed) };
            agreed = Some(agreed.map_or_else(|| value.clone(), |seen| join(&seen, &value, 0)));
        }
        // Whoever gives a number gives no text, whatever stands behind it at the callers.
        if steps.is_empty() && self.holds_no_text(function, index) {
            origins = origins.without(Origins::GIVEN);
        } else if given {
            origins = origins.joined(Origins::GIVEN);
        }
        match agreed {
            Some(value) if callers.len() <= MAX_CALLERS => Value { data: value.data, origins },
            _ => Value { data: Data::Unknown, origins },
        }
    }

    /// Is it of a type of the project that a framework reads from the request (`user: CurrentUser`)? That has been looked
    /// at on the way.
    fn is_extracted(&mut self, function: FunctionRef, index: usize) -> bool {
        let program = self.program;
        let hir = program.module(function.module);
        let Some(parameter) = hir.function(function.function).parameters.get(index) else { return false };
        if hir.language != Language::Rust {
            return false;
        }
        let types = self.type_things(function.module, parameter.annotation, 0);
        let parents = types.into_iter().flat_map(|thing| match thing {
            Thing::Instance(module, class) => self.parents(module, class),
            _ => Things::new(),
        });
        let parents: Vec<Thing> = parents.collect();
        parents.into_iter().any(|parent| {
            let Thing::Path { path, .. } = parent else { return false };
            let stacks = self.stacks;
            stacks.candidates(Verb::Param, self.paths.last_name(path)).any(|(clause, pattern)| {
                &*clause.kind == "mount" && self.matcher.matches_pattern(&self.paths, &stacks.types, path, pattern)
            })
        })
    }

    fn spreads_arguments(&self, call: ExprRef) -> bool {
        let module = self.program.module(call.module);
        module.call(call.expr).is_some_and(|(_, args)| {
            module.list(args).any(|argument| matches!(module.kind(argument), ExprKind::Spread(_)))
        })
    }

    /// The parameter of a callback that a library calls: what a promise holds, or what a stack says that the call gives
    /// (`bcrypt.hash(password, 12, (error, hash) => …)`).
    fn handed_by_library(&mut self, function: FunctionRef, index: usize) -> Option<Value> {
        let program = self.program;
        let hir = program.module(function.module);
        let expr = hir.function(function.function).expr.some()?;
        let parent = hir.expr(expr).parent.some()?;
        let (callee, _) = hir.call(parent).filter(|(callee, _)| *callee != expr)?;
        if let ExprKind::Member { object, name } = hir.kind(callee)
            && hir.str(name) == "then"
            && index == 0
        {
            return Some(self.value(ExprRef { module: function.module, expr: object }));
        }
        let paths = self.paths_of(ExprRef { module: function.module, expr: callee });
        let origins = paths.into_iter().find_map(|path| self.declared_origin(path, Origins::default()))?;
        Some(Value { data: Data::Unknown, origins })
    }

    /// Is the parameter declared to be a number, a flag or one of some literals?
    fn holds_no_text(&self, function: FunctionRef, index: usize) -> bool {
        let hir = self.program.module(function.module);
        let parameter = hir.function(function.function).parameters.get(index);
        parameter.is_some_and(|parameter| self.is_closed_type(function.module, parameter.annotation, 0))
    }

    fn is_closed_type(&self, module: ModuleId, ty: TypeId, depth: u8) -> bool {
        let hir = self.program.module(module);
        match hir.ty(ty) {
            _ if depth > 4 => false,
            Some(Type::Keyword(name)) => {
                matches!(hir.str(*name), "number" | "boolean" | "bigint" | "literal" | "undefined" | "null")
            }
            Some(Type::Union(parts)) => parts.iter().all(|&part| self.is_closed_type(module, part, depth + 1)),
            Some(Type::Array(inner)) => self.is_closed_type(module, *inner, depth + 1),
            Some(Type::Reference { root: TypeRoot::Symbol(symbol), path, .. }) if path.is_empty() => {
                match hir.symbol(*symbol).definition {
                    Definition::TypeOnly(inner) => self.is_closed_type(module, inner, depth + 1),
                    Definition::Enum(_) => true,
                    _ => false,
                }
            }
            _ => false,
        }
    }
}
