//! SQL scripts as changes of a schema, in order. What is not about a schema is passed over; a statement that does not
//! parse costs only itself.

mod change;
mod read;
mod split;
mod upkeep;

use sqlparser::dialect::{Dialect as Grammar, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::error::{SyntaxError, narrow};

pub(crate) use read::kind_of_word;

pub use change::{Change, Column, Constraint, DefaultValue, Index, Kind, Range, Reference, Rule, Security, What};

/// Statements of one script that are parsed.
const MAX_STATEMENTS: usize = 20_000;
/// Longer statements are data.
const MAX_LENGTH: usize = 256 * 1024;
/// Mistakes of one script that are told.
const MAX_ERRORS: usize = 5;
/// Levels of nesting that the parser follows.
const MAX_DEPTH: usize = 50;

/// The database that a script is written for, as far as its words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    Postgres,
    Mysql,
    Sqlite,
    Unknown,
}

impl Dialect {
    /// The word that facts use.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Dialect::Postgres => Some("postgresql"),
            Dialect::Mysql => Some("mysql"),
            Dialect::Sqlite => Some("sqlite"),
            Dialect::Unknown => None,
        }
    }
}

/// What a script does, and what of it could not be read.
#[derive(Debug, Default)]
pub struct Script {
    pub changes: Vec<Change>,
    /// What the same file did before, in steps that have been run.
    pub settled: Vec<Change>,
    pub errors: Vec<SyntaxError>,
}

/// The dialect by words that only one of them has.
pub fn dialect_of(text: &str) -> Dialect {
    const MARKS: [(Dialect, &[&str]); 3] = [
        (Dialect::Mysql, &["engine=", "engine =", "auto_increment", "unsigned", "`"]),
        (Dialect::Sqlite, &["autoincrement", "pragma ", "without rowid", "strftime("]),
        (
            Dialect::Postgres,
            &[
                "serial",
                "timestamptz",
                "time zone",
                "jsonb",
                "plpgsql",
                "::",
                "concurrently",
                "text[]",
                "gen_random_uuid",
                "create extension",
                "identity",
                "on public.",
                " not valid",
                "validate constraint",
                "set not null",
                "drop not null",
                "lock_timeout",
                "reindex ",
                " uuid",
            ],
        ),
    ];
    let lower = text.to_ascii_lowercase();
    let has = |(_, marks): &&(Dialect, &[&str])| marks.iter().any(|mark| lower.contains(mark));
    MARKS.iter().find(has).map_or(Dialect::Unknown, |(dialect, _)| *dialect)
}

pub fn parse(text: &str, dialect: Dialect) -> Script {
    let mut script = Script::default();
    for piece in split::split(text).into_iter().take(MAX_STATEMENTS) {
        let Some(statement) = text.get(piece.start..piece.end) else { continue };
        if statement.len() > MAX_LENGTH {
            continue;
        }
        if let Some(what) = upkeep::read(statement) {
            script.changes.push(Change { at: (narrow(piece.start), narrow(piece.end)), what });
            continue;
        }
        if !is_about_schema(statement) {
            continue;
        }
        match parse_one(statement, dialect) {
            Ok(found) => {
                let at = (narrow(piece.start), narrow(piece.end));
                let source = read::Source { text, at, dialect };
                script.changes.extend(found.iter().flat_map(|found| read::changes(found, &source)));
            }
            Err(message) if script.errors.len() < MAX_ERRORS => {
                script.errors.push(SyntaxError::malformed(text, piece.start, format!("not read: {message}")));
            }
            Err(_) => {}
        }
    }
    script
}

/// Statements that begin otherwise change no table.
fn is_about_schema(statement: &str) -> bool {
    let mut words = statement.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default().to_ascii_lowercase();
    match next().as_str() {
        "create" => {
            let mut word = next();
            while matches!(
                word.as_str(),
                "or" | "replace"
                    | "temp"
                    | "temporary"
                    | "unlogged"
                    | "unique"
                    | "global"
                    | "local"
                    | "fulltext"
                    | "spatial"
            ) {
                word = next();
            }
            matches!(word.as_str(), "table" | "index" | "type" | "policy")
        }
        // The parser does not know `ALTER CONSTRAINT`, which only says when a key is checked.
        "alter" => next() == "table" && !statement.to_ascii_lowercase().contains("alter constraint"),
        "drop" => matches!(next().as_str(), "table" | "index" | "policy"),
        "update" | "delete" | "truncate" => true,
        "rename" => next() == "table",
        "set" => statement.to_ascii_lowercase().contains("_timeout"),
        _ => false,
    }
}

fn parse_one(statement: &str, dialect: Dialect) -> Result<Vec<sqlparser::ast::Statement>, String> {
    let (postgres, mysql) = (PostgreSqlDialect {}, MySqlDialect {});
    let (sqlite, generic) = (SQLiteDialect {}, GenericDialect {});
    let grammars: [&dyn Grammar; 3] = match dialect {
        Dialect::Postgres | Dialect::Unknown => [&postgres, &generic, &sqlite],
        Dialect::Mysql => [&mysql, &generic, &postgres],
        Dialect::Sqlite => [&sqlite, &generic, &postgres],
    };
    let mut first = None;
    for grammar in grammars {
        let parser = Parser::new(grammar).with_recursion_limit(MAX_DEPTH).try_with_sql(statement);
        match parser.and_then(|mut parser| parser.parse_statements()) {
            Ok(found) => return Ok(found),
            Err(error) => {
                first.get_or_insert_with(|| error.to_string());
            }
        }
    }
    Err(first.unwrap_or_default())
}

#[cfg(test)]
mod tests;
