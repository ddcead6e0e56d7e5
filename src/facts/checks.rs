//! Checks that make a value one of a known set: `a === "asc" ? a : "desc"`, `LIST.includes(a)`, `/^[a-z]+$/.test(a)`.

use smallvec::SmallVec;

use super::model::Origins;
use super::program::{ExprRef, ModuleId};
use super::resolve::Evaluator;
use crate::syntax::hir::{BinaryOp, ContextKind, ExprId, ExprKind, LogicalOp, Module, Step, SymbolIdx};

/// Does the test, when it has the outcome `holds`, leave only known values for the expression?
pub(super) fn admits_known(module: &Module, test: ExprId, expr: ExprId, holds: bool) -> bool {
    match module.kind(test) {
        ExprKind::Not(inner) => admits_known(module, inner, expr, !holds),
        ExprKind::Logical { op: LogicalOp::Nullish, .. } => false,
        ExprKind::Logical { op, left, right } => {
            let (left, right) = (admits_known(module, left, expr, holds), admits_known(module, right, expr, holds));
            // Of `a || b` both must hold it if true, of `a && b` one.
            if (op == LogicalOp::And) == holds { left || right } else { left && right }
        }
        ExprKind::Binary { op: BinaryOp::Equal, left, right } => {
            holds && compares_with_literal(module, left, right, expr)
        }
        ExprKind::Binary { op: BinaryOp::NotEqual, left, right } => {
            !holds && compares_with_literal(module, left, right, expr)
        }
        ExprKind::Binary { op: BinaryOp::In, left, .. } => holds && same(module, left, expr),
        ExprKind::Call { .. } => holds && looks_up(module, test, expr),
        _ => false,
    }
}

fn compares_with_literal(module: &Module, left: ExprId, right: ExprId, expr: ExprId) -> bool {
    (same(module, left, expr) && module.literal(right).is_some())
        || (same(module, right, expr) && module.literal(left).is_some())
}

/// `LIST.includes(expr)`, `SET.has(expr)`, `Object.hasOwn(TABLE, expr)`, `/^…$/.test(expr)`
fn looks_up(module: &Module, call: ExprId, expr: ExprId) -> bool {
    let Some((callee, args)) = module.call(call) else { return false };
    let ExprKind::Member { object, name } = module.kind(callee) else { return false };
    match module.str(name) {
        "includes" | "has" | "hasOwnProperty" => module.list(args).next().is_some_and(|arg| same(module, arg, expr)),
        "hasOwn" => module.list(args).nth(1).is_some_and(|arg| same(module, arg, expr)),
        "test" => {
            let anchored = matches!(module.kind(object), ExprKind::Regex(pattern)
                if module.str(pattern).starts_with('^') && module.str(pattern).ends_with('$'));
            anchored && module.list(args).next().is_some_and(|arg| same(module, arg, expr))
        }
        _ => false,
    }
}

/// Are they the same variable, or the same property of it?
fn same(module: &Module, left: ExprId, right: ExprId) -> bool {
    match (module.kind(left), module.kind(right)) {
        (ExprKind::Ident(a), ExprKind::Ident(b)) => a == b,
        (ExprKind::Member { object: a, name: x }, ExprKind::Member { object: b, name: y }) => {
            module.str(x) == module.str(y) && same(module, a, b)
        }
        _ => false,
    }
}

impl Evaluator<'_> {
    /// `const { limit } = Schema.parse(…)`: what the schema says of the field.
    pub(super) fn checked_field(&mut self, module: ModuleId, init: ExprId, steps: &[Step]) -> Option<Origins> {
        let hir = self.program.module(module);
        let names: SmallVec<[&str; 2]> = steps
            .iter()
            .map(|step| match step {
                Step::Property(name) => hir.str(*name),
                _ => "",
            })
            .collect();
        let at = ExprRef { module, expr: init };
        match names.as_slice() {
            [name] | ["data" | "value", name] if init != ExprId::NONE => self.schema_field(at, name),
            _ => None,
        }
    }

    /// A field of what a schema let through (`Page.parse(query).limit`): what stack files say of how the schema
    /// describes it (`z.number().max(100)`).
    pub(super) fn schema_field(&mut self, parsed: ExprRef, name: &str) -> Option<Origins> {
        let program = self.program;
        let mut at = self.origin(parsed);
        for _ in 0..4 {
            let module = program.module(at.module);
            let next = match module.kind(at.expr) {
                ExprKind::Await(inner) => inner,
                ExprKind::Member { object, name } if matches!(module.str(name), "data" | "value") => object,
                _ => break,
            };
            at = self.origin(ExprRef { module: at.module, expr: next });
        }
        let module = program.module(at.module);
        let (callee, _) = module.call(at.expr)?;
        let ExprKind::Member { object, .. } = module.kind(callee) else { return None };
        let mut schema = self.origin(ExprRef { module: at.module, expr: object });
        for _ in 0..8 {
            let module = program.module(schema.module);
            let (callee, args) = module.call(schema.expr)?;
            let fields = module.list(args).find_map(|arg| match module.kind(arg) {
                ExprKind::Object(run) => Some(run),
                _ => None,
            });
            if let Some(run) = fields {
                let field = module.object(run).iter().find(|prop| prop.key.is_some_and(|key| module.str(key) == name));
                let field = self.origin(ExprRef { module: schema.module, expr: field?.value });
                return self.declared_in_chain(field);
            }
            let ExprKind::Member { object, .. } = module.kind(callee) else { return None };
            schema = self.origin(ExprRef { module: schema.module, expr: object });
        }
        None
    }

    /// The origin that a stack declares for any call of a chain.
    fn declared_in_chain(&mut self, at: ExprRef) -> Option<Origins> {
        for path in self.paths_of(at) {
            let mut next = Some(path);
            while let Some(path) = next {
                if let Some(origins) = self.declared_origin(path, Origins::default()) {
                    return Some(origins);
                }
                next = self.paths.parent(path);
            }
        }
        None
    }

    /// The origins of a part of a text that is put together: what was checked before is one of a known set.
    pub(super) fn checked_origins(&self, at: ExprRef, origins: Origins) -> Origins {
        if !origins.has(Origins::REQUEST.with(Origins::GIVEN)) || origins.has(Origins::ALLOW_LISTED) {
            return origins;
        }
        let module = self.program.module(at.module);
        let ExprKind::Ident(symbol) = module.kind(at.expr) else { return origins };
        let guarded = module.contexts_of(at.expr).any(|(_, context)| match context.kind {
            ContextKind::Then(test) => admits_known(module, test, at.expr, true),
            ContextKind::Else(test) => admits_known(module, test, at.expr, false),
            _ => false,
        });
        if guarded || looked_up_before(module, at.expr, symbol) { Origins::ALLOW_LISTED } else { origins }
    }
}

/// `if (!LIST.includes(sort)) throw …` or `sort = "id"`, earlier in the same function.
fn looked_up_before(module: &Module, expr: ExprId, symbol: SymbolIdx) -> bool {
    let function = module.function_of(expr);
    let start = module.function(function).start;
    let end = module.expr(expr).start;
    (0..module.exprs.len()).any(|index| {
        let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
        let entry = module.expr(id);
        entry.start >= start
            && entry.end <= end
            && matches!(entry.kind, ExprKind::Call { .. })
            && module.call(id).is_some_and(|(_, args)| {
                module.list(args).any(|arg| module.kind(arg) == ExprKind::Ident(symbol) && looks_up(module, id, arg))
            })
    })
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::Origins;

    /// Does what the caller gives get into the SQL text that the function sends?
    fn is_open(body: &str) -> bool {
        let text = format!(
            "import {{ Pool }} from 'pg'\nconst pool = new Pool()\nconst LIST = ['id', 'name']\n\
            export function sorted(by: string) {{\n{body}\n}}"
        );
        let store = facts_of(&[("src/orders.ts", &text)]);
        let query = store.facts.iter().find(|fact| &*fact.kind == "query").unwrap();
        query.get("text").unwrap().origins.has(Origins::GIVEN)
    }

    const SEND: &str = "return pool.query(`SELECT id FROM orders ORDER BY ${by}`)";

    #[test]
    fn nothing_is_checked_by_itself() {
        assert!(is_open(SEND));
        assert!(is_open(&format!("if (!by) throw new Error('none')\n{SEND}")));
    }

    #[test]
    fn a_list_a_pattern_or_a_comparison_leaves_known_values() {
        assert!(!is_open(&format!("if (!LIST.includes(by)) throw new Error('unknown')\n{SEND}")));
        assert!(!is_open(&format!("if (!/^[a-z]+$/.test(by)) throw new Error('unknown')\n{SEND}")));
        assert!(!is_open(&format!("if (by === 'id' || by === 'name') {{ {SEND} }}\nreturn null")));
    }

    #[test]
    fn a_loose_pattern_or_half_a_comparison_does_not() {
        assert!(is_open(&format!("if (!/[a-z]+/.test(by)) throw new Error('unknown')\n{SEND}")));
        assert!(is_open(&format!("if (by === 'id' || by.length > 3) {{ {SEND} }}\nreturn null")));
    }

    #[test]
    fn the_check_of_another_variable_does_not() {
        assert!(is_open(&format!(
            "const way = String(Math.random())\nif (!LIST.includes(way)) throw new Error('unknown')\n{SEND}"
        )));
    }
}
