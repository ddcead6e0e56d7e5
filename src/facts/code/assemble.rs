//! Puts the facts from code together: what clauses and shapes saw, with routes, phases and reachability.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::{Raw, extract};
use super::handed_back::HandedBack;
use super::idle::Reads;
use super::roles::Roles;
use super::routes::{Composed, Wiring, wire};
use super::{env, headers, names, random, registrations, responses, schemas, state, stored, wrappers};
use crate::facts::graph::{self, Callable, Reach, is_audited};
use crate::facts::model::{Confidence, Data, Fact, FactId, FunctionId, Guard, Phase, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Links};
use crate::facts::settings::Settings;
use crate::facts::stacks::{Stacks, Verb};
use crate::project::{Area, FileId, ProcessKind, ServiceId, Span};
use crate::syntax::hir::{BinaryOp, Definition, ExprId, ExprKind, FunctionIdx, Use};

/// What the code of a project says.
#[derive(Debug, Default)]
pub struct CodeFacts {
    pub facts: Vec<Fact>,
    pub calls: Vec<Vec<FunctionId>>,
    /// Services that answer requests.
    pub servers: Vec<ServiceId>,
}

const MUTATING: &[&str] = &["POST", "PUT", "PATCH", "DELETE", "ACTION"];
/// Calls from a route's functions to where its input is read.
const INPUT_HOPS: usize = 4;

pub fn code_facts(program: &Program<'_>, stacks: &Stacks) -> CodeFacts {
    let links = Links { settings: Settings::of(program, stacks), ..graph::links(program, stacks) };
    let mut evaluator = Evaluator::new(program, stacks, &links);
    let (mut raws, calls) = extract(&mut evaluator);
    raws = registrations::registrations(&mut evaluator, raws);
    names::name_logs(&evaluator, &mut raws);
    random::follow_random(&evaluator, &mut raws);
    schemas::schemas(&mut evaluator, &mut raws);
    headers::headers(&mut evaluator, &mut raws);
    env::check_env(&mut evaluator, &mut raws);
    responses::follow_responses(&mut evaluator, &mut raws);
    stored::stored_fields(&mut evaluator, &mut raws);
    names::name_shapes(&mut evaluator, &mut raws);
    state::states(&mut evaluator, &mut raws);
    wrappers::error_wrappers(&mut evaluator, &calls, &mut raws);
    let wiring = {
        let mut roles = Roles::new(program, &raws, &links.callers);
        wire(&mut evaluator, &raws, &mut roles)
    };
    let mut builder = Builder::new(evaluator, &raws, wiring, calls);
    builder.build();
    CodeFacts { facts: builder.facts, calls: builder.calls, servers: builder.servers.into_iter().collect() }
}

struct Builder<'p, 'r> {
    evaluator: Evaluator<'p>,
    raws: &'r [Raw],
    wiring: Wiring,
    calls: Vec<Vec<FunctionId>>,
    phases: Vec<Phase>,
    reach: Reach,
    reads: Reads,
    facts: Vec<Fact>,
    /// Facts by raw index, for joins.
    of_raw: FxHashMap<usize, usize>,
    servers: std::collections::BTreeSet<ServiceId>,
    /// Where bodies of requests are read, and by which functions.
    body_reads: FxHashSet<ExprRef>,
    body_readers: FxHashSet<FunctionId>,
}

impl<'p, 'r> Builder<'p, 'r> {
    fn new(evaluator: Evaluator<'p>, raws: &'r [Raw], wiring: Wiring, calls: Vec<Vec<FunctionId>>) -> Builder<'p, 'r> {
        let bodies = || {
            let of_body = |raw: &&Raw| &*raw.kind == "input" && raw.text("part").map(input_part) == Some("body");
            raws.iter().filter(of_body)
        };
        let program = evaluator.program;
        Builder {
            body_reads: bodies().map(|raw| raw.at).collect(),
            body_readers: bodies().filter_map(|raw| raw.function).map(|function| program.number(function)).collect(),
            evaluator,
            raws,
            wiring,
            calls,
            phases: Vec::new(),
            reach: Reach::default(),
            reads: Reads::default(),
            facts: Vec::new(),
            of_raw: FxHashMap::default(),
            servers: std::collections::BTreeSet::default(),
        }
    }

    fn program(&self) -> &'p Program<'p> {
        self.evaluator.program
    }

    fn build(&mut self) {
        let starts = self.starts();
        self.phases = graph::phases(self.program(), &self.calls, &starts);
        let entries = self.framework_entries();
        self.reach = graph::reach(self.program(), &entries);
        self.reads = Reads::of(self.program());
        let inputs = self.inputs_by_function();
        for index in 0..self.raws.len() {
            if &*self.raws[index].kind != "route" {
                let fact = self.fact(index);
                self.of_raw.insert(index, self.facts.len());
                self.facts.push(fact);
            }
        }
        let routes = std::mem::take(&mut self.wiring.routes);
        let on_pages = self.modules_used_by_pages();
        for route in &routes {
            let raw = &self.raws[route.raw];
            // A server function that no page can call is a function like any other.
            let is_called = route.method != "ACTION"
                || self.program().of_file(raw.span.file).is_some_and(|module| on_pages.contains(&module));
            if is_called {
                self.push_route(route, &inputs);
            }
        }
        self.unmounted_error_handlers();
        self.join_states();
        self.mount_roles();
        self.modules();
        self.services();
    }

    /// Functions that something outside calls, with when.
    fn starts(&mut self) -> Vec<(FunctionId, Phase)> {
        let program = self.program();
        let mut starts: Vec<(FunctionId, Phase)> = Vec::new();
        starts.extend(self.evaluator.links.handlers.keys().map(|&function| (function, Phase::Request)));
        starts.extend(self.wiring.request_functions.iter().map(|&f| (program.number(f), Phase::Request)));
        for raw in self.raws {
            let phase = match (&*raw.kind, raw.text("on")) {
                ("entry", _) => Phase::Request,
                ("hook", Some("job")) => Phase::Job,
                ("hook", Some("timer")) => Phase::Timer,
                ("hook", Some("write")) => Phase::Request,
                ("hook", _) => Phase::Startup,
                _ => continue,
            };
            starts.extend(raw.functions.iter().map(|&f| (program.number(f), phase)));
            for &at in raw.refs("handler") {
                for callable in self.evaluator.callables(at) {
                    if let Callable::Function(function) = callable {
                        starts.push((program.number(function), phase));
                    }
                }
            }
        }
        starts.sort_unstable();
        starts
    }

    /// Files that a framework runs by their place (`fact.entry` clauses).
    fn framework_entries(&self) -> Vec<FileId> {
        let program = self.program();
        let mut entries = Vec::new();
        for clause in self.evaluator.stacks.of_verb(Verb::File) {
            if &*clause.kind != "entry" {
                continue;
            }
            let stack = &self.evaluator.stacks.stacks[clause.stack].id;
            for module in program.ids() {
                let file = program.loaded(module).file;
                let service = program.project.service(program.project.file(file).service);
                if service.stacks.contains(stack)
                    && clause.file.as_ref().is_some_and(|globs| globs.is_match(self.relative(file)))
                {
                    entries.push(file);
                }
            }
        }
        entries
    }

    fn relative(&self, file: FileId) -> &'p str {
        let project = self.program().project;
        let file = project.file(file);
        let service = &project.service(file.service).path;
        file.path.strip_prefix(service.as_str()).and_then(|p| p.strip_prefix('/')).unwrap_or(&file.path)
    }

    fn inputs_by_function(&self) -> FxHashMap<FunctionId, Vec<String>> {
        let mut inputs: FxHashMap<FunctionId, Vec<String>> = FxHashMap::default();
        for raw in self.raws.iter().filter(|raw| &*raw.kind == "input") {
            if let (Some(function), Some(part)) = (raw.function, raw.text("part")) {
                inputs.entry(self.program().number(function)).or_default().push(input_part(part).to_owned());
            }
        }
        inputs
    }

    /// Modules that a component, in the browser or on the server, imports.
    fn modules_used_by_pages(&self) -> FxHashSet<ModuleId> {
        let program = self.program();
        let is_page = |module: ModuleId| {
            let file = program.project.file(program.loaded(module).file);
            file.area == Area::Client || file.path.ends_with(".tsx") || file.path.ends_with(".jsx")
        };
        program.ids().filter(|&module| is_page(module)).flat_map(|module| targets(program, module)).collect()
    }

    fn fact(&mut self, index: usize) -> Fact {
        let raw = &self.raws[index];
        let mut fact = self.base(raw);
        if &*raw.kind == "hook" {
            for &at in raw.refs("handler") {
                for callable in self.evaluator.callables(at) {
                    if let Callable::Function(function) = callable {
                        fact.roots.push(self.program().number(function));
                    }
                }
            }
        }
        if &*raw.kind == "router" || (&*raw.kind == "role" && raw.get("fails").is_none()) {
            let idle = self.reads.is_idle(self.program(), raw.at, &*raw.kind == "router");
            fact.fields.push(("idle".into(), Value::bool(idle)));
        }
        if !self.is_used(raw) {
            fact.used = false;
            fact.because.get_or_insert_with(|| format!("`{}` is made here but never mounted", raw.api).into());
        }
        fact
    }

    fn base(&mut self, raw: &Raw) -> Fact {
        let program = self.program();
        let module = raw.at.module;
        let file = program.project.file(raw.span.file);
        let mut fact = Fact::new(&raw.kind, raw.span, &raw.clause);
        fact.fields.clone_from(&raw.fields);
        fact.area = file.area;
        fact.service = file.service;
        fact.api = raw.api.clone();
        fact.certain = raw.certain;
        fact.function = raw.function.map(|f| program.number(f));
        fact.roots = fact.function.into_iter().chain(raw.functions.iter().map(|&f| program.number(f))).collect();
        fact.roots.dedup();
        fact.phase = match raw.function {
            Some(function) => self.phases[program.number(function).0 as usize],
            None if file.area == Area::Script => Phase::Script,
            None => Phase::Module,
        };
        if raw.at.expr != ExprId::NONE {
            let (within, guard) = self.evaluator.surroundings(raw.at);
            fact.within = within;
            fact.guard = guard;
            if self.evaluator.links.settings.is_aside(program, raw.at) {
                fact.guard.0 |= Guard::DEV.0;
            }
        }
        fact.symbol = raw.function.map_or_else(|| Arc::from(""), |f| symbol_of(program, f));
        let owner = program.of_file(raw.span.file).unwrap_or(module);
        if !self.reach.reached[owner.0 as usize] {
            fact.reached = false;
            fact.because = Some(self.why_unreached(owner));
        } else if self.reach.uncertain[owner.0 as usize] {
            fact.certain = fact.certain.min(Confidence::Medium);
        }
        fact
    }

    fn why_unreached(&self, module: ModuleId) -> Arc<str> {
        let path = self.program().path(module);
        match self.reach.imported_by[module.0 as usize] {
            0 => format!("{path} is never imported").into(),
            _ => format!("{path} is imported only by modules that no entry point reaches").into(),
        }
    }

    /// Is what a raw fact makes mounted, or called on the way of a request?
    fn is_used(&self, raw: &Raw) -> bool {
        match &*raw.kind {
            "router" => raw.text("parent") == Some("none") || self.wiring.used_sites.contains(&raw.at),
            "role" if self.wiring.mounts.contains(&raw.at) => true,
            "role" => match raw.get("fails") {
                Some(_) => raw.function.is_none_or(|f| self.phases[self.program().number(f).0 as usize] > Phase::Dead),
                None => {
                    self.wiring.used_sites.contains(&raw.at)
                        || self.stands_in_a_mount(raw)
                        || self.is_called_per_request(raw)
                }
            },
            _ => true,
        }
    }

    /// A function in the chain of a mount, or something made and called in one go.
    fn stands_in_a_mount(&self, raw: &Raw) -> bool {
        let Some(function) = raw.function else { return false };
        self.phases[self.program().number(function).0 as usize] == Phase::Request
    }

    /// `const limit = limiter(…)`, and a function that runs per request calls `limit(req, res, next)`.
    fn is_called_per_request(&self, raw: &Raw) -> bool {
        let program = self.program();
        let module = program.module(raw.at.module);
        let holds = |definition: &Definition| matches!(definition, Definition::Variable { init, steps, .. } if *init == raw.at.expr && steps.is_empty());
        let reads = module.symbols.iter().filter(|s| holds(&s.definition)).flat_map(|s| s.reads.iter().copied());
        reads.into_iter().any(|read| {
            let called = module.expr(read).parent.some().and_then(|p| module.call(p)).is_some_and(|(c, _)| c == read);
            let function = FunctionRef { module: raw.at.module, function: module.function_of(read) };
            called && self.phases[program.number(function).0 as usize] == Phase::Request
        })
    }

    fn push_route(&mut self, route: &Composed, inputs: &FxHashMap<FunctionId, Vec<String>>) {
        let raw = &self.raws[route.raw];
        let mut fact = self.base(raw);
        let program = self.program();
        let functions: Vec<FunctionId> = route.functions.iter().map(|&f| program.number(f)).collect();
        let mut parts = self.reached_inputs(&functions, inputs);
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
        let unvalidated = self.unvalidated(route, &parts);
        fact.roots = functions;
        let handler = route.functions.last().map_or_else(|| Arc::from(""), |&f| symbol_of(program, f));
        let framework = raw.stack.map_or("", |stack| self.evaluator.stacks.stacks[stack].id.as_str());
        let methods = if route.method == "ALL" { self.tested_methods(route) } else { vec![route.method.clone()] };
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

    /// The parts of the request that these functions read, themselves or through what they call.
    fn reached_inputs(&self, functions: &[FunctionId], inputs: &FxHashMap<FunctionId, Vec<String>>) -> Vec<String> {
        let bodies = HandedBack {
            program: self.program(),
            callers: &self.evaluator.links.callers,
            reads: &self.body_reads,
            readers: &self.body_readers,
        };
        // A function, and whether the body that it reads is of use to who asked for it.
        let mut level: Vec<(FunctionId, bool)> = functions.iter().map(|&function| (function, true)).collect();
        let mut seen: FxHashSet<(FunctionId, bool)> = level.iter().copied().collect();
        let mut parts = Vec::new();
        for _ in 0..=INPUT_HOPS {
            let mut next = Vec::new();
            for (function, wanted) in level {
                let read = inputs.get(&function).into_iter().flatten();
                parts.extend(read.filter(|part| wanted || *part != "body").cloned());
                for &callee in &self.calls[function.0 as usize] {
                    let wanted = wanted && !bodies.is_left(function, callee);
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
        for &function in &route.functions {
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

    /// Gives each change the fact of its collection.
    fn join_states(&mut self) {
        let by_site: FxHashMap<ExprRef, usize> = self
            .raws
            .iter()
            .enumerate()
            .filter(|(_, raw)| &*raw.kind == "state")
            .map(|(index, raw)| (raw.at, index))
            .collect();
        for (index, raw) in self.raws.iter().enumerate().filter(|(_, raw)| &*raw.kind == "change") {
            let state = raw.refs("state").first().and_then(|at| by_site.get(at)).and_then(|raw| self.of_raw.get(raw));
            if let (Some(&state), Some(&own)) = (state, self.of_raw.get(&index)) {
                let id = FactId(u32::try_from(state).unwrap_or(u32::MAX));
                let value = Value { data: Data::Fact(id), origins: crate::facts::model::Origins::default() };
                self.facts[own].fields.push(("state".into(), value));
            }
        }
    }

    /// Functions in the form of an error handler (error, request, response, next) that nothing mounts.
    fn unmounted_error_handlers(&mut self) {
        let program = self.program();
        for module in program.ids() {
            let loaded = program.loaded(module);
            if program.project.file(loaded.file).area != Area::Server {
                continue;
            }
            for (index, entry) in loaded.module.functions.iter().enumerate().skip(1) {
                let function = FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
                let mounted = self.wiring.request_functions.contains(&function);
                if entry.parameters.len() != 4 || mounted || !self.evaluator.takes_request(function, 1) {
                    continue;
                }
                let at = Span { file: loaded.file, start: entry.start, end: entry.start + 1 };
                let mut fact = Fact::new("role", at, "shape error-handler").with("role", Value::text("error-handler"));
                fact.area = Area::Server;
                fact.service = program.project.file(loaded.file).service;
                fact.symbol = symbol_of(program, function);
                fact.used = false;
                fact.reached = self.reach.reached[module.0 as usize];
                fact.because = Some(match fact.reached {
                    true => format!("`{}` in {} is never mounted", fact.symbol, program.path(module)).into(),
                    false => self.why_unreached(module),
                });
                self.facts.push(fact);
            }
        }
    }

    fn mount_roles(&mut self) {
        for (raw, roles) in &self.wiring.mount_roles {
            if let Some(&fact) = self.of_raw.get(raw) {
                let mut labels: Vec<String> = roles.iter().map(super::roles::Role::label).collect();
                labels.sort();
                labels.dedup();
                self.facts[fact].fields.push(("roles".into(), Value::texts(&labels)));
            }
        }
    }

    fn modules(&mut self) {
        let program = self.program();
        let mut capabilities: FxHashMap<FileId, Vec<String>> = FxHashMap::default();
        for raw in self.raws {
            let name = match &*raw.kind {
                "role" if raw.get("fails").is_none() => raw.text("role"),
                "capability" => raw.text("name"),
                "router" => Some("router"),
                "schema" => Some("schema"),
                _ => None,
            };
            if let Some(name) = name {
                capabilities.entry(raw.span.file).or_default().push(name.to_owned());
            }
        }
        for module in program.ids() {
            let loaded = program.loaded(module);
            let file = program.project.file(loaded.file);
            let at = Span { file: loaded.file, start: 0, end: 0 };
            if file.area == Area::Test && loaded.module.tests.cases > 0 {
                self.facts.push(self.test_fact(module, at));
            }
            if !is_audited(file.area) {
                continue;
            }
            let mut fact = Fact::new("module", at, "shape module");
            fact.area = file.area;
            fact.service = file.service;
            fact.reached = self.reach.reached[module.0 as usize];
            if !fact.reached {
                fact.because = Some(self.why_unreached(module));
            }
            let mut names = capabilities.remove(&loaded.file).unwrap_or_default();
            names.sort();
            names.dedup();
            let capability = if names.is_empty() { Value::ABSENT } else { Value::texts(&names) };
            fact.fields = vec![
                ("path".into(), Value::text(file.path.clone())),
                ("capability".into(), capability),
                ("imported_by".into(), Value::number(f64::from(self.reach.imported_by[module.0 as usize]))),
                ("dynamic".into(), Value::bool(self.reach.uncertain[module.0 as usize])),
                ("lines".into(), Value::number(f64::from(loaded.module.lines))),
            ];
            self.facts.push(fact);
        }
    }

    fn test_fact(&self, module: ModuleId, at: Span) -> Fact {
        let program = self.program();
        let loaded = program.loaded(module);
        let file = program.project.file(loaded.file);
        let end_to_end =
            ["e2e/", "cypress/", "playwright/", "integration/"].iter().any(|part| file.path.contains(part));
        let mut fact = Fact::new("test", at, "shape test");
        fact.area = Area::Test;
        fact.service = file.service;
        fact.fields = vec![
            ("cases".into(), Value::number(f64::from(loaded.module.tests.cases))),
            ("assertions".into(), Value::number(f64::from(loaded.module.tests.assertions))),
            ("imports".into(), Value::texts(self.tested_modules(module))),
            ("kind".into(), Value::text(if end_to_end { "end-to-end" } else { "unit" })),
        ];
        fact
    }

    /// The modules that a test imports, and what those import in turn, one level deep.
    fn tested_modules(&self, module: ModuleId) -> Vec<String> {
        let program = self.program();
        let mut found = std::collections::BTreeSet::new();
        let direct: Vec<ModuleId> = targets(program, module).collect();
        for &target in &direct {
            found.insert(program.path(target).to_owned());
            found.extend(targets(program, target).map(|inner| program.path(inner).to_owned()));
        }
        found.into_iter().collect()
    }

    fn services(&mut self) {
        let program = self.program();
        for raw in self.raws.iter().filter(|raw| &*raw.kind == "capability" && raw.text("name") == Some("server")) {
            let file = program.project.file(raw.span.file);
            let reached = program.of_file(raw.span.file).is_some_and(|m| self.reach.reached[m.0 as usize]);
            if reached && file.area == Area::Server {
                self.servers.insert(file.service);
            }
        }
        // What is started as a server is one, whatever its code looks like.
        for (at, service) in program.project.services.iter().enumerate() {
            if service.kinds.contains(&ProcessKind::Http) && !service.entries.is_empty() {
                self.servers.insert(ServiceId(u16::try_from(at).unwrap_or(u16::MAX)));
            }
        }
        for &id in &self.servers {
            let service = program.project.service(id);
            let entry = service.entries.first().map(|(file, _)| *file);
            let first = program.project.files.iter().position(|f| f.service == id).and_then(|i| u32::try_from(i).ok());
            let Some(file) = entry.or_else(|| first.map(FileId)) else { continue };
            let mut fact = Fact::new("service", Span { file, start: 0, end: 0 }, "shape service");
            fact.service = id;
            fact.area = Area::Server;
            fact.fields = vec![
                ("entry".into(), Value::text(program.project.file(file).path.clone())),
                ("kind".into(), Value::text("server")),
                ("serverless".into(), if service.serverless { Value::bool(true) } else { Value::ABSENT }),
            ];
            self.facts.push(fact);
        }
    }
}

fn targets<'a>(program: &'a Program<'_>, module: ModuleId) -> impl Iterator<Item = ModuleId> + use<'a> {
    program.loaded(module).targets.iter().filter_map(|target| match target {
        crate::facts::program::Target::Module(module) => Some(*module),
        _ => None,
    })
}

fn input_part(name: &str) -> &str {
    match name {
        "params" => "path",
        "searchParams" | "nextUrl" => "query",
        "json" | "text" | "formData" | "arrayBuffer" | "file" | "files" | "rawBody" => "body",
        "header" | "get" => "headers",
        other => other,
    }
}

/// The name of the nearest named function.
fn symbol_of(program: &Program<'_>, at: FunctionRef) -> Arc<str> {
    let hir = program.module(at.module);
    let mut next = Some(at.function);
    while let Some(index) = next {
        if index == FunctionIdx(0) {
            break;
        }
        let entry = hir.function(index);
        if let Some(name) = entry.name {
            return hir.str(name).into();
        }
        next = entry.parent.some();
    }
    "".into()
}
