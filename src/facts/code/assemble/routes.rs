//! Facts of routes: per method, with the input that their functions read and what of it nothing validates.
//!
//! In goes a composed route, out come its facts.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Builder, symbol_of};
use crate::facts::code::answers::answer;
use crate::facts::code::compared::{is_put_back, only_looked_at};
use crate::facts::code::extract::Raw;
use crate::facts::code::handed_back::HandedBack;
use crate::facts::code::routes::Composed;
use crate::facts::model::{FunctionId, Value};
use crate::facts::program::{ExprRef, FunctionRef};
use crate::syntax::hir::{BinaryOp, ExprId, ExprKind, Use};

const MUTATING: &[&str] = &["POST", "PUT", "PATCH", "DELETE", "ACTION"];
/// Calls from a route's functions to where its input is read.
const INPUT_HOPS: usize = 4;

impl<'p, 'r> Builder<'p, 'r> {
    /// The parts of requests that functions read; or those that their signatures declare, checked before they run.
    pub(super) fn inputs_by_function(&self, declared: bool) -> FxHashMap<FunctionId, Vec<String>> {
        let mut inputs: FxHashMap<FunctionId, Vec<String>> = FxHashMap::default();
        let calls = |kind: &str| -> FxHashSet<ExprRef> {
            self.raws.iter().filter(|raw| &*raw.kind == kind).map(|raw| raw.at).collect()
        };
        let (logs, lookups) = (calls("log"), calls("lookup"));
        let goes_nowhere = |raw: &Raw| {
            // Rows are found by a text as they are by any other; what else may come as JSON can be a query of its own.
            let are_texts = raw.get("texts").is_some();
            let is_harmless = |expr| {
                let at = ExprRef { module: raw.at.module, expr };
                logs.contains(&at) || are_texts && lookups.contains(&at)
            };
            let module = || self.program().module(raw.at.module);
            raw.text("part").map(input_part) == Some("body")
                && raw.at.expr != ExprId::NONE
                && (only_looked_at(module(), raw.at.expr, &is_harmless) || is_put_back(module(), raw.at.expr))
        };
        let guards = self.guards();
        let is_credential = |raw: &Raw| {
            raw.text("part").map(input_part) == Some("body") && raw.function.is_some_and(|f| guards.contains(&f))
        };
        let of_sort = |raw: &&Raw| {
            let counts = || !goes_nowhere(raw) && !is_credential(raw);
            &*raw.kind == "input" && raw.is_declared_input() == declared && (declared || counts())
        };
        for raw in self.raws.iter().filter(of_sort) {
            if let (Some(function), Some(part)) = (raw.function, raw.text("part")) {
                inputs.entry(self.program().number(function)).or_default().push(input_part(part).to_owned());
            }
        }
        inputs
    }

    /// Functions beside the handlers that ask who is calling: what they read of a request they look up.
    fn guards(&self) -> FxHashSet<FunctionRef> {
        let asking = self.raws.iter().filter(|raw| &*raw.kind == "role" && raw.text("role") == Some("auth"));
        let handlers: FxHashSet<FunctionRef> =
            self.wiring.routes.iter().filter_map(|route| route.own.last().copied()).collect();
        asking.filter_map(|raw| raw.function).filter(|function| !handlers.contains(function)).collect()
    }

    pub(super) fn push_route(&mut self, route: &Composed, inputs: &FxHashMap<FunctionId, Vec<String>>) {
        let raw = &self.raws[route.raw];
        let mut fact = self.base(raw);
        let program = self.program();
        let functions: Vec<FunctionId> = route.functions.iter().map(|&f| program.number(f)).collect();
        let declared: Vec<String> =
            functions.iter().filter_map(|function| self.declared_inputs.get(function)).flatten().cloned().collect();
        let mut parts = self.reached_inputs(&functions, route.shared, inputs);
        parts.extend(raw.view.iter().flat_map(|view| view.inputs.iter().cloned()));
        parts.extend(declared.iter().cloned());
        if let Some(path) = &route.path
            && path.contains(':')
        {
            parts.push("path".to_owned());
        }
        parts.sort();
        parts.dedup();
        if !route.mounted {
            fact.used = false;
            fact.because.get_or_insert_with(|| "its router is never mounted".into());
        }
        let mut unvalidated = self.unvalidated(route, &parts);
        unvalidated.retain(|part| !declared.contains(part));
        fact.roots = functions;
        fact.shared_roots = route.shared;
        let named = raw.view.as_ref().map(|view| Arc::from(view.name.as_str()));
        let handler =
            named.unwrap_or_else(|| route.functions.last().map_or_else(|| Arc::from(""), |&f| symbol_of(program, f)));
        let (answers, parameters) = route.functions.last().map_or((Value::UNKNOWN, Value::UNKNOWN), |&last| {
            let module = program.module(last.module);
            let function = module.function(last.function);
            let parameters = u32::try_from(function.parameters.len()).unwrap_or(u32::MAX);
            (answer(module, function).map_or(Value::ABSENT, Value::text), Value::number(f64::from(parameters)))
        });
        let framework = raw.stack.map_or("", |stack| self.evaluator.stacks.stacks[stack].id.as_str());
        let methods = match (&*route.method, route.declared_methods.is_empty()) {
            ("ALL", true) => self.tested_methods(route),
            ("ALL", false) => route.declared_methods.clone(),
            (method, _) => vec![method.to_owned()],
        };
        for method in methods {
            let mut fact = fact.clone();
            let mutates = MUTATING.contains(&method.as_str());
            fact.fields = vec![
                ("method".into(), Value::text(method)),
                ("path".into(), route.path.as_deref().map_or(Value::UNKNOWN, Value::text)),
                ("handler".into(), Value::text(handler.clone())),
                ("roles".into(), Value::texts(&route.roles)),
                ("inputs".into(), Value::texts(&parts)),
                ("unvalidated".into(), Value::texts(&unvalidated)),
                ("mutates".into(), Value::bool(mutates)),
                ("signs_in".into(), Value::bool(route.roles.iter().any(|role| role == "credentials"))),
                ("framework".into(), Value::text(framework)),
                ("answers".into(), answers.clone()),
                ("parameters".into(), parameters.clone()),
            ];
            if fact.reached {
                self.servers.insert(fact.service);
            }
            self.facts.push(fact);
        }
    }

    /// The parts of the input that no validation on the way looks at.
    fn unvalidated(&mut self, route: &Composed, parts: &[String]) -> Vec<String> {
        let mut left: Vec<String> = parts.to_vec();
        if self.raws[route.raw].view.iter().any(|view| view.roles.iter().any(|role| role == "validate")) {
            left.clear();
        }
        for &index in &route.role_raws {
            let raw = &self.raws[index];
            if raw.text("role") != Some("validate") || raw.text("strength") == Some("half") {
                continue;
            }
            match self.validated_parts(raw) {
                Some(seen) => left.retain(|part| !seen.contains(part)),
                None => left.clear(),
            }
        }
        left
    }

    /// The parts that a validation is given; none when that cannot be told (a middleware, a parameter).
    fn validated_parts(&mut self, raw: &Raw) -> Option<Vec<String>> {
        let at = self.evaluator.argument(raw.at, 0)?;
        let origin = self.evaluator.origin(at);
        let program = self.program();
        let (file, expr) = (program.loaded(origin.module).file, program.module(origin.module).expr(origin.expr));
        let inside = |other: &&Raw| {
            &*other.kind == "input"
                && other.span.file == file
                && other.span.start >= expr.start
                && other.span.end <= expr.end
        };
        let parts: Vec<String> =
            self.raws.iter().filter(inside).filter_map(|r| r.text("part")).map(|p| input_part(p).to_owned()).collect();
        (!parts.is_empty()).then_some(parts)
    }

    /// The parts of the request that these functions read, themselves or through what they call. What the first ones,
    /// which are there for other routes too, do with a body (its digest, a log) is no use that the route makes of it.
    fn reached_inputs(
        &self,
        functions: &[FunctionId],
        shared: usize,
        inputs: &FxHashMap<FunctionId, Vec<String>>,
    ) -> Vec<String> {
        let bodies = HandedBack {
            program: self.program(),
            callers: &self.evaluator.links.callers,
            reads: &self.body_reads,
            readers: &self.body_readers,
        };
        // A function, and whether the body that it reads is of use to who asked for it.
        let mut level: Vec<(FunctionId, bool)> =
            functions.iter().enumerate().map(|(index, &function)| (function, index >= shared)).collect();
        let mut seen: FxHashSet<(FunctionId, bool)> = level.iter().copied().collect();
        let mut parts = Vec::new();
        for _ in 0..=INPUT_HOPS {
            let mut next = Vec::new();
            for (function, wanted) in level {
                let read = inputs.get(&function).into_iter().flatten();
                parts.extend(read.filter(|part| wanted || *part != "body").cloned());
                for &callee in &self.calls[function.0 as usize] {
                    let is_weighed = self.body_limiters.contains(&function) && bodies.is_asked(function, callee);
                    let wanted = wanted && !is_weighed && !bodies.is_left(function, callee);
                    if seen.insert((callee, wanted)) {
                        next.push((callee, wanted));
                    }
                }
            }
            level = next;
        }
        parts
    }

    /// The methods that a handler of all methods tells apart: `req.method === "POST"`, `case "POST"`.
    fn tested_methods(&self, route: &Composed) -> Vec<String> {
        let program = self.program();
        let mut found: Vec<String> = Vec::new();
        for &function in &route.own {
            let hir = program.module(function.module);
            let entry = hir.function(function.function);
            for (index, expr) in hir.exprs.iter().enumerate() {
                if expr.start < entry.start || expr.end > entry.end {
                    continue;
                }
                let Some(text) = hir.literal(ExprId(u32::try_from(index).unwrap_or(u32::MAX))) else { continue };
                let compared = match expr.parent.some().map(|p| hir.kind(p)) {
                    Some(ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual, .. }) => true,
                    None => expr.role == Use::Test,
                    _ => false,
                };
                if compared && matches!(text, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD") {
                    found.push(text.to_owned());
                }
            }
        }
        found.sort();
        found.dedup();
        if found.is_empty() { vec!["ALL".to_owned()] } else { found }
    }
}

pub(in crate::facts::code) fn input_part(name: &str) -> &str {
    match name {
        "params" => "path",
        "searchParams" | "nextUrl" => "query",
        "json" | "text" | "formData" | "arrayBuffer" | "file" | "files" | "rawBody" => "body",
        "header" | "get" => "headers",
        other => other,
    }
}
