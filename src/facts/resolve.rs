//! What an expression may be: a thing of some package (by its API path), a function, class or object of the project.
//!
//! Nothing is executed. Calls of the project's own functions give what those return, parameters give what callers
//! pass, and everything is cut at a fixed depth; an empty answer means that nobody can tell.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::checks::admits_known;
use super::classes::is_class_method;
use super::memo::{ExprMemo, State};
use super::model::FunctionId;
use super::paths::{Matcher, PathId, PathTable, TypeIdx};
use super::program::{Exported, ExprRef, FunctionRef, ModuleId, Program, Target};
use super::settings::Settings;
use super::stacks::Stacks;
use super::turn::Turn;
use crate::syntax::hir::{
    ClassIdx, ClassMember, Definition, ExprId, ExprKind, FunctionIdx, Imported, Language, LogicalOp, MemberKind,
    Module, PropKind, Run, SourceIdx, Step, SymbolIdx, Type, TypeId, TypeRoot,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// Something of a package, or a global; `site` is the call that made it.
    Path {
        path: PathId,
        site: Option<ExprRef>,
    },
    Function(FunctionRef),
    Class(ModuleId, ClassIdx),
    Instance(ModuleId, ClassIdx),
    /// `new f()` of a plain function.
    Made(FunctionRef),
    /// An object, array or other literal.
    Data(ExprRef),
    Module(ModuleId),
}

pub type Things = SmallVec<[Thing; 2]>;

/// More alternatives than this are cut.
const MAX_THINGS: usize = 8;
const MAX_DEPTH: u16 = 48;
/// Callers that are asked what they pass for a parameter.
const MAX_CALLERS: usize = 6;

/// What a first pass over all calls found, so that parameters can be followed.
#[derive(Debug, Default)]
pub struct Links {
    /// By function: the calls that reach it.
    pub callers: Vec<Vec<ExprRef>>,
    /// By function: types of its parameters, from being a handler of some stack.
    pub handlers: FxHashMap<FunctionId, Vec<Option<TypeIdx>>>,
    pub settings: Settings,
}

/// What was worked out before.
#[derive(Debug)]
pub struct Memory {
    things: ExprMemo<Things>,
    /// Members of the project's own objects and classes.
    members: FxHashMap<(Thing, Box<str>), Things>,
}

impl Memory {
    /// Of a program with that many modules.
    pub fn new(modules: usize) -> Memory {
        Memory { things: ExprMemo::new(modules), members: FxHashMap::default() }
    }
}

/// Answers questions about one program; remembers what it has worked out.
pub struct Evaluator<'p> {
    pub program: &'p Program<'p>,
    pub stacks: &'p Stacks,
    pub links: &'p Links,
    pub paths: PathTable,
    pub matcher: Matcher,
    memory: Memory,
    depth: u16,
    pub(super) values: FxHashMap<ExprRef, crate::facts::model::Value>,
    pub(super) value_active: FxHashSet<ExprRef>,
    pub(super) value_depth: u16,
    /// The calls by which it goes through helpers; usually none.
    pub(super) turn: Turn,
    /// The function whose parameters stand for themselves.
    pub(super) apart: Option<FunctionRef>,
    /// What functions return, looked at on their own.
    pub(super) returned: FxHashMap<FunctionRef, crate::facts::model::Value>,
    /// The same for functions that were reached at a depth that leaves little to follow: good for that depth alone.
    pub(super) returned_deep: FxHashMap<(FunctionRef, u16), crate::facts::model::Value>,
    pub(super) returning: FxHashSet<FunctionRef>,
    pub(super) inputs: FxHashMap<PathId, bool>,
    pub(super) environments: FxHashMap<PathId, bool>,
    pub(super) variables: FxHashMap<PathId, bool>,
    returns_active: FxHashSet<FunctionRef>,
    /// Found once somebody asks.
    extensions: Option<Extensions>,
}

/// By class: those that add members to it from elsewhere.
type Extensions = FxHashMap<(ModuleId, ClassIdx), Vec<(ModuleId, ClassIdx)>>;

impl<'p> Evaluator<'p> {
    pub fn new(program: &'p Program<'p>, stacks: &'p Stacks, links: &'p Links) -> Evaluator<'p> {
        Evaluator {
            program,
            stacks,
            links,
            paths: PathTable::default(),
            matcher: Matcher::default(),
            memory: Memory::new(program.modules.len()),
            turn: Turn::default(),
            depth: 0,
            values: FxHashMap::default(),
            value_active: FxHashSet::default(),
            value_depth: 0,
            apart: None,
            returned: FxHashMap::default(),
            returned_deep: FxHashMap::default(),
            returning: FxHashSet::default(),
            inputs: FxHashMap::default(),
            environments: FxHashMap::default(),
            variables: FxHashMap::default(),
            returns_active: FxHashSet::default(),
            extensions: None,
        }
    }

    /// Puts other answers in the place of those that it remembers.
    pub(super) fn swap_memory(&mut self, other: Memory) -> Memory {
        std::mem::replace(&mut self.memory, other)
    }

    pub fn is_type(&mut self, path: PathId, ty: TypeIdx) -> bool {
        self.matcher.is_type(&self.paths, &self.stacks.types, path, ty)
    }

    pub fn is_any_type(&mut self, path: PathId, types: &[TypeIdx]) -> bool {
        types.iter().any(|&ty| self.is_type(path, ty))
    }

    /// The API paths among what an expression may be.
    pub fn paths_of(&mut self, at: ExprRef) -> SmallVec<[PathId; 2]> {
        self.things(at)
            .into_iter()
            .filter_map(|thing| match thing {
                Thing::Path { path, .. } => Some(path),
                _ => None,
            })
            .collect()
    }

    pub fn things(&mut self, at: ExprRef) -> Things {
        if at.expr == ExprId::NONE {
            return Things::new();
        }
        match self.memory.things.state(at) {
            State::Known(known) => return known.clone(),
            State::Active => return Things::new(),
            State::New if self.depth >= MAX_DEPTH => return Things::new(),
            State::New => {}
        }
        let exprs = self.program.module(at.module).exprs.len();
        self.memory.things.begin(at, exprs);
        self.depth += 1;
        let mut found = self.evaluate(at);
        self.depth -= 1;
        dedup(&mut found);
        // Remembered even where a circle cut it short: asking again would take time without end.
        self.memory.things.finish(at, exprs, found.clone());
        found
    }

    fn evaluate(&mut self, at: ExprRef) -> Things {
        let program = self.program;
        let module = program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Ident(symbol) => self.symbol(at.module, symbol),
            ExprKind::Global(atom) => {
                let root = self.paths.root(globals_of(module));
                one(Thing::Path { path: self.paths.member(root, module.str(atom)), site: None })
            }
            ExprKind::Function(function) => one(Thing::Function(FunctionRef { module: at.module, function })),
            ExprKind::Class(class) => one(Thing::Class(at.module, class)),
            ExprKind::Object(_) | ExprKind::Array(_) => one(Thing::Data(at)),
            ExprKind::Require(source) | ExprKind::Import(source) => self.source(at.module, source, Imported::Namespace),
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Spread(inner) => self.things(here(inner)),
            ExprKind::Assign { value, .. } => self.things(here(value)),
            ExprKind::Sequence(run) => {
                let last = module.list(run).last();
                last.map_or_else(Things::new, |last| self.things(here(last)))
            }
            ExprKind::Logical { op, left, right } => {
                let mut found = if op == LogicalOp::And { Things::new() } else { self.things(here(left)) };
                found.extend(self.things(here(right)));
                found
            }
            ExprKind::Conditional { test, branches } => {
                // `x === "asc" ? x : "desc"` is one of the texts, whatever `x` was.
                let is_open = |(index, branch): &(usize, ExprId)| !admits_known(module, test, *branch, *index == 0);
                let branches: SmallVec<[(usize, ExprId); 2]> =
                    module.list(branches).enumerate().filter(is_open).collect();
                branches.into_iter().flat_map(|(_, branch)| self.things(here(branch))).collect()
            }
            ExprKind::This => self.this(at),
            ExprKind::Member { object, name } => self.member_expr(at, object, module.str(name)),
            ExprKind::Index { object, index } => self.index_expr(at.module, object, index),
            ExprKind::Call { callee, args } => self.call_expr(at, callee, args, false),
            ExprKind::New { callee, args } => self.call_expr(at, callee, args, true),
            ExprKind::Tagged { tag, .. } => {
                let tags = self.things(here(tag));
                self.results(&tags, at, false)
            }
            _ => Things::new(),
        }
    }

    pub(super) fn this(&mut self, at: ExprRef) -> Things {
        let module = self.program.module(at.module);
        let mut function = module.function_of(at.expr);
        // Arrows share the class of their surroundings, so the nearest function knows.
        while let Some(index) = function.some() {
            let entry = module.function(index);
            let entered = self.turn.call_of(FunctionRef { module: at.module, function: index });
            if let Some(receiver) = entered.and_then(|call| self.called_on(call)) {
                return receiver;
            }
            if let Some(class) = entry.class.some() {
                let is_class = is_class_method(module, class, index);
                return one(if is_class { Thing::Class(at.module, class) } else { Thing::Instance(at.module, class) });
            }
            if !entry.assigned.is_empty() {
                return one(Thing::Made(FunctionRef { module: at.module, function: index }));
            }
            function = entry.parent;
        }
        Things::new()
    }

    /// The objects of the project that a call is a method of.
    fn called_on(&mut self, call: ExprRef) -> Option<Things> {
        let module = self.program.module(call.module);
        let (callee, _) = module.call(call.expr)?;
        let ExprKind::Member { object, .. } = module.kind(callee) else { return None };
        let mut objects = self.things(ExprRef { module: call.module, expr: object });
        objects.retain(|thing| matches!(thing, Thing::Instance(..)));
        (!objects.is_empty()).then_some(objects)
    }

    fn member_expr(&mut self, at: ExprRef, object: ExprId, name: &str) -> Things {
        let module = self.program.module(at.module);
        let mut found = Things::new();
        if let ExprKind::Ident(symbol) = module.kind(object) {
            let assigned: SmallVec<[ExprId; 4]> =
                self.program.assigned_to(at.module, symbol, name).take(MAX_CALLERS).collect();
            for value in assigned {
                if value != at.expr {
                    found.extend(self.things(ExprRef { module: at.module, expr: value }));
                }
            }
        }
        let objects = self.things(ExprRef { module: at.module, expr: object });
        for thing in objects {
            found.extend(self.member(thing, name));
        }
        found
    }

    fn index_expr(&mut self, module: ModuleId, object: ExprId, index: ExprId) -> Things {
        let objects = self.things(ExprRef { module, expr: object });
        let key = self.constant_text(ExprRef { module, expr: index });
        let mut found = Things::new();
        for thing in objects {
            match (&key, thing) {
                (Some(name), thing) => found.extend(self.member(thing, name)),
                (None, Thing::Path { path, .. }) => {
                    let path = self.paths.member(path, "[]");
                    found.push(Thing::Path { path, site: None });
                }
                // Any of the members, when the key is not known.
                (None, Thing::Data(at)) => found.extend(self.elements(at)),
                _ => {}
            }
        }
        found
    }

    /// Everything that an array or object literal holds.
    pub fn elements(&mut self, at: ExprRef) -> Things {
        let module = self.program.module(at.module);
        let items: SmallVec<[ExprId; 8]> = match module.kind(at.expr) {
            ExprKind::Array(run) => module.list(run).take(MAX_THINGS).collect(),
            ExprKind::Object(run) => module.object(run).iter().map(|p| p.value).take(MAX_THINGS).collect(),
            _ => return Things::new(),
        };
        items.into_iter().flat_map(|expr| self.things(ExprRef { module: at.module, expr })).collect()
    }

    pub fn member(&mut self, thing: Thing, name: &str) -> Things {
        // An object may spread itself (`state = { ...state, x }`).
        let is_own = !matches!(thing, Thing::Path { .. } | Thing::Module(_));
        let key = (thing, Box::from(name));
        if is_own && let Some(known) = self.memory.members.get(&key) {
            return known.clone();
        }
        if self.depth >= MAX_DEPTH {
            return Things::new();
        }
        self.depth += 1;
        if is_own {
            self.memory.members.insert(key.clone(), Things::new());
        }
        let mut found = self.member_of(thing, name);
        self.depth -= 1;
        if is_own {
            dedup(&mut found);
            self.memory.members.insert(key, found.clone());
        }
        found
    }

    fn member_of(&mut self, thing: Thing, name: &str) -> Things {
        match thing {
            Thing::Path { path, .. } => one(Thing::Path { path: self.paths.member(path, name), site: None }),
            Thing::Module(module) => self.exported_name(module, name),
            Thing::Data(at) => self.property(at, name),
            Thing::Instance(module, class) => self.class_member(module, class, name, false, 0),
            Thing::Class(module, class) => self.class_member(module, class, name, true, 0),
            Thing::Made(function) => {
                let program = self.program;
                let module = program.module(function.module);
                let assigned = &module.function(function.function).assigned;
                let values: SmallVec<[ExprId; 2]> =
                    assigned.iter().filter(|(n, _)| module.str(*n) == name).map(|(_, v)| *v).collect();
                values.into_iter().flat_map(|expr| self.things(ExprRef { module: function.module, expr })).collect()
            }
            Thing::Function(function) => match name {
                "bind" | "call" | "apply" => one(thing),
                _ => self.function_property(function, name),
            },
        }
    }

    /// `f.x = …` on a declared function.
    fn function_property(&mut self, function: FunctionRef, name: &str) -> Things {
        let program = self.program;
        let module = program.module(function.module);
        let symbol = module
            .symbols
            .iter()
            .position(|s| matches!(s.definition, Definition::Function(index) if index == function.function));
        let Some(symbol) = symbol else { return Things::new() };
        let symbol = SymbolIdx(u32::try_from(symbol).unwrap_or(u32::MAX));
        let values: SmallVec<[ExprId; 4]> =
            program.assigned_to(function.module, symbol, name).take(MAX_CALLERS).collect();
        values.into_iter().flat_map(|expr| self.things(ExprRef { module: function.module, expr })).collect()
    }

    /// A property of an object literal, spreads included.
    fn property(&mut self, at: ExprRef, name: &str) -> Things {
        let program = self.program;
        let module = program.module(at.module);
        if let ExprKind::Array(run) = module.kind(at.expr) {
            let Ok(index) = name.parse::<usize>() else { return Things::new() };
            let item = module.list(run).nth(index);
            return item.map_or_else(Things::new, |expr| self.things(ExprRef { module: at.module, expr }));
        }
        let ExprKind::Object(run) = module.kind(at.expr) else { return Things::new() };
        for prop in module.object(run).iter().rev() {
            let value = ExprRef { module: at.module, expr: prop.value };
            match prop.kind {
                PropKind::Spread => {
                    let spread = self.things(value);
                    let found: Things = spread.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                    if !found.is_empty() {
                        return found;
                    }
                }
                PropKind::Value if prop.key.is_some_and(|k| module.str(k) == name) => return self.things(value),
                PropKind::Getter if prop.key.is_some_and(|k| module.str(k) == name) => {
                    let getters = self.things(value);
                    return self.results(&getters, value, false);
                }
                _ => {}
            }
        }
        // `const db = {}; db.client = …; module.exports = db`.
        let values: SmallVec<[ExprId; 4]> = program.assigned_to_literal(at, name).take(MAX_CALLERS).collect();
        values.into_iter().flat_map(|expr| self.things(ExprRef { module: at.module, expr })).collect()
    }

    fn class_member(&mut self, module: ModuleId, class: ClassIdx, name: &str, is_static: bool, depth: u8) -> Things {
        let program = self.program;
        let hir = program.module(module);
        let entry = hir.class(class);
        let mut found = Things::new();
        // In Python, instances have what their class has, and methods are called on either.
        let either = hir.language == Language::Python;
        for member in entry.members.iter().filter(|m| (either || m.is_static == is_static) && hir.str(m.name) == name) {
            found.extend(self.declared_member(module, member));
        }
        if !is_static {
            let assigned: SmallVec<[ExprId; 2]> =
                entry.assigned.iter().filter(|(n, _)| hir.str(*n) == name).map(|(_, v)| *v).take(4).collect();
            for expr in assigned {
                found.extend(self.things(ExprRef { module, expr }));
            }
            if let Some((_, index)) = entry.parameter_properties.iter().find(|(n, _)| hir.str(*n) == name) {
                found.extend(self.parameter(module, entry.constructor, *index, &[], ExprId::NONE));
            }
        }
        if found.is_empty() && depth < 6 {
            found.extend(self.extended_member(module, class, name, is_static, depth));
            for parent in self.parents(module, class) {
                match parent {
                    Thing::Class(module, class) => {
                        found.extend(self.class_member(module, class, name, is_static, depth + 1));
                    }
                    Thing::Path { path, .. } => {
                        let base = if is_static { path } else { self.paths.result(path) };
                        found.push(Thing::Path { path: self.paths.member(base, name), site: None });
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// A member that another file adds to a class.
    fn extended_member(&mut self, module: ModuleId, class: ClassIdx, name: &str, is_static: bool, depth: u8) -> Things {
        if self.extensions.is_none() {
            self.extensions = Some(FxHashMap::default());
            self.extensions = Some(self.find_extensions());
        }
        let known = self.extensions.as_ref().and_then(|all| all.get(&(module, class))).cloned().unwrap_or_default();
        known
            .into_iter()
            .flat_map(|(module, class)| self.class_member(module, class, name, is_static, depth + 1))
            .collect()
    }

    fn find_extensions(&mut self) -> Extensions {
        let program = self.program;
        let mut found = Extensions::default();
        for module in program.ids() {
            for &(class, heritage) in &program.module(module).extensions {
                for thing in self.things(ExprRef { module, expr: heritage }) {
                    if let Thing::Class(of, extended) = thing {
                        found.entry((of, extended)).or_default().push((module, class));
                    }
                }
            }
        }
        found
    }

    /// What a star import gives under the name that nothing else defines.
    fn brought_by_star(&mut self, module: ModuleId, name: &str) -> Things {
        let program = self.program;
        if let Some(exported) = program.export_named(module, name) {
            return self.exported(exported);
        }
        let packages: SmallVec<[&str; 4]> = program.star_packages(module).collect();
        packages
            .into_iter()
            .map(|package| {
                let root = self.paths.package(package);
                Thing::Path { path: self.paths.member(root, name), site: None }
            })
            .collect()
    }

    fn declared_member(&mut self, module: ModuleId, member: &ClassMember) -> Things {
        match member.kind {
            MemberKind::Method(function) => one(Thing::Function(FunctionRef { module, function })),
            MemberKind::Getter(function) => self.returns(FunctionRef { module, function }),
            MemberKind::Field(value) => {
                let mut found = self.things(ExprRef { module, expr: value });
                if found.is_empty() {
                    found = self.type_things(module, member.annotation, 0);
                }
                found
            }
        }
    }

    fn source(&mut self, module: ModuleId, source: SourceIdx, name: Imported) -> Things {
        let program = self.program;
        let loaded = program.loaded(module);
        let root = match &loaded.targets[source.0 as usize] {
            Target::Module(target) => {
                let exported = program.export(*target, &loaded.module, name);
                return exported.map_or_else(Things::new, |exported| self.exported(exported));
            }
            Target::Within(target, names) => {
                let mut found = one(Thing::Module(*target));
                let last = if let Imported::Named(atom) = name { Some(loaded.module.str(atom)) } else { None };
                for name in names.iter().map(|name| &**name).chain(last) {
                    found = found.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                }
                return found;
            }
            Target::Package(package) if loaded.module.language == Language::Python => self.paths.dotted(package),
            Target::Package(package) => self.paths.package(package),
            Target::Missing => self.paths.root("?"),
        };
        let path = match name {
            Imported::Named(atom) => self.paths.member(root, loaded.module.str(atom)),
            _ => root,
        };
        one(Thing::Path { path, site: None })
    }

    pub fn exported(&mut self, exported: Exported) -> Things {
        match exported {
            Exported::Expr(at) => self.things(at),
            Exported::Symbol(module, symbol) => self.symbol(module, symbol),
            Exported::Namespace(module) => one(Thing::Module(module)),
            Exported::Package(module, source, name) => self.source(module, source, name),
        }
    }

    fn exported_name(&mut self, module: ModuleId, name: &str) -> Things {
        match self.program.export_named(module, name) {
            Some(exported) => self.exported(exported),
            None => Things::new(),
        }
    }

    pub fn symbol(&mut self, module: ModuleId, symbol: SymbolIdx) -> Things {
        // Modules that re-export each other's names would go round for ever.
        if self.depth >= MAX_DEPTH {
            return Things::new();
        }
        self.depth += 1;
        let found = self.symbol_things(module, symbol);
        self.depth -= 1;
        found
    }

    fn symbol_things(&mut self, module: ModuleId, symbol: SymbolIdx) -> Things {
        let program = self.program;
        let entry = program.module(module).symbol(symbol);
        match &entry.definition {
            Definition::Import { source, name } => self.source(module, *source, *name),
            Definition::Function(function) => one(Thing::Function(FunctionRef { module, function: *function })),
            Definition::Class(class) => one(Thing::Class(module, *class)),
            Definition::Variable { init, steps, default, annotation, .. } => {
                let mut found = self.things(ExprRef { module, expr: *init });
                found = self.follow(module, found, steps);
                if *default != ExprId::NONE {
                    found.extend(self.things(ExprRef { module, expr: *default }));
                }
                for value in entry.assigned.iter().take(MAX_CALLERS) {
                    found.extend(self.things(ExprRef { module, expr: *value }));
                }
                if found.is_empty() && steps.is_empty() {
                    found = self.type_things(module, *annotation, 0);
                }
                found
            }
            Definition::Parameter { function, index, steps, default, .. } => {
                self.parameter(module, *function, *index, steps, *default)
            }
            Definition::Element { of, keys: false, steps } => {
                let elements = self.elements_of(ExprRef { module, expr: *of });
                self.follow(module, elements, steps)
            }
            Definition::Unknown if program.module(module).from_star.contains(&symbol) => {
                let name = program.module(module).str(entry.name);
                self.brought_by_star(module, name)
            }
            _ => Things::new(),
        }
    }

    /// What the variable of a loop over `iterated` may be.
    fn elements_of(&mut self, iterated: ExprRef) -> Things {
        if let Some(item) = self.turn.element_of(iterated) {
            return self.things(item);
        }
        let iterated = self.things(iterated);
        iterated.into_iter().flat_map(|thing| self.element_of(thing)).collect()
    }

    fn element_of(&mut self, thing: Thing) -> Things {
        match thing {
            Thing::Data(at) => self.elements(at),
            Thing::Path { path, .. } => one(Thing::Path { path: self.paths.member(path, "[]"), site: None }),
            _ => Things::new(),
        }
    }

    /// Follows a destructuring pattern.
    fn follow(&mut self, module: ModuleId, things: Things, steps: &[Step]) -> Things {
        let mut things = things;
        for step in steps {
            let hir = self.program.module(module);
            things = match step {
                Step::Property(name) => {
                    let name = hir.str(*name);
                    things.into_iter().flat_map(|thing| self.member(thing, name)).collect()
                }
                Step::Index(index) => {
                    let name = index.to_string();
                    things.into_iter().flat_map(|thing| self.member(thing, &name)).collect()
                }
                Step::Rest => things,
            };
            dedup(&mut things);
        }
        things
    }

    fn parameter(
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
            found = self.things(ExprRef { module, expr: default });
        }
        found
    }

    fn whole_parameter(&mut self, function: FunctionRef, index: usize) -> Things {
        let program = self.program;
        let hir = program.module(function.module);
        let entry = hir.function(function.function);
        let Some(parameter) = entry.parameters.get(index) else { return Things::new() };
        let handler = self.links.handlers.get(&program.number(function));
        if let Some(ty) = handler.and_then(|types| types.get(index).copied().flatten()) {
            let path = self.paths.root(self.stacks.types.name(ty));
            return one(Thing::Path { path, site: None });
        }
        let entered = self.turn.call_of(function).and_then(|call| self.argument(call, index));
        let mut found = entered.map_or_else(Things::new, |argument| self.things(argument));
        if found.is_empty() {
            found = self.type_things(function.module, parameter.annotation, 0);
        }
        if found.is_empty() {
            let callers: SmallVec<[ExprRef; 6]> = self
                .links
                .callers
                .get(program.number(function).0 as usize)
                .into_iter()
                .flatten()
                .take(MAX_CALLERS)
                .copied()
                .collect();
            for call in callers {
                if let Some(argument) = self.passed(call, function, index) {
                    found.extend(self.things(argument));
                }
            }
        }
        if found.is_empty() {
            found = self.callback_parameter(function, index);
        }
        if found.is_empty() {
            found = self.named_handler_parameter(function, index);
        }
        found
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

    /// What a type annotation says that a value is.
    pub fn type_things(&mut self, module: ModuleId, ty: TypeId, depth: u8) -> Things {
        if depth > 8 {
            return Things::new();
        }
        let program = self.program;
        let hir = program.module(module);
        match hir.ty(ty) {
            Some(Type::Reference { root, path, args }) => {
                if let TypeRoot::Global(name) = root
                    && matches!(
                        hir.str(*name),
                        "Promise" | "Readonly" | "Partial" | "Required" | "NonNullable" | "Awaited" | "Pick" | "Omit"
                    )
                    && let Some(&inner) = args.first()
                {
                    return self.type_things(module, inner, depth + 1);
                }
                if let TypeRoot::Global(name) = root
                    && hir.str(*name) == "ReturnType"
                    && let Some(&inner) = args.first()
                {
                    let called = self.type_things(module, inner, depth + 1);
                    return self.called(called);
                }
                let roots = match root {
                    TypeRoot::Symbol(symbol) => self.type_symbol(module, *symbol, depth),
                    TypeRoot::Global(name) => {
                        let root = self.paths.root(globals_of(hir));
                        one(Thing::Path { path: self.paths.member(root, hir.str(*name)), site: None })
                    }
                    TypeRoot::Source(source) => self.source(module, *source, Imported::Namespace),
                };
                let mut found = roots;
                for name in path {
                    let name = hir.str(*name);
                    found = found.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                }
                let mut found = self.instances(found);
                // What a library's wrapper holds is what its members are of: `State<App>`, `Result<Pool, Error>`.
                if hir.language == Language::Rust
                    && let Some(&inner) = args.first()
                    && found.iter().all(|thing| matches!(thing, Thing::Path { .. }))
                {
                    found.extend(self.type_things(module, inner, depth + 1));
                }
                found
            }
            Some(Type::Union(parts)) => {
                parts.iter().take(MAX_THINGS).flat_map(|&part| self.type_things(module, part, depth + 1)).collect()
            }
            Some(Type::Query { root, path }) => {
                let mut found = match root {
                    TypeRoot::Symbol(symbol) => self.symbol(module, *symbol),
                    _ => Things::new(),
                };
                for name in path {
                    let name = hir.str(*name);
                    found = found.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                }
                found
            }
            _ => Things::new(),
        }
    }

    /// What calling a value of these types gives (`ReturnType<typeof create>`).
    fn called(&mut self, callees: Things) -> Things {
        let mut found = Things::new();
        for callee in callees {
            match callee {
                Thing::Path { path, .. } => found.push(Thing::Path { path: self.paths.result(path), site: None }),
                Thing::Function(function) => found.extend(self.returns(function)),
                _ => {}
            }
        }
        found
    }

    /// What a type's name stands for as the type of a value: an instance of the class.
    fn instances(&mut self, named: Things) -> Things {
        let mut found = Things::new();
        for thing in named {
            match thing {
                Thing::Class(module, class) => found.push(Thing::Instance(module, class)),
                Thing::Path { path, .. } if !self.paths.is_result(path) => {
                    found.push(thing);
                    found.push(Thing::Path { path: self.paths.result(path), site: None });
                }
                other => found.push(other),
            }
        }
        found
    }

    fn type_symbol(&mut self, module: ModuleId, symbol: SymbolIdx, depth: u8) -> Things {
        // Modules that import a name from each other would go round for ever.
        if depth > 8 {
            return Things::new();
        }
        let program = self.program;
        match &program.module(module).symbol(symbol).definition {
            Definition::TypeOnly(ty) => self.type_things(module, *ty, depth + 1),
            Definition::Variable { init, .. } if program.module(module).alias_type(*init).is_some() => {
                let ty = program.module(module).alias_type(*init).unwrap_or(TypeId::NONE);
                self.type_things(module, ty, depth + 1)
            }
            Definition::Import { source, name } => {
                let loaded = program.loaded(module);
                if let Target::Module(target) = &loaded.targets[source.0 as usize] {
                    return match program.export(*target, &loaded.module, *name) {
                        Some(Exported::Symbol(module, symbol)) => self.type_symbol(module, symbol, depth + 1),
                        Some(other) => self.exported(other),
                        None => Things::new(),
                    };
                }
                self.source(module, *source, *name)
            }
            _ => self.symbol(module, symbol),
        }
    }

    fn call_expr(&mut self, at: ExprRef, callee: ExprId, args: Run, is_new: bool) -> Things {
        let hir = self.program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        if let ExprKind::Member { object, name } = hir.kind(callee) {
            match hir.str(name) {
                // The result is the receiver or the argument itself.
                method if hir.language == Language::Rust && gives_what_it_holds(method) => {
                    return self.things(here(object));
                }
                "bind" | "finally" | "catch" => return self.things(here(object)),
                "freeze" | "assign" | "seal" if matches!(hir.kind(object), ExprKind::Global(o) if hir.str(o) == "Object") =>
                {
                    let items: SmallVec<[ExprId; 4]> = hir.list(args).collect();
                    return items.into_iter().flat_map(|expr| self.things(here(expr))).collect();
                }
                "then" => {
                    let callbacks: Things = hir.list(args).next().map_or_else(Things::new, |f| self.things(here(f)));
                    let results = self.results(&callbacks, at, false);
                    return if results.is_empty() { self.things(here(object)) } else { results };
                }
                _ => {}
            }
        }
        if let ExprKind::Global(name) = hir.kind(callee)
            && hir.language == Language::Python
            && hir.str(name) == "super"
        {
            return self.super_of(at);
        }
        let callees = self.things(here(callee));
        let found = self.results(&callees, at, is_new);
        if found.is_empty() && !is_new { self.called_back(&callees, at) } else { found }
    }

    /// `once(() => new Pool())`: where nobody can tell what a function returns, it is what the function gets by calling
    /// what it was handed.
    fn called_back(&mut self, callees: &[Thing], site: ExprRef) -> Things {
        let program = self.program;
        let mut found = Things::new();
        for &callee in callees {
            let Thing::Function(function) = callee else { continue };
            let module = program.module(function.module);
            for (index, parameter) in module.function(function.function).parameters.iter().enumerate() {
                let Some(symbol) = parameter.symbol.some() else { continue };
                let is_called = module.symbol(symbol).reads.iter().any(|&read| {
                    let parent = module.expr(read).parent.some();
                    parent.and_then(|call| module.call(call)).is_some_and(|(callee, _)| callee == read)
                });
                if is_called && let Some(argument) = self.passed(site, function, index) {
                    let callbacks = self.things(argument);
                    found.extend(self.results(&callbacks, site, false));
                }
            }
        }
        found
    }

    /// What calling these gives.
    fn results(&mut self, callees: &[Thing], site: ExprRef, is_new: bool) -> Things {
        let mut found = Things::new();
        for &callee in callees {
            match callee {
                Thing::Path { path, .. } => {
                    found.push(Thing::Path { path: self.paths.result(path), site: Some(site) });
                    if !is_new && self.paths.is_export(path) {
                        found.extend(self.wrapped(site));
                    }
                }
                Thing::Class(module, class) => found.push(Thing::Instance(module, class)),
                Thing::Function(function) if is_new => found.push(Thing::Made(function)),
                Thing::Function(function) => found.extend(self.returns(function)),
                _ => {}
            }
            if found.len() >= MAX_THINGS {
                break;
            }
        }
        found
    }

    /// `cache(load)`, `memoize(find)`: what a package's wrapper gives back still calls the function it was given.
    fn wrapped(&mut self, site: ExprRef) -> Things {
        match self.argument(site, 0) {
            Some(first) if !matches!(self.program.kind(first), ExprKind::Object(_) | ExprKind::Str(_)) => {
                self.things(first).into_iter().filter(|thing| matches!(thing, Thing::Function(_))).collect()
            }
            _ => Things::new(),
        }
    }

    /// What a function returns.
    pub fn returns(&mut self, function: FunctionRef) -> Things {
        if !self.returns_active.insert(function) {
            return Things::new();
        }
        let program = self.program;
        let entry = program.module(function.module).function(function.function);
        let mut found = Things::new();
        for &expr in entry.returns.iter().take(MAX_THINGS) {
            found.extend(self.things(ExprRef { module: function.module, expr }));
        }
        if found.is_empty() {
            found = self.type_things(function.module, entry.return_type, 0);
        }
        self.returns_active.remove(&function);
        dedup(&mut found);
        found
    }

    /// The constant text that an expression folds to.
    pub fn constant_text(&mut self, at: ExprRef) -> Option<String> {
        self.value(at).as_text().map(str::to_owned)
    }
}

/// Methods of Rust's own wrappers (`Result`, `Option`, `Mutex`) that give what these hold.
pub(super) fn gives_what_it_holds(method: &str) -> bool {
    matches!(
        method,
        "unwrap"
            | "expect"
            | "unwrap_or_default"
            | "unwrap_or_else"
            | "map_err"
            | "ok"
            | "ok_or"
            | "ok_or_else"
            | "context"
            | "with_context"
            | "wrap_err"
            | "wrap_err_with"
            | "or_else"
            | "inspect_err"
            | "lock"
    )
}

/// The root of the names that exist without being defined.
fn globals_of(module: &Module) -> &'static str {
    match module.language {
        Language::Python => "builtins",
        _ => "global",
    }
}

fn one(thing: Thing) -> Things {
    let mut things = Things::new();
    things.push(thing);
    things
}

fn dedup(things: &mut Things) {
    if things.len() < 2 {
        return;
    }
    let mut seen = SmallVec::<[Thing; 8]>::new();
    things.retain(|thing| {
        let new = !seen.contains(thing);
        if new {
            seen.push(*thing);
        }
        new
    });
    things.truncate(MAX_THINGS);
}
