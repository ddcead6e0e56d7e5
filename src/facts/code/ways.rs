//! The ways from an application down to a route: routers that hang in routers, and the mounts that stand before it.

use smallvec::SmallVec;

use super::chains::kept_in;
use super::extract::Raw;
use super::registered::{Mount, Order, RouterId, class_around};
use super::routes::{Wirer, function_of};
use crate::facts::graph::Callable;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::syntax::hir::{ExprId, FunctionIdx, Module, Use};

/// A way from a router up to an application.
pub(super) struct Way {
    /// The full path.
    pub(super) path: Option<String>,
    /// What a request passes, and whether that counts half.
    pub(super) links: Vec<(Callable, bool)>,
    /// It ends in a router that is given to a caller nobody sees: one that is served goes before it.
    escapes: bool,
}

/// Ways up to an application that are followed when a router is mounted more than once.
const MAX_WAYS: usize = 3;
const MAX_LEVELS: u8 = 6;
/// Expressions that hold a router, one after the other, that are followed.
const MAX_CARRIED: usize = 32;

impl Wirer<'_, '_, '_> {
    /// The way to a handler that says its own path: by the mount that hangs it in.
    pub(super) fn ways_to(&self, index: usize, path: Option<&str>) -> Option<Way> {
        let handlers = self.routes[index].callables.iter().filter_map(|callable| match callable {
            Callable::Function(function) => self.placed.get(function),
            _ => None,
        });
        // What hangs in a scope is among the arguments of what the scope hangs in, too.
        let length = |number: &usize| {
            let span = self.raws[self.mounts[*number].raw].span;
            span.end - span.start
        };
        let number = handlers.flatten().copied().min_by_key(length)?;
        let mount = &self.mounts[number];
        let prefix = mount.paths.as_ref().and_then(|paths| paths.first());
        let full = join(prefix.map(String::as_str), path);
        let here: Vec<(Callable, bool)> = mount.callables.iter().map(|&callable| (callable, mount.half)).collect();
        let above = self.scopes[number].map(|scope| self.ways_up(scope, mount.raw, full.as_deref(), 0));
        let above = above.and_then(|ways| ways.into_iter().next());
        let mut way = above.unwrap_or(Way { path: full, links: Vec::new(), escapes: false });
        way.links.extend(here);
        Some(way)
    }

    /// The ways from a router up to an application, those that are served first.
    pub(super) fn ways_up(&self, router: RouterId, registered: usize, path: Option<&str>, level: u8) -> Vec<Way> {
        let mut links = Vec::new();
        for number in self.mounts_on(router) {
            let mount = &self.mounts[number];
            let is_decided = mount.slot.as_ref().is_some_and(|slot| self.decided.contains(slot));
            if mount.raw != registered && !is_decided && self.covers(mount, path) && self.holds_for(mount, registered) {
                links.extend(mount.callables.iter().map(|&callable| (callable, mount.half)));
            }
        }
        let own_prefix = self.prefixes.get(&router.site).map(String::as_str);
        let prefixed = join(own_prefix, path);
        let hung = self.mounts_of(router);
        if hung.is_empty() || level >= MAX_LEVELS {
            let served = self.is_application(router.site) || self.is_first_list(router.site);
            let rooted = served || self.escapes(router.site);
            return if rooted { vec![Way { path: prefixed, links, escapes: !served }] } else { Vec::new() };
        }
        let mut ways = Vec::new();
        for number in hung.into_iter().take(MAX_WAYS) {
            let mount = &self.mounts[number];
            let prefix = mount.paths.as_ref().and_then(|paths| paths.first().cloned());
            let full = match &prefix {
                Some(prefix) if mount.replaces => join(Some(prefix), path),
                prefix => join(prefix.as_deref(), prefixed.as_deref()),
            };
            // What stands beside the router in the same call runs before it.
            let mut here: Vec<(Callable, bool)> = mount.callables.iter().map(|&c| (c, mount.half)).collect();
            here.extend(links.iter().copied());
            match self.scopes[number] {
                Some(parent) if parent != router => {
                    for mut way in self.ways_up(parent, mount.raw, full.as_deref(), level + 1) {
                        way.links.extend(here.iter().copied());
                        ways.push(way);
                    }
                }
                _ => ways.push(Way { path: full, links: here, escapes: false }),
            }
        }
        ways.sort_by_key(|way| way.escapes);
        ways
    }

    /// The mounts on a router; on one of an object also what its base class mounts on all.
    pub(super) fn mounts_on(&self, router: RouterId) -> Vec<usize> {
        let module = self.evaluator.program.module(router.site.module);
        let base = router.owner.and_then(|_| class_around(module, router.site.expr));
        let general = base.map(|class| RouterId { owner: Some((router.site.module, class)), ..router });
        let mut found = self.on.get(&router).cloned().unwrap_or_default();
        if let Some(general) = general.filter(|general| *general != router) {
            found.extend(self.on.get(&general).into_iter().flatten());
        }
        found
    }

    /// The mounts that hang a router in; where its object is not known, those of every one that is made there.
    pub(super) fn mounts_of(&self, router: RouterId) -> Vec<usize> {
        match self.under.get(&router) {
            Some(found) => found.clone(),
            None => {
                let of_site = self.under.iter().filter(|(other, _)| {
                    other.site == router.site && (other.owner.is_none() || self.is_general(router))
                });
                let mut found: Vec<usize> = of_site.flat_map(|(_, numbers)| numbers.iter().copied()).collect();
                found.sort_unstable();
                found.dedup();
                found
            }
        }
    }

    /// Is it not told which of the objects of a class holds the router?
    pub(super) fn is_general(&self, router: RouterId) -> bool {
        let module = self.evaluator.program.module(router.site.module);
        let maker = class_around(module, router.site.expr);
        router.owner.is_none_or(|(module, class)| module == router.site.module && Some(class) == maker)
    }

    /// Is the router an application (nothing has to mount it)?
    pub(super) fn is_application(&self, router: ExprRef) -> bool {
        self.raws.iter().any(|raw| &*raw.kind == "router" && raw.at == router && raw.text("parent") == Some("none"))
    }

    /// A router that is given back to a caller that is not known may be mounted out of sight.
    pub(super) fn escapes(&self, router: ExprRef) -> bool {
        is_given_back(self.evaluator.program.module(router.module), router.expr)
    }

    pub(super) fn global_links(&self, raw: &Raw, path: Option<&str>) -> Vec<(Callable, bool)> {
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

    pub(super) fn covers(&self, mount: &Mount, path: Option<&str>) -> bool {
        match (&mount.paths, path) {
            (None, _) | (_, None) => true,
            (Some(patterns), Some(path)) => patterns.iter().any(|pattern| covers_path(pattern, path)),
        }
    }

    /// Does a mount hold for what is registered on the same router there?
    pub(super) fn holds_for(&self, mount: &Mount, registered: usize) -> bool {
        match mount.order {
            Order::All => true,
            Order::After | Order::Places => false,
            Order::Later => self.precedes(mount.raw, registered).unwrap_or(true),
            Order::Earlier => self.precedes(mount.raw, registered).is_none_or(|precedes| !precedes),
        }
    }

    /// Is the mount registered before the route (or the mount that leads to it)? None where no order can be told.
    pub(super) fn precedes(&self, mount: usize, other: usize) -> Option<bool> {
        let (mount, other) = (&self.raws[mount], &self.raws[other]);
        let position = self.position_in(other, mount.at.module, function_of(mount), 0)?;
        Some(self.evaluator.program.module(mount.at.module).expr(mount.at.expr).end <= position)
    }

    /// Where, in the given function, a registration takes place: itself, or the call that leads to it.
    pub(super) fn position_in(&self, raw: &Raw, module: ModuleId, function: FunctionIdx, depth: u8) -> Option<u32> {
        let program = self.evaluator.program;
        if raw.at.module == module && function_of(raw) == function {
            return (raw.at.expr != ExprId::NONE).then(|| program.module(module).expr(raw.at.expr).end);
        }
        self.lifted(FunctionRef { module: raw.at.module, function: function_of(raw) }, module, function, depth)
    }

    pub(super) fn lifted(&self, inner: FunctionRef, module: ModuleId, function: FunctionIdx, depth: u8) -> Option<u32> {
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
}

/// Is what becomes of an expression returned, also by way of variables?
fn is_given_back(module: &Module, start: ExprId) -> bool {
    let mut seen: SmallVec<[ExprId; 8]> = SmallVec::from_iter([start]);
    let mut next = 0;
    while let Some(&expr) = seen.get(next).filter(|_| next < MAX_CARRIED) {
        next += 1;
        let mut root = expr;
        while let Some(parent) = module.expr(root).parent.some() {
            root = parent;
        }
        if module.expr(root).role == Use::Return {
            return true;
        }
        let reads = kept_in(module, root).into_iter().flat_map(|symbol| &module.symbol(symbol).reads);
        for &read in reads.take(MAX_CARRIED) {
            if !seen.contains(&read) {
                seen.push(read);
            }
        }
    }
    false
}

pub(super) fn join(prefix: Option<&str>, path: Option<&str>) -> Option<String> {
    let path = path?;
    let prefix = prefix.unwrap_or("").trim_end_matches('/');
    let path = path.trim_start_matches('/');
    let joined = if path.is_empty() { prefix.to_owned() } else { format!("{prefix}/{path}") };
    Some(if joined.starts_with('/') { joined } else { format!("/{joined}") })
}

/// `/users/<id>`, `/users/{id}` and `/files/{*path}` as `/users/:id` and `/files/:path*`, without what they say of the
/// query.
pub(super) fn with_marked_parameters(path: String) -> String {
    let marked = |segment: &str| -> Option<String> {
        let inner = [('<', '>'), ('{', '}')]
            .iter()
            .find_map(|&(open, close)| segment.strip_prefix(open)?.strip_suffix(close))?;
        let name = inner.split(':').next().unwrap_or(inner);
        let plain = name.trim_start_matches('*').trim_end_matches("..");
        let rest = if plain.len() < name.len() || inner.ends_with(":.*") { "*" } else { "" };
        Some(format!(":{plain}{rest}"))
    };
    if !path.contains(['<', '{']) {
        return path;
    }
    let bare = path.split_once("?<").map_or(path.as_str(), |(before, _)| before);
    let segments: Vec<String> =
        bare.split('/').map(|segment| marked(segment).unwrap_or_else(|| segment.to_owned())).collect();
    segments.join("/")
}

/// Does a mount's path lie at or above a route's?
pub(super) fn covers_path(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    if pattern.is_empty() || pattern == "*" || pattern == "/*" {
        return true;
    }
    let mut parts = path.trim_matches('/').split('/');
    for segment in pattern.trim_start_matches('/').split('/') {
        // What an expression matches, nobody asks here.
        if let Some((plain, _)) = segment.split_once('(') {
            return plain.is_empty() || parts.next().is_some_and(|part| part.starts_with(plain));
        }
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
    use super::{covers_path, join, with_marked_parameters};

    #[test]
    fn a_mount_covers_what_lies_below_it() {
        assert!(covers_path("/api", "/api/users"));
        assert!(covers_path("/", "/api"));
        assert!(covers_path("/api/:path*", "/api/users"));
        assert!(covers_path("/((?!_next).*)", "/x"));
        assert!(covers_path("/files(?!/old)/:name", "/files/a"));
        assert!(!covers_path("/files(?!/old)/:name", "/api/orders"));
        assert!(!covers_path("/api", "/apix"));
        assert!(!covers_path("/admin", "/api/admin"));
    }

    #[test]
    fn parameters_look_the_same_in_all_frameworks() {
        for (written, wanted) in [
            ("/users/<id>", "/users/:id"),
            ("/users/{id}/posts", "/users/:id/posts"),
            ("/users/{id:[0-9]+}", "/users/:id"),
            ("/files/{*path}", "/files/:path*"),
            ("/<path..>", "/:path*"),
            ("/search?<q>&<page..>", "/search"),
            ("/a{b}", "/a{b}"),
        ] {
            assert_eq!(with_marked_parameters(written.to_owned()), wanted);
        }
    }

    #[test]
    fn paths_join_with_one_slash() {
        assert_eq!(join(Some("/api/"), Some("/users")).as_deref(), Some("/api/users"));
        assert_eq!(join(Some("/health"), Some("/")).as_deref(), Some("/health"));
        assert_eq!(join(None, Some("/")).as_deref(), Some("/"));
        assert_eq!(join(Some("/x"), None), None);
    }
}
