//! The one condition form of rules and stacks, and its evaluation to true, false or unknown.
//!
//! A condition is a table whose keys all hold: fields of the fact with a predicate each, `any`, `all`, `not` over
//! further conditions, and `some`, `none`, `count` over other facts. Whatever depends on a value that nobody can tell
//! is unknown, and stays so through every connective that it decides.

mod expression;
mod parse;
mod predicate;
mod quantity;
mod tri;

use std::borrow::Cow;
use std::sync::Arc;

pub use expression::LazyRegex;
pub use parse::{CLAUSE_KEYS, Known, PATTERN_KEYS, PREDICATE_KEYS, VIA, fields_of, kinds};
pub use predicate::{Operand, OriginTest, Predicate, is_opaque};
pub use quantity::Quantity;
pub use tri::{Tri, Verdict};

use super::lexicon::Lexicons;
use crate::facts::{Confidence, FactId, Guard, Value, Within};
use crate::project::Area;

/// What a condition asks its questions of.
pub trait Fields {
    /// The value of a field; none where there is no such field (the same as absent).
    fn field(&self, name: &str) -> Option<Value>;

    /// The same, without a copy where it is kept.
    fn look_at(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.field(name).map(Cow::Owned)
    }

    /// The fact that is asked, where it is one.
    fn fact(&self) -> Option<FactId> {
        None
    }
}

/// The other facts, for `some`, `none`, `count` and fields of facts that a value refers to.
pub trait World {
    fn quantify(&self, quantifier: &Quantifier, context: &Context<'_>) -> Verdict;
    fn fact_field(&self, fact: FactId, name: &str) -> Option<Value>;
}

/// Where a condition is evaluated.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub subject: &'a dyn Fields,
    /// What `$field` means.
    pub site: Option<&'a dyn Fields>,
    pub world: Option<&'a dyn World>,
    pub lexicons: &'a Lexicons,
}

/// A table of the condition form: all clauses hold. Fields come before quantifiers, whatever their order in the file.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    pub clauses: Vec<Clause>,
    lexicons: Arc<Lexicons>,
}

#[derive(Debug, Clone)]
pub enum Clause {
    Field {
        name: Arc<str>,
        test: Predicate,
    },
    Any(Vec<Condition>),
    All(Vec<Condition>),
    /// So many of them.
    AtLeast(u32, Vec<Condition>),
    Not(Condition),
    Quantified(Quantifier),
    /// `bad = true`, `half = true`
    Constant(bool),
}

#[derive(Debug, Clone)]
pub enum Quantifier {
    Some(Pattern),
    None(Pattern),
    Count { pattern: Pattern, min: Option<u32>, max: Option<u32>, per: Option<Arc<str>> },
}

/// Which other facts a quantifier speaks of.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub kinds: Vec<Arc<str>>,
    pub condition: Condition,
    pub via: Via,
    pub hops: u8,
    /// Roles in the chain that the fact must stand before or after (`via = "chain"`).
    pub before: Option<Arc<str>>,
    pub after: Option<Arc<str>>,
    /// The pattern speaks of these itself, so that the engine's defaults do not apply.
    pub own: Own,
    /// Some value in it depends on the site (`$field`), so that no other site has the same answer.
    pub mentions_site: bool,
}

/// Which engine fields a condition mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own {
    pub area: bool,
    pub reached: bool,
    pub used: bool,
    pub guard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    Service,
    File,
    Function,
    Inside,
    Reaches,
    /// Like `Reaches`, without what a route shares with others.
    Handles,
    ReachedFrom,
    Chain,
}

/// Fields that the engine gives to every fact. `path` is the file's where the kind has no `path` of its own.
pub const ENGINE_FIELDS: &[&str] = &[
    "id", "area", "service", "phase", "reached", "used", "guard", "in", "within", "certain", "api", "symbol", "file",
    "path", "function", "place",
];

/// The words that a closed engine field can hold.
pub fn closed_words(field: &str) -> Option<Vec<&'static str>> {
    match field {
        "area" => Some(AREAS.iter().map(|(name, _)| *name).collect()),
        "phase" => Some(vec!["dead", "script", "module", "startup", "timer", "job", "request"]),
        "guard" => Some(Guard::NAMES.iter().map(|(name, _)| *name).collect()),
        "in" | "within" => Some(Within::NAMES.iter().map(|(name, _)| *name).collect()),
        "certain" => Some(CONFIDENCES.iter().map(|(name, _)| *name).collect()),
        _ => None,
    }
}

pub const AREAS: &[(&str, Area)] = &[
    ("server", Area::Server),
    ("client", Area::Client),
    ("test", Area::Test),
    ("script", Area::Script),
    ("example", Area::Example),
    ("migration", Area::Migration),
    ("config", Area::Config),
    ("docs", Area::Docs),
    ("generated", Area::Generated),
    ("vendored", Area::Vendored),
];

pub const CONFIDENCES: &[(&str, Confidence)] =
    &[("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)];

impl Condition {
    /// A condition that always or never holds.
    pub fn constant(value: bool) -> Condition {
        Condition { clauses: vec![Clause::Constant(value)], lexicons: Arc::default() }
    }

    /// A condition that a field holds this text.
    pub fn field_is(name: &str, text: &str) -> Condition {
        let test = Predicate::Text(text.into());
        Condition { clauses: vec![Clause::Field { name: name.into(), test }], lexicons: Arc::default() }
    }

    /// Both conditions; fields of the other come first.
    #[must_use]
    pub fn and(mut self, other: Condition) -> Condition {
        self.clauses.splice(0..0, other.clauses);
        self
    }

    /// Evaluates against fields alone; what needs other facts or a site is unknown.
    pub fn matches(&self, subject: &dyn Fields) -> Tri {
        let context = Context { subject, site: None, world: None, lexicons: &self.lexicons };
        self.evaluate(&context).tri
    }

    pub fn evaluate(&self, context: &Context<'_>) -> Verdict {
        let mut verdict = Verdict::TRUE;
        for clause in &self.clauses {
            verdict = verdict.and(clause.evaluate(context));
            if verdict.tri == Tri::False {
                break;
            }
        }
        verdict
    }

    /// Holds for everything, whatever it is.
    pub fn is_always(&self) -> bool {
        self.clauses.iter().all(|clause| matches!(clause, Clause::Constant(true)))
    }

    /// Which engine fields the condition mentions of its own subject.
    pub fn own(&self) -> Own {
        let mut own = Own::default();
        for clause in &self.clauses {
            match clause {
                Clause::Field { name, .. } => own.mention(name),
                Clause::Any(conditions) | Clause::All(conditions) | Clause::AtLeast(_, conditions) => {
                    conditions.iter().for_each(|condition| own = own.or(condition.own()));
                }
                Clause::Not(condition) => own = own.or(condition.own()),
                Clause::Quantified(_) | Clause::Constant(_) => {}
            }
        }
        own
    }

    /// Visits this condition and all conditions inside, patterns of quantifiers included.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Condition)) {
        visit(self);
        for clause in &self.clauses {
            match clause {
                Clause::Any(conditions) | Clause::All(conditions) | Clause::AtLeast(_, conditions) => {
                    conditions.iter().for_each(|condition| condition.visit(visit));
                }
                Clause::Not(condition) => condition.visit(visit),
                Clause::Quantified(quantifier) => quantifier.pattern().condition.visit(visit),
                Clause::Field { .. } | Clause::Constant(_) => {}
            }
        }
    }

    /// The kinds of fact that its quantifiers speak of, at any depth.
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds = Vec::new();
        self.visit(&mut |condition| {
            for clause in &condition.clauses {
                if let Clause::Quantified(quantifier) = clause {
                    kinds.extend(quantifier.pattern().kinds.iter().map(|kind| &**kind));
                }
            }
        });
        kinds
    }

    /// The first regular expression that does not compile, with the reason.
    pub fn broken_regex(&self) -> Option<String> {
        let mut broken = None;
        self.visit(&mut |condition| {
            for clause in &condition.clauses {
                if let Clause::Field { test, .. } = clause {
                    broken = broken.take().or_else(|| test.broken_regex());
                }
            }
        });
        broken
    }

    /// Some value depends on the site (`$field`).
    pub fn mentions_site(&self) -> bool {
        let mut mentions = false;
        self.visit(&mut |condition| {
            mentions |= condition
                .clauses
                .iter()
                .any(|clause| matches!(clause, Clause::Field { test, .. } if test.mentions_site()));
        });
        mentions
    }
}

impl Clause {
    fn evaluate(&self, context: &Context<'_>) -> Verdict {
        match self {
            Clause::Field { name, test } => {
                let value = context.subject.look_at(name);
                Verdict::of(test.holds(value.as_deref().unwrap_or(&Value::ABSENT), context))
            }
            Clause::Any(conditions) => {
                conditions.iter().fold(Verdict::FALSE, |verdict, condition| verdict.or(condition.evaluate(context)))
            }
            Clause::All(conditions) => {
                conditions.iter().fold(Verdict::TRUE, |verdict, condition| verdict.and(condition.evaluate(context)))
            }
            Clause::AtLeast(min, conditions) => at_least(*min, conditions, context),
            Clause::Not(condition) => condition.evaluate(context).not(),
            Clause::Quantified(quantifier) => {
                context.world.map_or(Verdict::UNKNOWN, |world| world.quantify(quantifier, context))
            }
            Clause::Constant(value) => Verdict::of(Tri::from(*value)),
        }
    }

    fn is_quantified(&self) -> bool {
        match self {
            Clause::Quantified(_) => true,
            Clause::Any(conditions) | Clause::All(conditions) | Clause::AtLeast(_, conditions) => {
                conditions.iter().any(Condition::is_quantified)
            }
            Clause::Not(condition) => condition.is_quantified(),
            Clause::Field { .. } | Clause::Constant(_) => false,
        }
    }
}

/// Enough of them hold, too few can, or it depends on those that are unknown.
fn at_least(min: u32, conditions: &[Condition], context: &Context<'_>) -> Verdict {
    let verdicts: Vec<Verdict> = conditions.iter().map(|condition| condition.evaluate(context)).collect();
    let count = |tri: Tri| verdicts.iter().filter(|verdict| verdict.tri == tri).count();
    let certain = verdicts.iter().filter(|verdict| verdict.tri == Tri::True).map(|verdict| verdict.certain).min();
    let min = min as usize;
    if count(Tri::True) >= min {
        Verdict { certain: certain.unwrap_or(Confidence::High), ..Verdict::TRUE }
    } else if count(Tri::True) + count(Tri::Unknown) >= min {
        Verdict::UNKNOWN
    } else {
        Verdict::FALSE
    }
}

impl Condition {
    fn is_quantified(&self) -> bool {
        self.clauses.iter().any(Clause::is_quantified)
    }
}

impl Quantifier {
    pub fn pattern(&self) -> &Pattern {
        match self {
            Quantifier::Some(pattern) | Quantifier::None(pattern) | Quantifier::Count { pattern, .. } => pattern,
        }
    }
}

impl Own {
    fn mention(&mut self, field: &str) {
        match field {
            "area" => self.area = true,
            "reached" => self.reached = true,
            "used" => self.used = true,
            "guard" => self.guard = true,
            _ => {}
        }
    }

    #[must_use]
    pub fn or(self, other: Own) -> Own {
        Own {
            area: self.area || other.area,
            reached: self.reached || other.reached,
            used: self.used || other.used,
            guard: self.guard || other.guard,
        }
    }
}

#[cfg(test)]
mod tests;
