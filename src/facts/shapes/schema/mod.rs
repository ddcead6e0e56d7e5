//! Schemas that SQL scripts and migrations describe, folded in their order: the facts that models of libraries give, and
//! what each migration does to the tables that were there before.

mod coded;
mod fold;
mod groups;
mod known;
mod newest;
mod redescribed;
mod steps;
mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::{Fact, FunctionId};
use crate::project::{Area, Diagnostic, File, FileId, FileKind, ServiceId};
use crate::syntax::sql::{self, Dialect, Script};
use crate::syntax::{diesel, liquibase};

use coded::Coded;
use fold::Schema;
use groups::{Group, groups};
use known::Known;

/// What scripts say of the schema.
#[derive(Debug, Default)]
pub struct SchemaReading {
    pub facts: Vec<Fact>,
    pub diagnostics: Vec<Diagnostic>,
    /// Kinds of fact that may be missing, with the reason.
    pub incomplete: Vec<(ServiceId, Arc<str>, Arc<str>)>,
}

/// Reads all scripts. `declared` are the facts of code: migrations that are written as calls (`calls` is who calls whom),
/// and models. Of a table that models describe, only what they lack is added (indexes, checks).
pub fn schemas(scripts: &[(FileId, &File, &str)], declared: &[Fact], calls: &[Vec<FunctionId>]) -> SchemaReading {
    let mut reading = SchemaReading::default();
    let known = Known::of(declared);
    let coded = Coded::of(declared, calls);
    let mut seen: BTreeSet<(ServiceId, String)> = BTreeSet::new();
    let groups: Vec<Group<'_>> = groups(scripts, &coded).into_iter().chain(declared_tables(scripts)).collect();
    let newest = newest::newest(&groups, &coded.days, |file| service_of(scripts, file));
    for group in groups {
        let Some(service) = group.files.first().and_then(|first| service_of(scripts, first.0)) else { continue };
        let before = reading.facts.len();
        let schema = replay(&group, &Replay { coded: &coded, newest: &newest, service }, &mut reading);
        let told = if group.is_told_by_models() { None } else { Some(&schema.tables) };
        for (key, table) in told.into_iter().flatten() {
            if seen.insert((service, key.clone())) {
                reading.facts.extend(tables::facts(table, &schema, group.dialect, known.model(&table.name)));
            }
        }
        let secured = schema.security.values().filter(|security| security.on);
        reading.facts.extend(secured.map(|security| tables::row_security(security, known.model(&security.table))));
        for fact in &mut reading.facts[before..] {
            fact.area = Area::Migration;
            fact.service = service_of(scripts, fact.at.file).unwrap_or(service);
        }
    }
    reading
}

/// Change sets of Liquibase that are not written in SQL.
pub fn is_change_log(path: &str, text: &str) -> bool {
    let is_log = |extension: &str| matches!(extension, "xml" | "yaml" | "yml" | "json");
    path.rsplit_once('.').is_some_and(|(_, extension)| is_log(extension)) && liquibase::holds_changes(text)
}

fn service_of(scripts: &[(FileId, &File, &str)], file: FileId) -> Option<ServiceId> {
    let found = scripts.binary_search_by_key(&file, |(id, _, _)| *id).ok()?;
    Some(scripts[found].1.service)
}

/// Tables that Rust code declares for diesel; what migrations say of them comes first.
fn declared_tables<'t>(scripts: &[(FileId, &'t File, &'t str)]) -> Option<Group<'t>> {
    let files: Vec<_> = scripts
        .iter()
        .filter(|(_, file, text)| file.kind == FileKind::Rust && diesel::declares(text))
        .map(|&(id, file, text)| (id, &*file.path, text))
        .collect();
    (!files.is_empty()).then(|| Group { folder: String::new(), tool: None, dialect: Dialect::Unknown, files })
}

/// What is known of all groups when one of them is replayed.
struct Replay<'r> {
    coded: &'r Coded,
    newest: &'r BTreeSet<FileId>,
    service: ServiceId,
}

/// The schema after all scripts of a group; on the way, what each migration does.
fn replay(group: &Group<'_>, with: &Replay<'_>, reading: &mut SchemaReading) -> Schema {
    let mut schema = Schema::default();
    for (file, path, text) in &group.files {
        let script = match with.coded.changes.get(file) {
            Some(changes) => Script { changes: redescribed::resolved(changes, &schema, *file), ..Script::default() },
            None if path.ends_with(".rs") => Script { changes: diesel::parse(text), ..Script::default() },
            None if is_change_log(path, text) => liquibase::parse(path, text, group.dialect),
            None => sql::parse(text, group.dialect),
        };
        for error in &script.errors {
            reading.diagnostics.push(error.diagnostic(path));
        }
        if !script.errors.is_empty() {
            let reason: Arc<str> = format!("{path} did not parse as a whole").into();
            let kinds = ["model", "column", "index", "relation", "check", "row-security"];
            reading.incomplete.extend(kinds.map(|kind| (with.service, kind.into(), reason.clone())));
        }
        script.settled.iter().for_each(|change| schema.apply(*file, change));
        if group.tool.is_some() {
            reading.facts.extend(steps::facts(*file, &script.changes, &schema, group, with.newest.contains(file)));
        }
        script.changes.iter().for_each(|change| schema.apply(*file, change));
    }
    schema
}

#[cfg(test)]
mod tests;
