//! Routers, mounts and routes: which middleware a request to each route passes, in the order of registration.

use rustc_hash::{FxHashMap, FxHashSet};

use super::declared::{Declared, declared};
use super::extract::Raw;
use super::registered::{Looker, Mount, Order, Registered, RouterId};
use super::roles::{Role, Roles};
use super::ways::with_marked_parameters;
use crate::facts::graph::Callable;
use crate::facts::model::{Data, Value};
use crate::facts::paths::Selector;
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::{Evaluator, Thing};
use crate::project::ServiceId;
use crate::syntax::hir::{ContextKind, ExprKind, FunctionIdx};

/// What a request to one route passes.
#[derive(Debug, Clone, Default)]
pub struct Composed {
    /// Index of the route's raw fact.
    pub raw: usize,
    pub path: Option<String>,
    pub method: String,
    pub roles: Vec<String>,
    /// Every function on the way, the handler last.
    pub functions: Vec<FunctionRef>,
    /// How many of them, the first ones, are there for other routes too.
    pub shared: usize,
    /// Those of the route itself, without what it is mounted under.
    pub own: Vec<FunctionRef>,
    /// Calls that made the middleware on the way.
    pub sites: Vec<ExprRef>,
    /// Raw facts of the roles on the way.
    pub role_raws: Vec<usize>,
    /// Its router is mounted, up to an application.
    pub mounted: bool,
    /// The methods that its handler is kept to.
    pub declared_methods: Vec<String>,
}

/// Everything about routes in one project.
pub struct Wiring {
    pub routes: Vec<Composed>,
    /// Calls whose result is mounted or called somewhere.
    pub used_sites: FxHashSet<ExprRef>,
    /// Functions that run per request because they stand in a chain.
    pub request_functions: FxHashSet<FunctionRef>,
    /// Raw mounts with the roles of their chain.
    pub mount_roles: Vec<(usize, Vec<Role>)>,
    /// The calls that mount something.
    pub mounts: FxHashSet<ExprRef>,
}

/// The `order` of a mount by which a function is handed the router, to register on it.
const HANDS: &str = "hands";
/// The `strength` of a role that is only played where something is written.
const WRITES: &str = "writes";
/// What stands among the roles of a route that something unknown stands before.
const OPAQUE: &str = ":opaque";
/// The same where an extractor may ask for an account.
const MAYBE_GUARDED: [&str; 2] = [":maybe-auth", ":maybe-admin"];
/// Functions of one route whose own mounts are looked at.
const MAX_DECLARED: usize = 64;

pub fn wire(evaluator: &mut Evaluator<'_>, raws: &[Raw], roles: &mut Roles<'_, '_>) -> Wiring {
    let mut wirer = Wirer::collect(evaluator, raws, roles);
    let mut wiring = Wiring {
        routes: Vec::new(),
        used_sites: FxHashSet::default(),
        request_functions: FxHashSet::default(),
        mount_roles: Vec::new(),
        mounts: raws.iter().filter(|raw| &*raw.kind == "mount").map(|raw| raw.at).collect(),
    };
    for index in 0..wirer.routes.len() {
        let composed = wirer.compose(index, roles);
        wiring.used_sites.extend(composed.sites.iter().copied());
        wiring.request_functions.extend(composed.functions.iter().copied());
        wiring.routes.push(composed);
    }
    settle_unmounted(raws, wirer.evaluator, &mut wiring.routes);
    for mount in &wirer.mounts {
        let mut found = Vec::new();
        for callable in &mount.callables {
            note(*callable, &mut wiring);
            found.extend(roles.of_callable(*callable));
        }
        wiring.used_sites.extend(mount.routers.iter().map(|router| router.site));
        wiring.mount_roles.push((mount.raw, found));
    }
    wiring
}

/// Where no router of a service is seen to be served, nobody can tell which of them are not.
fn settle_unmounted(raws: &[Raw], evaluator: &Evaluator<'_>, routes: &mut [Composed]) {
    let project = evaluator.program.project;
    let place = |route: &Composed| (project.file(raws[route.raw].span.file).service, raws[route.raw].stack);
    let served: FxHashSet<_> = routes.iter().filter(|route| route.mounted).map(place).collect();
    let roots = raws.iter().filter(|raw| &*raw.kind == "router" && raw.text("parent") == Some("none"));
    let rooted: FxHashSet<_> = roots.map(|raw| raw.stack).collect();
    for route in routes.iter_mut() {
        route.mounted |= !served.contains(&place(route)) && !rooted.contains(&raws[route.raw].stack);
    }
}

fn note(callable: Callable, wiring: &mut Wiring) {
    match callable {
        Callable::Function(function) => {
            wiring.request_functions.insert(function);
        }
        Callable::External { site: Some(site), .. } => {
            wiring.used_sites.insert(site);
        }
        _ => {}
    }
}

pub(super) struct Wirer<'e, 'p, 'r> {
    pub(super) evaluator: &'e mut Evaluator<'p>,
    pub(super) raws: &'r [Raw],
    pub(super) mounts: Vec<Mount>,
    pub(super) routes: Vec<Registered>,
    /// By router: the mounts on it.
    pub(super) on: FxHashMap<RouterId, Vec<usize>>,
    /// By router: the mounts that hang it in somewhere.
    pub(super) under: FxHashMap<RouterId, Vec<usize>>,
    /// By function or class: the mounts that hold for it alone.
    pub(super) on_declared: FxHashMap<Declared, Vec<usize>>,
    /// Mounts that hold for a whole service (`middleware.ts`).
    pub(super) global: Vec<usize>,
    pub(super) scopes: Vec<Option<RouterId>>,
    /// Mounts that hold for handlers of a kind, wherever they are.
    pub(super) kinds: Vec<(usize, &'p Selector)>,
    /// Services that say which list of routes is the first.
    pub(super) rooted: FxHashSet<ServiceId>,
    /// Every list that something is registered in.
    pub(super) lists: FxHashSet<ExprRef>,
    /// What routers were made with: the start of the paths of all that hangs on them.
    pub(super) prefixes: FxHashMap<ExprRef, String>,
    /// By function: the routers that are handed to it to register on.
    pub(super) handed: FxHashMap<FunctionRef, Vec<ExprRef>>,
    /// By handler that says its own method and path: the mounts that hang it in.
    pub(super) placed: FxHashMap<FunctionRef, Vec<usize>>,
    /// What the handler at hand decides for itself.
    pub(super) decided: FxHashSet<String>,
}

impl<'e, 'p, 'r> Wirer<'e, 'p, 'r> {
    fn collect(evaluator: &'e mut Evaluator<'p>, raws: &'r [Raw], roles: &mut Roles<'_, '_>) -> Self {
        let mut wirer = Wirer {
            evaluator,
            raws,
            mounts: Vec::new(),
            routes: Vec::new(),
            on: FxHashMap::default(),
            under: FxHashMap::default(),
            on_declared: FxHashMap::default(),
            global: Vec::new(),
            scopes: Vec::new(),
            kinds: Vec::new(),
            rooted: FxHashSet::default(),
            lists: raws.iter().flat_map(|raw| raw.refs("list").iter().copied()).collect(),
            prefixes: FxHashMap::default(),
            handed: FxHashMap::default(),
            placed: FxHashMap::default(),
            decided: FxHashSet::default(),
        };
        wirer.hand_out();
        for (index, raw) in raws.iter().enumerate() {
            match &*raw.kind {
                "router" => {
                    if let Some(prefix) = raw.text("prefix").filter(|prefix| !prefix.is_empty()) {
                        wirer.prefixes.insert(raw.at, prefix.to_owned());
                    }
                }
                "mount" if raw.text("order") == Some(HANDS) => {}
                "mount" => {
                    let (mut mount, scope) = wirer.in_turn(raw, |wirer| wirer.mount(index, raw));
                    wirer.hang_lists(raw, &mut mount);
                    wirer.add_uses(raw, &mut mount, roles);
                    wirer.note_extractors(raw, &mount, roles);
                    let declared = raw.refs("scope").first().and_then(|&at| declared(wirer.evaluator, at));
                    let in_list = raw.refs("list").first().map(|&site| RouterId { site, owner: None });
                    let scope = in_list.or(scope).filter(|_| declared.is_none());
                    for loaded in wirer.in_turn(raw, |looker| looker.loaded_by_name(raw.at, raw.refs("chain"))) {
                        let paths = loaded.prefix.map(|prefix| vec![prefix]).or_else(|| mount.paths.clone());
                        let loaded = Mount { routers: vec![loaded.router], paths, ..mount.clone() };
                        wirer.add_mount(loaded, scope, None);
                    }
                    wirer.add_mount(mount, scope, declared);
                }
                "route" => {
                    let registered = wirer.in_turn(raw, |wirer| wirer.registered(index, raw));
                    wirer.routes.extend(registered);
                }
                _ => {}
            }
        }
        wirer.place_handlers();
        wirer.drop_described();
        wirer
    }

    /// Finds the routers that functions are handed to register on: `App::new().configure(routes)`.
    fn hand_out(&mut self) {
        let raws = self.raws;
        for raw in raws.iter().filter(|raw| &*raw.kind == "mount" && raw.text("order") == Some(HANDS)) {
            let Some(&router) = raw.refs("scope").first() else { continue };
            for &at in raw.refs("chain") {
                for callable in self.evaluator.callables(at) {
                    if let Callable::Function(function) = callable {
                        self.handed.entry(function).or_default().push(router);
                    }
                }
            }
        }
    }

    /// Handlers that say their own method and path (`#[get("/x")]`) are no middleware of the mounts that name them, but
    /// hang there.
    fn place_handlers(&mut self) {
        let on_their_own = self.routes.iter().filter(|route| route.router.is_none() && route.path.is_some());
        let handlers: FxHashSet<FunctionRef> = on_their_own
            .flat_map(|route| &route.callables)
            .filter_map(|callable| match callable {
                Callable::Function(function) => Some(*function),
                _ => None,
            })
            .collect();
        for (number, mount) in self.mounts.iter_mut().enumerate() {
            let placed = &mut self.placed;
            mount.callables.retain(|callable| match callable {
                Callable::Function(function) if handlers.contains(function) => {
                    placed.entry(*function).or_default().push(number);
                    false
                }
                _ => true,
            });
            if mount.order == Order::Places {
                mount.callables.clear();
            }
        }
    }

    /// What only describes an endpoint (`#[utoipa::path]`) is a route where a mount names its handler and nothing else
    /// registers it.
    fn drop_described(&mut self) {
        let raws = self.raws;
        let describes =
            |route: &Registered| raws[route.raw].get("placed").is_some_and(|value| value.data == Data::Bool(true));
        let registered = self.routes.iter().filter(|route| !describes(route));
        let registered: FxHashSet<Callable> = registered.flat_map(|route| route.callables.iter().copied()).collect();
        let placed = &self.placed;
        let is_placed = |callable: &Callable| match callable {
            Callable::Function(function) => placed.contains_key(function) && !registered.contains(callable),
            _ => false,
        };
        self.routes.retain(|route| !describes(route) || route.callables.iter().any(is_placed));
    }

    /// Looks at a registration as its turn has it.
    fn in_turn<R>(&mut self, raw: &Raw, look: impl FnOnce(&mut Looker<'_, 'p>) -> R) -> R {
        let handed = &self.handed;
        let look = |evaluator: &mut Evaluator<'p>| look(&mut Looker { evaluator, handed });
        match &raw.within {
            Some((_, turn)) => self.evaluator.in_turn(turn, look),
            None => look(self.evaluator),
        }
    }

    fn add_mount(&mut self, mount: Mount, scope: Option<RouterId>, declared: Option<Declared>) {
        let number = self.mounts.len();
        for &router in &mount.routers {
            self.under.entry(router).or_default().push(number);
        }
        let kind = self.kind_of(mount.raw);
        match (scope, declared) {
            _ if kind.is_some() => self.kinds.extend(kind.map(|kind| (number, kind))),
            (_, Some(declared)) => self.on_declared.entry(declared).or_default().push(number),
            (Some(scope), None) => self.on.entry(scope).or_default().push(number),
            (None, None) => self.global.push(number),
        }
        self.scopes.push(scope);
        self.mounts.push(mount);
    }

    fn compose(&mut self, index: usize, roles: &mut Roles<'_, '_>) -> Composed {
        let (raw_index, router) = (self.routes[index].raw, self.routes[index].router);
        let raw = &self.raws[raw_index];
        let own_path = self.routes[index].path.clone();
        let mut composed = Composed {
            raw: raw_index,
            path: own_path.clone(),
            method: self.routes[index].method.clone().unwrap_or_else(|| method_of(raw)),
            declared_methods: self.declared_methods(index),
            mounted: true,
            own: self.own_functions(index),
            ..Composed::default()
        };
        let mut links: Vec<(Callable, bool)> = Vec::new();
        self.decided = self.decided(index);
        match router {
            Some(site) => {
                let service = self.evaluator.program.project.file(raw.span.file).service;
                let in_all = if self.lists.contains(&site.site) || self.rooted.contains(&service) {
                    self.global_links(raw, own_path.as_deref())
                } else {
                    Vec::new()
                };
                let ways = self.ways_up(site, raw_index, own_path.as_deref(), 0);
                composed.mounted = !ways.is_empty();
                if let Some(way) = ways.into_iter().next() {
                    composed.path = way.path;
                    links = in_all;
                    links.extend(way.links);
                }
            }
            None => match self.ways_to(index, own_path.as_deref()) {
                Some(way) => {
                    composed.path = way.path;
                    links = way.links;
                }
                None => links = self.global_links(raw, own_path.as_deref()),
            },
        }
        let passed: Vec<Callable> = links.iter().map(|(callable, _)| *callable).collect();
        links.extend(self.dependency_links(passed));
        let is_function = |(callable, _): &&(Callable, bool)| matches!(callable, Callable::Function(_));
        composed.shared = links.iter().filter(is_function).count();
        links.extend(self.declared_links(index));
        let depended = self.dependency_links(self.routes[index].callables.clone());
        for link in depended {
            if !links.contains(&link) {
                links.push(link);
            }
        }
        links.extend(self.wrapping_links(index).into_iter().map(|callable| (callable, false)));
        links.extend(self.routes[index].callables.iter().map(|&callable| (callable, false)));
        composed.path = composed.path.map(with_marked_parameters);
        self.fill(&mut composed, &links, roles);
        if !composed.roles.iter().any(|role| role.starts_with("auth")) && self.may_ask_by_extractor(index) {
            composed.roles.extend(MAYBE_GUARDED.map(str::to_owned));
        }
        let view = self.raws[raw_index].view.iter().flat_map(|view| view.roles.iter().cloned());
        composed.roles.extend(view);
        composed.roles.sort();
        composed.roles.dedup();
        composed
    }

    /// What is mounted on these functions and their classes, and on what is mounted there (a dependency has
    /// dependencies).
    fn dependency_links(&mut self, callables: Vec<Callable>) -> Vec<(Callable, bool)> {
        let mut links: Vec<(Callable, bool)> = Vec::new();
        let mut queue: Vec<(Callable, bool)> = callables.into_iter().map(|callable| (callable, false)).collect();
        let mut next = 0;
        while let Some(&(callable, half)) = queue.get(next).filter(|_| next < MAX_DECLARED) {
            next += 1;
            let Callable::Function(function) = callable else { continue };
            for number in self.declared_mounts(function) {
                let mount = &self.mounts[number];
                // Of those that decide the same, only the nearest counts.
                if mount.slot.is_some() {
                    continue;
                }
                for &callable in &mount.callables {
                    let link = (callable, half || mount.half);
                    if !queue.contains(&link) {
                        queue.push(link);
                        links.push(link);
                    }
                }
            }
        }
        links
    }

    /// The mounts that hold for one function, by itself or by its class.
    fn declared_mounts(&mut self, function: FunctionRef) -> Vec<usize> {
        let class = self.evaluator.program.module(function.module).function(function.function).class.some();
        let classes = class.map(|class| self.evaluator.lineage(function.module, class).classes).unwrap_or_default();
        let on_classes = classes.into_iter().map(|(module, class)| Declared::Class(module, class));
        let declared = on_classes.chain([Declared::Function(function)]);
        declared.flat_map(|declared| self.on_declared.get(&declared).cloned().unwrap_or_default()).collect()
    }

    fn own_functions(&self, index: usize) -> Vec<FunctionRef> {
        let own = self.routes[index].callables.iter().filter_map(|callable| match callable {
            Callable::Function(function) => Some(*function),
            _ => None,
        });
        own.collect()
    }

    /// The project's own decorators around a route's functions (`@login_required`).
    fn wrapping_links(&mut self, index: usize) -> Vec<Callable> {
        let program = self.evaluator.program;
        let mut wrappers = Vec::new();
        for callable in &self.routes[index].callables {
            let Callable::Function(FunctionRef { module, function }) = *callable else { continue };
            for &expr in &program.module(module).function(function).decorators {
                let found = self.evaluator.callables(ExprRef { module, expr });
                wrappers.extend(found.into_iter().filter(|wrapper| matches!(wrapper, Callable::Function(_))));
            }
        }
        wrappers
    }

    /// Does it throw, under a condition, what it was handed: `raise permission.exception`? Then what it asks is theirs.
    fn refuses_as_others_say(&mut self, function: FunctionRef) -> bool {
        let module = self.evaluator.program.module(function.module);
        let throws = &module.function(function.function).throws;
        throws.iter().copied().any(|thrown| {
            let made = module.call(thrown).map_or(thrown, |(callee, _)| callee);
            let is_under_condition =
                module.contexts_of(thrown).any(|(_, context)| matches!(context.kind, ContextKind::Then(_)));
            is_under_condition
                && matches!(module.kind(made), ExprKind::Member { .. })
                && self.is_of_nobody(ExprRef { module: function.module, expr: made })
        })
    }

    /// Can nobody tell what it is: nothing of the project nor of a package, or something of an element of some list?
    fn is_of_nobody(&mut self, at: ExprRef) -> bool {
        let things = self.evaluator.things(at);
        things.iter().all(|thing| match thing {
            Thing::Path { path, .. } => self.evaluator.paths.text(*path).contains("[]"),
            thing => matches!(thing, Thing::Made(_) | Thing::Data(_)),
        })
    }

    fn fill(&mut self, composed: &mut Composed, links: &[(Callable, bool)], roles: &mut Roles<'_, '_>) {
        let mut opaque = false;
        for &(callable, half) in links {
            let known = roles.of_callable(callable);
            match callable {
                Callable::Function(function) => {
                    composed.functions.push(function);
                    let enforces = known.iter().any(|role| role.enforced.ends_request());
                    opaque |= !enforces && self.refuses_as_others_say(function);
                }
                Callable::External { path, site } => {
                    composed.sites.extend(site);
                    let is_known = !known.is_empty() || site.is_some_and(|site| roles.is_role(site));
                    opaque |= !is_known && may_guard(&self.evaluator.paths.text(path));
                }
                Callable::Opaque => opaque = true,
            }
            for mut role in known {
                if !role.enforced.ends_request() {
                    continue;
                }
                if self.raws[role.raw].text("strength") == Some(WRITES) {
                    match composed.method.as_str() {
                        "GET" | "HEAD" | "OPTIONS" => continue,
                        method => role.half |= method == "ALL",
                    }
                }
                role.half |= half;
                composed.role_raws.push(role.raw);
                composed.roles.push(role.label());
            }
        }
        if opaque {
            composed.roles.push(OPAQUE.to_owned());
        }
        composed.roles.sort();
        composed.roles.dedup();
    }
}

/// Something of a module or package that nobody knows, whose name speaks of guarding: it may or may not.
fn may_guard(api: &str) -> bool {
    const WORDS: &[&str] = &["auth", "gate", "guard", "login", "acl", "permission", "sso", "identity"];
    let package = api.split(['.', '(']).next().unwrap_or(api);
    package == "?" || WORDS.iter().any(|word| package.contains(word))
}

pub(super) fn function_of(raw: &Raw) -> FunctionIdx {
    raw.function.map_or(FunctionIdx(0), |f| f.function)
}

/// The method of a route: one word, or a list of a single one (`methods=["POST"]`); all of them otherwise.
fn method_of(raw: &Raw) -> String {
    let only = || match raw.get("method").map(|value| &value.data) {
        Some(Data::List(items)) if items.len() == 1 => items.first().and_then(Value::as_text),
        _ => None,
    };
    raw.text("method").or_else(only).map_or_else(|| "ALL".to_owned(), normal_method)
}

fn normal_method(name: &str) -> String {
    match name {
        "del" => "DELETE".to_owned(),
        "use" | "all" | "default" => "ALL".to_owned(),
        other => other.to_uppercase(),
    }
}
