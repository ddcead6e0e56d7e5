//! What one registration says: the paths, the router and what stands in the chain of a route or mount.

use rustc_hash::FxHashMap;

use super::extract::Raw;
use super::plain_paths::plain_path;
use super::uses::add_used;
use crate::facts::graph::Callable;
use crate::facts::model::{Data, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing, Things};
use crate::syntax::hir::{Atom, ClassIdx, Definition, ExprId, ExprKind, Language, MemberKind, Module};

/// A router of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RouterId {
    /// The call that made it.
    pub site: ExprRef,
    /// The class of the object that holds it, where a base class makes one for each object.
    pub owner: Option<(ModuleId, ClassIdx)>,
}

#[derive(Clone)]
pub struct Mount {
    pub raw: usize,
    pub routers: Vec<RouterId>,
    pub callables: Vec<Callable>,
    pub paths: Option<Vec<String>>,
    pub half: bool,
    /// What mounts of one slot decide, the nearest to a handler decides alone.
    pub slot: Option<String>,
    /// The methods that a handler is kept to.
    pub methods: Vec<String>,
    /// Its path stands instead of the one that the router was made with.
    pub replaces: bool,
    pub order: Order,
}

/// Which routes of its router a mount holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Those that are registered after it.
    Later,
    /// Those that are registered before it: what wraps a router wraps what it has.
    Earlier,
    All,
    /// None: it runs once the answer is there.
    After,
    /// None: it only hangs in routers, and handlers that say their own path.
    Places,
}

impl Order {
    fn of(raw: &Raw) -> Order {
        match raw.text("order") {
            Some("earlier") => Order::Earlier,
            Some("all") => Order::All,
            Some("after") => Order::After,
            Some("places") => Order::Places,
            _ => Order::Later,
        }
    }
}

pub struct Registered {
    pub raw: usize,
    pub path: Option<String>,
    pub router: Option<RouterId>,
    pub callables: Vec<Callable>,
    /// Of a method of a class that answers requests: its name in capitals.
    pub method: Option<String>,
}

/// The methods of a class of views that answer requests.
pub(super) const HTTP_METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head"];

/// Looks at registrations, each as its turn has it.
pub struct Looker<'e, 'p> {
    pub evaluator: &'e mut Evaluator<'p>,
    /// By function: the routers that are handed to it to register on.
    pub handed: &'e FxHashMap<FunctionRef, Vec<ExprRef>>,
}

/// Calls in one chain (`Router::new().route(…).route(…)`) that are followed.
const MAX_FLUENT: usize = 1024;
/// Routers that a router is looked for in, one inside the other.
const MAX_DEPTH: u8 = 24;

impl Looker<'_, '_> {
    pub fn registered(&mut self, index: usize, raw: &Raw) -> Vec<Registered> {
        let mut callables: Vec<Callable> = Vec::new();
        for &at in raw.refs("chain") {
            callables.extend(self.evaluator.callables(at));
        }
        if self.evaluator.program.module(raw.at.module).language == Language::Python {
            let functions = callables.len();
            for &at in raw.refs("chain") {
                add_used(self.evaluator, at, &mut callables);
            }
            // What wraps a class stays; of its methods, only those that answer run.
            let is_wrapper = |callable: &Callable| matches!(callable, Callable::External { .. });
            let used: Vec<Callable> = callables.drain(functions.min(callables.len())..).filter(is_wrapper).collect();
            callables.extend(used);
            if raw.view.is_some() {
                callables.retain(is_wrapper);
            }
        }
        for &function in &raw.functions {
            if !callables.contains(&Callable::Function(function)) {
                callables.push(Callable::Function(function));
            }
        }
        let in_list = raw.refs("list").first().map(|&site| RouterId { site, owner: None });
        let router = in_list.or_else(|| raw.refs("router").first().and_then(|&at| self.router_site(at, 0)));
        let views: Vec<(FunctionRef, String)> = match raw.view {
            Some(_) => Vec::new(),
            None => raw.refs("chain").iter().flat_map(|&at| self.views(at)).collect(),
        };
        let paths = self.paths_of_route(raw);
        let registered = |path: &Option<String>, callables: Vec<Callable>, method| Registered {
            raw: index,
            path: path.clone(),
            router,
            callables,
            method,
        };
        if views.is_empty() {
            return paths.iter().map(|path| registered(path, callables.clone(), None)).collect();
        }
        let mut found = Vec::new();
        for (function, method) in &views {
            let own: Vec<Callable> = callables.iter().copied().chain([Callable::Function(*function)]).collect();
            found.extend(paths.iter().map(|path| registered(path, own.clone(), Some(method.clone()))));
        }
        found
    }

    /// The methods of a class of views (`MethodView`, `Resource`): one route each, under the name of the method.
    fn views(&mut self, at: ExprRef) -> Vec<(FunctionRef, String)> {
        let mut found = Vec::new();
        for thing in self.evaluator.things(self.asked_for_view(at)) {
            let Thing::Class(module, class) = thing else { continue };
            let hir = self.evaluator.program.module(module);
            for member in &hir.class(class).members {
                let MemberKind::Method(function) = member.kind else { continue };
                let name = hir.str(member.name);
                if HTTP_METHODS.contains(&name) {
                    found.push((FunctionRef { module, function }, name.to_uppercase()));
                }
            }
        }
        found
    }

    /// One registration may serve several paths: a list of them, or one for each turn of a loop over constants.
    fn paths_of_route(&mut self, raw: &Raw) -> Vec<Option<String>> {
        let paths = match raw.get("path") {
            Some(Value { data: Data::Unknown, .. }) => self.paths_in_loop(raw),
            Some(value) => self.written_paths(raw, value).unwrap_or_default(),
            None => Vec::new(),
        };
        if paths.is_empty() { vec![None] } else { paths.into_iter().map(Some).collect() }
    }

    fn written_paths(&self, raw: &Raw, value: &Value) -> Option<Vec<String>> {
        let paths = mount_paths(value)?;
        match self.evaluator.program.module(raw.at.module).language {
            Language::Python => Some(paths.iter().map(|path| plain_path(path)).collect()),
            _ => Some(paths),
        }
    }

    fn paths_in_loop(&mut self, raw: &Raw) -> Vec<String> {
        let at = raw.registered_at();
        let module = self.evaluator.program.module(at.module);
        let Some((_, arguments)) = (at.expr != ExprId::NONE).then(|| module.call(at.expr)).flatten() else {
            return Vec::new();
        };
        let Some(first) = module.list(arguments).next() else { return Vec::new() };
        self.evaluator.texts_in_loop(ExprRef { module: at.module, expr: first })
    }

    /// `Orders.as_view("orders")` answers as the class does.
    fn asked_for_view(&self, at: ExprRef) -> ExprRef {
        let module = self.evaluator.program.module(at.module);
        match module.call(at.expr).map(|(callee, _)| module.kind(callee)) {
            Some(ExprKind::Member { object, .. }) => ExprRef { module: at.module, expr: object },
            _ => at,
        }
    }

    /// What is mounted, and the router that it is mounted on.
    pub fn mount(&mut self, index: usize, raw: &Raw) -> (Mount, Option<RouterId>) {
        let mut callables: Vec<Callable> = raw.functions.iter().map(|&f| Callable::Function(f)).collect();
        let mut routers = Vec::new();
        for &at in raw.refs("chain") {
            // `app.use("/x", router)`; arrays of routers too.
            // The call that mounts is what it mounts: its options are no handlers.
            if at == raw.at {
                callables.extend(self.mounted_itself(at));
                continue;
            }
            let methods = self.methods_of_classes(at);
            for callable in self.evaluator.callables(at) {
                match callable {
                    Callable::Opaque if !methods.is_empty() => {}
                    Callable::External { path, site: Some(site) } if self.is_router(path) => {
                        routers.push(self.held_by(at, site));
                    }
                    other if !callables.contains(&other) => callables.push(other),
                    _ => {}
                }
            }
            callables.extend(methods.into_iter().map(Callable::Function));
            if routers.is_empty()
                && let Some(site) = self.router_site(at, 0)
            {
                routers.push(site);
            }
        }
        let scope = raw.refs("scope").first().and_then(|&at| self.router_site(at, 0));
        let paths = raw.get("path").and_then(|value| self.written_paths(raw, value)).or_else(|| self.known_parts(raw));
        let mount = Mount {
            raw: index,
            routers,
            callables,
            paths,
            half: raw.text("strength") == Some("half"),
            replaces: raw.get("replaces").is_some_and(|value| value.data == Data::Bool(true)),
            order: Order::of(raw),
            slot: raw.text("slot").map(str::to_owned),
            methods: raw.get("methods").map(methods_of).unwrap_or_default(),
        };
        (mount, scope)
    }

    fn mounted_itself(&mut self, at: ExprRef) -> Option<Callable> {
        let module = self.evaluator.program.module(at.module);
        let named = module.call(at.expr).map_or(at.expr, |(callee, _)| callee);
        let path = self.evaluator.paths_of(ExprRef { module: at.module, expr: named }).first().copied()?;
        Some(Callable::External { path, site: Some(at) })
    }

    /// What a mounted class, or an object of one, does with a request stands in its methods, whichever the framework calls.
    fn methods_of_classes(&mut self, at: ExprRef) -> Vec<FunctionRef> {
        let mut found = Vec::new();
        for thing in self.evaluator.things(at) {
            let (Thing::Class(module, class) | Thing::Instance(module, class)) = thing else { continue };
            let methods = self.evaluator.program.module(module).class(class).members.iter();
            found.extend(methods.filter_map(|member| match member.kind {
                MemberKind::Method(function) => Some(FunctionRef { module, function }),
                _ => None,
            }));
        }
        found
    }

    /// The path of a mount as far as it is known: `[base, "/api"].concat()`, `format!("{base}/api")`.
    fn known_parts(&mut self, raw: &Raw) -> Option<Vec<String>> {
        if !raw.get("path")?.is_unknown() || raw.at.expr == ExprId::NONE {
            return None;
        }
        let first = self.evaluator.argument(raw.at, 0)?;
        let at = self.evaluator.origin(first);
        let module = self.evaluator.program.module(at.module);
        let text = match module.kind(at.expr) {
            ExprKind::Template { quasis, .. } => {
                let parts = module.lists.get(quasis.start as usize..(quasis.start + quasis.len) as usize)?;
                parts.iter().map(|&atom| module.str(Atom(atom))).collect::<String>()
            }
            ExprKind::Call { callee, .. } => {
                let ExprKind::Member { object, name } = module.kind(callee) else { return None };
                let ExprKind::Array(run) = module.kind(object) else { return None };
                let parts = module.list(run).filter_map(|item| module.literal(item));
                if module.str(name) == "concat" { parts.collect() } else { return None }
            }
            _ => return None,
        };
        text.starts_with('/').then(|| vec![text])
    }

    pub(super) fn is_router(&mut self, path: crate::facts::paths::PathId) -> bool {
        let types = &self.evaluator.stacks.router_types;
        self.evaluator.is_any_type(path, types)
    }

    /// The call that made a router; where it is a parameter, the call whose result is handed in.
    fn router_site(&mut self, at: ExprRef, depth: u8) -> Option<RouterId> {
        if depth > MAX_DEPTH {
            return None;
        }
        let things = self.evaluator.things(at);
        for thing in &things {
            if let Thing::Path { path, site: Some(site) } = *thing
                && self.is_router(path)
            {
                return self.handed_in(site, depth).or_else(|| Some(self.held_by(at, site)));
            }
        }
        self.router_of_parameter(at, depth)
    }

    /// `cfg.service(a).service(b)`: the router that a parameter at the start of the chain stands for.
    fn handed_in(&mut self, site: ExprRef, depth: u8) -> Option<RouterId> {
        let base = self.base_router(site);
        let receiver = self.fluent_receiver(base)?;
        self.router_of_parameter(receiver, depth)
    }

    fn router_of_parameter(&mut self, at: ExprRef, depth: u8) -> Option<RouterId> {
        let program = self.evaluator.program;
        let module = program.module(at.module);
        let ExprKind::Ident(symbol) = module.kind(at.expr) else { return None };
        let Definition::Parameter { function, index, .. } = module.symbol(symbol).definition else { return None };
        let function = FunctionRef { module: at.module, function };
        let handed = self.handed.get(&function).cloned().unwrap_or_default();
        if let Some(router) = handed.into_iter().find_map(|router| self.router_site(router, depth + 1)) {
            return Some(router);
        }
        let number = program.number(function);
        let callers = self.evaluator.links.callers.get(number.0 as usize).cloned().unwrap_or_default();
        callers.into_iter().take(4).find_map(|call| {
            let argument = self.evaluator.argument(call, index as usize)?;
            self.router_site(argument, depth + 1)
        })
    }

    /// The router that `at` stands for, with the object that holds it where a class makes one for each.
    fn held_by(&mut self, at: ExprRef, site: ExprRef) -> RouterId {
        let site = self.base_router(site);
        let Some(maker) = class_around(self.evaluator.program.module(site.module), site.expr) else {
            return RouterId { site, owner: None };
        };
        let owner = self.holders(at).into_iter().find_map(|thing| match thing {
            Thing::Instance(module, class) if self.inherits((module, class), (site.module, maker), 0) => {
                Some((module, class))
            }
            _ => None,
        });
        RouterId { site, owner }
    }

    /// What the router is a property of: `new Orders(db).router`, `this.app`, `orders.getRouter()`.
    fn holders(&mut self, at: ExprRef) -> Things {
        let mut at = at;
        for _ in 0..8 {
            let origin = self.evaluator.origin(at);
            match self.evaluator.handed(origin) {
                Some(argument) => at = argument,
                None => {
                    at = origin;
                    break;
                }
            }
        }
        let module = self.evaluator.program.module(at.module);
        let read = match module.kind(at.expr) {
            ExprKind::Call { callee, .. } => callee,
            _ => at.expr,
        };
        match module.kind(read) {
            ExprKind::Member { object, .. } => self.evaluator.things(ExprRef { module: at.module, expr: object }),
            _ => Things::new(),
        }
    }

    fn inherits(&mut self, class: (ModuleId, ClassIdx), from: (ModuleId, ClassIdx), depth: u8) -> bool {
        if class == from {
            return true;
        }
        let heritage = self.evaluator.program.module(class.0).class(class.1).heritage;
        let parents = self.evaluator.things(ExprRef { module: class.0, expr: heritage });
        depth < 6
            && parents.into_iter().any(|parent| match parent {
                Thing::Class(module, parent) => self.inherits((module, parent), from, depth + 1),
                _ => false,
            })
    }

    /// `Router().use(a).use(b)` is still the router that it started with.
    pub(super) fn base_router(&mut self, site: ExprRef) -> ExprRef {
        let mut site = site;
        for _ in 0..MAX_FLUENT {
            let Some(receiver) = self.fluent_receiver(site) else { break };
            let things = self.evaluator.things(receiver);
            let next = things.iter().find_map(|thing| match thing {
                Thing::Path { site, .. } => *site,
                _ => None,
            });
            match next {
                Some(next) if next != site => site = next,
                _ => break,
            }
        }
        site
    }

    /// The router that a method of it was called on, where that gives the router back.
    fn fluent_receiver(&mut self, site: ExprRef) -> Option<ExprRef> {
        let module = self.evaluator.program.module(site.module);
        let (callee, _) = module.call(site.expr)?;
        let ExprKind::Member { object, .. } = module.kind(callee) else { return None };
        let receiver = ExprRef { module: site.module, expr: object };
        let paths = self.evaluator.paths_of(receiver);
        paths.iter().any(|&path| self.is_router(path)).then_some(receiver)
    }
}

/// The innermost class that an expression stands in.
pub fn class_around(module: &Module, expr: ExprId) -> Option<ClassIdx> {
    let (start, end) = (module.expr(expr).start, module.expr(expr).end);
    let around = (0..).map(ClassIdx).zip(&module.classes).filter(|(_, class)| class.start <= start && class.end >= end);
    around.min_by_key(|(_, class)| class.end - class.start).map(|(index, _)| index)
}

/// One method, or a list of them.
fn methods_of(value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match &value.data {
        Data::Text(text) => vec![text],
        Data::List(items) => items.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(str::to_uppercase).collect()
}

/// None for everything, or for paths that are not known.
fn mount_paths(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = match &value.data {
        Data::Text(text) => vec![text.to_string()],
        Data::List(items) => items
            .iter()
            .filter_map(|item| {
                item.as_text().map(str::to_owned).or_else(|| item.field("source").as_text().map(str::to_owned))
            })
            .collect(),
        _ => return None,
    };
    (!texts.is_empty()).then_some(texts)
}
