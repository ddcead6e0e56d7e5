//! Controls and rules as loaded.

use std::borrow::Cow;
use std::sync::Arc;

use super::conditions::{Condition, Context, LazyRegex, Own};
use super::outcome::{ControlInfo, Mode, Priority};
use super::template::Template;
use crate::facts::Confidence;
use crate::project::Area;
use crate::syntax::Node;

/// One control with its rules, as its file says.
#[derive(Debug, Clone)]
pub struct Control {
    pub info: ControlInfo,
    pub applies: Option<AppliesWhen>,
    /// In order; the first that holds decides.
    pub cases: Vec<PriorityCase>,
    pub rules: Vec<Rule>,
    pub source: Arc<Source>,
}

/// The file that a control was read from.
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub text: Cow<'static, str>,
}

#[derive(Debug, Clone)]
pub struct AppliesWhen {
    pub when: Condition,
    /// Why it does not apply where the condition is false.
    pub otherwise: Option<String>,
}

#[derive(Debug, Clone)]
pub struct PriorityCase {
    pub when: Option<Condition>,
    pub is: Priority,
    pub blocker: Option<bool>,
}

/// A sensor: which facts it looks at, and which of them are bad, good or half.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: String,
    pub each: Each,
    pub bad: Option<Condition>,
    pub good: Option<Condition>,
    pub half: Option<Condition>,
    /// Nobody can tell, unless something else decides.
    pub unknown: Option<Condition>,
    /// Explains (the nearest miss) and is worth nothing.
    pub note: Option<Condition>,
    pub message: Option<Template>,
    pub confidence: Confidence,
    /// Facts that agree in these fields are one site.
    pub group: Vec<Arc<str>>,
    /// `any`: its best site stands for all of them.
    pub mode: Option<Mode>,
    /// What it finds must not be shown.
    pub secret: bool,
    pub text: Option<TextMatch>,
    pub syntax: Option<SyntaxPattern>,
    /// As written; read by the runner of examples.
    pub examples: Vec<Node>,
    /// Bytes of its table's key in the file.
    pub start: u32,
    pub end: u32,
}

/// The facts that are sites.
#[derive(Debug, Clone)]
pub struct Each {
    pub kinds: Vec<Arc<str>>,
    pub condition: Condition,
    pub own: Own,
}

/// A source of `match` facts: a regular expression that is tried near keywords.
#[derive(Debug, Clone)]
pub struct TextMatch {
    pub formats: Vec<TextFormat>,
    pub stop_words: Vec<String>,
    pub allow: Vec<LazyRegex>,
    /// What stands shortly before something that is only shown, such as an example in a help text.
    pub not_after: Vec<LazyRegex>,
    pub files: Vec<String>,
    pub not_files: Vec<String>,
    /// Where it looks; every area where empty.
    pub areas: Vec<Area>,
}

/// One expression of a text match, with the words near which it is tried.
#[derive(Debug, Clone)]
pub struct TextFormat {
    /// What it finds; empty where the rule has a single expression.
    pub label: Arc<str>,
    pub regex: LazyRegex,
    pub keywords: Vec<String>,
    /// The match begins with a keyword, written exactly so, and no letter or digit before it.
    pub starts: bool,
    /// Bits per character that the group needs at least.
    pub entropy: Option<f64>,
    /// The part of the match that is the finding.
    pub group: usize,
    /// A made-up text that the format finds, in the notation of samples.
    pub sample: Option<String>,
    pub start: u32,
}

/// A source of `match` facts: a pattern over syntax trees.
#[derive(Debug, Clone)]
pub struct SyntaxPattern {
    pub languages: Vec<String>,
    /// The table of the pattern, for ast-grep.
    pub table: Node,
}

impl Rule {
    /// Finds nothing but says what exists: no site of it can be satisfied or open.
    pub fn only_notes(&self) -> bool {
        self.bad.is_none() && self.good.is_none() && self.half.is_none() && self.unknown.is_none()
    }

    /// Gives credit.
    pub fn credits(&self) -> bool {
        self.good.is_some() || self.half.is_some()
    }

    /// Every site is a finding, so that none at all is clean.
    pub fn finds_all(&self) -> bool {
        self.bad.as_ref().is_some_and(Condition::is_always)
    }

    /// Engine fields that the rule judges itself.
    pub fn own(&self) -> Own {
        let conditions = [&self.bad, &self.good, &self.half, &self.unknown, &self.note].into_iter().flatten();
        conditions.fold(self.each.own, |own, condition| own.or(condition.own()))
    }
}

impl PriorityCase {
    pub fn holds(&self, context: &Context<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| when.evaluate(context).tri == super::conditions::Tri::True)
    }
}
