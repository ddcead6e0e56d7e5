//! The value of a name: a variable with all that is assigned to it, an import, a caught error.
//!
//! In goes the symbol at a place, out comes what it holds there.

use std::sync::Arc;

use super::MAX_ITEMS;
use super::fold::{follow, logical, set_field};
use super::latest::still_there;
use super::loops::is_count;
use crate::facts::model::{Data, Guard, Origins, Record, Value};
use crate::facts::program::{Exported, ExprRef, FunctionRef, ModuleId, Target};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, LogicalOp, SymbolIdx};

/// Later values of a variable that are looked at.
const MAX_ASSIGNED: usize = 16;

impl Evaluator<'_> {
    pub(super) fn symbol_value(&mut self, at: ExprRef, symbol: SymbolIdx) -> Value {
        let program = self.program;
        let entry = program.module(at.module).symbol(symbol);
        let remaining = still_there(program.module(at.module), entry, at.expr);
        // What a variable may be anywhere says nothing of it where it was replaced.
        if let Some(value) = remaining.is_none().then(|| self.path_value(at)).flatten() {
            return self.with_guard_of_own_error(at, symbol, value);
        }
        let here = |expr| ExprRef { module: at.module, expr };
        let value = match &entry.definition {
            Definition::Variable { init, steps, .. } if self.checked_field(at.module, *init, steps).is_some() => {
                Value { data: Data::Unknown, origins: Origins::ALLOW_LISTED }
            }
            Definition::Variable { init, steps, default, .. } => {
                let mut value = if *init == ExprId::NONE { Value::ABSENT } else { self.value(here(*init)) };
                value = follow(program.module(at.module), value, steps);
                if *default != ExprId::NONE {
                    value = logical(LogicalOp::Nullish, value, self.value(here(*default)));
                }
                if !entry.assigned.is_empty() {
                    let first = if remaining.is_some() { Origins::default() } else { value.origins };
                    let mut origins = first.with(Origins::DYNAMIC);
                    let mut open = Record { open: true, ..Record::default() };
                    if let Data::Record(record) = &value.data {
                        open.fields = record.fields.clone();
                        open.rest = record.rest;
                    }
                    for assigned in remaining.as_ref().unwrap_or(&entry.assigned).iter().take(MAX_ASSIGNED) {
                        origins = origins.joined(self.value(here(*assigned)).origins);
                        // `if (isProduction) message = "…"`
                        if self.surroundings(here(*assigned)).1.0 & Guard::PROD.0 != 0 {
                            origins = origins.with(Origins::PROD);
                        }
                    }
                    let data = if open.fields.is_empty() { Data::Unknown } else { Data::Record(Arc::new(open)) };
                    return self.with_guard_of_own_error(at, symbol, Value { data, origins });
                }
                self.with_assigned_fields(at.module, symbol, value)
            }
            // `way = "asc" if way == "asc" else "desc"`: what was handed in is gone.
            Definition::Parameter { .. } if remaining.is_some() => {
                let given = remaining.iter().flatten().take(MAX_ASSIGNED);
                let given: Vec<Value> = given.map(|&value| self.value(here(value))).collect();
                let origins = given.iter().fold(Origins::DYNAMIC, |all, value| all.joined(value.origins));
                match given.as_slice() {
                    [only] => only.clone(),
                    _ => Value { data: Data::Unknown, origins },
                }
            }
            Definition::Parameter { function, index, steps, default, .. } => {
                let function = FunctionRef { module: at.module, function: *function };
                let value = self.parameter_value(function, *index as usize, steps);
                if *default == ExprId::NONE {
                    value
                } else {
                    logical(LogicalOp::Nullish, value, self.value(here(*default)))
                }
            }
            Definition::Caught(kinds) => self.caught(here(*kinds)),
            Definition::Element { of, steps, .. } if is_count(program.module(at.module), *of, steps) => Value {
                data: Data::Unknown,
                origins: Origins::LOOP_VARIABLE.with(Origins::NUMERIC).with(Origins::ALLOW_LISTED),
            },
            Definition::Element { of, steps, .. } => match self.element_value(here(*of)) {
                Some(value) => follow(program.module(at.module), value, steps),
                None => {
                    let of = self.value(here(*of));
                    Value { data: Data::Unknown, origins: of.origins.with(Origins::LOOP_VARIABLE) }
                }
            },
            Definition::Import { .. } => self.imported_value(at),
            Definition::Enum(_) => Value { data: Data::Unknown, origins: Origins::CONSTANT },
            Definition::Function(_) | Definition::Class(_) => Value { data: Data::Unknown, origins: Origins::CONSTANT },
            _ => Value::UNKNOWN,
        };
        self.with_guard_of_own_error(at, symbol, value)
    }

    /// `options.expiresIn = "15m"` later on: the field may be there.
    fn with_assigned_fields(&mut self, module: ModuleId, symbol: SymbolIdx, value: Value) -> Value {
        let Data::Record(record) = &value.data else { return value };
        let program = self.program;
        let assigned = program.assigned_fields(module, symbol);
        if assigned.is_empty() {
            return value;
        }
        let mut record = Record {
            fields: record.fields.clone(),
            open: record.open || assigned.len() > MAX_ITEMS,
            rest: record.rest,
        };
        let mut origins = value.origins;
        for (name, expr) in assigned.iter().take(MAX_ITEMS) {
            let name = program.module(module).str(*name);
            let given = self.value(ExprRef { module, expr: *expr });
            origins = origins.with(given.origins);
            let before = record.fields.iter().find(|(n, _)| &**n == name).map(|(_, value)| value.origins);
            let either = given.origins.with(before.unwrap_or(Origins::DYNAMIC));
            set_field(&mut record, name.into(), Value { data: Data::Unknown, origins: either });
        }
        Value { data: Data::Record(Arc::new(record)), origins }
    }

    fn imported_value(&mut self, at: ExprRef) -> Value {
        let things = self.things(at);
        match things.as_slice() {
            [Thing::Data(data)] if *data != at => {
                let value = self.value(*data);
                Value { data: value.data, origins: value.origins.with(Origins::CONSTANT) }
            }
            _ => match self.exported_constant(at) {
                Some(value) => value,
                None => Value::UNKNOWN,
            },
        }
    }

    /// `import { LIMIT } from "./config"`: the value of what it names.
    fn exported_constant(&mut self, at: ExprRef) -> Option<Value> {
        let program = self.program;
        let loaded = program.loaded(at.module);
        let ExprKind::Ident(symbol) = loaded.module.kind(at.expr) else { return None };
        let Definition::Import { source, name } = loaded.module.symbol(symbol).definition else { return None };
        let Target::Module(target) = loaded.targets[source.0 as usize] else { return None };
        match program.export(target, &loaded.module, name)? {
            Exported::Expr(expr) => Some(self.value(expr)),
            Exported::Symbol(module, symbol) => {
                let entry = program.module(module).symbol(symbol);
                match &entry.definition {
                    Definition::Variable { init, steps, .. } if entry.assigned.is_empty() => {
                        let value = self.value(ExprRef { module, expr: *init });
                        Some(follow(program.module(module), value, steps))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
