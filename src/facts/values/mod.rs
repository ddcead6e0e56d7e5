//! What a value is, as far as it is constant, and where it comes from: constant folding and flow in one.
//!
//! In goes an expression of the program ([`Evaluator::value`]), out comes a [`Value`]: its data where that is known, and
//! its origins always. Each kind of expression has its part of this module.

mod calls;
mod declared_fields;
mod errors;
mod fold;
mod latest;
mod loops;
mod members;
mod names;
mod numbers;
mod outside;
mod parameters;
mod surroundings;
mod usual;

use smallvec::SmallVec;

use self::fold::{logical, only_environment, regex_origin};
use self::surroundings::shown_to_developers;
use crate::facts::memo::State;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{ExprId, ExprKind, Language, LogicalOp};

pub(crate) use errors::is_error_name;
pub use loops::ITERATORS;
pub(crate) use outside::Outside;

const MAX_DEPTH: u16 = 24;
/// Elements and properties that are looked at.
const MAX_ITEMS: usize = 64;

impl Evaluator<'_> {
    pub fn value(&mut self, at: ExprRef) -> Value {
        if at.expr == ExprId::NONE {
            return Value::ABSENT;
        }
        if let State::Known((known, rests)) = self.values.state(at) {
            let known = known.clone();
            self.rests = self.rests.with(*rests);
            return known;
        }
        if self.value_depth >= MAX_DEPTH || self.value_active.contains(&at) {
            self.cut();
            return Value::UNKNOWN;
        }
        self.value_active.push(at);
        self.value_depth += 1;
        let outer = std::mem::take(&mut self.rests);
        let value = self.compute(at);
        let value = self.known_number(at, value);
        self.value_depth -= 1;
        self.value_active.pop();
        let exprs = self.program.module(at.module).exprs.len();
        self.values.finish(at, exprs, value.clone(), self.rests);
        self.rests = self.rests.with(outer);
        value
    }

    /// What a request or a caller gives for a number is a number.
    fn known_number(&mut self, at: ExprRef, value: Value) -> Value {
        let outside = Origins::REQUEST.with(Origins::GIVEN);
        let is_open = value.origins.has(outside) && !value.origins.has(Origins::NUMERIC);
        let is_closed = is_open
            && match self.program.module(at.module).language {
                Language::Rust => self.is_number(at, 0),
                Language::Python => self.is_checked_field(at),
                Language::JavaScript => false,
            };
        if !is_closed {
            return value;
        }
        let origins = value.origins.without(Origins::GIVEN).with(Origins::NUMERIC).with(Origins::ALLOW_LISTED);
        Value { data: value.data, origins }
    }

    fn compute(&mut self, at: ExprRef) -> Value {
        let module = self.program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Str(atom) => Value::text(module.str(atom)),
            ExprKind::Num(index) => Value::number(module.numbers[index as usize]),
            ExprKind::Bool(value) => Value::bool(value),
            ExprKind::Null => Value { data: Data::Null, origins: Origins::LITERAL },
            ExprKind::Undefined => Value::ABSENT,
            ExprKind::Regex(atom) => {
                Value { data: Data::Text(module.str(atom).into()), origins: regex_origin(module.str(atom)) }
            }
            ExprKind::Template { quasis, exprs } => self.template(at.module, quasis, exprs),
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Spread(inner) => self.value(here(inner)),
            ExprKind::Assign { value, .. } => self.value(here(value)),
            ExprKind::Sequence(run) => {
                let last = module.list(run).last();
                last.map_or(Value::UNKNOWN, |last| self.value(here(last)))
            }
            ExprKind::Object(run) => self.object(at.module, run),
            ExprKind::Array(run) => {
                let items: SmallVec<[ExprId; 8]> = module.list(run).take(MAX_ITEMS).collect();
                let items: Vec<Value> = items.into_iter().map(|item| self.value(here(item))).collect();
                let origins = items.iter().fold(Origins::default(), |all, item| all.gathered(item.origins));
                let is_open = |item: &Value| item.origins.has(Origins::REQUEST) && !item.origins.has(Origins::HOSTED);
                let unsaid = if items.iter().any(is_open) { Origins::HOSTED } else { Origins::default() };
                Value { data: Data::List(items.into()), origins: origins.without(unsaid) }
            }
            ExprKind::Logical { op, left, right } => {
                let developers = op == LogicalOp::And && self.is_development(at.module, left);
                let (left, right) = (self.value(here(left)), self.value(here(right)));
                logical(op, left, if developers { shown_to_developers(&right) } else { right })
            }
            ExprKind::Conditional { test, branches } => self.conditional(at.module, test, branches),
            ExprKind::Binary { op, left, right } => self.binary(at.module, op, left, right),
            ExprKind::Not(inner) => {
                let inner = self.value(here(inner));
                match inner.data {
                    Data::Bool(value) => Value { data: Data::Bool(!value), origins: inner.origins },
                    Data::Null | Data::Absent => Value::bool(true),
                    // `!!token` says whether there is one, not what it is.
                    _ => Value { data: Data::Unknown, origins: only_environment(inner.origins) },
                }
            }
            ExprKind::Unary(inner) => {
                let inner = self.value(here(inner));
                Value { data: Data::Unknown, origins: inner.origins }
            }
            ExprKind::Ident(symbol) => self.symbol_value(at, symbol),
            ExprKind::Member { object, name } => self.member_value(at, object, module.str(name)),
            ExprKind::Index { object, index } => self.index_value(at, object, index),
            ExprKind::Call { callee, args } | ExprKind::New { callee, args } => self.call_value(at, callee, args),
            ExprKind::Global(_) => self.path_value(at).unwrap_or(Value::UNKNOWN),
            ExprKind::Tagged { template, .. } => {
                let inner = self.value(here(template));
                Value { data: Data::Unknown, origins: inner.origins }
            }
            _ => Value::UNKNOWN,
        }
    }
}
