//! Values that are made and then left lying: nothing reads the variable that holds them, here or elsewhere.

use rustc_hash::FxHashSet;

use crate::facts::program::{Exported, ExprRef, ModuleId, Program, Target};
use crate::project::Area;
use crate::syntax::hir::{Definition, ExprId, ExprKind, SymbolIdx, Use};

/// What the project's modules read, tests and examples aside.
#[derive(Debug, Default)]
pub struct Reads {
    /// Variables that are mentioned otherwise than to set or export them.
    mentioned: FxHashSet<(ModuleId, SymbolIdx)>,
    /// Variables whose value goes on to something else: not only the receiver of a member.
    passed_on: FxHashSet<(ModuleId, SymbolIdx)>,
    exprs: FxHashSet<ExprRef>,
    /// Modules that are used as a value: any of their exports may be read.
    modules: FxHashSet<ModuleId>,
}

impl Reads {
    pub fn of(program: &Program<'_>) -> Reads {
        let mut reads = Reads::default();
        for module in program.ids() {
            let area = program.project.file(program.loaded(module).file).area;
            if !matches!(area, Area::Test | Area::Example) {
                reads.add_module(program, module);
            }
        }
        reads
    }

    fn add_module(&mut self, program: &Program<'_>, module: ModuleId) {
        let hir = program.module(module);
        for index in 0..hir.exprs.len() {
            let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            let ExprKind::Ident(symbol) = hir.kind(id) else { continue };
            let Definition::Import { source, name } = hir.symbol(symbol).definition else {
                self.add((module, symbol), mention(program, module, id));
                continue;
            };
            let Some(Target::Module(target)) = program.loaded(module).targets.get(source.0 as usize) else { continue };
            match program.export(*target, hir, name) {
                Some(Exported::Symbol(of, symbol)) => self.add((of, symbol), mention(program, module, id)),
                Some(Exported::Expr(at)) => {
                    self.exprs.insert(at);
                    self.modules.insert(at.module);
                }
                Some(Exported::Namespace(of)) => {
                    self.modules.insert(of);
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, symbol: (ModuleId, SymbolIdx), mention: Mention) {
        if mention != Mention::Kept {
            self.mentioned.insert(symbol);
        }
        if mention == Mention::PassedOn {
            self.passed_on.insert(symbol);
        }
    }

    /// Is what the expression makes dropped, or kept in a variable or export that nothing reads?
    /// False wherever its value goes on to something else. What has to be mounted is idle too while only its own
    /// members are called.
    pub fn is_idle(&self, program: &Program<'_>, at: ExprRef, must_be_mounted: bool) -> bool {
        if at.expr == ExprId::NONE {
            return false;
        }
        let used = if must_be_mounted { &self.passed_on } else { &self.mentioned };
        let hir = program.module(at.module);
        let expr = hir.expr(at.expr);
        if expr.parent.some().is_some() || self.modules.contains(&at.module) {
            return false;
        }
        match expr.role {
            Use::Statement => true,
            Use::Exported => !self.exprs.contains(&at),
            Use::Init => {
                hir.symbols.iter().position(|symbol| holds(&symbol.definition, at.expr)).is_some_and(|index| {
                    let symbol = SymbolIdx(u32::try_from(index).unwrap_or(u32::MAX));
                    !used.contains(&(at.module, symbol))
                })
            }
            _ => false,
        }
    }
}

fn holds(definition: &Definition, expr: ExprId) -> bool {
    matches!(definition, Definition::Variable { init, steps, .. } if *init == expr && steps.is_empty())
}

/// What a mention of a variable does with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mention {
    /// Sets or exports the variable.
    Kept,
    /// Takes a member of it.
    Receiver,
    PassedOn,
}

fn mention(program: &Program<'_>, module: ModuleId, expr: ExprId) -> Mention {
    let hir = program.module(module);
    let entry = hir.expr(expr);
    match entry.parent.some().map(|parent| hir.kind(parent)) {
        Some(ExprKind::Member { object, .. }) if object == expr => Mention::Receiver,
        Some(ExprKind::Assign { target, .. }) if target == expr => Mention::Kept,
        Some(_) => Mention::PassedOn,
        None if entry.role == Use::Exported => Mention::Kept,
        None => Mention::PassedOn,
    }
}
