//! Reading a TOML table key by key: every value with its place, every key that nobody asked for an error.

use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Date;
use super::error::Problem;

/// What is wrong with the file so far.
pub(super) type Problems = Vec<Problem>;

/// A value and where it stands.
pub(super) struct Located<T> {
    pub value: T,
    pub range: Range<usize>,
}

/// One table of the file while its keys are being asked for.
pub(super) struct Table<'a, 'i> {
    entries: &'a DeTable<'i>,
    /// The header, for what is missing.
    range: Range<usize>,
    /// `[gate]`, for messages.
    name: String,
    asked: Vec<&'static str>,
}

impl<'a, 'i> Table<'a, 'i> {
    pub fn new(entries: &'a DeTable<'i>, range: Range<usize>, name: impl Into<String>) -> Table<'a, 'i> {
        Table { entries, range, name: name.into(), asked: Vec::new() }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.asked.push(key);
        self.entries.iter().find(|(k, _)| k.get_ref() == key).map(|(_, value)| value)
    }

    pub fn string(&mut self, key: &'static str, problems: &mut Problems) -> Option<Located<String>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Located { value: text.to_string(), range: value.span() }),
            other => wrong_type(value.span(), key, "a string", other, problems),
        }
    }

    /// A text that says something; an empty one is an error.
    pub fn words(&mut self, key: &'static str, problems: &mut Problems) -> Option<String> {
        let found = self.string(key, problems)?;
        if found.value.trim().is_empty() {
            problems.push(problem(found.range, format!("`{key}` is empty"), "say it in a few words"));
            return None;
        }
        Some(found.value)
    }

    /// As [`Table::words`], and an error where the key is missing.
    pub fn required_words(&mut self, key: &'static str, problems: &mut Problems) -> Option<String> {
        if self.value(key).is_none() {
            self.missing(key, problems);
            return None;
        }
        self.words(key, problems)
    }

    pub fn missing(&self, key: &str, problems: &mut Problems) {
        problems.push(problem(self.range.clone(), format!("{} lacks `{key}`", self.name), "here"));
    }

    pub fn boolean(&mut self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => wrong_type(value.span(), key, "true or false", other, problems),
        }
    }

    /// A number from 0 to `most`.
    pub fn number(&mut self, key: &'static str, most: f64, problems: &mut Problems) -> Option<f64> {
        let value = self.value(key)?;
        bounded_number(key, value, most, problems)
    }

    /// A whole number from 0 on.
    pub fn count(&mut self, key: &'static str, problems: &mut Problems) -> Option<u32> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            return wrong_type(value.span(), key, "a whole number", value.get_ref(), problems);
        };
        let parsed = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        if parsed.is_none() {
            problems.push(problem(value.span(), format!("`{key}` is not a whole number from 0 on"), "out of range"));
        }
        parsed
    }

    pub fn strings(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Located<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            wrong_type::<()>(value.span(), key, "a list of strings", value.get_ref(), problems);
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => found.push(Located { value: text.to_string(), range: item.span() }),
                other => {
                    wrong_type::<()>(item.span(), key, "a list of strings", other, problems);
                }
            }
        }
        found
    }

    /// A day, quoted or not.
    pub fn date(&mut self, key: &'static str, problems: &mut Problems) -> Option<Date> {
        let value = self.value(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            other => return wrong_type(value.span(), key, "a date (YYYY-MM-DD)", other, problems),
        };
        match Date::from_str(&text) {
            Ok(date) => Some(date),
            Err(why) => {
                problems.push(problem(value.span(), format!("`{key}` is no date: {why}"), "not a date"));
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, among: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let found = self.string(key, problems)?;
        choose(key, &found, among, problems)
    }

    pub fn table(&mut self, key: &'static str, problems: &mut Problems) -> Option<Table<'a, 'i>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(entries) => Some(Table::new(entries, value.span(), format!("[{key}]"))),
            other => wrong_type(value.span(), key, "a table", other, problems),
        }
    }

    pub fn tables(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Table<'a, 'i>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            wrong_type::<()>(value.span(), key, "a list of tables ([[…]])", value.get_ref(), problems);
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(entries) => found.push(Table::new(entries, item.span(), format!("[[{key}]]"))),
                other => {
                    wrong_type::<()>(item.span(), key, "a table", other, problems);
                }
            }
        }
        found
    }

    /// Every entry of a table whose keys are ids; nothing is left to [`Table::finish`].
    pub fn entries(&self) -> impl Iterator<Item = (Located<String>, &'a Spanned<DeValue<'i>>)> + use<'a, 'i> {
        let entries = self.entries;
        entries.iter().map(|(key, value)| (Located { value: key.get_ref().to_string(), range: key.span() }, value))
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(k, _)| k.get_ref() == key)
    }

    /// Keys that nobody asked for are errors, each with the nearest one that exists.
    pub fn finish(self, problems: &mut Problems) {
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let message = format!("{} has no key `{name}`", self.name);
                let help = suggestion(name, self.asked.iter().copied())
                    .unwrap_or_else(|| format!("keys: {}", list(self.asked.iter().copied())));
                problems.push(Problem { range: key.span(), message, label: "unknown key".into(), help: Some(help) });
            }
        }
    }
}

/// A number from 0 to `most`, whole or not.
pub(super) fn bounded_number(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    most: f64,
    problems: &mut Problems,
) -> Option<f64> {
    let parsed = match value.get_ref() {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as f64),
        DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
        other => return wrong_type(value.span(), key, "a number", other, problems),
    };
    let within = parsed.filter(|n| (0.0..=most).contains(n));
    if within.is_none() {
        problems.push(problem(value.span(), format!("`{key}` must lie between 0 and {most}"), "out of range"));
    }
    within
}

/// Looks a word up among those allowed; else an error that lists them.
pub(super) fn choose<T: Copy>(
    key: &str,
    found: &Located<String>,
    among: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let chosen = among.iter().find(|(word, _)| *word == found.value).map(|(_, value)| *value);
    if chosen.is_none() {
        problems.push(Problem {
            range: found.range.clone(),
            message: format!("`{}` is no `{key}`", found.value),
            label: "unknown value".into(),
            help: Some(format!("one of: {}", list(among.iter().map(|(word, _)| *word)))),
        });
    }
    chosen
}

fn wrong_type<T>(
    range: Range<usize>,
    key: &str,
    wanted: &str,
    found: &DeValue<'_>,
    problems: &mut Problems,
) -> Option<T> {
    let label = format!("a value of type {}", found.type_str());
    problems.push(problem(range, format!("`{key}` must be {wanted}"), label));
    None
}

pub(super) fn problem(range: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Problem {
    Problem { range, message: message.into(), label: label.into(), help: None }
}

/// `did you mean …?`, where something near exists.
pub(super) fn suggestion<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<String> {
    const LONGEST: usize = 80;
    if name.len() > LONGEST {
        return None;
    }
    let near = among.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    let best = near
        .filter(|(similarity, _)| *similarity >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
    best.map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
