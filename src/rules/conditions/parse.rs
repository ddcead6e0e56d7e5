//! From TOML to conditions; everything that is named is checked against what is known.

use std::sync::Arc;

use super::expression::LazyRegex;
use super::predicate::{Operand, OriginTest, Predicate};
use super::quantity::Quantity;
use super::{Clause, Condition, ENGINE_FIELDS, Pattern, Quantifier, Via, closed_words};
use crate::facts::{Data, Origins, VOCABULARY, Value};
use crate::rules::document::{as_count, as_table, as_text, as_texts, at, at_key, choice, only_keys};
use crate::rules::error::{Problem, nearest};
use crate::rules::lexicon::Lexicons;
use crate::syntax::{Entry, Node, NodeData};

/// Keys of a condition that are no fields.
pub const CLAUSE_KEYS: &[&str] = &["any", "all", "not", "at_least", "some", "none", "count"];
/// Keys of a fact pattern that are no fields.
pub const PATTERN_KEYS: &[&str] = &["fact", "via", "hops", "before", "after", "min", "max", "per"];
/// Keys of a predicate that are no fields of a record.
pub const PREDICATE_KEYS: &[&str] =
    &["not", "has", "all", "any", "min", "max", "len", "some_value", "whole", "serves", "then", "within", "covers"];
pub const VIA: &[(&str, Via)] = &[
    ("service", Via::Service),
    ("file", Via::File),
    ("function", Via::Function),
    ("inside", Via::Inside),
    ("reaches", Via::Reaches),
    ("handles", Via::Handles),
    ("reached-from", Via::ReachedFrom),
    ("chain", Via::Chain),
];

/// How far calls are followed unless a pattern says otherwise.
const DEFAULT_HOPS: u8 = 4;
const MAX_HOPS: u32 = 32;
/// Deeper tables are refused.
const MAX_NESTING: u8 = 32;

/// What names mean where a condition stands.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// Fields of the subject.
    pub fields: Vec<&'a str>,
    /// Fields of the site for `$field`; none where there is no site.
    pub site: Option<Vec<&'a str>>,
    pub lexicons: &'a Arc<Lexicons>,
}

impl<'a> Known<'a> {
    /// For conditions over something that is no fact (the projections of a stack's clause).
    pub fn fields(fields: &[&'a str], lexicons: &'a Arc<Lexicons>) -> Known<'a> {
        Known { fields: fields.to_vec(), site: None, lexicons }
    }

    /// For conditions over facts of these kinds, which are sites themselves.
    pub fn site(kinds: &[Arc<str>], lexicons: &'a Arc<Lexicons>) -> Known<'a> {
        let fields = fields_of(kinds);
        Known { site: Some(fields.clone()), fields, lexicons }
    }

    /// For conditions over a whole service.
    pub fn service(lexicons: &'a Arc<Lexicons>) -> Known<'a> {
        Known { fields: Vec::new(), site: None, lexicons }
    }
}

/// The fields of some kinds of fact, with the engine's.
pub fn fields_of(kinds: &[Arc<str>]) -> Vec<&'static str> {
    let of_kinds =
        VOCABULARY.iter().filter(|(kind, _)| kinds.iter().any(|k| &**k == *kind)).flat_map(|(_, fields)| fields.iter());
    of_kinds.chain(ENGINE_FIELDS).copied().collect()
}

/// The kinds of fact that a `fact = …` names.
pub fn kinds(node: &Node) -> Result<Vec<Arc<str>>, Problem> {
    let names = as_texts(node, "`fact`")?;
    let unknown = names.iter().find(|name| !VOCABULARY.iter().any(|(kind, _)| kind == *name));
    match unknown {
        Some(name) => Err(at(node, format!("there is no kind of fact `{name}`"))
            .suggest(name, VOCABULARY.iter().map(|(kind, _)| *kind))),
        None if names.is_empty() => Err(at(node, "`fact` names no kind of fact")),
        None => Ok(names.into_iter().map(Into::into).collect()),
    }
}

impl Condition {
    /// Parses a condition: a table, or `true` / `false`.
    pub fn parse(node: &Node, known: &Known<'_>) -> Result<Condition, Problem> {
        Parser { known, depth: 0 }.condition(node, &[])
    }

    /// Parses a condition whose table holds further keys that mean something else.
    pub fn parse_except(node: &Node, known: &Known<'_>, except: &[&str]) -> Result<Condition, Problem> {
        Parser { known, depth: 0 }.condition(node, except)
    }
}

struct Parser<'a> {
    known: &'a Known<'a>,
    depth: u8,
}

impl Parser<'_> {
    fn deeper(&self, node: &Node) -> Result<Parser<'_>, Problem> {
        if self.depth >= MAX_NESTING {
            return Err(at(node, "conditions nest too deep"));
        }
        Ok(Parser { known: self.known, depth: self.depth + 1 })
    }

    fn condition(&self, node: &Node, except: &[&str]) -> Result<Condition, Problem> {
        if let NodeData::Bool(value) = node.data {
            return Ok(Condition::constant(value));
        }
        let parser = self.deeper(node)?;
        let mut clauses = Vec::new();
        for entry in as_table(node, "a condition")?.entries() {
            if !except.contains(&&*entry.key) {
                parser.clause(entry, &mut clauses)?;
            }
        }
        clauses.sort_by_key(Clause::is_quantified);
        Ok(Condition { clauses, lexicons: self.known.lexicons.clone() })
    }

    fn clause(&self, entry: &Entry, clauses: &mut Vec<Clause>) -> Result<(), Problem> {
        match &*entry.key {
            "any" => clauses.push(Clause::Any(self.conditions(&entry.value)?)),
            "all" => clauses.push(Clause::All(self.conditions(&entry.value)?)),
            "not" => clauses.push(Clause::Not(self.condition(&entry.value, &[])?)),
            "at_least" => clauses.push(self.at_least(&entry.value)?),
            "some" => self.patterns(&entry.value, clauses, &|pattern| Quantifier::Some(pattern))?,
            "none" => self.patterns(&entry.value, clauses, &|pattern| Quantifier::None(pattern))?,
            "count" => self.counts(&entry.value, clauses)?,
            _ => clauses.push(self.field(entry)?),
        }
        Ok(())
    }

    /// `{ min = 2, of = [{…}, {…}, {…}] }`
    fn at_least(&self, node: &Node) -> Result<Clause, Problem> {
        only_keys(as_table(node, "`at_least`")?, "`at_least`", &["min", "of"])?;
        let missing = |key: &str| at(node, format!("`at_least` needs `{key}`"));
        let min = as_count(node.get("min").ok_or_else(|| missing("min"))?, "`min`", u32::MAX)?;
        let of = self.conditions(node.get("of").ok_or_else(|| missing("of"))?)?;
        match of.len() {
            all if (min as usize) > all => Err(at(node, format!("`at_least` asks for {min} of {all}"))),
            _ if min == 0 => Err(at(node, "`at_least` needs a `min` of one or more")),
            _ => Ok(Clause::AtLeast(min, of)),
        }
    }

    fn conditions(&self, node: &Node) -> Result<Vec<Condition>, Problem> {
        match &node.data {
            NodeData::List(items) => items.iter().map(|item| self.condition(item, &[])).collect(),
            _ => Err(at(node, "this must be a list of conditions")),
        }
    }

    /// A field of the subject with its predicate.
    fn field(&self, entry: &Entry) -> Result<Clause, Problem> {
        let name = &*entry.key;
        if !self.known.fields.contains(&name) {
            let words = self.known.fields.iter().chain(CLAUSE_KEYS).copied();
            return Err(at_key(entry, format!("there is no field `{name}` here")).suggest(name, words));
        }
        let words = closed_words(name);
        let test = self.predicate(&entry.value, words.as_deref())?;
        Ok(Clause::Field { name: name.into(), test })
    }

    fn patterns(
        &self,
        node: &Node,
        clauses: &mut Vec<Clause>,
        make: &dyn Fn(Pattern) -> Quantifier,
    ) -> Result<(), Problem> {
        for table in one_or_many(node) {
            let (pattern, counted) = self.pattern(table)?;
            if let Some(entry) = counted {
                return Err(at_key(entry, format!("`{}` belongs to `count`", entry.key)));
            }
            clauses.push(Clause::Quantified(make(pattern)));
        }
        Ok(())
    }

    fn counts(&self, node: &Node, clauses: &mut Vec<Clause>) -> Result<(), Problem> {
        for table in one_or_many(node) {
            let (pattern, _) = self.pattern(table)?;
            let limit =
                |key: &str| table.get(key).map(|node| as_count(node, &format!("`{key}`"), u32::MAX)).transpose();
            let (min, max) = (limit("min")?, limit("max")?);
            if min.is_none() && max.is_none() {
                return Err(at(table, "`count` needs `min` or `max`"));
            }
            let per = table.get("per").map(|node| as_text(node, "`per`").map(|text| (node, text))).transpose()?;
            if let Some((node, field)) = per {
                let fields = fields_of(&pattern.kinds);
                if !fields.contains(&field) {
                    return Err(at(node, format!("there is no field `{field}` here")).suggest(field, fields));
                }
            }
            let per = per.map(|(_, field)| field.into());
            clauses.push(Clause::Quantified(Quantifier::Count { pattern, min, max, per }));
        }
        Ok(())
    }

    /// A fact pattern, and a key of it that only `count` may have.
    fn pattern<'n>(&self, node: &'n Node) -> Result<(Pattern, Option<&'n Entry>), Problem> {
        let table = as_table(node, "a fact pattern")?;
        let fact = table.get("fact").ok_or_else(|| at(node, "a fact pattern needs `fact`"))?;
        let kinds = kinds(fact)?;
        let known = Known { fields: fields_of(&kinds), site: self.known.site.clone(), lexicons: self.known.lexicons };
        let condition = Parser { known: &known, depth: self.depth }.deeper(node)?.condition(node, PATTERN_KEYS)?;
        let via = table.get("via").map(|node| choice(node, "`via`", VIA)).transpose()?.unwrap_or(Via::Service);
        let hops = table.get("hops").map(|node| as_count(node, "`hops`", MAX_HOPS)).transpose()?;
        let role = |key: &str| table.get(key).map(|node| as_text(node, &format!("`{key}`")).map(Arc::from)).transpose();
        let pattern = Pattern {
            own: condition.own(),
            mentions_site: condition.mentions_site(),
            kinds,
            condition,
            via,
            hops: hops.and_then(|hops| u8::try_from(hops).ok()).unwrap_or(DEFAULT_HOPS),
            before: role("before")?,
            after: role("after")?,
        };
        self.check_pattern(table, &pattern)?;
        Ok((pattern, table.entries().iter().find(|entry| matches!(&*entry.key, "min" | "max" | "per"))))
    }

    fn check_pattern(&self, table: &Node, pattern: &Pattern) -> Result<(), Problem> {
        if pattern.via != Via::Service && self.known.site.is_none() {
            let node = table.get("via").unwrap_or(table);
            return Err(at(node, "`via` starts from a site, and there is none here"));
        }
        if let Some(entry) = table.entry("before").or_else(|| table.entry("after"))
            && pattern.via != Via::Chain
        {
            return Err(at_key(entry, format!("`{}` needs `via = \"chain\"`", entry.key)));
        }
        if let Some(entry) = table.entry("hops")
            && !matches!(pattern.via, Via::Reaches | Via::Handles | Via::ReachedFrom)
        {
            return Err(at_key(entry, "`hops` needs `via = \"reaches\"` or \"reached-from\""));
        }
        Ok(())
    }

    fn predicate(&self, node: &Node, words: Option<&[&str]>) -> Result<Predicate, Problem> {
        match &node.data {
            NodeData::Bool(value) => Ok(Predicate::Bool(*value)),
            NodeData::Number(value) => Ok(Predicate::Number(*value)),
            NodeData::Text(text) => self.text(node, text, words),
            NodeData::List(items) => self.many(items, words).map(Predicate::OneOf),
            NodeData::Map(_) => self.deeper(node)?.table(node, words),
            NodeData::Null => Err(at(node, "this cannot be compared with")),
        }
    }

    fn many(&self, items: &[Node], words: Option<&[&str]>) -> Result<Vec<Predicate>, Problem> {
        items.iter().map(|item| self.predicate(item, words)).collect()
    }

    fn list(&self, node: &Node, words: Option<&[&str]>) -> Result<Vec<Predicate>, Problem> {
        match &node.data {
            NodeData::List(items) => self.many(items, words),
            _ => Err(at(node, "this must be a list of predicates")),
        }
    }

    /// A literal, or one of the forms that begin with a sign; a backslash in front takes the sign literally.
    fn text(&self, node: &Node, text: &str, words: Option<&[&str]>) -> Result<Predicate, Problem> {
        if let Some(regex) = regex_source(text) {
            return Ok(Predicate::Regex(LazyRegex::new(regex)));
        }
        if let Some(name) = text.strip_prefix('@').filter(|name| is_word(name)) {
            let lexicons = self.known.lexicons;
            return lexicons
                .find(name)
                .map(Predicate::Lexicon)
                .ok_or_else(|| at(node, format!("there is no lexicon `@{name}`")).suggest(name, lexicons.names()));
        }
        if let Some(name) = text.strip_prefix(':').filter(|name| is_word(name)) {
            return origin(node, name);
        }
        if is_reference(text) {
            return self.reference(node, text).map(Predicate::Same);
        }
        let literal =
            text.strip_prefix('\\').filter(|rest| rest.starts_with(['/', '@', ':', '$', '\\'])).unwrap_or(text);
        if let Some(words) = words.filter(|words| !words.contains(&literal)) {
            return Err(at(node, format!("this field is never `{literal}`")).suggest(literal, words.iter().copied()));
        }
        Ok(Predicate::Text(literal.into()))
    }

    fn reference(&self, node: &Node, text: &str) -> Result<Operand, Problem> {
        let path: Vec<Arc<str>> = text.trim_start_matches('$').split('.').map(Into::into).collect();
        let first = path.first().map_or("", |name| &**name);
        match &self.known.site {
            None => Err(at(node, format!("`{text}` speaks of a site, and there is none here"))),
            Some(fields) if !fields.contains(&first) => {
                Err(at(node, format!("the site has no field `{first}`")).suggest(first, fields.iter().copied()))
            }
            Some(_) => Ok(Operand::Site(path)),
        }
    }

    /// A `$field`, a literal or a list of literals.
    fn operand(&self, node: &Node) -> Result<Operand, Problem> {
        match &node.data {
            NodeData::Text(text) if is_reference(text) => self.reference(node, text),
            NodeData::Text(text) => Ok(Operand::Value(Value::text(text.clone()))),
            NodeData::List(_) => Ok(Operand::Value(Value::texts(as_texts(node, "the operand")?))),
            _ => Err(at(node, "this must be a `$field`, a text or a list of texts")),
        }
    }

    fn table(&self, node: &Node, words: Option<&[&str]>) -> Result<Predicate, Problem> {
        let mut tests = Vec::new();
        for entry in node.entries() {
            if let Some(test) = self.entry(node, entry, words)? {
                tests.push(test);
            }
        }
        Ok(match <[Predicate; 1]>::try_from(tests) {
            Ok([test]) => test,
            Err(tests) => Predicate::AllOf(tests),
        })
    }

    fn entry(&self, table: &Node, entry: &Entry, words: Option<&[&str]>) -> Result<Option<Predicate>, Problem> {
        let value = &entry.value;
        let boxed = |words| self.predicate(value, words).map(Box::new);
        Ok(Some(match &*entry.key {
            "not" => Predicate::Not(boxed(words)?),
            "has" => Predicate::Has(boxed(words)?),
            "all" => Predicate::AllOf(self.list(value, words)?),
            "any" => Predicate::OneOf(self.list(value, words)?),
            "len" => Predicate::Len(boxed(None)?),
            "some_value" => Predicate::SomeValue(boxed(None)?),
            "whole" => Predicate::Whole(boxed(None)?),
            "min" => self.bound(true, value)?,
            "max" => self.bound(false, value)?,
            "within" => Predicate::Within(self.operand(value)?),
            "covers" => Predicate::Covers(self.operand(value)?),
            "serves" => {
                let then = table.get("then").map(|then| self.operand(then)).transpose()?;
                Predicate::Serves { equal: self.operand(value)?, then }
            }
            "then" if table.get("serves").is_some() => return Ok(None),
            "then" => return Err(at_key(entry, "`then` belongs to `serves`")),
            name => match nearest(name, PREDICATE_KEYS).filter(|near| near.len() > 3) {
                Some(near) => {
                    let problem = at_key(entry, format!("there is no predicate `{name}`"));
                    return Err(problem.help(format!("did you mean `{near}`?")));
                }
                None => Predicate::Field(name.into(), boxed(None)?),
            },
        }))
    }

    fn bound(&self, least: bool, value: &Node) -> Result<Predicate, Problem> {
        let quantity = match &value.data {
            NodeData::Number(number) => Some(Quantity::plain(*number)),
            NodeData::Text(text) => Quantity::parse(text),
            _ => None,
        };
        let field = Box::new(self.predicate(value, None)?);
        Ok(Predicate::Bound { least, quantity, field })
    }
}

fn one_or_many(node: &Node) -> &[Node] {
    match &node.data {
        NodeData::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn origin(node: &Node, name: &str) -> Result<Predicate, Problem> {
    let test = match name {
        "absent" => OriginTest::Absent,
        "any" => OriginTest::Any,
        "unknown" => OriginTest::Unknown,
        "opaque" => return Ok(Predicate::Text(":opaque".into())),
        _ => match Origins::parse(name) {
            Some(origins) => OriginTest::From(origins),
            None => {
                let known = Origins::NAMES.iter().map(|(name, _)| *name).chain(["absent", "any", "unknown", "opaque"]);
                return Err(at(node, format!("there is no origin `:{name}`")).suggest(name, known));
            }
        },
    };
    Ok(Predicate::Origin(test))
}

/// `/…/flags` as an expression of the regex crate.
fn regex_source(text: &str) -> Option<String> {
    let (body, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    let flags_known = flags.len() <= 3 && flags.chars().all(|flag| matches!(flag, 'i' | 'm' | 's'));
    match (body.is_empty() || !flags_known, flags.is_empty()) {
        (true, _) => None,
        (false, true) => Some(body.to_owned()),
        (false, false) => Some(format!("(?{flags}){body}")),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// `$field`, `$field.inner`
fn is_reference(text: &str) -> bool {
    text.strip_prefix('$')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.split('.').all(is_word))
}

/// A value for tests of predicates.
impl From<&Node> for Value {
    fn from(node: &Node) -> Value {
        match &node.data {
            NodeData::Null => Value { data: Data::Null, origins: Origins::LITERAL },
            NodeData::Bool(value) => Value::bool(*value),
            NodeData::Number(value) => Value::number(*value),
            NodeData::Text(text) => Value::text(text.clone()),
            NodeData::List(items) => Value::list(items.iter().map(Value::from).collect()),
            NodeData::Map(entries) => {
                let fields = entries.iter().map(|entry| (entry.key.clone(), Value::from(&entry.value))).collect();
                let record = crate::facts::Record::closed(fields);
                Value { data: Data::Record(record.into()), origins: Origins::default() }
            }
        }
    }
}
