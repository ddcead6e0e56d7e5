//! A fact as conditions see it: its own fields and those of the engine.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::facts::{Confidence, Data, Fact, FactId, Guard, Origins, Phase, VOCABULARY, Value, Within};
use crate::project::{Area, Project};
use crate::rules::conditions::{AREAS, CONFIDENCES, Fields};

#[derive(Clone, Copy)]
pub struct FactView<'a> {
    pub id: FactId,
    pub fact: &'a Fact,
    pub project: &'a Project,
}

impl Fields for FactView<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        self.look_at(name).map(Cow::into_owned)
    }

    fn look_at(&self, name: &str) -> Option<Cow<'_, Value>> {
        let own = self.fact.get(name).map(Cow::Borrowed);
        own.or_else(|| self.said_in_words(name).map(Cow::Borrowed)).or_else(|| self.engine_field(name).map(Cow::Owned))
    }

    fn fact(&self) -> Option<FactId> {
        Some(self.id)
    }
}

/// The values of engine fields that hold words, made once for all facts.
struct Words {
    areas: Vec<(Area, Value)>,
    phases: Vec<(Phase, Value)>,
    certain: Vec<(Confidence, Value)>,
    /// By the bits that are set.
    guards: Vec<Value>,
    within: Vec<Value>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    areas: AREAS.iter().map(|(name, area)| (*area, Value::text(*name))).collect(),
    phases: PHASES.iter().map(|(name, phase)| (*phase, Value::text(*name))).collect(),
    certain: CONFIDENCES.iter().map(|(name, confidence)| (*confidence, Value::text(*name))).collect(),
    guards: sets(&Guard::NAMES.iter().map(|(name, guard)| (*name, guard.0)).collect::<Vec<_>>()),
    within: sets(&Within::NAMES.iter().map(|(name, within)| (*name, within.0)).collect::<Vec<_>>()),
});

const PHASES: &[(&str, Phase)] = &[
    ("dead", Phase::Dead),
    ("script", Phase::Script),
    ("module", Phase::Module),
    ("startup", Phase::Startup),
    ("timer", Phase::Timer),
    ("job", Phase::Job),
    ("request", Phase::Request),
];

/// The names of the bits of every byte.
fn sets(names: &[(&str, u8)]) -> Vec<Value> {
    let named = |bits: u8| names.iter().filter(move |(_, bit)| bits & bit != 0).map(|(name, _)| *name);
    (0..=u8::MAX).map(|bits| Value::texts(named(bits))).collect()
}

fn value_of<T: Copy + PartialEq>(words: &[(T, Value)], word: T) -> Option<&Value> {
    words.iter().find(|(candidate, _)| *candidate == word).map(|(_, value)| value)
}

impl FactView<'_> {
    /// An engine field that holds words.
    fn said_in_words(&self, name: &str) -> Option<&'static Value> {
        let fact = self.fact;
        match name {
            "area" => value_of(&WORDS.areas, fact.area),
            "phase" => value_of(&WORDS.phases, fact.phase),
            "guard" => WORDS.guards.get(usize::from(fact.guard.0)),
            "in" | "within" => WORDS.within.get(usize::from(fact.within.0)),
            "certain" => value_of(&WORDS.certain, fact.certain),
            _ => None,
        }
    }

    fn engine_field(&self, name: &str) -> Option<Value> {
        let fact = self.fact;
        Some(match name {
            "id" => Value { data: Data::Fact(self.id), origins: Origins::default() },
            "service" => Value::number(f64::from(fact.service.0)),
            "reached" => Value::bool(fact.reached),
            "used" => Value::bool(fact.used),
            "api" if fact.api.is_empty() => Value::ABSENT,
            "api" => Value::text(fact.api.clone()),
            "symbol" if fact.symbol.is_empty() => Value::ABSENT,
            "symbol" => Value::text(fact.symbol.clone()),
            "path" if has_own_path(&fact.kind) => return None,
            "file" | "path" => {
                let file = self.project.any_file(fact.at.file);
                file.map_or_else(|| Value::text(""), |file| Value::text(file.path.clone()))
            }
            "place" => Value::text(format!("{}:{}", path(self.project, fact), fact.at.start)),
            "function" => fact.function.map_or(Value::ABSENT, |function| Value::number(f64::from(function.0))),
            _ => return None,
        })
    }
}

/// The path of the file that holds a fact.
pub fn path<'a>(project: &'a Project, fact: &Fact) -> &'a str {
    project.any_file(fact.at.file).map_or("", |file| &*file.path)
}

fn has_own_path(kind: &str) -> bool {
    VOCABULARY.iter().any(|(name, fields)| *name == kind && fields.contains(&"path"))
}
