//! Loops over constants, and callbacks that run once per element.
//!
//! In goes an expression or function inside of a loop, out comes what the loop runs over.

use smallvec::SmallVec;

use super::fold::plain_text;
use crate::facts::model::{Data, Origins};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Atom, Definition, ExprId, ExprKind, Module, Step, SymbolIdx};

/// Turns of a loop over constants that are told apart.
const MAX_TURNS: usize = 64;
/// Callbacks of these run once per element.
pub const ITERATORS: &[&str] = &["map", "forEach", "flatMap", "filter", "some", "every", "find", "reduce", "each"];

/// Is it the number that `for number, item in enumerate(items)` counts?
pub(super) fn is_count(module: &Module, of: ExprId, steps: &[Step]) -> bool {
    let Some((callee, _)) = module.call(of) else { return false };
    matches!(steps, [Step::Index(0)])
        && matches!(module.kind(callee), ExprKind::Global(name) if module.str(name) == "enumerate")
}

impl Evaluator<'_> {
    /// The texts that an expression has in turn, where it names or holds the variable of a loop over constant texts.
    pub fn texts_in_loop(&mut self, at: ExprRef) -> Vec<String> {
        let hir = self.program.module(at.module);
        match hir.kind(at.expr) {
            ExprKind::Ident(symbol) => self.texts_of_element(at.module, symbol),
            ExprKind::Template { quasis, exprs } => {
                let holes: SmallVec<[ExprId; 4]> = hir.holes(quasis, exprs).collect();
                let &[hole] = holes.as_slice() else { return Vec::new() };
                let texts = &hir.lists[quasis.start as usize..(quasis.start + quasis.len) as usize];
                let piece = |index: usize| texts.get(index).map_or("", |atom| hir.str(Atom(*atom)));
                let inner = self.texts_in_loop(ExprRef { module: at.module, expr: hole });
                inner.into_iter().map(|text| format!("{}{text}{}", piece(0), piece(1))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn texts_of_element(&mut self, module: ModuleId, symbol: SymbolIdx) -> Vec<String> {
        let hir = self.program.module(module);
        let of = match &hir.symbol(symbol).definition {
            Definition::Element { of, keys: false, steps } if steps.is_empty() => Some(*of),
            Definition::Parameter { function, index: 0, steps, .. } if steps.is_empty() => {
                self.iterated(FunctionRef { module, function: *function })
            }
            _ => None,
        };
        let Some(of) = of else { return Vec::new() };
        let Data::List(items) = self.value(ExprRef { module, expr: of }).data else { return Vec::new() };
        let texts: Option<Vec<String>> = items.iter().take(MAX_TURNS).map(plain_text).collect();
        texts.unwrap_or_default()
    }

    /// Is it the index that `map((item, index) => …)` and `Array.from(x, (_, index) => …)` hand in?
    pub(super) fn is_position(&self, function: FunctionRef, index: usize) -> bool {
        if index != 1 {
            return false;
        }
        let hir = self.program.module(function.module);
        let Some(expr) = hir.function(function.function).expr.some() else { return false };
        let Some((callee, _)) = hir.expr(expr).parent.some().and_then(|parent| hir.call(parent)) else { return false };
        matches!(hir.kind(callee), ExprKind::Member { name, .. } if callee != expr
            && matches!(hir.str(name), "map" | "forEach" | "flatMap" | "filter" | "some" | "every" | "find" | "from"))
    }

    /// Is the function the callback of `map`, `forEach` …?
    pub fn is_element_callback(&self, function: FunctionRef, index: usize) -> bool {
        index == 0 && self.iterated(function).is_some()
    }

    /// What the callback runs over.
    pub fn iterated(&self, function: FunctionRef) -> Option<ExprId> {
        let hir = self.program.module(function.module);
        let expr = hir.function(function.function).expr.some()?;
        let parent = hir.expr(expr).parent.some()?;
        let (callee, _) = hir.call(parent)?;
        match hir.kind(callee) {
            ExprKind::Member { object, name } if callee != expr && ITERATORS.contains(&hir.str(name)) => Some(object),
            _ => None,
        }
    }

    pub(super) fn iterated_origins(&mut self, function: FunctionRef) -> Origins {
        match self.iterated(function) {
            Some(expr) => self.value(ExprRef { module: function.module, expr }).origins,
            None => Origins::default(),
        }
    }

    /// Is it the variable of a loop, or a property of that?
    pub(super) fn is_of_loop(&self, at: ExprRef) -> bool {
        let module = self.program.module(at.module);
        let mut expr = at.expr;
        while let ExprKind::Member { object, .. } | ExprKind::Index { object, .. } = module.kind(expr) {
            expr = object;
        }
        let ExprKind::Ident(symbol) = module.kind(expr) else { return false };
        match module.symbol(symbol).definition {
            Definition::Element { keys, .. } => !keys,
            Definition::Parameter { function, index, .. } => {
                self.is_element_callback(FunctionRef { module: at.module, function }, index as usize)
            }
            _ => false,
        }
    }
}
