//! Folders of database migrations, by the way their files are named.

use std::collections::BTreeMap;

use crate::facts::{Fact, Value};
use crate::project::{Area, FileId};

use super::paths;
use super::values::{fact, span};

/// What was seen of one folder.
struct Folder {
    first: FileId,
    tool: &'static str,
    count: usize,
    lock: bool,
}

/// A `migration` for each folder of migrations; `paths` are all files of the project.
pub fn migrations(paths: &[(FileId, &str)]) -> Vec<Fact> {
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    for (id, path) in paths {
        let Some((folder, role)) = classify(path) else { continue };
        let entry = folders.entry(folder).or_insert(Folder { first: *id, tool: "sql", count: 0, lock: false });
        match role {
            Role::Lock(tool) => (entry.tool, entry.lock) = (tool, true),
            Role::Migration(tool) => {
                entry.count += 1;
                if !entry.lock {
                    entry.tool = tool;
                }
            }
        }
    }
    let found = folders.into_iter().filter(|(_, folder)| folder.count > 0);
    found
        .map(|(path, folder)| {
            let mut fact = fact("migration", span(folder.first, 0, 0), "shape migration", &path)
                .with("tool", Value::text(folder.tool))
                .with("path", Value::text(path.as_str()))
                .with("count", Value::number(folder.count as f64))
                .with("lock", Value::bool(folder.lock));
            fact.area = Area::Migration;
            fact
        })
        .collect()
}

/// The folder of migrations that a script belongs to, and the tool that runs it.
pub(super) fn folder_of(path: &str) -> Option<(String, &'static str)> {
    match classify(path)? {
        (folder, Role::Migration(tool)) => Some((folder, tool)),
        (_, Role::Lock(_)) => None,
    }
}

enum Role {
    Migration(&'static str),
    /// The tool's own record of what there is.
    Lock(&'static str),
}

/// The folder of migrations that a path belongs to, and what the file is there.
fn classify(path: &str) -> Option<(String, Role)> {
    const ELSEWHERE: [&str; 10] = [
        "node_modules",
        "test",
        "tests",
        "__tests__",
        "fixtures",
        "__fixtures__",
        "examples",
        "vendor",
        "dist",
        "build",
    ];
    if paths::passes(path, &ELSEWHERE) {
        return None;
    }
    let (folder, name) = path.rsplit_once('/')?;
    let (parent, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    let found = |folder: &str, role| Some((folder.to_owned(), role));
    match name {
        "migration_lock.toml" => return found(folder, Role::Lock("prisma")),
        "up.sql" if leading_digits(last) >= 4 && !parent.is_empty() => return found(parent, Role::Migration("diesel")),
        "migration.sql" if !parent.is_empty() => return found(parent, Role::Migration("prisma")),
        "_journal.json" if last == "meta" => return found(parent, Role::Lock("drizzle")),
        _ => {}
    }
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "sql" if is_drizzle(stem) && !folder.contains("migrations") => found(folder, Role::Migration("drizzle")),
        "sql" if last == "sqls" || is_way_back(name) => None,
        "sql" if is_changelog(last) => found(folder, Role::Migration("liquibase")),
        "xml" | "yaml" | "yml" | "json" if is_change_log(folder, last, stem) => {
            found(folder, Role::Migration("liquibase"))
        }
        "sql" if is_folder(last) => found(folder, Role::Migration(sql_tool(stem))),
        "ts" | "js" | "cjs" | "mjs" if is_folder(last) && !stem.ends_with(".d") => {
            script_tool(stem).and_then(|tool| found(folder, Role::Migration(tool)))
        }
        "py" if last == "versions" && stem != "__init__" && is_alembic(parent, stem) => {
            found(folder, Role::Migration("alembic"))
        }
        "py" if is_aerich(stem) && paths::passes(parent, &["migrations"]) => found(folder, Role::Migration("aerich")),
        "rs" if is_sea_orm(stem) && paths::passes(folder, &["migration", "migrations", "migrator"]) => {
            found(folder, Role::Migration("sea-orm"))
        }
        "rs" if last == "migrations" && sql_tool(stem) == "flyway" => found(folder, Role::Migration("refinery")),
        "py" if last == "migrations" && leading_digits(stem) == 4 => found(folder, Role::Migration("django")),
        _ => None,
    }
}

fn is_folder(name: &str) -> bool {
    matches!(name, "migrations" | "migration" | "migrate" | "drizzle" | "db-migrations")
}

/// A change log whose kind of file nobody else reads.
pub fn is_xml_change_log(path: &str) -> bool {
    path.ends_with(".xml") && folder_of(path).is_some_and(|(_, tool)| tool == "liquibase")
}

/// Where Liquibase keeps its change sets.
fn is_changelog(name: &str) -> bool {
    matches!(name, "changelog" | "changelogs" | "changesets" | "liquibase")
}

/// `db/changelog/db.changelog-1.0.xml`, `db/changelog/002-orders.yaml`, `db/changelog/changes/orders.xml`
fn is_change_log(folder: &str, last: &str, stem: &str) -> bool {
    let named = stem.contains("changelog") || leading_digits(stem) > 0;
    is_changelog(last) && named || last == "changes" && folder.rsplit('/').skip(1).any(is_changelog)
}

/// `down.sql`, `001_init.down.sql`, `U1__init.sql`
pub(super) fn is_way_back(path: &str) -> bool {
    let name = paths::name(path).to_ascii_lowercase();
    let undo = name.strip_prefix('u').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    ["down", "rollback", "undo", "revert"].iter().any(|word| {
        name == format!("{word}.sql")
            || name.ends_with(&format!(".{word}.sql"))
            || name.ends_with(&format!("_{word}.sql"))
    }) || (undo && name.contains("__"))
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `0003_white_lightning`
fn is_drizzle(stem: &str) -> bool {
    leading_digits(stem) == 4 && stem.as_bytes().get(4) == Some(&b'_') && stem.matches('_').count() == 2
}

/// A folder of Alembic, or a name that begins with a revision (`fdf8821871d7_main_tables`).
fn is_alembic(parent: &str, stem: &str) -> bool {
    let revision = stem.bytes().take_while(u8::is_ascii_hexdigit).count();
    paths::passes(parent, &["alembic", "migrations", "migration"])
        || (revision >= 4 && stem.as_bytes().get(revision) == Some(&b'_'))
}

/// `0_20240102030405_init`
fn is_aerich(stem: &str) -> bool {
    let mut parts = stem.splitn(3, '_');
    let number = parts.next().is_some_and(|part| !part.is_empty() && leading_digits(part) == part.len());
    number && parts.next().is_some_and(|part| part.len() == 14 && leading_digits(part) == 14)
}

/// `m20220101_000001_create_table`
fn is_sea_orm(stem: &str) -> bool {
    stem.strip_prefix('m').is_some_and(|rest| leading_digits(rest) == 8 && rest.as_bytes().get(8) == Some(&b'_'))
}

fn sql_tool(stem: &str) -> &'static str {
    let versioned = stem.strip_prefix('V').is_some_and(|rest| leading_digits(rest) > 0 && rest.contains("__"));
    match stem {
        _ if versioned => "flyway",
        _ if is_drizzle(stem) => "drizzle",
        _ => "sql",
    }
}

/// By how the time is written before the name: `20240102030405-x`, `20240102030405_x`, `1704164645000-X`.
fn script_tool(stem: &str) -> Option<&'static str> {
    let digits = leading_digits(stem);
    let separator = stem.as_bytes().get(digits).copied();
    match (digits, separator) {
        (14, Some(b'_')) => Some("knex"),
        (14 | 8, Some(b'-')) => Some("sequelize"),
        (13, Some(b'-' | b'_')) => Some("typeorm"),
        (3.., Some(b'-' | b'_' | b'.')) => Some("scripts"),
        _ if stem.starts_with("Migration") && stem.ends_with(|c: char| c.is_ascii_digit()) => Some("mikro-orm"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<(String, String, f64, bool)> {
        let files: Vec<_> = paths.iter().enumerate().map(|(id, path)| (FileId(id as u32), *path)).collect();
        let facts = migrations(&files);
        let text = |fact: &Fact, name: &str| fact.get(name).and_then(Value::as_text).unwrap().to_owned();
        let number = |fact: &Fact| match fact.get("count").map(|v| &v.data) {
            Some(crate::facts::Data::Number(n)) => *n,
            _ => -1.0,
        };
        let row = |f: &Fact| (text(f, "tool"), text(f, "path"), number(f), f.get("lock") == Some(&Value::bool(true)));
        facts.iter().map(row).collect()
    }

    #[test]
    fn prisma_with_its_lock() {
        let paths = [
            "prisma/migrations/20240101_init/migration.sql",
            "prisma/migrations/20240102_more/migration.sql",
            "prisma/migrations/migration_lock.toml",
        ];
        assert_eq!(found(&paths), [("prisma".into(), "prisma/migrations".into(), 2.0, true)]);
    }

    #[test]
    fn tools_by_file_names() {
        for (path, tool) in [
            ("migrations/20240102030405-users.js", "sequelize"),
            ("src/migrations/20240102030405_users.ts", "knex"),
            ("src/db/migrations/1704164645000-Users.ts", "typeorm"),
            ("migrations/V1__init.sql", "flyway"),
            ("migrations/001_init.sql", "sql"),
            ("db/migrations/0000_dark_moon.sql", "drizzle"),
            ("drizzle/0000_dark_moon.sql", "drizzle"),
            ("alembic/versions/1a2b_x.py", "alembic"),
            ("app/migrations/0001_initial.py", "django"),
            ("db/versions/fdf8821871d7_main_tables.py", "alembic"),
            ("migrations/models/0_20240102030405_init.py", "aerich"),
            ("migrations/sqlite/2018-01-14-171611_create_tables/up.sql", "diesel"),
            ("migration/src/m20220101_000001_create_table.rs", "sea-orm"),
            ("migrations/20240101000000_init.up.sql", "sql"),
            ("src/migrations/V1__init.rs", "refinery"),
            ("src/main/resources/db/changelog/001_init.sql", "liquibase"),
            ("db/changelog/db.changelog-1.0.xml", "liquibase"),
        ] {
            assert_eq!(found(&[path]).first().map(|row| row.0.as_str()), Some(tool), "{path}");
        }
        assert_eq!(found(&["drizzle/0000_dark_moon.sql", "drizzle/meta/_journal.json"])[0].2, 1.0);
    }

    #[test]
    fn other_files_are_none() {
        let paths = [
            "node_modules/x/migrations/001_a.sql",
            "tests/migrations/001_a.sql",
            "src/migrations/index.ts",
            "src/migrations/helpers.js",
            "prisma/migrations/migration_lock.toml",
            "docs/migrations/v2.md",
            "api/versions/v1.py",
            "app/migrations/__init__.py",
            "migration/src/lib.rs",
            "shop/m20_orders.rs",
            "seed.sql",
            "changelogs/unreleased/faster-lists.yml",
            "db/migrations/000001_init.down.sql",
        ];
        assert_eq!(found(&paths), []);
    }
}
