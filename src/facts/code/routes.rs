//! Routers, mounts and routes: which middleware a request to each route passes, in the order of registration.

use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::Raw;
use super::loops::turns;
use super::roles::{Role, Roles};
use crate::facts::graph::Callable;
use crate::facts::model::{Data, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx};

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
    /// Calls that made the middleware on the way.
    pub sites: Vec<ExprRef>,
    /// Raw facts of the roles on the way.
    pub role_raws: Vec<usize>,
    /// Its router is mounted, up to an application.
    pub mounted: bool,
}

struct Mount {
    raw: usize,
    routers: Vec<ExprRef>,
    callables: Vec<Callable>,
    paths: Option<Vec<String>>,
    half: bool,
}

struct Registered {
    raw: usize,
    path: Option<String>,
    router: Option<ExprRef>,
    callables: Vec<Callable>,
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

/// A way from a router up to an application: the full path, and what a request passes (and whether that counts half).
type Way = (Option<String>, Vec<(Callable, bool)>);

/// Ways up to an application that are followed when a router is mounted more than once.
const MAX_WAYS: usize = 3;
const MAX_LEVELS: u8 = 6;

pub fn wire(evaluator: &mut Evaluator<'_>, raws: &[Raw], roles: &mut Roles<'_, '_>) -> Wiring {
    let mut wirer = Wirer::collect(evaluator, raws);
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
    for mount in &wirer.mounts {
        let mut found = Vec::new();
        for callable in &mount.callables {
            note(*callable, &mut wiring);
            found.extend(roles.of_callable(*callable));
        }
        wiring.used_sites.extend(mount.routers.iter().copied());
        wiring.mount_roles.push((mount.raw, found));
    }
    wiring
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

struct Wirer<'e, 'p, 'r> {
    evaluator: &'e mut Evaluator<'p>,
    raws: &'r [Raw],
    mounts: Vec<Mount>,
    routes: Vec<Registered>,
    /// By router: the mounts on it.
    on: FxHashMap<ExprRef, Vec<usize>>,
    /// By router: the mounts that hang it in somewhere.
    under: FxHashMap<ExprRef, Vec<usize>>,
    /// Mounts that hold for a whole service (`middleware.ts`).
    global: Vec<usize>,
    scopes: Vec<Option<ExprRef>>,
}

impl<'e, 'p, 'r> Wirer<'e, 'p, 'r> {
    fn collect(evaluator: &'e mut Evaluator<'p>, raws: &'r [Raw]) -> Self {
        let mut wirer = Wirer {
            evaluator,
            raws,
            mounts: Vec::new(),
            routes: Vec::new(),
            on: FxHashMap::default(),
            under: FxHashMap::default(),
            global: Vec::new(),
            scopes: Vec::new(),
        };
        for (index, raw) in raws.iter().enumerate() {
            match &*raw.kind {
                "mount" => wirer.add_mount(index, raw),
                "route" => wirer.add_route(index, raw),
                _ => {}
            }
        }
        wirer
    }

    fn add_route(&mut self, index: usize, raw: &Raw) {
        let mut callables: Vec<Callable> = Vec::new();
        for &at in raw.refs("chain") {
            callables.extend(self.evaluator.callables(at));
        }
        for &function in &raw.functions {
            if !callables.contains(&Callable::Function(function)) {
                callables.push(Callable::Function(function));
            }
        }
        let router = raw.refs("router").first().and_then(|&at| self.router_site(at, 0));
        for path in self.paths_of_route(raw) {
            self.routes.push(Registered { raw: index, path, router, callables: callables.clone() });
        }
    }

    /// One registration may serve several paths: a list of them, or one for each turn of a loop over constants.
    fn paths_of_route(&mut self, raw: &Raw) -> Vec<Option<String>> {
        let paths = match raw.get("path") {
            Some(Value { data: Data::Unknown, .. }) => self.paths_in_loop(raw),
            Some(value) => mount_paths(value).unwrap_or_default(),
            None => Vec::new(),
        };
        if paths.is_empty() { vec![None] } else { paths.into_iter().map(Some).collect() }
    }

    fn paths_in_loop(&mut self, raw: &Raw) -> Vec<String> {
        let module = self.evaluator.program.module(raw.at.module);
        let Some((_, arguments)) = (raw.at.expr != ExprId::NONE).then(|| module.call(raw.at.expr)).flatten() else {
            return Vec::new();
        };
        let Some(first) = module.list(arguments).next() else { return Vec::new() };
        self.evaluator.texts_in_loop(ExprRef { module: raw.at.module, expr: first })
    }

    fn add_mount(&mut self, index: usize, raw: &Raw) {
        let chain = raw.refs("chain");
        let paths = raw.get("path").and_then(mount_paths);
        let turns = chain.iter().map(|&at| turns(self.evaluator, at)).max_by_key(Vec::len).unwrap_or_default();
        if turns.len() < 2 {
            return self.hang_in(index, raw, chain, paths);
        }
        // `for (const { path, router } of LIST) app.use(path, router)`: a mount for every turn.
        let first = self.first_argument(raw);
        for turn in turns {
            let chain: Vec<ExprRef> = chain.iter().map(|&at| turn.value(self.evaluator, at).unwrap_or(at)).collect();
            let path = first.and_then(|at| turn.text(self.evaluator, at)).map(|path| vec![path]);
            self.hang_in(index, raw, &chain, path.or_else(|| paths.clone()));
        }
    }

    fn hang_in(&mut self, index: usize, raw: &Raw, chain: &[ExprRef], paths: Option<Vec<String>>) {
        let mut callables: Vec<Callable> = raw.functions.iter().map(|&f| Callable::Function(f)).collect();
        let mut routers = Vec::new();
        for &at in chain {
            // `app.use("/x", router)`; arrays of routers too.
            for callable in self.evaluator.callables(at) {
                match callable {
                    Callable::External { path, site: Some(site) } if self.is_router(path) => {
                        routers.push(self.base_router(site));
                    }
                    other if !callables.contains(&other) => callables.push(other),
                    _ => {}
                }
            }
            if routers.is_empty()
                && let Some(site) = self.router_site(at, 0)
            {
                routers.push(site);
            }
        }
        let number = self.mounts.len();
        let scope = raw.refs("scope").first().and_then(|&at| self.router_site(at, 0));
        for &router in &routers {
            self.under.entry(router).or_default().push(number);
        }
        match scope {
            Some(scope) => self.on.entry(scope).or_default().push(number),
            None => self.global.push(number),
        }
        self.scopes.push(scope);
        self.mounts.push(Mount { raw: index, routers, callables, paths, half: raw.text("strength") == Some("half") });
    }

    fn first_argument(&self, raw: &Raw) -> Option<ExprRef> {
        (raw.at.expr != ExprId::NONE).then(|| self.evaluator.argument(raw.at, 0)).flatten()
    }

    fn is_router(&mut self, path: crate::facts::paths::PathId) -> bool {
        let types = &self.evaluator.stacks.router_types;
        self.evaluator.is_any_type(path, types)
    }

    /// The call that made a router; where it is a parameter, the call whose result is handed in.
    fn router_site(&mut self, at: ExprRef, depth: u8) -> Option<ExprRef> {
        if depth > 24 {
            return None;
        }
        let things = self.evaluator.things(at);
        for thing in &things {
            if let Thing::Path { path, site: Some(site) } = *thing
                && self.is_router(path)
            {
                return Some(self.base_router(site));
            }
        }
        let program = self.evaluator.program;
        let module = program.module(at.module);
        let ExprKind::Ident(symbol) = module.kind(at.expr) else { return None };
        let Definition::Parameter { function, index, .. } = module.symbol(symbol).definition else { return None };
        let number = program.number(FunctionRef { module: at.module, function });
        let callers = self.evaluator.links.callers.get(number.0 as usize).cloned().unwrap_or_default();
        callers.into_iter().take(4).find_map(|call| {
            let argument = self.evaluator.argument(call, index as usize)?;
            self.router_site(argument, depth + 1)
        })
    }

    /// `Router().use(a).use(b)` is still the router that it started with.
    fn base_router(&mut self, site: ExprRef) -> ExprRef {
        let mut site = site;
        for _ in 0..64 {
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

    fn compose(&mut self, index: usize, roles: &mut Roles<'_, '_>) -> Composed {
        let (raw_index, router) = (self.routes[index].raw, self.routes[index].router);
        let raw = &self.raws[raw_index];
        let own_path = self.routes[index].path.clone();
        let mut composed = Composed {
            raw: raw_index,
            path: own_path.clone(),
            method: raw.text("method").map_or_else(|| "ALL".to_owned(), normal_method),
            mounted: true,
            ..Composed::default()
        };
        let mut links: Vec<(Callable, bool)> = Vec::new();
        match router {
            Some(site) => {
                let ways = self.ways_up(site, raw_index, own_path.as_deref(), 0);
                composed.mounted = !ways.is_empty();
                if let Some((path, callables)) = ways.into_iter().next() {
                    composed.path = path;
                    links = callables;
                }
            }
            None => links = self.global_links(raw, own_path.as_deref()),
        }
        links.extend(self.routes[index].callables.iter().map(|&callable| (callable, false)));
        self.fill(&mut composed, &links, roles);
        composed
    }

    /// The ways from a router up to an application: the full path and what stands before the route on each.
    fn ways_up(&self, router: ExprRef, registered: usize, path: Option<&str>, level: u8) -> Vec<Way> {
        let mut links = Vec::new();
        for &number in self.on.get(&router).into_iter().flatten() {
            let mount = &self.mounts[number];
            if mount.raw != registered && self.covers(mount, path) && self.precedes(mount.raw, registered) {
                links.extend(mount.callables.iter().map(|&callable| (callable, mount.half)));
            }
        }
        let hung: Vec<usize> = self.under.get(&router).cloned().unwrap_or_default();
        if hung.is_empty() || level >= MAX_LEVELS {
            let rooted = self.is_application(router) || self.escapes(router);
            return if rooted { vec![(path.map(str::to_owned), links)] } else { Vec::new() };
        }
        let mut ways = Vec::new();
        for number in hung.into_iter().take(MAX_WAYS) {
            let mount = &self.mounts[number];
            let prefix = mount.paths.as_ref().and_then(|paths| paths.first().cloned());
            let full = join(prefix.as_deref(), path);
            // What stands beside the router in the same call runs before it.
            let mut here: Vec<(Callable, bool)> = mount.callables.iter().map(|&c| (c, mount.half)).collect();
            here.extend(links.iter().copied());
            match self.scopes[number] {
                Some(parent) if parent != router => {
                    for (path, mut above) in self.ways_up(parent, mount.raw, full.as_deref(), level + 1) {
                        above.extend(here.iter().copied());
                        ways.push((path, above));
                    }
                }
                _ => ways.push((full, here)),
            }
        }
        ways
    }

    /// Is the router an application (nothing has to mount it)?
    fn is_application(&self, router: ExprRef) -> bool {
        self.raws.iter().any(|raw| &*raw.kind == "router" && raw.at == router && raw.text("parent") == Some("none"))
    }

    /// A router that is exported from a library or handed to something unknown may be mounted out of sight.
    fn escapes(&self, router: ExprRef) -> bool {
        let program = self.evaluator.program;
        let module = program.module(router.module);
        let mut expr = router.expr;
        while let Some(parent) = module.expr(expr).parent.some() {
            expr = parent;
        }
        // Returned to a caller that is not known.
        module.expr(expr).role == crate::syntax::hir::Use::Return
    }

    fn global_links(&self, raw: &Raw, path: Option<&str>) -> Vec<(Callable, bool)> {
        let project = self.evaluator.program.project;
        let service = project.file(raw.span.file).service;
        let mut links = Vec::new();
        for &number in &self.global {
            let mount = &self.mounts[number];
            let mount_raw = &self.raws[mount.raw];
            let same = project.file(mount_raw.span.file).service == service && mount_raw.stack == raw.stack;
            if same && self.covers(mount, path) {
                links.extend(mount.callables.iter().map(|&callable| (callable, mount.half)));
            }
        }
        links
    }

    fn covers(&self, mount: &Mount, path: Option<&str>) -> bool {
        match (&mount.paths, path) {
            (None, _) | (_, None) => true,
            (Some(patterns), Some(path)) => patterns.iter().any(|pattern| covers_path(pattern, path)),
        }
    }

    /// Is the mount registered before the route (or the mount that leads to it)?
    fn precedes(&self, mount: usize, other: usize) -> bool {
        let (mount, other) = (&self.raws[mount], &self.raws[other]);
        let function = function_of(mount);
        match self.position_in(other, mount.at.module, function, 0) {
            Some(position) => {
                let own = self.evaluator.program.module(mount.at.module).expr(mount.at.expr).end;
                own <= position
            }
            None => true,
        }
    }

    /// Where, in the given function, a registration takes place: itself, or the call that leads to it.
    fn position_in(&self, raw: &Raw, module: ModuleId, function: FunctionIdx, depth: u8) -> Option<u32> {
        let program = self.evaluator.program;
        if raw.at.module == module && function_of(raw) == function {
            return (raw.at.expr != ExprId::NONE).then(|| program.module(module).expr(raw.at.expr).end);
        }
        self.lifted(FunctionRef { module: raw.at.module, function: function_of(raw) }, module, function, depth)
    }

    fn lifted(&self, inner: FunctionRef, module: ModuleId, function: FunctionIdx, depth: u8) -> Option<u32> {
        if depth > 3 {
            return None;
        }
        let program = self.evaluator.program;
        if inner.function == FunctionIdx(0) {
            return None;
        }
        let number = program.number(inner);
        for call in self.evaluator.links.callers.get(number.0 as usize).into_iter().flatten().take(8) {
            let caller = program.module(call.module).function_of(call.expr);
            if call.module == module && caller == function {
                return Some(program.module(module).expr(call.expr).end);
            }
            if let Some(found) =
                self.lifted(FunctionRef { module: call.module, function: caller }, module, function, depth + 1)
            {
                return Some(found);
            }
        }
        let entry = program.module(inner.module).function(inner.function);
        if inner.module == module && entry.parent == function {
            return Some(entry.end);
        }
        None
    }

    fn fill(&mut self, composed: &mut Composed, links: &[(Callable, bool)], roles: &mut Roles<'_, '_>) {
        let mut opaque = false;
        for &(callable, half) in links {
            match callable {
                Callable::Function(function) => composed.functions.push(function),
                Callable::External { path, site } => {
                    composed.sites.extend(site);
                    opaque |= may_guard(&self.evaluator.paths.text(path));
                }
                Callable::Opaque => opaque = true,
            }
            for mut role in roles.of_callable(callable) {
                if !role.enforced.ends_request() {
                    continue;
                }
                role.half |= half;
                composed.role_raws.push(role.raw);
                composed.roles.push(role.label());
            }
        }
        if opaque {
            composed.roles.push(":opaque".to_owned());
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

fn function_of(raw: &Raw) -> FunctionIdx {
    raw.function.map_or(FunctionIdx(0), |f| f.function)
}

fn normal_method(name: &str) -> String {
    match name {
        "del" => "DELETE".to_owned(),
        "use" | "all" | "default" => "ALL".to_owned(),
        other => other.to_uppercase(),
    }
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

fn join(prefix: Option<&str>, path: Option<&str>) -> Option<String> {
    let path = path?;
    let prefix = prefix.unwrap_or("").trim_end_matches('/');
    let path = path.trim_start_matches('/');
    let joined = if path.is_empty() { prefix.to_owned() } else { format!("{prefix}/{path}") };
    Some(if joined.is_empty() { "/".to_owned() } else { joined })
}

/// Does a mount's path lie at or above a route's?
fn covers_path(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    if pattern.is_empty() || pattern.contains('(') || pattern == "*" || pattern == "/*" {
        return true;
    }
    let mut parts = path.trim_matches('/').split('/');
    for segment in pattern.trim_start_matches('/').split('/') {
        if segment.contains('*') {
            return true;
        }
        match parts.next() {
            Some(part) if part == segment || segment.starts_with(':') => {}
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{covers_path, join};

    #[test]
    fn a_mount_covers_what_lies_below_it() {
        assert!(covers_path("/api", "/api/users"));
        assert!(covers_path("/", "/api"));
        assert!(covers_path("/api/:path*", "/api/users"));
        assert!(covers_path("/((?!_next).*)", "/x"));
        assert!(!covers_path("/api", "/apix"));
        assert!(!covers_path("/admin", "/api/admin"));
    }

    #[test]
    fn paths_join_with_one_slash() {
        assert_eq!(join(Some("/api/"), Some("/users")).as_deref(), Some("/api/users"));
        assert_eq!(join(Some("/health"), Some("/")).as_deref(), Some("/health"));
        assert_eq!(join(None, Some("/")).as_deref(), Some("/"));
        assert_eq!(join(Some("/x"), None), None);
    }
}
