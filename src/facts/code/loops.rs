//! Registrations in a loop: `LIST.forEach(({ path, router }) => app.use(path, router))` is one for every turn.

use smallvec::SmallVec;

use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Step, SymbolIdx};

/// Turns of one loop that are followed.
const MAX_TURNS: usize = 256;

/// One turn of a loop over a list that stands in the source.
pub struct Turn {
    /// The variable of the loop, or what it was taken apart into.
    list: ExprRef,
    /// The item of the list.
    item: ExprRef,
}

/// The turns of the loop whose variable an expression reads; none when it reads no such variable.
pub fn turns(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<Turn> {
    let Some((list, _)) = loop_read(evaluator, at) else { return Vec::new() };
    let origin = evaluator.origin(list);
    let module = evaluator.program.module(origin.module);
    let ExprKind::Array(items) = module.kind(origin.expr) else { return Vec::new() };
    let items = module.list(items).take(MAX_TURNS);
    items.map(|expr| Turn { list, item: ExprRef { module: origin.module, expr } }).collect()
}

impl Turn {
    /// What an expression that reads the variable of the loop stands for in this turn.
    pub fn value(&self, evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<ExprRef> {
        let (list, property) = loop_read(evaluator, at)?;
        if list != self.list {
            return None;
        }
        match property {
            Some(name) => property_of(evaluator, self.item, &name),
            None => Some(self.item),
        }
    }

    /// The text that an expression has in this turn: `route.path`, `/api${route.path}`.
    pub fn text(&self, evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<String> {
        if let Some(value) = self.value(evaluator, at) {
            return evaluator.constant_text(value);
        }
        let program = evaluator.program;
        let module = program.module(at.module);
        let ExprKind::Template { quasis, exprs } = module.kind(at.expr) else { return None };
        let holes: SmallVec<[ExprId; 4]> = module.holes(quasis, exprs).collect();
        let start = quasis.start as usize;
        let pieces = module.lists.get(start..start + quasis.len as usize)?;
        let mut text = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            text.push_str(module.strings.get(*piece as usize)?);
            if let Some(&expr) = holes.get(index) {
                let hole = ExprRef { module: at.module, expr };
                let inner = match self.value(evaluator, hole) {
                    Some(value) => evaluator.constant_text(value),
                    None => evaluator.constant_text(hole),
                };
                text.push_str(&inner?);
            }
        }
        Some(text)
    }
}

/// The list that a loop runs over and the property of its item that is read: `route.path`, or `path` of `{ path }`.
fn loop_read(evaluator: &Evaluator<'_>, at: ExprRef) -> Option<(ExprRef, Option<String>)> {
    let module = evaluator.program.module(at.module);
    match module.kind(at.expr) {
        ExprKind::Ident(symbol) => {
            let (list, steps) = loop_variable(evaluator, at.module, symbol)?;
            match steps {
                [] => Some((list, None)),
                [Step::Property(name)] => Some((list, Some(module.str(*name).to_owned()))),
                _ => None,
            }
        }
        ExprKind::Member { object, name } => match module.kind(object) {
            ExprKind::Ident(symbol) => match loop_variable(evaluator, at.module, symbol)? {
                (list, []) => Some((list, Some(module.str(name).to_owned()))),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn loop_variable<'p>(evaluator: &Evaluator<'p>, module: ModuleId, symbol: SymbolIdx) -> Option<(ExprRef, &'p [Step])> {
    let program = evaluator.program;
    let (expr, steps) = match &program.module(module).symbol(symbol).definition {
        Definition::Element { of, keys: false, steps } => (*of, steps),
        Definition::Parameter { function, index: 0, steps, .. } => {
            (evaluator.iterated(FunctionRef { module, function: *function })?, steps)
        }
        _ => return None,
    };
    Some((ExprRef { module, expr }, steps))
}

/// The property of an object literal, followed to where the object stands.
fn property_of(evaluator: &mut Evaluator<'_>, item: ExprRef, name: &str) -> Option<ExprRef> {
    let things = evaluator.things(item);
    let literal = things.iter().find_map(|thing| match thing {
        Thing::Data(at) => Some(*at),
        _ => None,
    })?;
    let module = evaluator.program.module(literal.module);
    let ExprKind::Object(run) = module.kind(literal.expr) else { return None };
    let found = module.object(run).iter().rev().find(|p| p.key.is_some_and(|key| module.str(key) == name))?;
    Some(ExprRef { module: literal.module, expr: found.value })
}
