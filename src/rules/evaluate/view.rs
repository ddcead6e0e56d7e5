//! A fact as conditions see it: its own fields and those of the engine.

use std::borrow::Cow;

use crate::facts::{Confidence, Data, Fact, FactId, Guard, Origins, Phase, VOCABULARY, Value, Within};
use crate::project::Project;
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
        own.or_else(|| self.engine_field(name).map(Cow::Owned))
    }

    fn fact(&self) -> Option<FactId> {
        Some(self.id)
    }
}

impl FactView<'_> {
    fn engine_field(&self, name: &str) -> Option<Value> {
        let fact = self.fact;
        Some(match name {
            "id" => Value { data: Data::Fact(self.id), origins: Origins::default() },
            "area" => Value::text(word(AREAS, fact.area)),
            "service" => Value::number(f64::from(fact.service.0)),
            "phase" => Value::text(phase(fact.phase)),
            "reached" => Value::bool(fact.reached),
            "used" => Value::bool(fact.used),
            "guard" => names(Guard::NAMES.iter().map(|(name, bit)| (*name, fact.guard.0 & bit.0 != 0))),
            "in" | "within" => names(Within::NAMES.iter().map(|(name, bit)| (*name, fact.within.0 & bit.0 != 0))),
            "certain" => Value::text(certain(fact.certain)),
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

fn names<'a>(flags: impl Iterator<Item = (&'a str, bool)>) -> Value {
    Value::texts(flags.filter(|(_, set)| *set).map(|(name, _)| name))
}

fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, candidate)| *candidate == value).map_or("", |(name, _)| *name)
}

/// `high`, `medium`, `low`
pub fn certain(confidence: Confidence) -> &'static str {
    word(CONFIDENCES, confidence)
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Dead => "dead",
        Phase::Script => "script",
        Phase::Module => "module",
        Phase::Startup => "startup",
        Phase::Timer => "timer",
        Phase::Job => "job",
        Phase::Request => "request",
    }
}
