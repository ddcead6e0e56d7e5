//! Fields of Python classes that a library fills only with what they are declared to hold (`class Page(BaseModel):
//! limit: int`): numbers, and words of a closed list, whoever sent them.
//!
//! In goes an expression, out comes whether it reads such a field.

use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::Verb;
use crate::syntax::hir::{ClassIdx, ExprKind, MemberKind, Type, TypeId};

/// Unions in unions.
const MAX_DEPTH: u8 = 6;
/// What classes of constants extend.
const ENUMERATIONS: &str = "enum.";

impl Evaluator<'_> {
    pub(super) fn is_checked_field(&mut self, at: ExprRef) -> bool {
        let module = self.program.module(at.module);
        let ExprKind::Member { object, name } = module.kind(at.expr) else { return false };
        let name = module.str(name);
        let things = self.things(ExprRef { module: at.module, expr: object });
        things.into_iter().any(|thing| match thing {
            Thing::Instance(owner, class) => self.declares_closed(owner, class, name),
            _ => false,
        })
    }

    /// Does a class, which checks what it is filled with, declare a field that takes no free text?
    fn declares_closed(&mut self, owner: ModuleId, class: ClassIdx, name: &str) -> bool {
        let lineage = self.lineage(owner, class);
        let declared = lineage.classes.iter().find_map(|&(module, class)| {
            let hir = self.program.module(module);
            let is_it = |kind: &MemberKind| matches!(kind, MemberKind::Field(_));
            let field = hir.class(class).members.iter().find(|it| hir.str(it.name) == name && is_it(&it.kind))?;
            Some((module, field.annotation))
        });
        let Some((module, ty)) = declared else { return false };
        let stacks = self.stacks;
        let is_checked = lineage.outside.into_iter().any(|base| {
            stacks.candidates(Verb::Param, self.paths.last_name(base)).any(|(clause, pattern)| {
                let is_declared =
                    &*clause.kind == "input" && clause.fields.iter().any(|(name, _)| &**name == "declared");
                is_declared && self.matcher.matches_pattern(&self.paths, &stacks.types, base, pattern)
            })
        });
        is_checked && self.takes_no_text(module, ty, 0)
    }

    /// A number, a constant or one of several; or none.
    fn takes_no_text(&mut self, module: ModuleId, ty: TypeId, depth: u8) -> bool {
        let hir = self.program.module(module);
        match hir.ty(ty) {
            Some(Type::Keyword(name)) => matches!(hir.str(*name), "null" | "literal"),
            Some(Type::Union(parts)) if depth < MAX_DEPTH => {
                parts.iter().all(|&part| self.takes_no_text(module, part, depth + 1))
            }
            Some(Type::Reference { .. }) => self.is_written_like_number(module, ty) || self.is_enumeration(module, ty),
            _ => false,
        }
    }

    fn is_enumeration(&mut self, module: ModuleId, ty: TypeId) -> bool {
        let things = self.type_things(module, ty, 0);
        things.into_iter().any(|thing| {
            let Thing::Instance(owner, class) = thing else { return false };
            let outside = self.lineage(owner, class).outside;
            outside.into_iter().any(|base| self.paths.text(base).starts_with(ENUMERATIONS))
        })
    }
}
