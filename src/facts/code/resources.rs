//! Classes that answer requests (`path("orders/", OrderView.as_view())`, `router.register("orders", OrderViewSet)`): a
//! route for each method that answers one.

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::lists::Lists;
use crate::facts::model::{Data, Value};
use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::Resource;
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, FunctionIdx, MemberKind};

/// Calls around a class that are looked through (`login_required(OrderView.as_view())`).
const MAX_WRAPPERS: u8 = 4;

/// The class that answers a route, and what it brings along by itself.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The class and those of the project above it, nearest first; empty for a library's own.
    pub line: Vec<(ModuleId, ClassIdx)>,
    pub roles: Vec<String>,
    pub inputs: Vec<String>,
    /// What the route's handler is called.
    pub name: String,
}

/// Replaces the routes that lead to a class by those of its methods, and drops those that only lead to further lists.
pub(super) fn resources(evaluator: &mut Evaluator<'_>, raws: Vec<Raw>) -> Vec<Raw> {
    if evaluator.stacks.resources.is_empty() {
        return raws;
    }
    let known: FxHashSet<ExprRef> = raws.iter().flat_map(|raw| raw.refs("list").iter().copied()).collect();
    let lists = Lists { known: &known, name: "" };
    let mut out = Vec::with_capacity(raws.len());
    for raw in raws {
        let is_route = &*raw.kind == "route";
        let hung = is_route && raw.refs("list").iter().any(|_| leads_on(evaluator, &lists, &raw));
        match is_route.then(|| seen(evaluator, &raw)).flatten() {
            Some(seen) => out.extend(seen.routes(evaluator, &raw)),
            None if hung => {}
            None => out.push(raw),
        }
    }
    out
}

/// Does a route's handler stand for a list of routes?
fn leads_on(evaluator: &mut Evaluator<'_>, lists: &Lists<'_>, raw: &Raw) -> bool {
    raw.refs("chain").iter().any(|&at| {
        let names_module = |evaluator: &mut Evaluator<'_>| {
            let hir = evaluator.program.module(at.module);
            let texts = hir.call(at.expr).map(|(_, args)| hir.list(args).collect::<Vec<ExprId>>()).unwrap_or_default();
            texts.into_iter().any(|expr| match hir.kind(expr) {
                ExprKind::Str(text) => evaluator.program.named(at.module, hir.str(text)).is_some(),
                ExprKind::Array(run) => hir.list(run).next().is_some_and(|first| {
                    matches!(hir.kind(first), ExprKind::Str(text)
                        if evaluator.program.named(at.module, hir.str(text)).is_some())
                }),
                _ => {
                    let things = evaluator.things(ExprRef { expr, ..at });
                    things.iter().any(|thing| matches!(thing, Thing::Module(_)))
                }
            })
        };
        names_module(evaluator) || !lists.of(evaluator, at).is_empty()
    })
}

/// A class that a route names.
struct Seen {
    class: Named,
    /// Which method answers which verb, where the registration says so (`as_view({"get": "list"})`).
    given: Vec<(String, String)>,
}

enum Named {
    Own(ModuleId, ClassIdx),
    Library(PathId),
}

fn seen(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Option<Seen> {
    raw.refs("chain").iter().find_map(|&at| look(evaluator, at, 0))
}

fn look(evaluator: &mut Evaluator<'_>, at: ExprRef, depth: u8) -> Option<Seen> {
    if depth > MAX_WRAPPERS {
        return None;
    }
    let at = evaluator.origin(at);
    let hir = evaluator.program.module(at.module);
    let here = |expr| ExprRef { expr, ..at };
    let ExprKind::Call { callee, args } = hir.kind(at.expr) else {
        return class_named(evaluator, at).map(|class| Seen { class, given: Vec::new() });
    };
    let args: Vec<ExprId> = hir.list(args).collect();
    if let ExprKind::Member { object, .. } = hir.kind(callee)
        && let Some(class) = class_named(evaluator, here(object))
    {
        let given = args.first().map(|&first| given_methods(evaluator, here(first))).unwrap_or_default();
        return Some(Seen { class, given });
    }
    let inner = args.into_iter().map(here).find_map(|argument| look(evaluator, argument, depth + 1));
    inner.or_else(|| look(evaluator, here(callee), depth + 1))
}

/// The class that an expression names, where some stack knows what its methods answer.
fn class_named(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<Named> {
    let things = evaluator.things(at);
    things.into_iter().find_map(|thing| match thing {
        Thing::Class(module, class) => {
            let paths = evaluator.lineage(module, class).outside;
            (!resources_of(evaluator, &paths).is_empty()).then_some(Named::Own(module, class))
        }
        Thing::Path { path, .. } => (!resources_of(evaluator, &[path]).is_empty()).then_some(Named::Library(path)),
        _ => None,
    })
}

/// `{"get": "list", "post": "create"}`
fn given_methods(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<(String, String)> {
    match evaluator.value(at).data {
        Data::Record(record) => {
            let pairs =
                record.fields.iter().filter_map(|(verb, name)| Some((verb.to_uppercase(), name.as_text()?.to_owned())));
            pairs.collect()
        }
        _ => Vec::new(),
    }
}

/// What stacks know of a class with these paths above it.
fn resources_of<'p>(evaluator: &mut Evaluator<'p>, paths: &[PathId]) -> Vec<&'p Resource> {
    let stacks = evaluator.stacks;
    let is_of = |resource: &&Resource| {
        paths.iter().any(|&path| evaluator.matcher.matches(&evaluator.paths, &stacks.types, path, &resource.classes))
    };
    stacks.resources.iter().filter(is_of).collect()
}

/// One method that answers.
struct Answering {
    verb: String,
    below: String,
    name: String,
    function: Option<FunctionRef>,
    provided: View,
}

impl Seen {
    fn routes(&self, evaluator: &mut Evaluator<'_>, raw: &Raw) -> Vec<Raw> {
        let (line, paths) = match self.class {
            Named::Own(module, class) => {
                let lineage = evaluator.lineage(module, class);
                (lineage.classes, lineage.outside.to_vec())
            }
            Named::Library(path) => (Vec::new(), vec![path]),
        };
        let resources = resources_of(evaluator, &paths);
        let own = own_methods(evaluator, &line);
        let find = |name: &str| own.iter().find(|(own, _)| own == name).map(|(_, function)| *function);
        let mut found: Vec<Answering> = Vec::new();
        for resource in &resources {
            for answer in &resource.answers {
                if found.iter().any(|other| other.name == answer.name) {
                    continue;
                }
                let provider = resources.iter().find(|other| other.has.contains(&answer.name));
                let function = find(&answer.name);
                if function.is_none() && provider.is_none() {
                    continue;
                }
                let verb = self.given.iter().find(|(_, name)| *name == answer.name).map(|(verb, _)| verb.clone());
                if !self.given.is_empty() && verb.is_none() {
                    continue;
                }
                found.push(Answering {
                    below: if self.given.is_empty() { answer.path.clone() } else { String::new() },
                    verb: verb.unwrap_or_else(|| answer.verb.clone()),
                    name: answer.name.clone(),
                    provided: provided(provider.filter(|_| function.is_none()).copied(), &line),
                    function,
                });
            }
        }
        for (verb, name) in &self.given {
            let is_new = !found.iter().any(|other| other.name == *name);
            if is_new && let Some(function) = find(name) {
                found.push(answering(verb.clone(), String::new(), name, function, &line));
            }
        }
        if self.given.is_empty() {
            found.extend(extra_methods(evaluator, &resources, &line, &own));
        }
        self.finish(evaluator, raw, &own, found)
    }

    /// The routes; each handler is preceded by what the class does for all of its methods.
    fn finish(
        &self,
        evaluator: &mut Evaluator<'_>,
        raw: &Raw,
        own: &[(String, FunctionRef)],
        found: Vec<Answering>,
    ) -> Vec<Raw> {
        let answering: FxHashSet<FunctionRef> = found.iter().filter_map(|one| one.function).collect();
        let around: Vec<FunctionRef> =
            own.iter().map(|(_, function)| *function).filter(|function| !answering.contains(function)).collect();
        let base = raw.text("path").map(str::to_owned);
        let class = self.name(evaluator);
        let route = |one: Answering| {
            let mut route = raw.clone();
            route.set("method", Value::text(one.verb));
            if let Some(base) = &base {
                let below = one.below.trim_start_matches('/');
                let joined =
                    if below.is_empty() { base.clone() } else { format!("{}/{below}", base.trim_end_matches('/')) };
                route.set("path", Value::text(joined));
            }
            route.functions = around.iter().copied().chain(one.function).collect();
            route.view = Some(View { name: format!("{class}.{}", one.name), ..one.provided });
            route
        };
        found.into_iter().map(route).collect()
    }

    fn name(&self, evaluator: &Evaluator<'_>) -> String {
        match self.class {
            Named::Own(module, class) => {
                let hir = evaluator.program.module(module);
                hir.class(class).name.map(|name| hir.str(name).to_owned()).unwrap_or_default()
            }
            Named::Library(path) => evaluator.paths.last_name(path).to_owned(),
        }
    }
}

fn provided(resource: Option<&Resource>, line: &[(ModuleId, ClassIdx)]) -> View {
    let mut view = View { line: line.to_vec(), ..View::default() };
    if let Some(resource) = resource {
        view.roles.clone_from(&resource.roles);
        view.inputs.clone_from(&resource.inputs);
    }
    view
}

fn answering(
    verb: String,
    below: String,
    name: &str,
    function: FunctionRef,
    line: &[(ModuleId, ClassIdx)],
) -> Answering {
    Answering { verb, below, name: name.to_owned(), function: Some(function), provided: provided(None, line) }
}

/// The methods of the classes, nearest first; what a nearer class defines again counts once.
fn own_methods(evaluator: &Evaluator<'_>, line: &[(ModuleId, ClassIdx)]) -> Vec<(String, FunctionRef)> {
    let mut found: Vec<(String, FunctionRef)> = Vec::new();
    for &(module, class) in line {
        let hir = evaluator.program.module(module);
        for member in &hir.class(class).members {
            let name = hir.str(member.name);
            if let MemberKind::Method(function) = member.kind
                && !found.iter().any(|(own, _)| own == name)
            {
                found.push((name.to_owned(), FunctionRef { module, function }));
            }
        }
    }
    found
}

/// Methods that a decorator makes answer: `@action(detail=True, methods=["post"], url_path="pay")`.
fn extra_methods(
    evaluator: &mut Evaluator<'_>,
    resources: &[&Resource],
    line: &[(ModuleId, ClassIdx)],
    own: &[(String, FunctionRef)],
) -> Vec<Answering> {
    let stacks = evaluator.stacks;
    let mut found = Vec::new();
    for (name, function) in own {
        for decorator in decorators(evaluator, *function) {
            let Some((callee, _)) = evaluator.program.module(decorator.module).call(decorator.expr) else { continue };
            let paths = evaluator.paths_of(ExprRef { expr: callee, ..decorator });
            let is_extra = paths.iter().any(|&path| {
                resources
                    .iter()
                    .filter_map(|resource| resource.extra.as_ref())
                    .any(|selector| evaluator.matcher.matches(&evaluator.paths, &stacks.types, path, selector))
            });
            if !is_extra {
                continue;
            }
            let options = evaluator.options(decorator);
            let one = matches!(options.field("detail").data, Data::Bool(true));
            let path = options.field("url_path").as_text().unwrap_or(name).to_owned();
            let below = if one { format!("/:pk/{path}/") } else { format!("/{path}/") };
            let verbs = match options.field("methods").data {
                Data::List(items) => items.iter().filter_map(Value::as_text).map(str::to_uppercase).collect(),
                _ => vec!["GET".to_owned()],
            };
            found.extend(verbs.into_iter().map(|verb| answering(verb, below.clone(), name, *function, line)));
        }
    }
    found
}

fn decorators(evaluator: &Evaluator<'_>, function: FunctionRef) -> Vec<ExprRef> {
    let FunctionRef { module, function } = function;
    let entry = evaluator.program.module(module).function(function);
    entry.decorators.iter().map(|&expr| ExprRef { module, expr }).collect()
}

/// The methods of a class that refuse by what they give back.
pub(super) fn refusing(evaluator: &mut Evaluator<'_>, module: ModuleId, class: ClassIdx) -> Vec<FunctionRef> {
    let paths = evaluator.lineage(module, class).outside;
    let names: Vec<String> = resources_of(evaluator, &paths).iter().flat_map(|r| r.refuses.clone()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let line = evaluator.lineage(module, class).classes;
    let own = own_methods(evaluator, &line);
    own.into_iter().filter(|(name, _)| names.contains(name)).map(|(_, function)| function).collect()
}

/// The class's own methods that a call of an inherited one leads to (`serializer.is_valid()` calls `validate`).
pub fn called_by_inherited(evaluator: &mut Evaluator<'_>, call: ExprRef) -> Vec<FunctionRef> {
    let hir = evaluator.program.module(call.module);
    let Some((callee, _)) = hir.call(call.expr) else { return Vec::new() };
    let ExprKind::Member { object, name } = hir.kind(callee) else { return Vec::new() };
    let name = hir.str(name);
    let names = |resource: &Resource| {
        resource.calls.iter().find(|(own, _)| own == name).map(|(_, called)| called.clone()).unwrap_or_default()
    };
    if evaluator.stacks.resources.iter().all(|resource| names(resource).is_empty()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for thing in evaluator.things(ExprRef { expr: object, ..call }) {
        let Thing::Instance(module, class) = thing else { continue };
        let lineage = evaluator.lineage(module, class);
        let wanted: Vec<String> = resources_of(evaluator, &lineage.outside).into_iter().flat_map(names).collect();
        let own = own_methods(evaluator, &lineage.classes);
        found.extend(own.into_iter().filter(|(own, _)| wanted.contains(own)).map(|(_, function)| function));
    }
    found
}

/// Methods that a framework calls with a request, by the stack of their class: known by what the class extends.
pub fn request_methods(evaluator: &mut Evaluator<'_>, module: ModuleId) -> Vec<(FunctionRef, usize)> {
    let mut found = Vec::new();
    if evaluator.stacks.resources.is_empty() {
        return found;
    }
    for index in 0..evaluator.program.module(module).classes.len() {
        let class = ClassIdx(u32::try_from(index).unwrap_or(u32::MAX));
        let paths = evaluator.lineage(module, class).outside;
        let Some(stack) = resources_of(evaluator, &paths).first().map(|resource| resource.stack) else { continue };
        for member in &evaluator.program.module(module).class(class).members {
            if let MemberKind::Method(function) = member.kind
                && function != FunctionIdx::NONE
            {
                found.push((FunctionRef { module, function }, stack));
            }
        }
    }
    found
}
