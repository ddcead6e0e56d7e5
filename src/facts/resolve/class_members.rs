//! Classes: what `this` is, and the members of a class, of its parents and of those that extend it from elsewhere.
//!
//! In go a class and a name, out come the things of that name.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::thing::one;
use super::{Evaluator, Thing, Things};
use crate::facts::classes::is_class_method;
use crate::facts::memo::Rests;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::syntax::hir::{ClassIdx, ClassMember, ExprId, ExprKind, Language, MemberKind};

/// Types that are looked through for what a trait object may be.
const MAX_IMPLEMENTORS: usize = 4;

/// By class: those that add members to it from elsewhere. By trait: the types that implement it.
pub(super) type Extensions = FxHashMap<(ModuleId, ClassIdx), Vec<(ModuleId, ClassIdx)>>;

/// What calling an instance runs. https://docs.python.org/3/reference/datamodel.html#object.__call__
const CALLED_BY: &str = "__call__";

impl Evaluator<'_> {
    pub(crate) fn this(&mut self, at: ExprRef) -> Things {
        let module = self.program.module(at.module);
        let mut function = module.function_of(at.expr);
        // Arrows share the class of their surroundings, so the nearest function knows.
        while let Some(index) = function.some() {
            let entry = module.function(index);
            let nearest = FunctionRef { module: at.module, function: index };
            self.rests = self.rests.with(Rests::on_function(nearest));
            let entered = self.turn.call_of(nearest);
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

    /// The functions that run when a thing is called: itself, or what an instance is called by.
    pub fn run_by_calling(&mut self, thing: Thing) -> SmallVec<[FunctionRef; 2]> {
        match thing {
            Thing::Function(function) => SmallVec::from_iter([function]),
            Thing::Instance(module, class) => {
                let called = self.class_member(module, class, CALLED_BY, false, 0).into_iter();
                called
                    .filter_map(|thing| if let Thing::Function(function) = thing { Some(function) } else { None })
                    .collect()
            }
            _ => SmallVec::new(),
        }
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

    pub(super) fn class_member(
        &mut self,
        module: ModuleId,
        class: ClassIdx,
        name: &str,
        is_static: bool,
        depth: u8,
    ) -> Things {
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
        if found.is_empty() && !is_static && depth == 0 && hir.language == Language::Rust {
            found.extend(self.implemented_member(module, class, name));
        }
        found
    }

    /// What a method of a trait does, which is what the types of the project do that implement it.
    fn implemented_member(&mut self, module: ModuleId, class: ClassIdx, name: &str) -> Things {
        if self.implementors.is_none() {
            self.implementors = Some(FxHashMap::default());
            self.implementors = Some(self.find_implementors());
        }
        let known = self.implementors.as_ref().and_then(|all| all.get(&(module, class))).cloned().unwrap_or_default();
        let types = known.into_iter().take(MAX_IMPLEMENTORS);
        types.flat_map(|(module, class)| self.class_member(module, class, name, false, 1)).collect()
    }

    fn find_implementors(&mut self) -> Extensions {
        let program = self.program;
        let mut found = Extensions::default();
        for module in program.ids().filter(|&module| program.module(module).language == Language::Rust) {
            for index in 0..program.module(module).classes.len() {
                let class = ClassIdx(u32::try_from(index).unwrap_or(u32::MAX));
                for parent in self.parents(module, class) {
                    if let Thing::Class(of, of_trait) = parent
                        && (of, of_trait) != (module, class)
                    {
                        found.entry((of, of_trait)).or_default().push((module, class));
                    }
                }
            }
        }
        found
    }

    /// A member that another file adds to a class.
    fn extended_member(&mut self, module: ModuleId, class: ClassIdx, name: &str, is_static: bool, depth: u8) -> Things {
        let known = self.extensions_of(module, class);
        known
            .into_iter()
            .flat_map(|(module, class)| self.class_member(module, class, name, is_static, depth + 1))
            .collect()
    }

    /// What other files add to a class: their `impl` blocks of it, with the traits that these are for.
    pub(in crate::facts) fn extensions_of(&mut self, module: ModuleId, class: ClassIdx) -> Vec<(ModuleId, ClassIdx)> {
        if self.extensions.is_none() {
            self.extensions = Some(FxHashMap::default());
            self.extensions = Some(self.find_extensions());
        }
        self.extensions.as_ref().and_then(|all| all.get(&(module, class))).cloned().unwrap_or_default()
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
}
