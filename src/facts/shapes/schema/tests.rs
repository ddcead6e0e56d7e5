use super::*;
use crate::audit::facts_of;
use crate::facts::Data;

fn rows(files: &[(&str, &str)], kind: &str, fields: &[&str]) -> Vec<String> {
    let store = facts_of(files);
    let show = |fact: &Fact, name: &str| match fact.get(name).map(|value| &value.data) {
        Some(Data::Text(text)) => text.to_string(),
        Some(Data::Bool(value)) => value.to_string(),
        Some(Data::List(items)) => items.iter().map(|item| item.as_text().unwrap_or("?")).collect::<Vec<_>>().join("+"),
        _ => "-".to_owned(),
    };
    let all = store.facts.iter().filter(|fact| &*fact.kind == kind);
    all.map(|fact| fields.iter().map(|name| show(fact, name)).collect::<Vec<_>>().join(" ")).collect()
}

const MIGRATIONS: &[(&str, &str)] = &[
    (
        "migrations/0001_init.sql",
        "CREATE TYPE state AS ENUM ('open');\nCREATE TABLE orders (\n id serial PRIMARY KEY,\n total real,\n s state,\n old int,\n user_id int REFERENCES users(id) ON DELETE CASCADE\n);\n",
    ),
    (
        "migrations/0002_more.sql",
        "ALTER TABLE orders ADD COLUMN made timestamptz;\nALTER TABLE orders DROP COLUMN old;\nCREATE INDEX orders_user ON orders (user_id);\nALTER TABLE orders ALTER COLUMN total TYPE numeric(10,2);\n",
    ),
    ("migrations/0002_more.down.sql", "DROP TABLE orders;"),
];

#[test]
fn migrations_are_folded_in_order() {
    let columns = rows(MIGRATIONS, "column", &["model", "name", "type", "zoned"]);
    let wanted = [
        "orders id integer -",
        "orders total decimal -",
        "orders s enum -",
        "orders user_id integer -",
        "orders made datetime true",
    ];
    assert_eq!(columns, wanted);
    assert_eq!(rows(MIGRATIONS, "index", &["columns", "unique"]), ["id true", "user_id false"]);
    assert_eq!(rows(MIGRATIONS, "relation", &["columns", "target", "on_delete"]), ["user_id users cascade"]);
}

#[test]
fn steps_know_what_was_there_before() {
    let steps = rows(MIGRATIONS, "migration-step", &["op", "column", "safe", "fresh", "newest"]);
    let wanted = [
        "add-column made true false true",
        "drop-column old false false true",
        "create-index user_id false false true",
        "set-type total false false true",
    ];
    assert_eq!(steps, wanted);
}

#[test]
fn what_models_describe_is_not_said_twice() {
    let files = [
        (
            "prisma/schema.prisma",
            "datasource db {\n provider = \"postgresql\"\n url = \"x\"\n}\nmodel Order {\n id Int @id\n userId Int\n @@map(\"orders\")\n}\n",
        ),
        (
            "prisma/migrations/20240101_init/migration.sql",
            "CREATE TABLE \"orders\" (\"id\" SERIAL NOT NULL, \"user_id\" INTEGER NOT NULL, CONSTRAINT \"p\" PRIMARY KEY (\"id\"));\nCREATE INDEX i ON orders (user_id);\nALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0);",
        ),
    ];
    assert_eq!(rows(&files, "column", &["model", "name"]), ["Order id", "Order userId"]);
    let mut indexes = rows(&files, "index", &["model", "columns"]);
    indexes.sort();
    assert_eq!(indexes, ["Order id", "Order userId"]);
    assert_eq!(rows(&files, "check", &["model"]), ["Order"]);
}

#[test]
fn of_several_dialects_one_is_believed() {
    let files = [
        ("migrations/sqlite/2020-01-01-000000_a/up.sql", "CREATE TABLE a (b datetime);"),
        ("migrations/mysql/2020-01-01-000000_a/up.sql", "CREATE TABLE a (b datetime);"),
        ("migrations/postgresql/2020-01-01-000000_a/up.sql", "CREATE TABLE a (b timestamp);"),
    ];
    assert_eq!(rows(&files, "column", &["model", "zoned"]), ["a false"]);
}

#[test]
fn half_a_statement_is_told_and_makes_absences_unknown() {
    let store = facts_of(&[("db/schema.sql", "CREATE TABLE a (b int);\nCREATE TABLE c (\n d int")]);
    assert!(store.facts.iter().any(|fact| &*fact.kind == "model"));
    assert!(store.incomplete.iter().any(|(_, kind, _)| &**kind == "index"));
}
