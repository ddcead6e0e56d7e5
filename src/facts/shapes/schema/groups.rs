//! Which scripts make one schema, and in which order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::project::{Area, File, FileId, FileKind};
use crate::syntax::sql::{Dialect, dialect_of};

use super::super::migrations::{folder_of, is_way_back};
use super::super::paths;
use super::coded::Coded;
use super::is_change_log;

/// Letters of a group that are looked at for its dialect.
const SAMPLE: usize = 256 * 1024;

/// The scripts of one schema.
pub(super) struct Group<'t> {
    pub folder: String,
    /// The tool whose folder of migrations it is; none for scripts on their own.
    pub tool: Option<&'static str>,
    pub dialect: Dialect,
    /// In the order in which they are run.
    pub files: Vec<(FileId, &'t str, &'t str)>,
}

/// The tool that keeps a folder of migrations for each part of a project, beside models that say what they lead to.
const IN_PARTS: &str = "django";

impl Group<'_> {
    /// Other folders of the same tool and service belong to the same schema.
    pub fn is_one_of_several(&self) -> bool {
        self.tool == Some(IN_PARTS)
    }

    /// Models say all that the migrations say of the schema.
    pub fn is_told_by_models(&self) -> bool {
        self.tool == Some(IN_PARTS)
    }
}

/// All groups: migrations before plain scripts, larger before smaller, so that the first to name a table is the one to
/// believe.
pub(super) fn groups<'t>(scripts: &[(FileId, &'t File, &'t str)], coded: &Coded) -> Vec<Group<'t>> {
    let mut found: BTreeMap<(bool, String), Group<'t>> = BTreeMap::new();
    for &(id, file, text) in scripts {
        let path: &str = &file.path;
        let is_coded = coded.changes.contains_key(&id);
        let is_script = file.kind == FileKind::Sql && !is_way_back(path) || is_change_log(path, text);
        if !(is_script || is_coded) || is_left_out(file) {
            continue;
        }
        let (folder, tool) = match folder_of(path) {
            Some((folder, tool)) => (folder, Some(tool)),
            None => (paths::folder(path).to_owned(), is_coded.then_some("scripts")),
        };
        let group = found.entry((tool.is_none(), folder.clone())).or_insert_with(|| Group {
            folder,
            tool,
            dialect: Dialect::Unknown,
            files: Vec::new(),
        });
        group.files.push((id, path, text));
    }
    let mut groups: Vec<Group<'t>> = found.into_values().collect();
    for group in &mut groups {
        let revision = |id: &FileId| coded.order.get(id).copied();
        group.files.sort_by(|a, b| revision(&a.0).cmp(&revision(&b.0)).then_with(|| natural(a.1, b.1)));
        group.dialect = if group.is_told_by_models() { Dialect::Unknown } else { dialect(group) };
    }
    groups.sort_by(|a, b| {
        let key = |group: &Group<'_>| (group.tool.is_none(), group.dialect, std::cmp::Reverse(group.files.len()));
        key(a).cmp(&key(b)).then_with(|| a.folder.cmp(&b.folder))
    });
    groups
}

fn is_left_out(file: &File) -> bool {
    matches!(file.area, Area::Test | Area::Example | Area::Vendored | Area::Generated | Area::Docs | Area::Client)
}

fn dialect(group: &Group<'_>) -> Dialect {
    let words = ["postgres", "postgresql", "pg", "mysql", "mariadb", "sqlite"];
    let named = group.folder.split('/').rev().find_map(|segment| {
        let segment = segment.to_ascii_lowercase();
        words
            .iter()
            .find(|word| segment.split(['-', '_', '.']).any(|part| part == **word || part == format!("{word}3")))
    });
    match named.copied() {
        Some("postgres" | "postgresql" | "pg") => Dialect::Postgres,
        Some("mysql" | "mariadb") => Dialect::Mysql,
        Some(_) => Dialect::Sqlite,
        None => {
            let mut sample = String::new();
            // The words of a change log are those of Liquibase.
            for (_, _, text) in group.files.iter().filter(|(_, path, text)| !is_change_log(path, text)) {
                sample.extend(text.chars().take(SAMPLE.saturating_sub(sample.len())));
            }
            dialect_of(&sample)
        }
    }
}

/// Paths in the order of their numbers: `V2__b` before `V10__a`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (first, rest) = number(left);
                let (second, others) = number(right);
                let order = first.len().cmp(&second.len()).then_with(|| first.cmp(second));
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (rest, others);
            }
            (Some(x), Some(y)) if x == y => (left, right) = (&left[1..], &right[1..]),
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

/// The digits at the start without leading zeros, and the rest.
fn number(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(end);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_paths_count_as_numbers() {
        let mut paths = ["m/V10__a.sql", "m/V2__b.sql", "m/V1__c.sql", "m/V01_1__d.sql"];
        paths.sort_by(|a, b| natural(a, b));
        assert_eq!(paths, ["m/V01_1__d.sql", "m/V1__c.sql", "m/V2__b.sql", "m/V10__a.sql"]);
    }

    #[test]
    fn the_way_back_is_left_out() {
        for path in ["m/2020_a/down.sql", "m/1.down.sql", "m/U2__x.sql"] {
            assert!(is_way_back(path), "{path}");
        }
        for path in ["m/up.sql", "m/1_countdown.sql", "m/users.sql"] {
            assert!(!is_way_back(path), "{path}");
        }
    }
}
