//! Diesel's `table!` macros: `orders (id) { id -> Int4, total -> Float8, }`. Read from the text: the body of the macro is
//! no Rust.

use super::error::narrow;
use super::sql::{Change, Column, Kind, Range, What};

/// Tables of one file.
const MAX_TABLES: usize = 5_000;

/// Does a file declare tables?
pub fn declares(text: &str) -> bool {
    text.contains("table!") && text.contains("->")
}

/// A `CREATE TABLE` for each table.
pub fn parse(text: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("table!")) {
        let start = from + found;
        from = start + "table!".len();
        if let Some((change, end)) = table(text, start, from) {
            changes.push(change);
            from = end;
        }
        if changes.len() >= MAX_TABLES {
            break;
        }
    }
    changes
}

/// The table whose macro is called at `start`; the body begins behind `open`.
fn table(text: &str, start: usize, open: usize) -> Option<(Change, usize)> {
    let body = open + text.get(open..)?.find('{')? + 1;
    let columns = body + text.get(body..)?.find('{')? + 1;
    let end = columns + text.get(columns..)?.find('}')?;
    let head = text.get(body..columns - 1)?;
    let (name, keys) = named(head)?;
    let mut all = Vec::new();
    let mut at = columns;
    for line in text.get(columns..end)?.split_inclusive(',') {
        all.extend(column(line, at, &keys));
        at += line.len();
    }
    let range = (narrow(start), narrow(end));
    (!all.is_empty()).then(|| {
        let what = What::CreateTable { table: name, columns: all, constraints: Vec::new() };
        (Change { at: range, what }, end)
    })
}

/// The name and the primary key: the last `orders (id)` before the columns.
fn named(head: &str) -> Option<(String, Vec<String>)> {
    let (before, rest) = head.rsplit_once('(').unwrap_or((head, ""));
    let name = before.split(|c: char| !c.is_alphanumeric() && c != '_').rfind(|word| !word.is_empty())?;
    let keys = rest.trim_end().trim_end_matches(')').split(',').map(|key| key.trim().to_owned());
    Some((name.to_owned(), keys.filter(|key| !key.is_empty()).collect()))
}

/// `total -> Nullable<Float8>,`
fn column(text: &str, at: usize, keys: &[String]) -> Option<Column> {
    let (before, after) = text.split_once("->")?;
    let name = before.split(|c: char| !c.is_alphanumeric() && c != '_').rfind(|word| !word.is_empty())?;
    let offset = before.rfind(name)?;
    let written = after.trim().trim_end_matches(',').trim();
    let nullable = written.starts_with("Nullable");
    let plain = written.strip_prefix("Nullable<").map_or(written, |inner| inner.trim_end_matches('>'));
    let primary = keys.iter().any(|key| key == name);
    let range: Range = (narrow(at + offset), narrow(at + text.trim_end().len()));
    Some(Column {
        name: name.to_owned(),
        at: range,
        kind: kind(plain),
        nullable,
        primary,
        unique: false,
        default: None,
        references: None,
        check: None,
    })
}

fn kind(written: &str) -> Kind {
    let word = written.rsplit("::").next().unwrap_or(written);
    let (name, zoned) = match word {
        "Float" | "Float4" | "Float8" | "Double" => ("float", None),
        "Numeric" | "Decimal" | "Money" => ("decimal", None),
        "BigInt" | "Int8" | "Bigint" | "BigSerial" => ("bigint", None),
        "Integer" | "Int4" | "Int2" | "SmallInt" | "Smallint" | "TinyInt" | "Serial" => ("integer", None),
        "Text" | "Varchar" | "VarChar" | "Bpchar" | "Uuid" | "Citext" => ("string", None),
        "Bool" => ("boolean", None),
        "Timestamp" | "Datetime" => ("datetime", Some(false)),
        "Timestamptz" | "TimestamptzSqlite" => ("datetime", Some(true)),
        "Date" => ("date", None),
        "Json" | "Jsonb" => ("json", None),
        "Binary" | "Bytea" | "Blob" => ("bytes", None),
        _ => ("other", None),
    };
    Kind { name: name.to_owned(), custom: None, zoned }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_macros() {
        let text = "diesel::table! {\n    /// Orders\n    shop.orders (id, user_id) {\n        #[max_length = 20]\n        id -> Int4,\n        total -> Nullable<Float8>,\n        #[sql_name = \"at\"]\n        made -> diesel::sql_types::Timestamptz,\n        user_id -> Integer,\n    }\n}\ntable! { a { id -> Text, } }\njoinable!(a -> b (id));\n";
        let found = parse(text);
        assert_eq!(found.len(), 2);
        let What::CreateTable { table, columns, .. } = &found[0].what else { panic!() };
        assert_eq!(table, "orders");
        let kinds: Vec<_> =
            columns.iter().map(|c| (c.name.as_str(), c.kind.name.as_str(), c.nullable, c.primary)).collect();
        let wanted = [
            ("id", "integer", false, true),
            ("total", "float", true, false),
            ("made", "datetime", false, false),
            ("user_id", "integer", false, true),
        ];
        assert_eq!(kinds, wanted);
        assert!(text[columns[1].at.0 as usize..].starts_with("total ->"));
    }

    #[test]
    fn what_is_cut_off_makes_no_table() {
        for text in [
            "table!",
            "table! {",
            "table! { a (",
            "table! { a (b) {",
            "table! { a (b) { c ->",
            "table! { é { ü -> ",
            "table!{{->}",
        ] {
            assert!(parse(text).is_empty(), "{text}");
        }
    }
}
