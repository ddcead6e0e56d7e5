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
fn a_name_that_another_column_takes_over_is_missed_by_nobody() {
    let files = [
        (
            "migrations/0001_init.sql",
            "CREATE TABLE bills (id bigserial PRIMARY KEY, total float8, exact numeric, note text);",
        ),
        (
            "migrations/0002_swap.sql",
            "ALTER TABLE bills RENAME COLUMN total TO inexact;\nALTER TABLE bills RENAME COLUMN exact TO total;\nALTER TABLE bills RENAME COLUMN note TO memo;\nALTER TABLE others RENAME COLUMN memo TO text;",
        ),
    ];
    let steps = rows(&files, "migration-step", &["op", "column", "safe"]);
    let wanted = [
        "rename-column total true",
        "rename-column exact true",
        "rename-column note false",
        "rename-column memo false",
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

const REVISIONS: &[(&str, &str)] = &[
    ("requirements.txt", "alembic\nsqlalchemy\n"),
    (
        "db/versions/bb02_more.py",
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'bb02'\ndown_revision = 'aa01'\n\
        def upgrade():\n    op.add_column('orders', sa.Column('shop_id', sa.Integer(), sa.ForeignKey('shops.id')))\n\
        \x20   op.create_index('ix', 'orders', ['user_id'])\n    op.drop_column('orders', 'old')\n\
        \x20   with op.batch_alter_table('orders') as batch:\n        batch.alter_column('total', type_=sa.Numeric(10, 2))\n\
        def downgrade():\n    op.drop_index('ix', table_name='orders')\n    op.drop_column('orders', 'shop_id')\n",
    ),
    (
        "db/versions/zz01_first.py",
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'aa01'\ndown_revision = None\n\
        def tables():\n    op.create_table('orders', sa.Column('id', sa.Integer, primary_key=True), sa.Column('total', sa.Float),\n\
        \x20       sa.Column('old', sa.Integer), sa.Column('user_id', sa.Integer, sa.ForeignKey('users.id', ondelete='CASCADE'), nullable=False))\n\
        \x20   op.create_table('links', sa.Column('a', sa.Integer), sa.Column('b', sa.Integer), sa.PrimaryKeyConstraint('a', 'b'),\n\
        \x20       sa.ForeignKeyConstraint(['b'], ['bs.id']))\n\
        def upgrade():\n    tables()\ndef downgrade():\n    op.drop_table('orders')\n",
    ),
];

#[test]
fn migrations_written_as_calls_are_folded_by_revision() {
    let columns = rows(REVISIONS, "column", &["model", "name", "type", "primary"]);
    let wanted = [
        "orders shop_id integer false",
        "orders id integer true",
        "orders total decimal false",
        "orders user_id integer false",
        "links a integer true",
        "links b integer true",
    ];
    assert_eq!(columns, wanted);
    let relations = rows(REVISIONS, "relation", &["model", "columns", "target", "on_delete"]);
    assert_eq!(relations, ["orders shop_id shops -", "orders user_id users cascade", "links b bs -"]);
    assert_eq!(rows(REVISIONS, "index", &["columns", "unique"]), ["user_id false", "id true", "a+b true"]);
    let steps = rows(REVISIONS, "migration-step", &["op", "column", "newest"]);
    assert!(steps.contains(&"drop-column old true".to_owned()), "{steps:?}");
}

#[test]
fn models_win_over_migrations_written_as_calls() {
    let mut files = REVISIONS.to_vec();
    files.push((
        "app/models.py",
        "from sqlalchemy import Column, ForeignKey, Integer\nfrom sqlalchemy.orm import declarative_base\n\
        Base = declarative_base()\nclass Order(Base):\n    __tablename__ = 'orders'\n    id = Column(Integer, primary_key=True)\n\
        \x20   user_id = Column(ForeignKey('users.id'))\n",
    ));
    let indexes = rows(&files, "index", &["model", "columns"]);
    assert!(indexes.contains(&"Order user_id".to_owned()), "{indexes:?}");
    assert!(!rows(&files, "column", &["model"]).contains(&"orders".to_owned()));
}

#[test]
fn row_security_holds_for_the_model_of_the_table() {
    let files = [
        (
            "prisma/schema.prisma",
            "model Note {\n  id String @id\n  tenantId String @map(\"tenant_id\")\n  @@map(\"notes\")\n}\n",
        ),
        (
            "prisma/migrations/20240101000000_init/migration.sql",
            "CREATE TABLE \"notes\" (id text PRIMARY KEY, tenant_id text NOT NULL);\nCREATE TABLE tags (id text);\nALTER TABLE \"notes\" ENABLE ROW LEVEL SECURITY;\nALTER TABLE tags ENABLE ROW LEVEL SECURITY;\n",
        ),
        (
            "prisma/migrations/20240102000000_rls/migration.sql",
            "ALTER TABLE \"notes\" FORCE ROW LEVEL SECURITY;\nCREATE POLICY own ON \"notes\" USING (tenant_id = current_setting('app.tenant'));\nALTER TABLE tags DISABLE ROW LEVEL SECURITY;\n",
        ),
    ];
    let found = rows(&files, "row-security", &["model", "table", "forced", "policies", "conditions"]);
    assert_eq!(found, ["Note notes true own tenant_id = current_setting('app.tenant')"]);
}
