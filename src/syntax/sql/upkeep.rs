//! Statements that matter to a live database and that the parser does not know, told by their words: upkeep of tables
//! and indexes, and where transactions begin and end.

use super::change::What;

/// How such statements begin.
const FIRST: [&str; 10] =
    ["begin", "start", "commit", "rollback", "end", "reindex", "cluster", "vacuum", "drop", "alter"];

/// What a statement does, if it is one of these.
pub(super) fn read(statement: &str) -> Option<What> {
    let first = statement.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    if !FIRST.iter().any(|word| word.eq_ignore_ascii_case(first)) {
        return None;
    }
    let words: Vec<String> = words(statement);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |word: &str| words.contains(&word);
    let upkeep = |op, table: Option<&str>, safe| Some(What::Upkeep { op, table: table.map(str::to_owned), safe });
    match words.as_slice() {
        ["begin", ..] | ["start", "transaction", ..] => Some(What::Begin),
        ["commit" | "rollback" | "end", ..] if words.len() <= 2 => Some(What::End),
        // Of the system catalogues there is no other way.
        ["reindex", ..] if has("system") => None,
        ["reindex", ..] => upkeep("reindex", None, has("concurrently")),
        ["cluster"] => upkeep("cluster", None, false),
        ["cluster", table, ..] => upkeep("cluster", Some(table), false),
        ["vacuum", "full", "false" | "off" | "0", ..] => None,
        ["vacuum", ..] if has("full") => upkeep("vacuum-full", words.last().copied(), false),
        ["drop", "database", ..] => upkeep("drop-database", None, false),
        ["alter", "type", _, "rename", "value", ..] => upkeep("rename-enum-value", None, false),
        ["alter", "schema", _, "rename", ..] => upkeep("rename-schema", None, false),
        ["alter", "domain", _, "add", ..] => upkeep("add-domain-check", None, has("valid")),
        ["alter", "table", rest @ ..] => altered(rest),
        _ => None,
    }
}

/// Operations on a table that only PostgreSQL knows.
fn altered(words: &[&str]) -> Option<What> {
    let rest = words.strip_prefix(&["if", "exists"]).unwrap_or(words);
    let (table, operation) = rest.strip_prefix(&["only"]).unwrap_or(rest).split_first()?;
    let upkeep = |op, safe| Some(What::Upkeep { op, table: Some((*table).to_owned()), safe });
    match operation {
        ["detach", "partition", .., "concurrently" | "finalize"] => upkeep("detach-partition", true),
        ["detach", "partition", ..] => upkeep("detach-partition", false),
        ["validate", "constraint", name] => {
            Some(What::Validate { table: (*table).to_owned(), name: (*name).to_owned() })
        }
        ["add", "constraint", _, "exclude", ..] | ["add", "exclude", ..] => upkeep("add-exclusion", false),
        _ => None,
    }
}

/// The words in lower case, without comments; of a name only its last part and no quotes.
fn words(statement: &str) -> Vec<String> {
    let lines = statement.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let split = text.split(|c: char| c.is_whitespace() || "(),;".contains(c)).filter(|word| !word.is_empty());
    let plain = split.map(|word| word.rsplit('.').next().unwrap_or(word).trim_matches(['"', '`']).to_owned());
    plain.take(MAX_WORDS).collect()
}

/// Longer statements are read by the parser or not at all.
const MAX_WORDS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upkeep_by_its_words() {
        for (text, wanted) in [
            ("REINDEX TABLE t", Some(("reindex", false))),
            ("REINDEX (VERBOSE) INDEX CONCURRENTLY i", Some(("reindex", true))),
            ("VACUUM (FULL, ANALYZE) t", Some(("vacuum-full", false))),
            ("VACUUM t", None),
            ("VACUUM (FULL false) t", None),
            ("REINDEX SYSTEM shop", None),
            ("CLUSTER", Some(("cluster", false))),
            ("ALTER TABLE a.\"T\" DETACH PARTITION p CONCURRENTLY", Some(("detach-partition", true))),
            ("ALTER TABLE IF EXISTS t -- why\n DETACH PARTITION p", Some(("detach-partition", false))),
            ("alter table t add constraint x exclude using gist (a with =)", Some(("add-exclusion", false))),
            ("ALTER TYPE s RENAME VALUE 'a' TO 'b'", Some(("rename-enum-value", false))),
            ("ALTER TYPE s ADD VALUE 'a'", None),
            ("ALTER TABLE t ADD COLUMN cluster text", None),
            ("", None),
        ] {
            let read = match read(text) {
                Some(What::Upkeep { op, safe, .. }) => Some((op, safe)),
                _ => None,
            };
            assert_eq!(read, wanted, "{text}");
        }
        let validated = read("ALTER TABLE ONLY public.T VALIDATE CONSTRAINT \"C\"");
        assert_eq!(validated, Some(What::Validate { table: "t".into(), name: "c".into() }));
        assert_eq!((read("BEGIN"), read("COMMIT WORK")), (Some(What::Begin), Some(What::End)));
    }
}
