//! Follows names to the expression that a constant was made with.
//!
//! In goes an expression, out comes the one that it stands for.

use crate::facts::program::{Exported, ExprRef, Program, Target};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind};

impl Evaluator<'_> {
    /// Follows names to the expression that a constant was made with, through imports and object properties.
    pub fn origin(&mut self, at: ExprRef) -> ExprRef {
        let program = self.program;
        let mut at = at;
        for _ in 0..10 {
            let module = program.module(at.module);
            let next = match module.kind(at.expr) {
                ExprKind::Ident(symbol) => match &module.symbol(symbol).definition {
                    Definition::Import { source, name } => {
                        match &program.loaded(at.module).targets[source.0 as usize] {
                            Target::Module(target) => {
                                program.export(*target, module, *name).and_then(|e| exported_expr(program, e))
                            }
                            _ => None,
                        }
                    }
                    _ => exported_expr(program, Exported::Symbol(at.module, symbol)),
                },
                ExprKind::Member { object, name } => {
                    let name = module.str(name).to_owned();
                    self.member_origin(ExprRef { module: at.module, expr: object }, &name)
                }
                _ => None,
            };
            match next {
                Some(next) if next != at => at = next,
                _ => return at,
            }
        }
        at
    }

    fn member_origin(&mut self, object: ExprRef, name: &str) -> Option<ExprRef> {
        let program = self.program;
        for thing in self.things(object) {
            match thing {
                Thing::Module(module) => {
                    if let Some(found) = program.export_named(module, name).and_then(|e| exported_expr(program, e)) {
                        return Some(found);
                    }
                }
                Thing::Data(at) => {
                    let module = program.module(at.module);
                    if let ExprKind::Object(run) = module.kind(at.expr) {
                        let prop =
                            module.object(run).iter().rev().find(|p| p.key.is_some_and(|k| module.str(k) == name));
                        if let Some(prop) = prop {
                            return Some(ExprRef { module: at.module, expr: prop.value });
                        }
                    }
                }
                Thing::Instance(module, class) => {
                    let hir = program.module(module);
                    for member in &hir.class(class).members {
                        if hir.str(member.name) == name
                            && let crate::syntax::hir::MemberKind::Field(value) = member.kind
                            && value != ExprId::NONE
                        {
                            return Some(ExprRef { module, expr: value });
                        }
                    }
                }
                _ => {}
            }
        }
        None
    }
}

pub(super) fn exported_expr(program: &Program<'_>, exported: Exported) -> Option<ExprRef> {
    match exported {
        Exported::Expr(at) => Some(at),
        Exported::Symbol(module, symbol) => {
            let entry = program.module(module).symbol(symbol);
            match &entry.definition {
                Definition::Variable { init, steps, .. }
                    if steps.is_empty() && entry.assigned.is_empty() && *init != ExprId::NONE =>
                {
                    Some(ExprRef { module, expr: *init })
                }
                _ => None,
            }
        }
        _ => None,
    }
}
