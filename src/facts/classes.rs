//! What a class extends.

use smallvec::SmallVec;

use super::paths::PathId;
use super::program::{ExprRef, ModuleId};
use super::resolve::{Evaluator, Thing, Things};
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, FunctionIdx, Language, MemberKind, Module, Use};

/// Bases of one class that are looked at.
const MAX_BASES: usize = 8;
/// Classes above a class that are looked at.
const MAX_ANCESTORS: usize = 32;

/// What stands above a class.
pub struct Lineage {
    /// The class itself, and the project's own above it.
    pub classes: Vec<(ModuleId, ClassIdx)>,
    /// What these extend from elsewhere.
    pub outside: SmallVec<[PathId; 2]>,
}

impl Evaluator<'_> {
    /// What the bases of a class may be, in order.
    pub fn parents(&mut self, module: ModuleId, class: ClassIdx) -> Things {
        let hir = self.program.module(module);
        let bases = bases(hir, hir.class(class).heritage);
        bases.into_iter().flat_map(|expr| self.things(ExprRef { module, expr })).collect()
    }

    /// A class and those of the project above it, what other files add to these, and what they extend from elsewhere;
    /// nearest first.
    pub fn lineage(&mut self, module: ModuleId, class: ClassIdx) -> Lineage {
        let mut found = Lineage { classes: vec![(module, class)], outside: SmallVec::new() };
        let mut next = 0;
        while let Some(&(module, class)) = found.classes.get(next) {
            next += 1;
            for extension in self.extensions_of(module, class) {
                if found.classes.len() < MAX_ANCESTORS && !found.classes.contains(&extension) {
                    found.classes.push(extension);
                }
            }
            for parent in self.parents(module, class) {
                match parent {
                    Thing::Path { path, .. } if !found.outside.contains(&path) => found.outside.push(path),
                    Thing::Class(module, class)
                        if found.classes.len() < MAX_ANCESTORS && !found.classes.contains(&(module, class)) =>
                    {
                        found.classes.push((module, class));
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The call of the base's constructor in that of a class: what it hands on is what the class was made with.
    pub fn made_through(&mut self, call: ExprRef) -> Option<ExprRef> {
        let hir = self.program.module(call.module);
        let (callee, _) = hir.call(call.expr)?;
        let callee = ExprRef { module: call.module, expr: callee };
        let class = self.things(callee).into_iter().find_map(|thing| match thing {
            Thing::Class(module, class) => Some((module, class)),
            _ => None,
        })?;
        let classes = self.lineage(class.0, class.1).classes;
        classes.into_iter().find_map(|(module, class)| self.base_call(module, class))
    }

    /// `super().__init__(…)` in the constructor of a class.
    fn base_call(&self, module: ModuleId, class: ClassIdx) -> Option<ExprRef> {
        let hir = self.program.module(module);
        let constructor = hir.class(class).constructor.some()?;
        let calls = hir.exprs.iter().enumerate().filter_map(|(index, expr)| match expr.kind {
            ExprKind::Call { callee, .. } => Some((ExprId(u32::try_from(index).unwrap_or(u32::MAX)), callee)),
            _ => None,
        });
        let is_base = |callee: ExprId| match hir.kind(callee) {
            ExprKind::Member { object, name } => {
                let of_super = hir.call(object).is_some_and(
                    |(called, _)| matches!(hir.kind(called), ExprKind::Global(name) if hir.str(name) == "super"),
                );
                of_super && hir.str(name) == "__init__"
            }
            _ => false,
        };
        calls
            .filter(|(call, callee)| hir.function_of(*call) == constructor && is_base(*callee))
            .map(|(expr, _)| ExprRef { module, expr })
            .next()
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
