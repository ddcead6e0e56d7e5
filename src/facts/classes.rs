//! What a class extends.

use smallvec::SmallVec;

use super::program::{ExprRef, ModuleId};
use super::resolve::{Evaluator, Thing, Things};
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, FunctionIdx, Language, MemberKind, Module, Use};

/// Bases of one class that are looked at.
const MAX_BASES: usize = 8;

impl Evaluator<'_> {
    /// What the bases of a class may be, in order.
    pub fn parents(&mut self, module: ModuleId, class: ClassIdx) -> Things {
        let hir = self.program.module(module);
        let bases = bases(hir, hir.class(class).heritage);
        bases.into_iter().flat_map(|expr| self.things(ExprRef { module, expr })).collect()
    }

    /// `super()` in a method: an instance of each base.
    pub(super) fn super_of(&mut self, at: ExprRef) -> Things {
        let Some(Thing::Instance(module, class) | Thing::Class(module, class)) = self.this(at).first().copied() else {
            return Things::new();
        };
        let parents = self.parents(module, class);
        parents
            .into_iter()
            .map(|parent| match parent {
                Thing::Class(module, class) => Thing::Instance(module, class),
                Thing::Path { path, site } => Thing::Path { path: self.paths.result(path), site },
                other => other,
            })
            .collect()
    }
}

/// The expressions of the bases; `Base[T]` is `Base`.
pub fn bases(hir: &Module, heritage: ExprId) -> SmallVec<[ExprId; 2]> {
    let Some(heritage) = heritage.some() else { return SmallVec::new() };
    let all: SmallVec<[ExprId; 2]> = match hir.kind(heritage) {
        ExprKind::Array(run) => hir.list(run).filter(|&base| hir.expr(base).role != Use::Keywords).collect(),
        _ => SmallVec::from_slice(&[heritage]),
    };
    let plain = all.into_iter().take(MAX_BASES).map(|base| match hir.kind(base) {
        ExprKind::Index { object, .. } if hir.language == Language::Python => object,
        _ => base,
    });
    plain.collect()
}

/// Is the receiver of that method the class itself (`@classmethod`)?
pub(super) fn is_class_method(hir: &Module, class: ClassIdx, function: FunctionIdx) -> bool {
    hir.language == Language::Python
        && hir
            .class(class)
            .members
            .iter()
            .any(|member| member.is_static && matches!(member.kind, MemberKind::Method(own) if own == function))
}
