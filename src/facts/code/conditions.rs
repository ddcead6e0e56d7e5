//! What a query that is built by calls asks for: `select(Order).where(Order.user_id == id)`, `Order.objects.filter(user=u)`.

use super::chains::{Later, SLICE, called};
use crate::facts::arguments::{handed, positional};
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{BinaryOp, ExprId, ExprKind, LogicalOp, Module};

/// Receivers that are looked at.
const MAX_CHAIN: usize = 24;
/// Conditions inside conditions.
const MAX_DEPTH: u8 = 6;

/// What some conditions say.
#[derive(Default)]
struct Conditions {
    columns: Vec<String>,
    /// There are some of which nobody can tell what they compare.
    open: bool,
    lists: bool,
}

impl Evaluator<'_> {
    /// The class or variable at the start of a chain.
    pub(super) fn root_name(&mut self, at: ExprRef) -> Value {
        let module = self.program.module(at.module);
        let mut expr = at.expr;
        for _ in 0..MAX_CHAIN {
            let here = ExprRef { module: at.module, expr };
            let class = self.things(here).into_iter().find_map(|thing| match thing {
                Thing::Class(module, class) => Some((module, class)),
                _ => None,
            });
            if let Some((owner, class)) = class {
                let owner = self.program.module(owner);
                return owner.class(class).name.map_or(Value::UNKNOWN, |name| Value::text(owner.str(name)));
            }
            expr = match module.kind(expr) {
                ExprKind::Call { callee, .. } => callee,
                ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => object,
                _ => break,
            };
        }
        Value::UNKNOWN
    }

    /// The columns that are compared with a value; unknown where some condition cannot be read, absent without any.
    pub(super) fn where_columns(&mut self, at: ExprRef, names: &str) -> Value {
        let calls = self.calls_named(at, names);
        if calls.is_empty() {
            return if self.is_handed_on(at) { Value::UNKNOWN } else { Value::ABSENT };
        }
        let found = self.conditions(&calls);
        // A comparison that no equal values satisfy (`date > today`) is a condition all the same.
        if found.open || found.columns.is_empty() { Value::UNKNOWN } else { Value::texts(&found.columns) }
    }

    /// The columns that a query is sorted by, whichever way; unknown where one of them cannot be told.
    pub(super) fn sorted_columns(&mut self, at: ExprRef, names: &str) -> Value {
        let module = self.program.module(at.module);
        let calls = self.calls_named(at, names);
        let sorted: Option<Vec<String>> = calls
            .iter()
            .filter_map(|call| module.call(call.expr))
            .flat_map(|(_, args)| positional(module, args).collect::<Vec<_>>())
            .map(|expr| sorted_column(module, expr, 0))
            .collect();
        match sorted {
            Some(columns) if columns.is_empty() => Value::ABSENT,
            Some(columns) => Value::texts(&columns),
            None => Value::UNKNOWN,
        }
    }

    /// Whether a condition takes a list.
    pub(super) fn takes_list(&mut self, at: ExprRef, names: &str) -> Value {
        let calls = self.calls_named(at, names);
        if self.conditions(&calls).lists { Value::bool(true) } else { Value::ABSENT }
    }

    /// What the calls are handed.
    pub(super) fn given_to(&mut self, at: ExprRef, names: &str) -> Value {
        let module = self.program.module(at.module);
        let calls = self.calls_named(at, names);
        let given: Vec<ExprId> = calls
            .iter()
            .filter_map(|call| module.call(call.expr))
            .flat_map(|(_, args)| handed(module, args).collect::<Vec<_>>())
            .flat_map(|expr| compared(module, expr, 0))
            .collect();
        if given.is_empty() {
            return Value::ABSENT;
        }
        let values: Vec<Value> =
            given.into_iter().map(|expr| self.value(ExprRef { module: at.module, expr })).collect();
        let origins = values.iter().fold(Origins::default(), |all, value| all.with(value.origins));
        Value { data: Data::List(values.into()), origins }
    }

    /// The bound of a slice, where the names ask for slices and no call of them is nearer.
    pub(super) fn slice_bound(&mut self, at: ExprRef, names: &str) -> Option<Value> {
        if !names.contains(SLICE) {
            return None;
        }
        match self.later_calls(at, names).first()? {
            Later::Slice(expr) => Some(self.value(ExprRef { module: at.module, expr: *expr })),
            Later::Call(_) => None,
        }
    }

    /// This call, if it has one of the names, and the later ones.
    fn calls_named(&mut self, at: ExprRef, names: &str) -> Vec<ExprRef> {
        let module = self.program.module(at.module);
        let own = called(module, at.expr).is_some_and(|name| names.split(' ').any(|wanted| wanted == name));
        let later = self.later_calls(at, names).into_iter().filter_map(|later| match later {
            Later::Call(expr) => Some(expr),
            Later::Slice(_) => None,
        });
        own.then_some(at.expr).into_iter().chain(later).map(|expr| ExprRef { module: at.module, expr }).collect()
    }

    fn conditions(&mut self, calls: &[ExprRef]) -> Conditions {
        let mut found = Conditions::default();
        for call in calls {
            let module = self.program.module(call.module);
            let Some((_, args)) = module.call(call.expr) else { continue };
            for condition in positional(module, args) {
                read_condition(module, condition, &mut found, 0);
            }
            let Some(ExprKind::Object(run)) = module.keywords(args).map(|keywords| module.kind(keywords)) else {
                continue;
            };
            for prop in module.object(run) {
                match prop.key {
                    Some(key) => found.keyword(module.str(key)),
                    None => found.open = true,
                }
            }
        }
        found.columns.sort();
        found.columns.dedup();
        found
    }
}

/// `"-day"`, `Order.day`, `Order.day.desc()`, `desc(Order.day)`
fn sorted_column(module: &Module, expr: ExprId, depth: u8) -> Option<String> {
    if let Some(text) = module.literal(expr) {
        let column = text.trim_start_matches(['-', '+']);
        return (!column.is_empty() && !column.contains("__") && column != "?").then(|| column.to_owned());
    }
    match module.kind(expr) {
        ExprKind::Member { name, .. } => Some(module.str(name).to_owned()),
        ExprKind::Call { callee, args } if depth < 3 => match module.kind(callee) {
            ExprKind::Member { object, name } if is_direction(module.str(name)) => {
                sorted_column(module, object, depth + 1)
            }
            ExprKind::Ident(symbol) if is_direction(module.str(module.symbol(symbol).name)) => {
                sorted_column(module, module.list(args).next()?, depth + 1)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_direction(name: &str) -> bool {
    matches!(name, "asc" | "desc" | "nulls_first" | "nulls_last" | "nullsfirst" | "nullslast")
}

impl Conditions {
    /// `user_id=1`, `user__email=x`, `id__in=ids`: equality, and the column of this table that a path begins with.
    fn keyword(&mut self, name: &str) {
        match name.split_once("__") {
            None | Some((_, "exact" | "iexact")) => {
                self.columns.push(name.split("__").next().unwrap_or(name).to_owned());
            }
            Some((column, "in")) => {
                self.lists = true;
                self.columns.push(column.to_owned());
            }
            Some(_) => {}
        }
    }
}

/// `Order.user_id == id`, `Order.id.in_(ids)`, also joined by `&` or `and_(…)`.
fn read_condition(module: &Module, expr: ExprId, found: &mut Conditions, depth: u8) {
    if depth > MAX_DEPTH {
        found.open = true;
        return;
    }
    match module.kind(expr) {
        ExprKind::Binary { op: BinaryOp::Equal, left, .. } => match module.kind(left) {
            ExprKind::Member { name, .. } => found.columns.push(module.str(name).to_owned()),
            _ => found.open = true,
        },
        ExprKind::Binary { op: BinaryOp::NotEqual | BinaryOp::Compare, .. } => {}
        ExprKind::Binary { left, right, .. } | ExprKind::Logical { op: LogicalOp::And, left, right } => {
            read_condition(module, left, found, depth + 1);
            read_condition(module, right, found, depth + 1);
        }
        ExprKind::Call { callee, args } => match module.kind(callee) {
            ExprKind::Member { object, name } => match (module.str(name), module.kind(object)) {
                ("in_", ExprKind::Member { name, .. }) => {
                    found.lists = true;
                    found.columns.push(module.str(name).to_owned());
                }
                ("is_" | "is_not" | "isnot" | "like" | "ilike" | "between" | "contains" | "has" | "any", _) => {}
                _ => found.open = true,
            },
            ExprKind::Ident(symbol) if module.str(module.symbol(symbol).name) == "and_" => {
                for inner in module.list(args) {
                    read_condition(module, inner, found, depth + 1);
                }
            }
            _ => found.open = true,
        },
        _ => found.open = true,
    }
}

/// The values that a condition compares with.
fn compared(module: &Module, expr: ExprId, depth: u8) -> Vec<ExprId> {
    match module.kind(expr) {
        ExprKind::Binary { left, right, op } if depth < MAX_DEPTH => match op {
            BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::Compare => vec![right],
            _ => compared(module, left, depth + 1).into_iter().chain(compared(module, right, depth + 1)).collect(),
        },
        ExprKind::Call { callee, args } if matches!(module.kind(callee), ExprKind::Member { .. }) => {
            module.list(args).collect()
        }
        _ => vec![expr],
    }
}
