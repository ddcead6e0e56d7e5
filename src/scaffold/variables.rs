//! Variables of the environment that a service reads, and which of them it can do without.

use std::collections::BTreeMap;

use super::anchors::Wiring;
use super::context::{served, text};
use super::edits::line_start;
use super::render::EnvRead;
use crate::audit::Audit;
use crate::facts::Fact;
use crate::project::{FileKind, ServiceId, kind_of};

/// By name, sorted.
pub fn variables(audit: &Audit, id: ServiceId, wiring: &mut Wiring<'_>) -> Vec<EnvRead> {
    let mut found: BTreeMap<String, EnvRead> = BTreeMap::new();
    for fact in served(audit, id, "env") {
        let Some(name) = text(fact, "name").filter(|name| is_name(name)) else { continue };
        let path = audit.project.file(fact.at.file).path.to_string();
        let source = wiring.source(&path).map(|(text, _)| text.as_str());
        let goes_on = |source: &str| match kind_of(&path) {
            FileKind::Rust => is_taken_apart(source, fact),
            _ => is_asked_for(source, fact),
        };
        let optional = has_default(fact) || source.is_some_and(goes_on);
        let default = text(fact, "default");
        found
            .entry(name.clone())
            .and_modify(|known| {
                known.optional |= optional;
                known.default = known.default.take().filter(|known| Some(known) == default.as_ref());
            })
            .or_insert(EnvRead { name, optional, default });
    }
    found.into_values().collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn has_default(fact: &Fact) -> bool {
    fact.get("default").is_some_and(|value| !value.is_absent())
}

/// What stands behind a read whose value may be missing: a fallback, a comparison, a choice.
const FOLLOWS: &[&str] = &["?", "&&", "||", "==", "!="];
/// The same in words, which have to stand on its line: `if` on the next one is another statement.
const FOLLOWS_IN_WORDS: &[&str] = &["or ", "is ", "and ", "if "];
/// What stands in front of one that is only asked for.
const PRECEDES: &[&str] = &["!", "Boolean(", "if (", "if(", "if ", "&& (", "bool(", "not "];

fn is_asked_for(source: &str, fact: &Fact) -> bool {
    let (start, end) = (fact.at.start as usize, fact.at.end as usize);
    let before = source.get(..start).unwrap_or_default();
    let after = source.get(end..).unwrap_or_default();
    let on_its_line = after.trim_start_matches([' ', '\t']);
    FOLLOWS.iter().any(|mark| after.trim_start().starts_with(mark))
        || FOLLOWS_IN_WORDS.iter().any(|mark| on_its_line.starts_with(mark))
        || PRECEDES.iter().any(|mark| before.ends_with(mark))
}

/// What goes on without the variable in Rust: behind the read, and in front of it on its line.
const GOES_ON: &[&str] = &[".ok()", ".is_ok", ".is_err", ".unwrap_or", ".map_or", ".map("];
const LOOKS: &[&str] = &["if let ", "match ", "let Ok("];

fn is_taken_apart(source: &str, fact: &Fact) -> bool {
    let (start, end) = (fact.at.start as usize, fact.at.end as usize);
    let before = source.get(line_start(source, start)..start).unwrap_or_default();
    let after = source.get(end..).unwrap_or_default().trim_start();
    GOES_ON.iter().any(|mark| after.starts_with(mark)) || LOOKS.iter().any(|mark| before.contains(mark))
}
