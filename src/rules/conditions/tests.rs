use std::sync::Arc;

use super::*;
use crate::facts::{Data, Origins, Record};
use crate::rules::document;

struct Bag(Vec<(&'static str, Value)>);

impl Fields for Bag {
    fn field(&self, name: &str) -> Option<Value> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone())
    }
}

fn lexicons() -> Arc<Lexicons> {
    Arc::new(Lexicons::parse("lexicons.toml", include_str!("../../../rules/lexicons.toml")).unwrap())
}

fn parse(text: &str) -> Result<Condition, crate::rules::Problem> {
    let lexicons = lexicons();
    let root = document::parse("c.toml", &format!("c = {text}")).unwrap();
    let fields = ["x", "y", "opts", "columns", "phase"];
    let known = Known { site: Some(fields.to_vec()), fields: fields.to_vec(), lexicons: &lexicons };
    Condition::parse(root.get("c").unwrap(), &known)
}

#[track_caller]
fn holds(condition: &str, x: Value) -> Tri {
    parse(condition).unwrap().matches(&Bag(vec![("x", x)]))
}

/// Writes a value as TOML would.
fn value(text: &str) -> Value {
    let root = document::parse("v.toml", &format!("v = {text}")).unwrap();
    Value::from(root.get("v").unwrap())
}

fn from(origins: Origins) -> Value {
    Value { data: Data::Unknown, origins }
}

#[test]
fn scalars_and_lists_of_alternatives() {
    assert_eq!(holds("{ x = 1 }", value("1")), Tri::True);
    assert_eq!(holds("{ x = 'a' }", value("'b'")), Tri::False);
    assert_eq!(holds("{ x = ['a', false] }", value("false")), Tri::True);
    assert_eq!(holds("{ x = [] }", value("1")), Tri::False);
    assert_eq!(holds("{ x = 'a' }", value("['a']")), Tri::False);
    assert_eq!(holds("{ x = 'a' }", Value::ABSENT), Tri::False);
    assert_eq!(holds("true", Value::ABSENT), Tri::True);
}

#[test]
fn so_many_of_several() {
    let two = "{ at_least = { min = 2, of = [{ x = '/a/' }, { x = '/b/' }, { x = '/c/' }] } }";
    assert_eq!(holds(two, value("'ac'")), Tri::True);
    assert_eq!(holds(two, value("'c'")), Tri::False);
    assert_eq!(holds("{ at_least = { min = 2, of = [{ x = '/a/' }, { y = 1 }] } }", value("'b'")), Tri::False);
    let unknown = Value { data: Data::Unknown, origins: Origins::default() };
    assert_eq!(holds("{ at_least = { min = 1, of = [{ x = 1 }, { y = 1 }] } }", unknown.clone()), Tri::Unknown);
    assert_eq!(holds("{ at_least = { min = 2, of = [{ x = 1 }, { y = 1 }] } }", unknown), Tri::False);
    for broken in [
        "{ at_least = { min = 3, of = [{ x = 1 }] } }",
        "{ at_least = { min = 1 } }",
        "{ at_least = { min = 0, of = [] } }",
        "{ at_least = [] }",
    ] {
        assert!(parse(broken).is_err(), "{broken}");
    }
}

#[test]
fn regular_expressions_and_literal_paths() {
    assert_eq!(holds("{ x = '/^ab+$/i' }", value("'ABB'")), Tri::True);
    assert_eq!(holds("{ x = '/health' }", value("'/health'")), Tri::True);
    assert_eq!(holds("{ x = '\\/a/' }", value("'/a/'")), Tri::True);
    assert_eq!(holds("{ x = '/5/' }", value("50")), Tri::True);
}

#[test]
fn lexicons_and_combinations() {
    let condition = "{ x = { all = ['@money', { not = '@minor-unit' }] } }";
    assert_eq!(holds(condition, value("'total'")), Tri::True);
    assert_eq!(holds(condition, value("'priceCents'")), Tri::False);
    assert_eq!(holds("{ x = { any = ['a', '@money'] } }", value("'price'")), Tri::True);
}

#[test]
fn unknown_values_make_everything_unknown_but_any_and_unknown() {
    for condition in [
        "{ x = 1 }",
        "{ x = '@money' }",
        "{ x = { has = 'a' } }",
        "{ x = ':absent' }",
        "{ x = ':request' }",
        "{ x = { min = 1 } }",
        "{ x = { len = { min = 1 } } }",
        "{ x = { a = 1 } }",
        "{ x = { within = ['a'] } }",
    ] {
        assert_eq!(holds(condition, Value::UNKNOWN), Tri::Unknown, "{condition}");
    }
    assert_eq!(holds("{ x = ':any' }", Value::UNKNOWN), Tri::True);
    assert_eq!(holds("{ x = ':unknown' }", Value::UNKNOWN), Tri::True);
    assert_eq!(holds("{ x = ':unknown' }", value("1")), Tri::False);
}

#[test]
fn origins_are_known_even_where_the_value_is_not() {
    assert_eq!(holds("{ x = ':request' }", from(Origins::REQUEST)), Tri::True);
    assert_eq!(holds("{ x = { all = [':request', { not = ':allow-listed' }] } }", from(Origins::REQUEST)), Tri::True);
    assert_eq!(holds("{ x = ':absent' }", from(Origins::ENV)), Tri::False);
    assert_eq!(holds("{ x = ':absent' }", from(Origins::DYNAMIC)), Tri::Unknown);
    assert_eq!(holds("{ x = ':absent' }", Value::ABSENT), Tri::True);
    let list = Value::list(vec![Value::text("a"), from(Origins::LOOP_VARIABLE)]);
    assert_eq!(holds("{ x = ':loop-variable' }", list), Tri::True);
    assert_eq!(holds("{ x = ':loop-variable' }", value("['a']")), Tri::False);
}

#[test]
fn has_looks_into_lists_and_keys() {
    assert_eq!(holds("{ x = { has = ['a', 'b'] } }", value("['c', 'b']")), Tri::True);
    assert_eq!(holds("{ x = { has = 'SIGTERM' } }", value("'SIGTERM'")), Tri::True);
    assert_eq!(holds("{ x = { has = { not = [false, 'r'] } } }", value("[false, 'r']")), Tri::False);
    assert_eq!(holds("{ x = { has = 'k' } }", value("{ k = 1 }")), Tri::True);
    assert_eq!(holds("{ x = { has = 'k' } }", Value::ABSENT), Tri::False);
    let with_unknown = Value::list(vec![Value::text("c"), Value::UNKNOWN]);
    assert_eq!(holds("{ x = { has = 'a' } }", with_unknown.clone()), Tri::Unknown);
    assert_eq!(holds("{ x = { has = 'c' } }", with_unknown), Tri::True);
    assert_eq!(holds("{ x = { has = 'auth' } }", value("['validate', ':opaque']")), Tri::Unknown);
    assert_eq!(holds("{ x = { has = 'auth' } }", value("['validate', ':maybe-auth']")), Tri::Unknown);
    assert_eq!(holds("{ x = { has = 'rate-limit' } }", value("['validate', ':maybe-auth']")), Tri::False);
}

#[test]
fn open_records_do_not_know_what_they_lack() {
    let record = |open| Value {
        data: Data::Record(Arc::new(Record {
            fields: vec![("secure".into(), Value::bool(true))],
            open,
            rest: Origins::default(),
        })),
        origins: Origins::default(),
    };
    assert_eq!(holds("{ x = { httpOnly = ':absent' } }", record(true)), Tri::Unknown);
    assert_eq!(holds("{ x = { httpOnly = ':absent' } }", record(false)), Tri::True);
    assert_eq!(holds("{ x = { secure = true } }", record(true)), Tri::True);
    assert_eq!(holds("{ x = { has = 'httpOnly' } }", record(true)), Tri::Unknown);
}

#[test]
fn bounds_read_sizes_and_durations() {
    assert_eq!(holds("{ x = { max = '1mb' } }", value("'100kb'")), Tri::True);
    assert_eq!(holds("{ x = { max = '1mb' } }", value("'50mb'")), Tri::False);
    assert_eq!(holds("{ x = { max = '1mb' } }", value("2000000")), Tri::False);
    assert_eq!(holds("{ x = { min = 500, max = 599 } }", value("503")), Tri::True);
    assert_eq!(holds("{ x = { max = '1h' } }", value("'30d'")), Tri::False);
    assert_eq!(holds("{ x = { min = 1 } }", value("'many'")), Tri::False);
    assert_eq!(holds("{ x = { max = '1mb' } }", value("'1h'")), Tri::Unknown);
    assert_eq!(holds("{ x = { max = { max = 100 } } }", value("{ max = 50 }")), Tri::True);
    assert_eq!(holds("{ x = { max = 50 } }", value("{ max = 50 }")), Tri::True);
}

#[test]
fn lengths() {
    assert_eq!(holds("{ x = { len = { min = 2 } } }", value("['a', 'b']")), Tri::True);
    assert_eq!(holds("{ x = { len = 0 } }", Value::ABSENT), Tri::True);
    assert_eq!(holds("{ x = { len = 3 } }", value("'äöü'")), Tri::True);
}

#[test]
fn sets_and_paths() {
    assert_eq!(holds("{ x = { within = ['a', 'b'] } }", value("['a']")), Tri::True);
    assert_eq!(holds("{ x = { within = ['a'] } }", value("['a', 'b']")), Tri::False);
    assert_eq!(holds("{ x = { covers = ['a'] } }", value("['a', 'b']")), Tri::True);
    assert_eq!(holds("{ x = { covers = '/api/users' } }", value("'/api'")), Tri::True);
    assert_eq!(holds("{ x = { covers = '/apis' } }", value("'/api'")), Tri::False);
    assert_eq!(holds("{ x = { covers = '/api' } }", Value::ABSENT), Tri::False);
}

#[test]
fn an_index_serves_equality_then_order() {
    let test = |condition: &str, columns: &str, x: &str, y: &str| {
        let bag = Bag(vec![("columns", value(columns)), ("x", value(x)), ("y", value(y))]);
        let lexicons = lexicons();
        let context = Context { subject: &bag, site: Some(&bag), world: None, lexicons: &lexicons };
        parse(condition).unwrap().evaluate(&context).tri
    };
    let both = "{ columns = { serves = '$x', then = '$y' } }";
    assert_eq!(test(both, "['b', 'a', 'date']", "['a', 'b']", "['-date']"), Tri::True);
    assert_eq!(test(both, "['a']", "['a']", "['date']"), Tri::False);
    assert_eq!(test(both, "['date', 'a']", "['a']", "['date']"), Tri::False);
    assert_eq!(test(both, "['a', 'date']", "['a']", "['date desc']"), Tri::True);
    assert_eq!(test("{ columns = { serves = '$x' } }", "['a', 'b']", "'a'", "[]"), Tri::True);
    assert_eq!(test("{ columns = { serves = '$x' } }", "['a', 'b']", "'b'", "[]"), Tri::False);
    assert_eq!(test("{ x = '$y' }", "[]", "'m'", "['l', 'm']"), Tri::True);
}

#[test]
fn connectives() {
    let bag = |x, y| Bag(vec![("x", x), ("y", y)]);
    let test = |condition: &str, bag: &Bag| parse(condition).unwrap().matches(bag);
    let any = "{ any = [{ x = 1 }, { y = 1 }] }";
    assert_eq!(test(any, &bag(value("2"), value("1"))), Tri::True);
    assert_eq!(test(any, &bag(value("2"), Value::UNKNOWN)), Tri::Unknown);
    assert_eq!(test("{ not = { x = 1 } }", &bag(value("2"), Value::ABSENT)), Tri::True);
    assert_eq!(test("{ all = [{ x = 1 }, { y = 1 }] }", &bag(value("1"), value("2"))), Tri::False);
    assert_eq!(test("{ some = { fact = 'route' } }", &bag(value("1"), value("1"))), Tri::Unknown);
}

#[track_caller]
fn mistake(condition: &str, message: &str, help: &str) {
    let problem = parse(condition).unwrap_err();
    assert_eq!((problem.message.as_str(), problem.help.as_deref().unwrap_or("")), (message, help));
}

#[test]
fn mistakes_have_suggestions() {
    mistake("{ colums = 'a' }", "there is no field `colums` here", "did you mean `columns`?");
    mistake("{ x = '@monney' }", "there is no lexicon `@monney`", "did you mean `money`?");
    mistake("{ x = ':requst' }", "there is no origin `:requst`", "did you mean `request`?");
    mistake("{ x = '$colums' }", "the site has no field `colums`", "did you mean `columns`?");
    mistake("{ some = { fact = 'rout' } }", "there is no kind of fact `rout`", "did you mean `route`?");
    mistake("{ some = { fact = 'route', via = 'fil' } }", "`via` cannot be `fil`", "did you mean `file`?");
    mistake("{ some = { fact = 'route', pth = 'x' } }", "there is no field `pth` here", "did you mean `path`?");
    mistake("{ columns = { serve = '$x' } }", "there is no predicate `serve`", "did you mean `serves`?");
    mistake("{ phase = 'requst' }", "this field is never `requst`", "did you mean `request`?");
    mistake("{ count = { fact = 'route' } }", "`count` needs `min` or `max`", "");
    mistake("{ some = { fact = 'route', min = 2 } }", "`min` belongs to `count`", "");
    mistake("{ some = { fact = 'route', hops = 2 } }", "`hops` needs `via = \"reaches\"` or \"reached-from\"", "");
}

#[test]
fn deep_nesting_is_refused() {
    let mut text = String::from("{ x = 1 }");
    for _ in 0..40 {
        text = format!("{{ not = {text} }}");
    }
    assert!(parse(&text).unwrap_err().message.contains("too deep"));
}
