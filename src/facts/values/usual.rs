//! What settings hold unless the environment says otherwise: where routes are, a project says by its defaults.
//!
//! In goes an expression, out comes its text with the default of each setting in it.

use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Atom, ClassIdx, ExprId, ExprKind, MemberKind};

/// Settings made of settings.
const MAX_DEPTH: u8 = 6;

impl Evaluator<'_> {
    pub fn usual_text(&mut self, at: ExprRef) -> Option<String> {
        self.usual_text_within(at, 0)
    }

    fn usual_text_within(&mut self, at: ExprRef, depth: u8) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        let at = self.origin(at);
        let hir = self.program.module(at.module);
        let here = |expr: ExprId| ExprRef { module: at.module, expr };
        match hir.kind(at.expr) {
            ExprKind::Str(text) => Some(hir.str(text).to_owned()),
            ExprKind::Template { quasis, exprs } => {
                let texts = &hir.lists[quasis.start as usize..(quasis.start + quasis.len) as usize];
                let mut holes = hir.holes(quasis, exprs);
                let mut whole = String::new();
                for atom in texts {
                    whole.push_str(hir.str(Atom(*atom)));
                    if let Some(hole) = holes.next() {
                        whole.push_str(&self.usual_text_within(here(hole), depth + 1)?);
                    }
                }
                Some(whole)
            }
            ExprKind::Member { object, name } => {
                let name = hir.str(name);
                let setting = self.things(here(object)).into_iter().find_map(|thing| match thing {
                    Thing::Instance(module, class) => self.default_of_field(module, class, name),
                    _ => None,
                })?;
                self.usual_text_within(setting, depth + 1)
            }
            _ => None,
        }
    }

    /// What a field of a class holds where nobody fills it.
    fn default_of_field(&mut self, module: ModuleId, class: ClassIdx, name: &str) -> Option<ExprRef> {
        let classes = self.lineage(module, class).classes;
        classes.into_iter().find_map(|(module, class)| {
            let hir = self.program.module(module);
            let field = hir.class(class).members.iter().find(|member| hir.str(member.name) == name)?;
            match field.kind {
                MemberKind::Field(value) => value.some().map(|expr| ExprRef { module, expr }),
                _ => None,
            }
        })
    }
}
