//! What was fixed, as migrations have to call it.

use std::collections::BTreeSet;

use super::propose::{Site, texts};
use super::schema;
use crate::facts::{Data, Fact, Value};
use crate::project::{FileKind, kind_of};
use crate::scaffold::compose::Composer;
use crate::scaffold::render::Closed;
use crate::scaffold::revisions;

impl<'a> Composer<'a> {
    /// Columns that were fixed, in the names of the database, numbered behind the migrations that are there; and the
    /// sites for which there is no such name.
    pub(super) fn closed<'s>(&self, sites: &[&'s Site<'a>], migrations: &[String]) -> (Vec<Closed>, Vec<&'s Site<'a>>) {
        let (mut found, mut unnamed): (Vec<Closed>, Vec<&Site<'_>>) = (Vec::new(), Vec::new());
        for site in sites {
            let Some(fields) = fields(site.fact) else { continue };
            let of = |field: &str| text(site.fact, field).unwrap_or_default().to_owned();
            let number = match is_schema(site) {
                true => revisions::number_behind(migrations, found.len() + 1),
                false => Some(String::new()),
            };
            let (Some((table, columns)), Some(number)) = (self.names_of(site, fields), number) else {
                unnamed.push(*site);
                continue;
            };
            let required = site.fact.get("nullable").is_some_and(|value| value.data == Data::Bool(false));
            let provider = Some(of("provider")).filter(|name| !name.is_empty()).or_else(|| self.provider(site));
            let closed = Closed {
                model: of("model"),
                table,
                columns,
                provider: provider.unwrap_or_default(),
                number,
                required,
                default: site.fact.get("default").and_then(number_in),
            };
            if !found.iter().any(|other| (&other.table, &other.columns) == (&closed.table, &closed.columns)) {
                found.push(closed);
            }
        }
        (found, unnamed)
    }

    /// What the database calls the table and the columns that a finding is about.
    fn names_of(&self, site: &Site<'_>, fields: Vec<String>) -> Option<(String, Vec<String>)> {
        let model = text(site.fact, "model")?;
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

    /// The database of the service, if all that is known of it agrees.
    fn provider(&self, site: &Site<'_>) -> Option<String> {
        let facts = self.audit.facts.facts.iter().filter(|fact| fact.service == site.fact.service);
        let named: BTreeSet<&str> = facts.filter_map(|fact| text(fact, "provider")).collect();
        let mut named = named.into_iter();
        let (Some(provider), None) = (named.next(), named.next()) else { return None };
        Some(provider.to_owned())
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

/// The columns that a fact is about, as the code calls them.
fn fields(fact: &Fact) -> Option<Vec<String>> {
    if &*fact.kind == "column" { text(fact, "name").map(|name| vec![name.to_owned()]) } else { texts(fact, "columns") }
}

/// What a column is without a value, if that is a number.
fn number_in(value: &Value) -> Option<String> {
    let text = match &value.data {
        Data::Number(number) => number.to_string(),
        _ => value.as_text()?.to_owned(),
    };
    text.parse::<f64>().is_ok_and(f64::is_finite).then_some(text)
}
