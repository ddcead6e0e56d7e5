//! API paths: the resolved name of a thing whatever its local alias (`express().use`, `zod.z.object().parse`),
//! and the selectors of stack files that match them.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// An interned API path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(u32);

impl PathId {
    /// Where something about it is kept in a list of all paths.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Index into [`PathTable::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct NameId(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    /// A package (`next/server`), `global`, or `?` for a module that could not be found.
    Root(NameId),
    Member(PathId, NameId),
    /// The result of a call (or of `new`).
    Result(PathId),
}

/// All paths seen so far.
#[derive(Debug, Default)]
pub struct PathTable {
    /// Each with its depth.
    nodes: Vec<(Node, u8)>,
    index: FxHashMap<Node, PathId>,
    names: Vec<Arc<str>>,
    name_index: FxHashMap<Arc<str>, NameId>,
}

/// Longer paths are cut: nothing asks for them, and generated code must not grow the table without bound.
const MAX_DEPTH: u8 = 24;

impl PathTable {
    fn intern(&mut self, node: Node) -> PathId {
        if let Some(&id) = self.index.get(&node) {
            return id;
        }
        let depth = match node {
            Node::Root(_) => 0,
            Node::Member(parent, _) | Node::Result(parent) => self.depth(parent) + 1,
        };
        let id = PathId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push((node, depth));
        self.index.insert(node, id);
        id
    }

    fn name_id(&mut self, text: &str) -> NameId {
        if let Some(&id) = self.name_index.get(text) {
            return id;
        }
        let id = NameId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = text.into();
        self.names.push(Arc::clone(&text));
        self.name_index.insert(text, id);
        id
    }

    fn node(&self, id: PathId) -> Node {
        self.nodes[id.0 as usize].0
    }

    fn name(&self, id: NameId) -> &Arc<str> {
        &self.names[id.0 as usize]
    }

    pub fn root(&mut self, package: &str) -> PathId {
        let name = self.name_id(package.strip_prefix("node:").unwrap_or(package));
        self.intern(Node::Root(name))
    }

    /// A package with the modules inside it: `axum::routing` is a member of `axum`.
    pub fn package(&mut self, specifier: &str) -> PathId {
        let mut parts = specifier.split("::");
        let root = self.root(parts.next().unwrap_or_default());
        parts.fold(root, |path, name| self.member(path, name))
    }

    /// The path of a module with a dotted name: `django.db.models`.
    pub fn dotted(&mut self, name: &str) -> PathId {
        let mut parts = name.split('.');
        let root = self.root(parts.next().unwrap_or_default());
        parts.fold(root, |path, part| self.member(path, part))
    }

    pub fn member(&mut self, of: PathId, name: &str) -> PathId {
        let node = Node::Member(of, self.name_id(name));
        if let Some(&known) = self.index.get(&node) {
            return known;
        }
        if self.depth(of) >= MAX_DEPTH {
            return of;
        }
        if let Node::Root(root) = self.node(of) {
            let root = &**self.name(root);
            // `import { pinoHttp } from "pino-http"` is what `import pinoHttp from "pino-http"` gives.
            let is_itself = name == "default" || is_camel_case_of(name, root);
            if is_itself || root == "global" && matches!(name, "globalThis" | "global") {
                return of;
            }
        }
        self.intern(node)
    }

    pub fn result(&mut self, of: PathId) -> PathId {
        if self.depth(of) >= MAX_DEPTH {
            return of;
        }
        self.intern(Node::Result(of))
    }

    /// Is it so long that it may soon be cut?
    pub fn is_long(&self, id: PathId) -> bool {
        self.depth(id) > MAX_DEPTH / 2
    }

    fn depth(&self, id: PathId) -> u8 {
        self.nodes[id.0 as usize].1
    }

    pub fn parent(&self, id: PathId) -> Option<PathId> {
        match self.node(id) {
            Node::Root(_) => None,
            Node::Member(parent, _) | Node::Result(parent) => Some(parent),
        }
    }

    /// The last name of a path, looking through calls.
    pub fn last_name(&self, mut id: PathId) -> &str {
        loop {
            match self.node(id) {
                Node::Root(name) | Node::Member(_, name) => return self.name(name),
                Node::Result(parent) => id = parent,
            }
        }
    }

    pub fn is_result(&self, id: PathId) -> bool {
        matches!(self.node(id), Node::Result(_))
    }

    /// A package, or one of its exports; globals are none.
    pub fn is_export(&self, id: PathId) -> bool {
        match self.node(id) {
            Node::Root(name) => !is_language(self.name(name)),
            Node::Member(parent, _) => matches!(self.node(parent), Node::Root(name) if !is_language(self.name(name))),
            Node::Result(_) => false,
        }
    }

    pub fn text(&self, id: PathId) -> String {
        match self.node(id) {
            Node::Root(name) => self.name(name).to_string(),
            Node::Member(parent, name) => format!("{}.{}", self.text(parent), self.name(name)),
            Node::Result(parent) => format!("{}()", self.text(parent)),
        }
    }
}

/// A root that is no package, but what a language brings along.
fn is_language(root: &str) -> bool {
    matches!(root, "global" | "builtins")
}

/// Is `name` the camel case of a package's own name (`pinoHttp` of `pino-http`)?
fn is_camel_case_of(name: &str, package: &str) -> bool {
    let own = package.rsplit('/').next().unwrap_or(package);
    let mut letters = name.chars();
    let mut upper = false;
    for letter in own.chars() {
        if letter == '-' {
            upper = true;
            continue;
        }
        let wanted = if upper { letter.to_ascii_uppercase() } else { letter };
        upper = false;
        if letters.next() != Some(wanted) {
            return false;
        }
    }
    letters.next().is_none() && !name.is_empty() && own != "global"
}

/// Index into [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeIdx(pub u32);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Root {
    Package(Arc<str>),
    Type(TypeIdx),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SelectorStep {
    Names(Vec<Arc<str>>),
    AnyName,
    /// `*Field`
    Ending(Arc<str>),
    /// Any number of members and calls.
    AnyDeep,
    Result,
}

/// One alternative of a selector: `express.Router().{get,post}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    root: Root,
    steps: Vec<SelectorStep>,
}

/// A selector: alternatives separated by `|`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    pub patterns: Vec<Pattern>,
}

/// Named types of all stacks; a name belongs to its stack file (`express.App`).
#[derive(Debug, Default)]
pub struct Types {
    names: Vec<String>,
    selectors: Vec<Selector>,
}

impl Types {
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.selectors.iter().flat_map(|selector| &selector.patterns)
    }

    pub fn declare(&mut self, name: String) -> TypeIdx {
        self.names.push(name);
        self.selectors.push(Selector::default());
        TypeIdx(u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX))
    }

    pub fn define(&mut self, ty: TypeIdx, selector: Selector) {
        self.selectors[ty.0 as usize] = selector;
    }

    pub fn ids(&self) -> impl Iterator<Item = TypeIdx> + use<> {
        (0..self.names.len()).map(|index| TypeIdx(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    pub fn name(&self, ty: TypeIdx) -> &str {
        &self.names[ty.0 as usize]
    }
}

/// Matches paths against selectors, with a memory of which path is of which type.
#[derive(Debug, Default)]
pub struct Matcher {
    of_type: FxHashMap<(PathId, TypeIdx), bool>,
}

impl Matcher {
    pub fn is_type(&mut self, paths: &PathTable, types: &Types, path: PathId, ty: TypeIdx) -> bool {
        if let Some(&known) = self.of_type.get(&(path, ty)) {
            return known;
        }
        // A value that is known by its type alone is a root of the type's own name.
        if matches!(paths.node(path), Node::Root(name) if **paths.name(name) == *types.name(ty)) {
            return true;
        }
        // A type that names itself asks about shorter paths only; this guard stops one that does not.
        self.of_type.insert((path, ty), false);
        let matched = self.matches(paths, types, path, &types.selectors[ty.0 as usize]);
        self.of_type.insert((path, ty), matched);
        matched
    }

    pub fn matches(&mut self, paths: &PathTable, types: &Types, path: PathId, selector: &Selector) -> bool {
        selector.patterns.iter().any(|pattern| self.matches_pattern(paths, types, path, pattern))
    }

    pub fn matches_pattern(&mut self, paths: &PathTable, types: &Types, path: PathId, pattern: &Pattern) -> bool {
        self.steps(paths, types, path, &pattern.root, &pattern.steps)
    }

    fn steps(&mut self, paths: &PathTable, types: &Types, path: PathId, root: &Root, steps: &[SelectorStep]) -> bool {
        let Some((last, rest)) = steps.split_last() else {
            return match root {
                Root::Type(ty) => self.is_type(paths, types, path, *ty),
                Root::Package(name) => matches!(paths.node(path), Node::Root(package) if paths.name(package) == name),
            };
        };
        match last {
            SelectorStep::AnyDeep => {
                if self.steps(paths, types, path, root, rest) {
                    return true;
                }
                paths.parent(path).is_some_and(|parent| self.steps(paths, types, parent, root, steps))
            }
            SelectorStep::Result => match paths.node(path) {
                Node::Result(parent) => self.steps(paths, types, parent, root, rest),
                _ => false,
            },
            SelectorStep::AnyName | SelectorStep::Ending(_) | SelectorStep::Names(_) => match paths.node(path) {
                Node::Member(parent, name) => {
                    let fits = match last {
                        SelectorStep::Names(names) => names.contains(paths.name(name)),
                        SelectorStep::Ending(ending) => paths.name(name).ends_with(&**ending),
                        _ => true,
                    };
                    fits && self.steps(paths, types, parent, root, rest)
                }
                _ => false,
            },
        }
    }
}

impl Pattern {
    /// The package that it starts at.
    pub fn package(&self) -> Option<&str> {
        match &self.root {
            Root::Package(name) => Some(name),
            Root::Type(_) => None,
        }
    }

    /// `*.name`: that property of anything, also of what nobody can tell.
    pub fn is_of_anything(&self) -> bool {
        matches!((&self.root, self.steps.as_slice()), (Root::Package(name), [SelectorStep::Names(_)]) if &**name == "*")
    }

    /// The names that the last step can have; none when any name will do.
    pub fn last_names(&self) -> Option<Vec<Arc<str>>> {
        match self.steps.iter().rev().find(|step| **step != SelectorStep::Result) {
            Some(SelectorStep::Names(names)) => Some(names.clone()),
            Some(_) => None,
            None => match &self.root {
                Root::Package(name) => Some(vec![name.clone()]),
                Root::Type(_) => None,
            },
        }
    }
}

impl Selector {
    /// Reads `path ("|" path)*`. `type_named` knows the types of the stack; every other first name is a package.
    /// For calls a closing `()` may be left out or written: both mean the call itself.
    pub fn parse(text: &str, is_call: bool, type_named: &dyn Fn(&str) -> Option<TypeIdx>) -> Result<Selector, String> {
        let mut patterns = Vec::new();
        for alternative in text.split('|').flat_map(|text| expand(text.trim())) {
            let mut pattern = parse_pattern(&alternative, type_named)?;
            if is_call && pattern.steps.last() == Some(&SelectorStep::Result) {
                pattern.steps.pop();
            }
            patterns.push(pattern);
        }
        Ok(Selector { patterns })
    }
}

/// `a.{b,c.d}` is `a.b | a.c.d`: names in braces become alternatives of their own where one is a path itself, or the package's
/// own name (see [`is_package_itself`]).
fn expand(text: &str) -> Vec<String> {
    let braces = text.find('{').and_then(|open| Some((open, open + text[open..].find('}')?)));
    let Some((open, close)) = braces else { return vec![text.to_owned()] };
    let (before, inside, after) = (&text[..open], &text[open + 1..close], &text[close + 1..]);
    let package = before.strip_suffix('.').unwrap_or_default();
    let is_apart = |name: &str| name.contains('.') || is_camel_case_of(name, package);
    if inside.split(',').any(|name| is_apart(name.trim())) {
        inside.split(',').map(|name| format!("{before}{}{after}", name.trim())).collect()
    } else {
        vec![text.to_owned()]
    }
}

fn parse_pattern(text: &str, type_named: &dyn Fn(&str) -> Option<TypeIdx>) -> Result<Pattern, String> {
    let (root, rest) = split_root(text)?;
    let root = match type_named(root) {
        Some(ty) => Root::Type(ty),
        None => Root::Package(root.strip_prefix("node:").unwrap_or(root).into()),
    };
    let mut steps = Vec::new();
    let mut rest = rest;
    while !rest.is_empty() {
        // `X+` is `X` and what extends it: paths of members lead through the project's classes to what these extend.
        if let Some(after) = rest.strip_prefix('+') {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("()") {
            steps.push(SelectorStep::Result);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let (step, after) = split_step(after).ok_or_else(|| format!("`{text}`: a name is missing after a dot"))?;
            if !(steps.is_empty() && is_package_itself(&root, &step)) {
                steps.push(step);
            }
            rest = after;
        } else {
            return Err(format!("`{text}`: expected `.name`, `.{{a,b}}`, `.*`, `.**` or `()` at `{rest}`"));
        }
    }
    Ok(Pattern { root, steps })
}

/// `better-auth.betterAuth` is the package, as paths have it (see [`PathTable::member`]).
fn is_package_itself(root: &Root, step: &SelectorStep) -> bool {
    match (root, step) {
        (Root::Package(package), SelectorStep::Names(names)) => {
            matches!(names.as_slice(), [name] if is_camel_case_of(name, package))
        }
        _ => false,
    }
}

/// A package may be quoted (`'socket.io'.Server`) when its own name holds a dot.
fn split_root(text: &str) -> Result<(&str, &str), String> {
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted.split_once('\'').ok_or_else(|| format!("`{text}`: the quote is not closed"));
    }
    let end = text.find(['.', '(', '+']).unwrap_or(text.len());
    if end == 0 {
        return Err(format!("`{text}`: a selector starts with a package or a type"));
    }
    Ok(text.split_at(end))
}

fn split_step(text: &str) -> Option<(SelectorStep, &str)> {
    if let Some(after) = text.strip_prefix("**") {
        return Some((SelectorStep::AnyDeep, after));
    }
    if let Some(after) = text.strip_prefix('*') {
        let end = after.find(['.', '(', '+']).unwrap_or(after.len());
        let (ending, after) = after.split_at(end);
        let step = if ending.is_empty() { SelectorStep::AnyName } else { SelectorStep::Ending(ending.into()) };
        return Some((step, after));
    }
    if let Some(inner) = text.strip_prefix('{') {
        let (names, after) = inner.split_once('}')?;
        let names = names.split(',').map(|n| n.trim().into()).collect();
        return Some((SelectorStep::Names(names), after));
    }
    let end = text.find(['.', '(', '+']).unwrap_or(text.len());
    (end > 0).then(|| (SelectorStep::Names(vec![text[..end].into()]), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_may_name_the_export_that_is_called_like_its_package() {
        let selector = Selector::parse("better-auth.betterAuth().api.getSession", true, &|_| None).unwrap();
        assert_eq!(selector, Selector::parse("better-auth().api.getSession", true, &|_| None).unwrap());
        let group = Selector::parse("random.{random,choice}", true, &|_| None).unwrap();
        assert_eq!(group, Selector::parse("random | random.choice", true, &|_| None).unwrap());
        let other = Selector::parse("better-auth.other()", true, &|_| None).unwrap();
        assert_ne!(other, Selector::parse("better-auth()", true, &|_| None).unwrap());
    }

    fn path(paths: &mut PathTable, text: &str) -> PathId {
        let (root, mut rest) = split_root(text).unwrap();
        let mut id = paths.root(root);
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("()") {
                id = paths.result(id);
                rest = after;
            } else {
                let after = &rest[1..];
                let end = after.find(['.', '(']).unwrap_or(after.len());
                id = paths.member(id, &after[..end]);
                rest = &after[end..];
            }
        }
        id
    }

    #[test]
    fn selectors_match_through_types_calls_and_wildcards() {
        let mut paths = PathTable::default();
        let mut types = Types::default();
        let app = types.declare("App".into());
        let router = types.declare("Router".into());
        let named = |name: &str| match name {
            "App" => Some(app),
            "Router" => Some(router),
            _ => None,
        };
        types.define(app, Selector::parse("express() | express.Express", false, &named).unwrap());
        types.define(router, Selector::parse("App | express.Router()", false, &named).unwrap());
        let route = Selector::parse("Router.{get,post}", true, &named).unwrap();
        let zod = Selector::parse("zod.**.parse", true, &named).unwrap();
        let mut matcher = Matcher::default();
        for (text, selector, wanted) in [
            ("express().get", &route, true),
            ("express.Express.post", &route, true),
            ("express.Router().get", &route, true),
            ("express.Router().use", &route, false),
            ("other().get", &route, false),
            ("zod.z.object().strict().parse", &zod, true),
            ("zod.parse", &zod, true),
            ("joi.object().parse", &zod, false),
        ] {
            let id = path(&mut paths, text);
            assert_eq!(matcher.matches(&paths, &types, id, selector), wanted, "{text}");
            assert_eq!(paths.text(id), text);
        }
    }

    #[test]
    fn paths_in_braces_are_alternatives() {
        let none = |_: &str| None;
        let selector = Selector::parse("next.Request.{body,nextUrl.searchParams}", false, &none).unwrap();
        assert_eq!(selector.patterns.len(), 2);
        let mut paths = PathTable::default();
        let id = path(&mut paths, "next.Request.nextUrl.searchParams");
        assert!(Matcher::default().matches(&paths, &Types::default(), id, &selector));
    }

    #[test]
    fn bad_selectors_say_where() {
        let none = |_: &str| None;
        assert!(Selector::parse("express..get", true, &none).unwrap_err().contains("after a dot"));
        assert!(Selector::parse("'socket.io.Server", true, &none).unwrap_err().contains("quote"));
        assert_eq!(Selector::parse("'socket.io'.Server()", true, &none).unwrap().patterns.len(), 1);
    }

    #[test]
    fn a_type_that_names_itself_ends() {
        let mut paths = PathTable::default();
        let mut types = Types::default();
        let ty = types.declare("Loop".into());
        types.define(
            ty,
            Selector::parse("Loop | zod.z.object() | Loop.strict()", false, &|n| (n == "Loop").then_some(ty)).unwrap(),
        );
        let id = path(&mut paths, "zod.z.object().strict()");
        assert!(Matcher::default().is_type(&paths, &types, id, ty));
    }
}
