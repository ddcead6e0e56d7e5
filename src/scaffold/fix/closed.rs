//! What was fixed, as migrations have to call it.

use std::collections::BTreeSet;

use super::propose::{Site, texts};
use super::schema;
use crate::facts::{Fact, Value};
use crate::project::{FileKind, kind_of};
use crate::scaffold::compose::Composer;
use crate::scaffold::render::Closed;

impl<'a> Composer<'a> {
    /// Columns that were fixed, in the names of the database, numbered behind the migrations that are there; and the
    /// sites for which there is no such name.
    pub(super) fn closed<'s>(&self, sites: &[&'s Site<'a>], migrations: &[String]) -> (Vec<Closed>, Vec<&'s Site<'a>>) {
        let (mut found, mut unnamed): (Vec<Closed>, Vec<&Site<'_>>) = (Vec::new(), Vec::new());
        for site in sites.iter().filter(|site| site.fact.get("columns").is_some()) {
            let of = |field: &str| text(site.fact, field).unwrap_or_default().to_owned();
            let number = match is_schema(site) {
                true => number_behind(migrations, found.len() + 1),
                false => Some(String::new()),
            };
            let (Some((table, columns)), Some(number)) = (self.names_of(site), number) else {
                unnamed.push(*site);
                continue;
            };
            let closed = Closed { model: of("model"), table, columns, provider: of("provider"), number };
            if !found.iter().any(|other| (&other.table, &other.columns) == (&closed.table, &closed.columns)) {
                found.push(closed);
            }
        }
        (found, unnamed)
    }

    /// What the database calls the table and the columns that a finding is about.
    fn names_of(&self, site: &Site<'_>) -> Option<(String, Vec<String>)> {
        let model = text(site.fact, "model")?;
        let fields = texts(site.fact, "columns")?;
        if is_schema(site) {
            return schema::names(&self.on_disk(&site.path)?, model, &fields);
        }
        let facts = self.audit.facts.facts.iter().filter(|fact| &*fact.kind == "model");
        let models = facts.filter(|fact| fact.service == site.fact.service && text(fact, "name") == Some(model));
        let named: BTreeSet<&str> = models.filter_map(|fact| text(fact, "table")).collect();
        let tables = if named.is_empty() { self.made_for(site, model) } else { named };
        let mut tables = tables.into_iter();
        let (Some(table), None) = (tables.next(), tables.next()) else { return None };
        Some((table.to_owned(), fields))
    }

    /// Tables that migrations make and that are called as a model is, which says no name.
    fn made_for(&self, site: &Site<'_>, model: &str) -> BTreeSet<&'a str> {
        let plain = |name: &str| name.replace('_', "").to_lowercase();
        let facts = self.audit.facts.facts.iter().filter(|fact| &*fact.kind == "schema-change");
        let made = facts.filter(|fact| fact.service == site.fact.service && text(fact, "op") == Some("create-table"));
        made.filter_map(|fact| text(fact, "table")).filter(|table| plain(table) == plain(model)).collect()
    }
}

fn is_schema(site: &Site<'_>) -> bool {
    kind_of(&site.path) == FileKind::Prisma
}

fn text<'f>(fact: &'f Fact, field: &str) -> Option<&'f str> {
    fact.get(field).and_then(Value::as_text)
}

/// A number behind all that are there, as long as they are: it has to be sorted last.
fn number_behind(migrations: &[String], by: usize) -> Option<String> {
    let digits = |name: &String| -> String { name.chars().take_while(char::is_ascii_digit).collect() };
    let last = migrations.iter().map(digits).filter(|digits| !digits.is_empty()).max()?;
    let number = last.parse::<u64>().ok()?.checked_add(u64::try_from(by).ok()?)?;
    let padded = format!("{number:0width$}", width = last.len());
    (padded.len() == last.len()).then_some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

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
