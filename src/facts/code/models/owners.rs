//! What the parts of models belong to: the classes whose bodies hold them, the calls that are handed them.

use rustc_hash::FxHashMap;

use crate::facts::classes::bases;
use crate::facts::program::{ExprRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, Language, MemberKind, Module};

/// Classes above a class that are looked at.
const MAX_ANCESTORS: usize = 32;
/// Expressions around a part that are looked at.
const MAX_AROUND: usize = 24;

pub(super) type ClassRef = (ModuleId, ClassIdx);

/// The members of classes by what is written in them.
#[derive(Default)]
pub(super) struct Owners {
    /// By the outermost expression: of a member's value, or a decorator of the member or the class.
    by_root: FxHashMap<ExprRef, Owner>,
    /// Inner classes (`class Meta:`) belong to the class around them.
    outer: FxHashMap<ClassRef, ClassRef>,
}

/// A class, and which of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    pub class: ClassRef,
    pub member: Option<usize>,
}

impl Owners {
    pub(super) fn of(program: &Program<'_>) -> Owners {
        let mut owners = Owners::default();
        for module in program.ids() {
            let hir = program.module(module);
            for (index, class) in hir.classes.iter().enumerate() {
                let class_ref = (module, ClassIdx(u32::try_from(index).unwrap_or(u32::MAX)));
                for (member, entry) in class.members.iter().enumerate() {
                    let owner = Owner { class: class_ref, member: Some(member) };
                    let value = match entry.kind {
                        MemberKind::Field(value) => value.some(),
                        _ => None,
                    };
                    if let Some(ExprKind::Class(inner)) = value.map(|value| hir.kind(value))
                        && hir.language == Language::Python
                    {
                        owners.outer.insert((module, inner), class_ref);
                    }
                    for expr in value.into_iter().chain(entry.decorators.iter().copied()) {
                        owners.by_root.insert(ExprRef { module, expr }, owner);
                    }
                }
                for &expr in &class.decorators {
                    owners.by_root.insert(ExprRef { module, expr }, Owner { class: class_ref, member: None });
                }
            }
        }
        owners
    }

    /// The class whose body holds an expression; of an inner class the one around it.
    pub(super) fn owner(&self, module: &Module, at: ExprRef) -> Option<Owner> {
        let mut found = *self.by_root.get(&ExprRef { module: at.module, expr: root(module, at.expr) })?;
        while let Some(&outer) = self.outer.get(&found.class) {
            found = Owner { class: outer, member: None };
        }
        Some(found)
    }
}

fn root(module: &Module, expr: ExprId) -> ExprId {
    around(module, expr).last().unwrap_or(expr)
}

/// The expressions around an expression, from inside, with itself.
pub(super) fn around(module: &Module, expr: ExprId) -> impl Iterator<Item = ExprId> + '_ {
    std::iter::successors(Some(expr), |&expr| module.expr(expr).parent.some()).take(MAX_AROUND)
}

/// A class of the project and those of the project above it, nearest first.
pub(super) fn with_ancestors(evaluator: &mut Evaluator<'_>, class: ClassRef) -> Vec<ClassRef> {
    let mut found = vec![class];
    let mut next = 0;
    while let Some(&(module, class)) = found.get(next) {
        next += 1;
        let hir = evaluator.program.module(module);
        for base in bases(hir, hir.class(class).heritage) {
            for thing in evaluator.things(ExprRef { module, expr: base }) {
                if let Thing::Class(module, class) = thing
                    && found.len() < MAX_ANCESTORS
                    && !found.contains(&(module, class))
                {
                    found.push((module, class));
                }
            }
        }
    }
    found
}
