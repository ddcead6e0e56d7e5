//! Parameters: what a function is given, by its callers, by its types or by the stack whose handler it is.
//!
//! In go a function and a position, out come the things that may be passed there.

use smallvec::SmallVec;

use super::thing::one;
use super::{Evaluator, MAX_CALLERS, Thing, Things};
use crate::facts::memo::Rests;
use crate::facts::paths::TypeIdx;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::stacks::Verb;
use crate::syntax::hir::{ExprId, ExprKind, FunctionIdx, Step};

impl Evaluator<'_> {
    pub(super) fn parameter(
        &mut self,
        module: ModuleId,
        function: FunctionIdx,
        index: u32,
        steps: &[Step],
        default: ExprId,
    ) -> Things {
        let mut found = self.whole_parameter(FunctionRef { module, function }, index as usize);
        found = self.follow(module, found, steps);
        if found.is_empty() && default != ExprId::NONE {
            let default = ExprRef { module, expr: default };
            found = self.injected(default).unwrap_or_else(|| self.things(default));
        }
        found
    }

    /// `db=Depends(get_db)`: a framework calls what it is given, and hands in what that gives.
    fn injected(&mut self, default: ExprRef) -> Option<Things> {
        let (callee, _) = self.program.module(default.module).call(default.expr)?;
        let stacks = self.stacks;
        let injects = self.paths_of(ExprRef { expr: callee, ..default }).into_iter().any(|path| {
            stacks.candidates(Verb::Param, self.paths.last_name(path)).any(|(clause, pattern)| {
                &*clause.kind == "mount" && self.matcher.matches_pattern(&self.paths, &stacks.types, path, pattern)
            })
        });
        let provider = self.argument(default, 0).filter(|_| injects)?;
        let providers = self.things(provider);
        Some(self.results(&providers, default, false))
    }

    fn whole_parameter(&mut self, function: FunctionRef, index: usize) -> Things {
        let program = self.program;
        let hir = program.module(function.module);
        let entry = hir.function(function.function);
        let Some(parameter) = entry.parameters.get(index) else { return Things::new() };
        self.rests = self.rests.with(Rests::on_function(function));
        let handler = self.links.handlers.get(&program.number(function));
        if let Some(ty) = handler.and_then(|types| types.get(index).copied().flatten()) {
            let path = self.paths.root(self.stacks.types.name(ty));
            return one(Thing::Path { path, site: None });
        }
        if let Some(ty) = self.type_by_name(function, index) {
            let path = self.paths.root(self.stacks.types.name(ty));
            return one(Thing::Path { path, site: None });
        }
        let entered = self.turn.call_of(function).and_then(|call| self.argument(call, index));
        let mut found = entered.map_or_else(Things::new, |argument| self.things(argument));
        if found.is_empty() {
            found = self.type_things(function.module, parameter.annotation, 0);
        }
        // Which router it is, a type does not say.
        if found.is_empty() || self.is_some_router(&found) {
            let handed = self.handed_in(function, index);
            found = if handed.is_empty() { found } else { handed };
        }
        if found.is_empty() {
            found = self.callback_parameter(function, index);
        }
        if found.is_empty() {
            found = self.named_handler_parameter(function, index);
        }
        found
    }

    /// What a stack of the service always hands in under the parameter's name.
    fn type_by_name(&self, function: FunctionRef, index: usize) -> Option<TypeIdx> {
        let hir = self.program.module(function.module);
        let symbol = hir.function(function.function).parameters.get(index)?.symbol.some()?;
        let name = hir.str(hir.symbol(symbol).name);
        let mut naming = self.stacks.stacks.iter().filter_map(|stack| Some((stack, *stack.parameters.get(name)?)));
        let project = self.program.project;
        let used = &project.service(project.file(self.program.loaded(function.module).file).service).stacks;
        naming.find(|(stack, _)| used.contains(&stack.id)).map(|(_, ty)| ty)
    }

    /// What the callers of a function give it there.
    fn handed_in(&mut self, function: FunctionRef, index: usize) -> Things {
        let callers = self.links.callers.get(self.program.number(function).0 as usize);
        let callers: SmallVec<[ExprRef; 6]> = callers.into_iter().flatten().take(MAX_CALLERS).copied().collect();
        let mut found = Things::new();
        for call in callers {
            if let Some(argument) = self.passed(call, function, index) {
                found.extend(self.things(argument));
            }
        }
        found
    }

    /// Is nothing known but that it is a router of some library?
    fn is_some_router(&mut self, things: &[Thing]) -> bool {
        let routers = &self.stacks.router_types;
        let nameless = |thing: &Thing| match *thing {
            Thing::Path { path, site: None } => Some(path),
            _ => None,
        };
        !things.is_empty()
            && things.iter().all(|thing| nameless(thing).is_some_and(|path| self.is_any_type(path, routers)))
    }

    /// A parameter of a function that is handed to a call: `client.$transaction(async (tx) => …)` is
    /// `client.$transaction().param0`; the callback of `then` gets what the promise holds.
    fn callback_parameter(&mut self, function: FunctionRef, index: usize) -> Things {
        let program = self.program;
        let hir = program.module(function.module);
        let Some(expr) = hir.function(function.function).expr.some() else { return Things::new() };
        let Some(parent) = hir.expr(expr).parent.some() else { return Things::new() };
        let Some((callee, _)) = hir.call(parent) else { return Things::new() };
        if callee == expr {
            return Things::new();
        }
        let mut found = Things::new();
        if let ExprKind::Member { object, name } = hir.kind(callee) {
            let receiver = ExprRef { module: function.module, expr: object };
            match hir.str(name) {
                "then" if index == 0 => return self.things(receiver),
                "map" | "forEach" | "filter" | "flatMap" | "some" | "every" | "find" if index == 0 => {
                    return self.elements_of(receiver);
                }
                _ => {}
            }
        }
        for path in self.paths_of(ExprRef { module: function.module, expr: callee }) {
            let result = self.paths.result(path);
            let path = self.paths.member(result, &format!("param{index}"));
            found.push(Thing::Path { path, site: None });
        }
        found
    }

    /// Where neither types nor callers tell, a function whose parameters bear a stack's own names is its handler.
    fn named_handler_parameter(&mut self, function: FunctionRef, index: usize) -> Things {
        let program = self.program;
        let hir = program.module(function.module);
        let entry = hir.function(function.function);
        if entry.parameters.len() < 2 {
            return Things::new();
        }
        let name_of = |position: usize| {
            let symbol = entry.parameters.get(position)?.symbol.some()?;
            Some(hir.str(hir.symbol(symbol).name).trim_start_matches('_'))
        };
        let service = program.project.service(program.project.file(program.loaded(function.module).file).service);
        for stack in &self.stacks.stacks {
            if stack.handler_names.len() < 2 || !service.stacks.contains(&stack.id) {
                continue;
            }
            // An error handler has one more in front.
            for shift in 0..2 {
                let named = (0..2).all(|i| name_of(i + shift) == Some(stack.handler_names[i].as_str()));
                if !named || index < shift {
                    continue;
                }
                if let Some(ty) = stack.handler.get(index - shift).copied().flatten() {
                    let path = self.paths.root(self.stacks.types.name(ty));
                    return one(Thing::Path { path, site: None });
                }
            }
        }
        Things::new()
    }

    /// Is that parameter of a function what a stack hands its handlers as the request?
    pub fn takes_request(&mut self, function: FunctionRef, index: usize) -> bool {
        let types = &self.stacks.request_types;
        self.whole_parameter(function, index)
            .into_iter()
            .any(|thing| matches!(thing, Thing::Path { path, .. } if self.is_any_type(path, types)))
    }
}
