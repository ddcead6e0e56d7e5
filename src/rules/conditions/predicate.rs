//! Questions about one value.

use std::borrow::Cow;
use std::sync::Arc;

use super::expression::LazyRegex;
use super::quantity::Quantity;
use super::{Context, Tri};
use crate::facts::{Data, Origins, Value};
use crate::rules::lexicon::LexiconId;

/// A question about a value. Scalars ask for equality; a value that is no list counts as a list of one under `has`.
#[derive(Debug, Clone)]
pub enum Predicate {
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    Regex(LazyRegex),
    Lexicon(LexiconId),
    Origin(OriginTest),
    /// The same as a field of the site.
    Same(Operand),
    OneOf(Vec<Predicate>),
    AllOf(Vec<Predicate>),
    Not(Box<Predicate>),
    /// Some element of a list, or some key of a record.
    Has(Box<Predicate>),
    Len(Box<Predicate>),
    /// Some element of a list, or some value of a record.
    SomeValue(Box<Predicate>),
    /// The value as one piece: nobody knows what it holds, or something like that was spread into a record.
    Whole(Box<Predicate>),
    /// `min` (at least) or `max` (at most). On a record it is the field of that name.
    Bound {
        least: bool,
        quantity: Option<Quantity>,
        field: Box<Predicate>,
    },
    /// An index over these columns answers equality on the first operand, ordered by the second.
    Serves {
        equal: Operand,
        then: Option<Operand>,
    },
    /// All elements are among those of the operand; a path lies under the operand's.
    Within(Operand),
    /// All elements of the operand are among these; the operand's path lies under this one.
    Covers(Operand),
    /// A field of a record.
    Field(Arc<str>, Box<Predicate>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginTest {
    From(Origins),
    Absent,
    Any,
    Unknown,
}

/// What a value is compared with.
#[derive(Debug, Clone)]
pub enum Operand {
    /// `$field` or `$field.inner` of the site.
    Site(Vec<Arc<str>>),
    Value(Value),
}

impl Operand {
    fn value<'v>(&'v self, context: &Context<'v>) -> Cow<'v, Value> {
        match self {
            Operand::Value(value) => Cow::Borrowed(value),
            Operand::Site(path) => {
                let Some((first, rest)) = path.split_first() else { return Cow::Owned(Value::UNKNOWN) };
                let Some(site) = context.site else { return Cow::Owned(Value::UNKNOWN) };
                let value = site.look_at(first).unwrap_or(Cow::Owned(Value::ABSENT));
                rest.iter().fold(value, |value, name| Cow::Owned(inner(&value, name, context)))
            }
        }
    }
}

/// A field of a record or of the fact that the value refers to.
fn inner(value: &Value, name: &str, context: &Context<'_>) -> Value {
    match (&value.data, context.world) {
        (Data::Fact(id), Some(world)) => world.fact_field(*id, name).unwrap_or(Value::ABSENT),
        (Data::Fact(_), None) => Value::UNKNOWN,
        _ => value.field(name),
    }
}

impl Predicate {
    pub fn holds(&self, value: &Value, context: &Context<'_>) -> Tri {
        match self {
            Predicate::Origin(test) => test.holds(value),
            Predicate::OneOf(tests) => Tri::any(tests.iter().map(|test| test.holds(value, context))),
            Predicate::AllOf(tests) => Tri::all(tests.iter().map(|test| test.holds(value, context))),
            Predicate::Not(test) => test.holds(value, context).negate(),
            Predicate::Field(name, test) => test.holds(&inner(value, name, context), context),
            Predicate::Whole(test) => whole(value).map_or(Tri::False, |piece| test.holds(&piece, context)),
            _ if value.is_unknown() => Tri::Unknown,
            Predicate::Bool(expected) => Tri::from(matches!(value.data, Data::Bool(actual) if actual == *expected)),
            Predicate::Number(expected) => Tri::from(matches!(value.data, Data::Number(actual) if actual == *expected)),
            Predicate::Text(expected) => Tri::from(value.as_text() == Some(expected)),
            Predicate::Regex(regex) => matches_regex(regex, value),
            Predicate::Lexicon(id) => {
                Tri::from(value.as_text().is_some_and(|text| context.lexicons.contains(*id, text)))
            }
            Predicate::Same(operand) => same(value, &operand.value(context)),
            Predicate::Has(test) => has(test, value, context),
            Predicate::Len(test) => test.holds(&Value::number(length(value)), context),
            Predicate::SomeValue(test) => match &value.data {
                Data::List(items) => Tri::any(items.iter().map(|item| test.holds(item, context))),
                Data::Record(record) => Tri::any(record.fields.iter().map(|(_, item)| test.holds(item, context))),
                _ => Tri::False,
            },
            Predicate::Bound { least, quantity, field } => match &value.data {
                Data::Record(_) => {
                    let name = if *least { "min" } else { "max" };
                    field.holds(&value.field(name), context)
                }
                _ => quantity.map_or(Tri::False, |bound| bounded(*least, bound, value)),
            },
            Predicate::Serves { equal, then } => {
                let then = then.as_ref().map(|operand| operand.value(context));
                serves(value, &equal.value(context), then.as_deref())
            }
            Predicate::Within(operand) => covered(value, &operand.value(context)),
            Predicate::Covers(operand) => covered(&operand.value(context), value),
        }
    }

    pub fn mentions_site(&self) -> bool {
        match self {
            Predicate::Same(operand) | Predicate::Within(operand) | Predicate::Covers(operand) => operand.is_site(),
            Predicate::Serves { equal, then } => equal.is_site() || then.as_ref().is_some_and(Operand::is_site),
            Predicate::OneOf(tests) | Predicate::AllOf(tests) => tests.iter().any(Predicate::mentions_site),
            Predicate::Not(test)
            | Predicate::Has(test)
            | Predicate::Len(test)
            | Predicate::SomeValue(test)
            | Predicate::Whole(test)
            | Predicate::Field(_, test) => test.mentions_site(),
            Predicate::Bound { field, .. } => field.mentions_site(),
            _ => false,
        }
    }

    pub fn broken_regex(&self) -> Option<String> {
        match self {
            Predicate::Regex(regex) => regex.broken(),
            Predicate::OneOf(tests) | Predicate::AllOf(tests) => tests.iter().find_map(Predicate::broken_regex),
            Predicate::Not(test)
            | Predicate::Has(test)
            | Predicate::Len(test)
            | Predicate::SomeValue(test)
            | Predicate::Whole(test)
            | Predicate::Field(_, test) => test.broken_regex(),
            _ => None,
        }
    }
}

impl Operand {
    fn is_site(&self) -> bool {
        matches!(self, Operand::Site(_))
    }
}

impl OriginTest {
    fn holds(self, value: &Value) -> Tri {
        let certainly_there = !matches!(value.origins.without(Origins::SHAPE), Origins(0) | Origins::DYNAMIC);
        match (self, &value.data) {
            (OriginTest::Unknown, data) => Tri::from(matches!(data, Data::Unknown)),
            (OriginTest::Any, data) => Tri::from(!matches!(data, Data::Absent)),
            (OriginTest::Absent, Data::Unknown) if !certainly_there => Tri::Unknown,
            (OriginTest::Absent, data) => Tri::from(matches!(data, Data::Absent)),
            (OriginTest::From(origin), _) => comes_from(value, origin, MAX_DEPTH),
        }
    }
}

/// Values nest no deeper than this for the question where they come from.
const MAX_DEPTH: u8 = 8;

/// A list or record comes from wherever one of its parts comes from.
fn comes_from(value: &Value, origin: Origins, depth: u8) -> Tri {
    if value.origins.has(origin) {
        return Tri::True;
    }
    match &value.data {
        _ if depth == 0 => Tri::Unknown,
        Data::Unknown if value.origins.without(Origins::SHAPE) == Origins::default() => Tri::Unknown,
        Data::List(items) => Tri::any(items.iter().map(|item| comes_from(item, origin, depth - 1))),
        Data::Record(record) => {
            let parts = Tri::any(record.fields.iter().map(|(_, item)| comes_from(item, origin, depth - 1)));
            if record.open { parts.or(Tri::Unknown) } else { parts }
        }
        _ => Tri::False,
    }
}

fn matches_regex(regex: &LazyRegex, value: &Value) -> Tri {
    let Some(regex) = regex.get() else { return Tri::Unknown };
    match &value.data {
        Data::Text(text) => Tri::from(regex.is_match(text)),
        Data::Number(number) => Tri::from(regex.is_match(&number.to_string())),
        _ => Tri::False,
    }
}

/// An element that stands for something opaque (`:opaque` among the roles of a route, or `:maybe-auth`): what is not found may
/// be in it.
pub fn is_opaque(item: &Value) -> bool {
    item.is_unknown() || item.as_text() == Some(":opaque") || doubted(item).is_some()
}

/// The name of what may or may not be there: `:maybe-auth`
fn doubted(item: &Value) -> Option<&str> {
    item.as_text()?.strip_prefix(":maybe-")
}

fn has(test: &Predicate, value: &Value, context: &Context<'_>) -> Tri {
    let item_holds = |item: &Value| match (test.holds(item, context), doubted(item)) {
        (Tri::True, _) => Tri::True,
        (other, Some(name)) => match test.holds(&Value::text(name), context) {
            Tri::True => Tri::Unknown,
            _ => other,
        },
        (_, None) if is_opaque(item) => Tri::Unknown,
        (other, None) => other,
    };
    match &value.data {
        Data::Absent => Tri::False,
        Data::List(items) => Tri::any(items.iter().map(item_holds)),
        Data::Record(record) => {
            let keys = Tri::any(record.fields.iter().map(|(key, _)| test.holds(&Value::text(key.clone()), context)));
            if record.open { keys.or(Tri::Unknown) } else { keys }
        }
        _ => item_holds(value),
    }
}

/// What of a value nobody can take apart: all of it, or what was spread into a record.
fn whole(value: &Value) -> Option<Value> {
    match &value.data {
        Data::Unknown => Some(value.clone()),
        Data::Record(record) if record.open => Some(Value { data: Data::Unknown, origins: record.rest }),
        _ => None,
    }
}

fn length(value: &Value) -> f64 {
    let length = match &value.data {
        Data::List(items) => items.len(),
        Data::Record(record) => record.fields.len(),
        Data::Text(text) => text.chars().count(),
        Data::Absent | Data::Null => 0,
        _ => 1,
    };
    length as f64
}

fn bounded(least: bool, bound: Quantity, value: &Value) -> Tri {
    let quantity = match &value.data {
        Data::Number(number) => Some(Quantity::plain(*number)),
        Data::Text(text) => Quantity::parse(text),
        _ => None,
    };
    let Some(quantity) = quantity else { return Tri::False };
    let holds = if least { quantity.at_least(bound) } else { bound.at_least(quantity) };
    holds.map_or(Tri::Unknown, Tri::from)
}

/// Whether two values are the same; a list holds what is one of it.
pub fn same(left: &Value, right: &Value) -> Tri {
    match (&left.data, &right.data) {
        (Data::Unknown, _) | (_, Data::Unknown) => Tri::Unknown,
        (Data::List(a), Data::List(b)) => {
            if a.len() == b.len() {
                Tri::all(a.iter().zip(b.iter()).map(|(left, right)| same(left, right)))
            } else {
                Tri::False
            }
        }
        (Data::List(items), _) => Tri::any(items.iter().map(|item| same(item, right))),
        (_, Data::List(items)) => Tri::any(items.iter().map(|item| same(left, item))),
        (left, right) => Tri::from(left == right),
    }
}

/// The elements of a list, a scalar as one, nothing as none.
fn elements(value: &Value) -> &[Value] {
    match &value.data {
        Data::List(items) => items,
        Data::Absent | Data::Null => &[],
        _ => std::slice::from_ref(value),
    }
}

/// The name of a column without its direction (`-created`, `created desc`).
fn column(value: &Value) -> Option<&str> {
    value.as_text().and_then(|text| text.trim_start_matches(['-', '+']).split_whitespace().next())
}

fn columns(value: &Value) -> Option<Vec<&str>> {
    elements(value).iter().map(column).collect()
}

/// A set of equality columns, then an order, is a prefix of the index.
fn serves(index: &Value, equal: &Value, then: Option<&Value>) -> Tri {
    if equal.is_unknown() || then.is_some_and(Value::is_unknown) {
        return Tri::Unknown;
    }
    let then = then.unwrap_or(&Value::ABSENT);
    let (Some(index), Some(mut equal), Some(mut order)) = (columns(index), columns(equal), columns(then)) else {
        return Tri::Unknown;
    };
    equal.sort_unstable();
    equal.dedup();
    order.retain(|column| !equal.contains(column));
    let (Some(head), Some(tail)) = (index.get(..equal.len()), index.get(equal.len()..)) else { return Tri::False };
    Tri::from(head.iter().all(|column| equal.contains(column)) && tail.starts_with(&order))
}

/// All elements of the inner value are among those of the outer; a path lies under the other by whole segments.
fn covered(inside: &Value, outside: &Value) -> Tri {
    if inside.is_unknown() || outside.is_unknown() {
        return Tri::Unknown;
    }
    if inside.is_absent() || outside.is_absent() {
        return Tri::False;
    }
    let outer = elements(outside);
    Tri::all(
        elements(inside)
            .iter()
            .map(|item| Tri::any(outer.iter().map(|other| same(item, other).or(under(item, other))))),
    )
}

fn under(inside: &Value, outside: &Value) -> Tri {
    let (Some(inside), Some(outside)) = (inside.as_text(), outside.as_text()) else { return Tri::False };
    if !outside.starts_with('/') {
        return Tri::False;
    }
    let prefix = outside.trim_end_matches(['*', '/']);
    Tri::from(inside.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
