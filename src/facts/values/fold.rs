//! Folds literals and operators: templates, objects, conditionals, sums, and methods of texts.
//!
//! In go the values of the parts, out comes the value of the whole.

use std::sync::Arc;

use smallvec::SmallVec;

use super::MAX_ITEMS;
use super::errors::{error_member, is_error};
use super::surroundings::shown_to_developers;
use crate::facts::apart::{join, spread_origins};
use crate::facts::checks::admits_known;
use crate::facts::model::{Data, Origins, Record, Value};
use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Atom, BinaryOp, ExprId, ExprKind, LogicalOp, Module, PropKind, Run, Step};

impl Evaluator<'_> {
    pub(super) fn template(&mut self, module: ModuleId, quasis: Run, exprs: u32) -> Value {
        let hir = self.program.module(module);
        let texts = &hir.lists[quasis.start as usize..(quasis.start + quasis.len) as usize];
        let holes: SmallVec<[ExprId; 4]> = hir.holes(quasis, exprs).collect();
        let mut text = String::new();
        let piece = |index: usize| texts.get(index).map_or("", |atom| hir.str(Atom(*atom)));
        let mut origins = Origins::of_start(piece(0));
        let mut constant = true;
        let mut first = None;
        for (index, atom) in texts.iter().enumerate() {
            text.push_str(hir.str(Atom(*atom)));
            if let Some(&hole) = holes.get(index) {
                let hole = ExprRef { module, expr: hole };
                let value = self.value(hole);
                let checked = self.checked_origins(hole, value.origins);
                origins = origins.joined(checked);
                // `${req.protocol}://…` chooses no host.
                if index == 0 && !piece(1).starts_with("://") {
                    origins = origins.with(Origins::of_begun(piece(0), checked));
                }
                match plain_text(&value) {
                    Some(part) => text.push_str(&part),
                    None => {
                        first.get_or_insert_with(|| (text.clone(), checked));
                        constant = false;
                    }
                }
            }
        }
        let origins = first.map_or(origins, |(before, first)| origins.hosted_by(&before, first));
        built(constant, text, origins)
    }

    pub(super) fn object(&mut self, module: ModuleId, run: Run) -> Value {
        let hir = self.program.module(module);
        let mut record = Record::default();
        let mut origins = Origins::default();
        for prop in hir.object(run).iter().take(MAX_ITEMS) {
            let at = ExprRef { module, expr: prop.value };
            match (prop.kind, prop.key) {
                (PropKind::Spread, _) => {
                    let spread = self.value(at);
                    origins = origins.with(spread_origins(&spread));
                    match spread.data {
                        Data::Record(other) => {
                            for (name, value) in &other.fields {
                                set_field(&mut record, name.clone(), value.clone());
                            }
                            record.open |= other.open;
                            record.rest = record.rest.with(other.rest);
                        }
                        Data::Absent | Data::Null | Data::Bool(_) => {}
                        _ => {
                            record.open = true;
                            record.rest = record.rest.with(spread.origins);
                        }
                    }
                }
                (PropKind::Value, Some(key)) => {
                    let value = self.value(at);
                    origins = origins.gathered(value.origins);
                    // Something stands there, whatever it is.
                    let value = if value.is_absent() && !matches!(hir.kind(prop.value), ExprKind::Undefined) {
                        Value { data: Data::Unknown, origins: value.origins }
                    } else {
                        value
                    };
                    set_field(&mut record, hir.str(key).into(), value);
                }
                (PropKind::Getter, Some(key)) => set_field(&mut record, hir.str(key).into(), Value::UNKNOWN),
                _ => record.open = true,
            }
        }
        record.open |= run.len as usize > MAX_ITEMS;
        Value { data: Data::Record(Arc::new(record)), origins }
    }

    pub(super) fn conditional(&mut self, module: ModuleId, test: ExprId, branches: Run) -> Value {
        let hir = self.program.module(module);
        let branches: SmallVec<[ExprId; 2]> = hir.list(branches).collect();
        let test_value = self.value(ExprRef { module, expr: test });
        let mut values: SmallVec<[Value; 2]> =
            branches.iter().map(|&expr| self.value(ExprRef { module, expr })).collect();
        for (index, (value, &branch)) in values.iter_mut().zip(&branches).enumerate() {
            if admits_known(hir, test, branch, index == 0) {
                value.origins = Origins::ALLOW_LISTED;
            }
        }
        if let Some(yes) = values.first_mut()
            && self.is_development(module, test)
        {
            *yes = shown_to_developers(yes);
        }
        let [yes, no] = values.as_slice() else { return Value::UNKNOWN };
        match test_value.data {
            Data::Bool(true) => return yes.clone(),
            Data::Bool(false) => return no.clone(),
            _ => {}
        }
        let by_environment = if test_value.origins.has(Origins::PROD) { Origins::PROD } else { Origins::default() };
        let origins = yes.origins.with(no.origins).with(by_environment);
        let data = match (&yes.data, &no.data) {
            (same, other) if same == other => same.clone(),
            (Data::Record(_), Data::Record(_)) => join(yes, no, 0).data,
            _ => Data::Unknown,
        };
        Value { data, origins }
    }

    pub(super) fn binary(&mut self, module: ModuleId, op: BinaryOp, left: ExprId, right: ExprId) -> Value {
        let (at_left, at_right) = (ExprRef { module, expr: left }, ExprRef { module, expr: right });
        let (left, right) = (self.value(at_left), self.value(at_right));
        match op {
            BinaryOp::Add => {
                if let (Data::Number(a), Data::Number(b)) = (&left.data, &right.data) {
                    return Value::number(a + b);
                }
                let (first, second) =
                    (self.checked_origins(at_left, left.origins), self.checked_origins(at_right, right.origins));
                let begins = match left.as_text() {
                    Some(text) => Origins::of_begun(text, second),
                    None => Origins::of_begun("", first),
                };
                let before = plain_text(&left).unwrap_or_default();
                let origins = first.joined(second).with(begins).hosted_by(&before, first);
                match (plain_text(&left), plain_text(&right)) {
                    (Some(a), Some(b)) => built(true, a + &b, origins),
                    _ => built(false, String::new(), origins),
                }
            }
            BinaryOp::Modulo if left.as_text().is_some() || left.origins.has(Origins::BUILT) => {
                let origins = self.checked_origins(at_left, left.origins);
                let begins = formatted_start(&left, '%', &right);
                let right = self.checked_origins(at_right, right.origins).without(Origins::LEADING);
                built(false, String::new(), origins.joined(right).with(begins))
            }
            BinaryOp::Multiply => match (&left.data, &right.data) {
                (Data::Number(a), Data::Number(b)) => Value::number(a * b),
                _ => Value { data: Data::Unknown, origins: Origins::DYNAMIC },
            },
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let production = [&left, &right].iter().any(|v| matches!(v.as_text(), Some("production" | "prod")));
                let environment = left.origins.with(right.origins).has(Origins::ENV);
                let origins = if production && environment { Origins::PROD } else { Origins::default() };
                Value { data: Data::Unknown, origins: origins.with(only_environment(left.origins.with(right.origins))) }
            }
            _ => Value { data: Data::Unknown, origins: Origins::default() },
        }
    }
}

/// What a text that is filled in (`"https://%s/x" % host`, `"{}/x".format(base)`) has by its start and its first value.
pub(super) fn formatted_start(pattern: &Value, mark: char, filled: &Value) -> Origins {
    let Some((before, after)) = pattern.as_text().and_then(|text| text.split_once(mark)) else {
        return Origins::default();
    };
    let first = match &filled.data {
        Data::List(items) => items.first().map_or(Origins::default(), |first| first.origins),
        _ => filled.origins,
    };
    let names_scheme = after.split_once(['s', '}']).is_some_and(|(_, rest)| rest.starts_with("://"));
    if names_scheme { Origins::default() } else { Origins::of_begun(before, first) }
}

pub(super) fn regex_origin(pattern: &str) -> Origins {
    let anchored = pattern.starts_with('^') && pattern.ends_with('$');
    if anchored { Origins::LITERAL } else { Origins::LITERAL.with(Origins::LOOSE_REGEX) }
}

pub(super) fn built(constant: bool, text: String, origins: Origins) -> Value {
    if constant {
        let origins = Origins(origins.0 | Origins::LITERAL.0);
        return Value { data: Data::Text(text.into()), origins };
    }
    let origins = Origins(origins.0 & !Origins::LITERAL.0).with(Origins::BUILT);
    Value { data: Data::Unknown, origins }
}

pub(super) fn plain_text(value: &Value) -> Option<String> {
    match &value.data {
        Data::Text(text) => Some(text.to_string()),
        Data::Number(number) => Some(number.to_string()),
        Data::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

pub(super) fn only_environment(origins: Origins) -> Origins {
    Origins(origins.0 & (Origins::PROD.0 | Origins::ENV.0))
}

pub(super) fn logical(op: LogicalOp, left: Value, right: Value) -> Value {
    let origins = left.origins.with(right.origins);
    match (op, &left.data) {
        (LogicalOp::And, Data::Bool(false) | Data::Null | Data::Absent) => left,
        (LogicalOp::And, Data::Bool(true)) => right,
        (LogicalOp::Or, Data::Bool(false) | Data::Null | Data::Absent) => right,
        (LogicalOp::Nullish, Data::Null | Data::Absent) => right,
        (
            LogicalOp::Or | LogicalOp::Nullish,
            Data::Text(_) | Data::Number(_) | Data::Record(_) | Data::List(_) | Data::Bool(_),
        ) => left,
        // `...(size > 0 && { take: size })`: the fields stand there at times.
        (LogicalOp::And, _) if matches!(right.data, Data::Record(_)) => {
            Value { data: sometimes(&right.data, left.origins), origins }
        }
        // `secure: isProd && true`, `debug && { stack }`
        (LogicalOp::And, _) => Value { data: Data::Unknown, origins },
        _ => Value { data: Data::Unknown, origins },
    }
}

/// The fields of a record that stands there only under a condition.
fn sometimes(data: &Data, condition: Origins) -> Data {
    let Data::Record(record) = data else { return Data::Unknown };
    let fields = record.fields.iter().map(|(name, value)| {
        let origins = value.origins.with(only_environment(condition)).with(Origins::DYNAMIC);
        (name.clone(), Value { data: Data::Unknown, origins })
    });
    Data::Record(Arc::new(Record { fields: fields.collect(), open: true, rest: Origins::default() }))
}

pub(super) fn set_field(record: &mut Record, name: Arc<str>, value: Value) {
    match record.fields.iter_mut().find(|(n, _)| *n == name) {
        Some(slot) => slot.1 = value,
        None => record.fields.push((name, value)),
    }
}

pub(super) fn follow(module: &Module, value: Value, steps: &[Step]) -> Value {
    let mut value = value;
    for step in steps {
        value = match step {
            Step::Property(name) => {
                if is_error(value.origins) {
                    error_member(&value, module.str(*name))
                } else {
                    let field = value.field(module.str(*name));
                    // What comes out of something unknown still comes from where that came from.
                    if field.is_unknown() { Value { data: Data::Unknown, origins: value.origins } } else { field }
                }
            }
            Step::Index(index) => match &value.data {
                Data::List(items) => items.get(*index as usize).cloned().unwrap_or(Value::ABSENT),
                _ => Value { data: Data::Unknown, origins: value.origins },
            },
            Step::Rest => Value { data: Data::Unknown, origins: value.origins },
        };
    }
    value
}

pub(super) fn fold_method(receiver: &Value, method: &str) -> Option<Value> {
    let text = receiver.as_text()?;
    let folded = match method {
        "toLowerCase" | "lower" => text.to_lowercase(),
        "toUpperCase" | "upper" => text.to_uppercase(),
        "trim" | "strip" => text.trim().to_owned(),
        "toString" => text.to_owned(),
        _ => return None,
    };
    Some(Value { data: Data::Text(folded.into()), origins: receiver.origins })
}
