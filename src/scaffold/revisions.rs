//! Migrations that name the one before them: where they are, and how the next one continues.

use std::collections::BTreeSet;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::Audit;
use crate::facts::{Data, Fact, Value};
use crate::project::ServiceId;

/// What a migration is called that is yet to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revision {
    pub id: String,
    /// The one that it follows: the only one that no other follows.
    pub after: String,
    /// Where they are.
    #[serde(skip)]
    pub folder: String,
}

impl Revision {
    /// The one behind it.
    pub fn then(self) -> Revision {
        Revision { id: following(&self.id, &[&self.id]), after: self.id, folder: self.folder }
    }
}

/// The next migration of a service; none where there are no such migrations, or several ends to continue.
pub fn next(audit: &Audit, id: ServiceId) -> Option<Revision> {
    let changes: Vec<&Fact> =
        audit.facts.facts.iter().filter(|fact| &*fact.kind == "schema-change" && fact.service == id).collect();
    let of = |op: &str| changes.iter().filter(move |fact| text(fact, "op") == Some(op)).copied().collect::<Vec<_>>();
    let followed: BTreeSet<&str> = of("after").into_iter().flat_map(names).collect();
    let revisions = of("revision");
    let mut heads = revisions.iter().filter(|fact| text(fact, "name").is_none_or(|name| !followed.contains(name)));
    let (Some(head), None) = (heads.next(), heads.next()) else { return None };
    let after = text(head, "name")?.to_owned();
    let path = &audit.project.file(head.at.file).path;
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    let names: Vec<&str> = revisions.iter().filter_map(|fact| text(fact, "name")).collect();
    Some(Revision { id: following(&after, &names), after, folder })
}

/// A number where they are numbered, else what the tool makes up itself: twelve hexadecimal digits.
fn following(head: &str, names: &[&str]) -> String {
    let numbered = names.iter().all(|name| name.len() == head.len() && name.bytes().all(|byte| byte.is_ascii_digit()));
    let next = head.parse::<u64>().ok().filter(|_| numbered && head.len() < 8).and_then(|number| number.checked_add(1));
    match next.map(|number| format!("{number:0width$}", width = head.len())) {
        Some(number) if number.len() == head.len() => number,
        _ => Sha256::digest(head).iter().take(6).map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// A number behind all that are there, as long as they are: it has to be sorted last.
pub fn number_behind(migrations: &[String], by: usize) -> Option<String> {
    let digits = |name: &String| -> String { name.chars().take_while(char::is_ascii_digit).collect() };
    let last = migrations.iter().map(digits).filter(|digits| !digits.is_empty()).max()?;
    let number = last.parse::<u64>().ok()?.checked_add(u64::try_from(by).ok()?)?;
    let padded = format!("{number:0width$}", width = last.len());
    (padded.len() == last.len()).then_some(padded)
}

fn text<'f>(fact: &'f Fact, field: &str) -> Option<&'f str> {
    fact.get(field).and_then(Value::as_text)
}

/// One name, or those that a migration brings together.
fn names(fact: &Fact) -> Vec<&str> {
    match fact.get("name").map(|value| &value.data) {
        Some(Data::List(list)) => list.iter().filter_map(Value::as_text).collect(),
        _ => text(fact, "name").into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_on_as_they_are() {
        assert_eq!(following("0009", &["0001", "0009"]), "0010");
        assert_eq!(following("9", &["8", "9"]).len(), 12, "the number would be longer than the others");
        let made_up = following("1a31ce608336", &["1a31ce608336"]);
        assert!(made_up.len() == 12 && made_up != "1a31ce608336", "{made_up}");
        // Digits alone, but no number.
        assert_eq!(following("202401020304", &["202401020304"]).len(), 12);
    }

    #[test]
    fn migrations_go_on_where_they_are() {
        let after = |names: &[&str], by| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            number_behind(&names, by)
        };
        assert_eq!(after(&["20240101000000_init", "20240305101010_b"], 2).as_deref(), Some("20240305101012"));
        assert_eq!(after(&["01_init", "09_b", "migration_lock"], 1).as_deref(), Some("10"));
        assert_eq!(after(&["9_init"], 1), None, "it would be sorted in front");
        assert_eq!(after(&["init"], 1), None);
    }
}
