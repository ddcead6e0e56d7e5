//! A function looked at on its own: its parameters stand for themselves, and each call puts in what it passes.
//!
//! Without this, what one caller passes would come out at every other caller.

use std::sync::Arc;

use super::memo::Rests;
use super::model::{Data, Origins, Record, Value};
use super::program::{ExprRef, FunctionRef};
use super::resolve::Evaluator;

/// Values nest no deeper than this when arguments are put in.
const MAX_NESTING: u8 = 4;

impl Evaluator<'_> {
    /// The value of an expression inside `function`, with marks where its parameters go in ([`put_in`]).
    pub fn value_apart(&mut self, function: FunctionRef, at: ExprRef) -> Value {
        let outer = self.apart.replace(function);
        let special = self.turn.rests().with(Rests::on_function(function)).with(Rests::CUT);
        let aside = self.values.enter(special);
        let value = self.value(at);
        self.values.leave(aside);
        self.apart = outer;
        value
    }

    /// A parameter of the function that is looked at on its own.
    pub(super) fn marked(&self, function: FunctionRef, index: usize, value: Value) -> Value {
        if self.apart != Some(function) {
            return value;
        }
        let passed = if value.origins.has(Origins::CAUGHT_ERROR) { Origins::PASSED_ERROR } else { Origins::default() };
        let data = match value.data {
            Data::Record(_) | Data::List(_) => Data::Unknown,
            data => data,
        };
        Value { data, origins: Origins::PARAMETER.with(Origins::of_parameter(index)).with(passed) }
    }
}

/// What a call makes of a value with marks, given the values that it passes.
pub fn put_in(value: &Value, passed: &[Value]) -> Value {
    within(value, passed, 0)
}

fn within(value: &Value, passed: &[Value], depth: u8) -> Value {
    let origins = origins_put_in(value.origins, passed);
    let data = match &value.data {
        Data::Record(_) | Data::List(_) if depth >= MAX_NESTING => Data::Unknown,
        Data::Record(record) => {
            let fields = record.fields.iter().map(|(n, v)| (n.clone(), within(v, passed, depth + 1))).collect();
            Data::Record(Arc::new(Record { fields, open: record.open, rest: origins_put_in(record.rest, passed) }))
        }
        Data::List(items) => Data::List(items.iter().map(|item| within(item, passed, depth + 1)).collect()),
        data => data.clone(),
    };
    Value { data, origins }
}

fn origins_put_in(origins: Origins, passed: &[Value]) -> Origins {
    let mut out = origins.settled();
    let is_checked = out.has(Origins::ALLOW_LISTED.with(Origins::NUMERIC));
    if out.has(Origins::PARAMETER) {
        out = out.without(Origins::PARAMETER);
        for (index, value) in passed.iter().enumerate() {
            let uncounted = Origins::of_parameter(index) == Origins::default();
            if uncounted || origins.has(Origins::of_parameter(index)) {
                out = match is_checked {
                    true => out.with(value.origins.without(Origins::GIVEN)),
                    false => out.joined(value.origins),
                };
            } else if origins.has(Origins::of_spread_parameter(index)) {
                out = out.with(spread_origins(value));
            }
        }
    }
    // `error.stack` of something that is no error here.
    if origins.has(Origins::PASSED_ERROR) && !out.has(Origins::CAUGHT_ERROR) {
        out = out.without(Origins::ERROR_STACK);
    }
    out
}

/// What spreading a value copies: an error's message and stack are not enumerable, so they stay behind.
pub fn spread_origins(value: &Value) -> Origins {
    let whole = !matches!(value.data, Data::Record(_)) && !value.origins.has(Origins::ERROR_STACK);
    let copied = if whole { value.origins.without(Origins::CAUGHT_ERROR) } else { value.origins };
    copied.spread()
}

/// What is the same in two values that a parameter may have; of two records, the fields of both, of two lists of one
/// length, the items.
pub fn join(left: &Value, right: &Value, depth: u8) -> Value {
    let origins = left.origins.with(right.origins);
    let data = match (&left.data, &right.data) {
        (Data::Record(a), Data::Record(b)) if depth < MAX_NESTING => {
            let in_both = |name: &Arc<str>| match (field(a, name), field(b, name)) {
                (Some(x), Some(y)) => join(x, y, depth + 1),
                (Some(one), None) | (None, Some(one)) => {
                    Value { data: Data::Unknown, origins: one.origins.with(Origins::DYNAMIC) }
                }
                (None, None) => Value::UNKNOWN,
            };
            let only_right = b.fields.iter().map(|(n, _)| n).filter(|name| field(a, name).is_none());
            let names = a.fields.iter().map(|(n, _)| n).chain(only_right);
            let fields = names.map(|name| (name.clone(), in_both(name))).collect();
            Data::Record(Arc::new(Record { fields, open: a.open || b.open, rest: a.rest.with(b.rest) }))
        }
        (a, b) if a == b => a.clone(),
        // A pair that is handed back in more than one place.
        (Data::List(a), Data::List(b)) if depth < MAX_NESTING && a.len() == b.len() => {
            Data::List(a.iter().zip(b.iter()).map(|(one, other)| join(one, other, depth + 1)).collect())
        }
        _ => Data::Unknown,
    };
    Value { data, origins }
}

fn field<'r>(record: &'r Record, name: &str) -> Option<&'r Value> {
    record.fields.iter().find(|(n, _)| &**n == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &[(&str, Value)]) -> Value {
        let fields = fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        Value { data: Data::Record(Arc::new(Record::closed(fields))), origins: Origins::default() }
    }

    fn from(origins: Origins) -> Value {
        Value { data: Data::Unknown, origins }
    }

    #[test]
    fn only_the_arguments_that_go_out_again_are_put_in() {
        let marked = from(Origins::PARAMETER.with(Origins::of_parameter(1)));
        let passed = [from(Origins::CAUGHT_ERROR), from(Origins::REQUEST)];
        assert_eq!(put_in(&marked, &passed).origins, Origins::REQUEST);
        assert_eq!(put_in(&from(Origins::ENV), &passed).origins, Origins::ENV);
    }

    #[test]
    fn a_spread_error_leaves_its_message_behind_but_a_serialised_one_does_not() {
        let marked = from(Origins::PARAMETER.with(Origins::of_parameter(0).spread()));
        assert_eq!(put_in(&marked, &[from(Origins::CAUGHT_ERROR)]).origins, Origins::default());
        let serialised = Origins::CAUGHT_ERROR.with(Origins::ERROR_STACK);
        assert_eq!(put_in(&marked, &[from(serialised)]).origins, serialised);
    }

    #[test]
    fn what_only_one_caller_passes_may_be_there() {
        let joined = join(&record(&[("a", Value::bool(true))]), &record(&[("b", Value::bool(true))]), 0);
        assert!(joined.field("a").is_unknown() && joined.field("b").is_unknown());
        assert!(joined.field("exp").is_absent());
    }
}
