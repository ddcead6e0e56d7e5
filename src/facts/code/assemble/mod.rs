//! Puts the facts from code together: what clauses and shapes saw, with routes, phases and reachability.
//!
//! In goes the program with its stacks ([`code_facts`]), out come [`CodeFacts`].

mod joined;
mod modules;
mod routes;
mod starts;
mod used;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

pub(super) use self::routes::input_part;
use crate::facts::code::asked_words::asked_words;
use crate::facts::code::described::{Described, described_routes};
use crate::facts::code::extract::{Raw, extract};
use crate::facts::code::idle::Reads;
use crate::facts::code::published::Published;
use crate::facts::code::roles::Roles;
use crate::facts::code::routes::{Wiring, wire};
use crate::facts::code::{
    caught, dropped, env, fields, flows, hand_checks, headers, lazy, models, names, placeholders, registrations,
    resources, responses, returned, state, stored, told, unresolved, wrappers, written,
};
use crate::facts::graph::{self, Callable, Reach};
use crate::facts::model::{Confidence, Fact, FunctionId, Guard, Phase, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Links};
use crate::facts::settings::Settings;
use crate::facts::stacks::Stacks;
use crate::project::{Area, ServiceId};
use crate::syntax::hir::{ExprId, FunctionIdx};

/// What the code of a project says.
#[derive(Debug, Default)]
pub struct CodeFacts {
    pub facts: Vec<Fact>,
    pub calls: Vec<Vec<FunctionId>>,
    /// Services that answer requests.
    pub servers: Vec<ServiceId>,
}

/// `described` gives the operations of the project's OpenAPI documents, if anything hands such a document over.
pub fn code_facts<'a>(
    program: &Program<'_>,
    stacks: &Stacks,
    described: impl FnOnce() -> Vec<Described<'a>>,
) -> CodeFacts {
    let (links, [first, second]) = graph::links(program, stacks);
    let links = Links { settings: Settings::of(program, stacks), ..links };
    let mut evaluator = Evaluator::with(program, stacks, &links, first);
    let (mut raws, calls) = extract(&mut evaluator, second);
    described_routes(&mut evaluator, &mut raws, described);
    raws = registrations::registrations(&mut evaluator, raws);
    raws = resources::resources(&mut evaluator, raws);
    names::name_logs(&evaluator, &mut raws);
    flows::follow_values(&evaluator, &mut raws);
    models::models(&mut evaluator, &mut raws);
    lazy::lazy_reads(&mut evaluator, &mut raws);
    headers::headers(&mut evaluator, &mut raws);
    env::check_env(&mut evaluator, &mut raws);
    returned::returned_responses(&mut evaluator, &mut raws);
    responses::follow_responses(&mut evaluator, &mut raws);
    stored::stored_fields(&mut evaluator, &mut raws);
    names::name_shapes(&mut evaluator, &mut raws);
    let asked = asked_words(program, stacks);
    written::written_shapes(&mut evaluator, &asked, &mut raws);
    told::told_shapes(program, &asked, &mut raws);
    fields::field_shapes(&mut evaluator, &asked, &mut raws);
    state::states(&mut evaluator, &mut raws);
    caught::caught_errors(program, &mut raws);
    placeholders::placeholders(program, &mut raws);
    dropped::dropped_promises(&mut evaluator, &mut raws);
    unresolved::unresolved_imports(program, &mut raws);
    hand_checks::hand_checks(program, &mut raws);
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
    /// Functions that refuse bodies for their size.
    body_limiters: FxHashSet<FunctionId>,
    /// By function: the parts of requests that its signature declares.
    declared_inputs: FxHashMap<FunctionId, Vec<String>>,
}

impl<'p, 'r> Builder<'p, 'r> {
    fn new(evaluator: Evaluator<'p>, raws: &'r [Raw], wiring: Wiring, calls: Vec<Vec<FunctionId>>) -> Builder<'p, 'r> {
        let bodies = || {
            let of_body = |raw: &&Raw| {
                let read = &*raw.kind == "input" && !raw.is_declared_input();
                read && raw.text("part").map(input_part) == Some("body")
            };
            raws.iter().filter(of_body)
        };
        let program = evaluator.program;
        let limits = raws.iter().filter(|raw| &*raw.kind == "role" && raw.text("role") == Some("body-limit"));
        Builder {
            body_limiters: limits.filter_map(|raw| raw.function).map(|function| program.number(function)).collect(),
            body_reads: bodies().map(|raw| raw.at).collect(),
            declared_inputs: FxHashMap::default(),
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
        let once = self.run_once();
        self.phases = graph::phases(self.program(), &self.calls, &starts, &once);
        let entries = self.framework_entries();
        self.reach = graph::reach(self.program(), &entries);
        self.reads = Reads::of(self.program());
        let inputs = self.inputs_by_function(false);
        self.declared_inputs = self.inputs_by_function(true);
        for index in 0..self.raws.len() {
            if &*self.raws[index].kind != "route" {
                let fact = self.fact(index);
                self.of_raw.insert(index, self.facts.len());
                self.facts.push(fact);
            }
        }
        let routes = std::mem::take(&mut self.wiring.routes);
        let published = Published::of(self.program());
        for route in &routes {
            let raw = &self.raws[route.raw];
            // A server function that no page can call is a function like any other.
            let module = self.program().of_file(raw.span.file);
            let is_published =
                || module.zip(raw.text("path")).is_some_and(|(module, name)| published.has(module, name));
            let is_called = route.method != "ACTION" || is_published();
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

    fn fact(&mut self, index: usize) -> Fact {
        let raw = &self.raws[index];
        let mut fact = self.base(raw);
        if matches!(&*raw.kind, "hook" | "capability") {
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
