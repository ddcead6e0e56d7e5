//! Money columns that become exact: the migrations run over rows that were there before and beside those that come.

use std::fs;
use std::process::Command;

use crate::apps::{git, write};
use crate::npm;
use crate::prisma::Prisma;
use crate::process::succeed;
use crate::project::Project;
use crate::python::{bin, test};
use crate::services::Postgres;

const TYPE: &str = "SELECT data_type, numeric_precision, numeric_scale, is_nullable FROM information_schema.columns WHERE column_name = 'price'";

#[test]
#[ignore = "needs Node and PostgreSQL: run by scripts/test"]
fn prices_of_the_shop_become_exact_beside_the_release_that_runs() {
    let project = Project::fixture("express-shop-unready");
    let (postgres, prisma) = (Postgres::start(), Prisma::new());
    npm::borrow(project.root(), "express-shop");
    postgres.create("shop");
    prisma.push(project.root(), &postgres, "shop");
    write(project.root(), "prisma/migrations/20260101000000_init/migration.sql", "SELECT 1;\n");
    git(project.root(), &["add", "-A"]);
    git(project.root(), &["commit", "-q", "-m", "Start with migrations"]);
    let sell = |count: u32, price: &str| {
        let product = format!(
            "INSERT INTO \"Product\" (name, description, price) SELECT 'tea', '', {price} FROM generate_series(1, {count})"
        );
        postgres.sql("shop", &product);
    };
    let migrate = |name: &str| {
        let path = project.root().join("prisma/migrations").join(name).join("migration.sql");
        postgres.sql("shop", &fs::read_to_string(path).unwrap());
    };
    sell(998, "0.1");
    project.apply(&["money-decimal-migration"]);
    migrate("20260101000001_money_expand");
    sell(1, "0.1");
    migrate("20260101000002_money_fill");
    sell(1, "0.1");
    migrate("20260101000003_money_swap");
    assert_eq!(postgres.sql("shop", TYPE).trim(), "numeric|19|4|NO");
    assert_eq!(postgres.sql("shop", "SELECT sum(price), count(*) FROM \"Product\"").trim(), "100.0000|1000");
    sell(1, "19.99");

    prisma.generate(project.root());
    succeed(Command::new("node").current_dir(project.root()).args([
        "--import",
        "tsx",
        "--test",
        "tests/money.test.ts",
    ]));
}

#[test]
#[ignore = "needs Node and PostgreSQL: run by scripts/test"]
fn names_are_not_swapped_before_every_row_has_its_amount() {
    let project = Project::fixture("express-shop-unready");
    write(project.root(), "prisma/migrations/20260101000000_init/migration.sql", "SELECT 1;\n");
    git(project.root(), &["add", "-A"]);
    git(project.root(), &["commit", "-q", "-m", "Start with migrations"]);
    project.apply(&["money-decimal-migration"]);
    let swap = project.root().join("prisma/migrations/20260101000003_money_swap/migration.sql");
    let swap = fs::read_to_string(swap).unwrap();
    let (guard, _) = swap.split_once("END IF;").unwrap();
    let block = guard.find("DO $body$").map(|at| format!("{}END IF; END $body$", &guard[at..])).unwrap();
    let postgres = Postgres::start();
    postgres.create("shop");
    let table = |exact: &str| {
        format!(
            "DROP TABLE IF EXISTS \"Order\"; CREATE TABLE \"Order\" AS SELECT 1::float8 AS total, {exact}::numeric AS total_exact"
        )
    };
    postgres.sql("shop", &table("1"));
    postgres.sql("shop", &block);
    postgres.sql("shop", &table("NULL"));
    let caught = format!(
        "DO $test$ BEGIN EXECUTE $run${block}$run$; EXCEPTION WHEN raise_exception THEN RAISE NOTICE 'refused'; CREATE TABLE refused (); END $test$"
    );
    postgres.sql("shop", &caught);
    postgres.sql("shop", "SELECT * FROM refused");
}

#[test]
#[ignore = "needs Python and PostgreSQL: run by scripts/test"]
fn prices_of_the_orders_become_exact_and_can_go_back() {
    let project = Project::app("fastapi");
    project.apply(&["money-decimal-migration"]);
    let postgres = Postgres::start();
    let url = postgres.create("orders").replace("postgresql:", "postgresql+asyncpg:");
    let alembic = |arguments: &[&str]| {
        let mut alembic = bin(&project, "alembic");
        succeed(alembic.args(arguments).env("PYTHONPATH", ".").env("DATABASE_URL", &url));
    };
    alembic(&["upgrade", "0001"]);
    postgres.sql(
        "orders",
        "INSERT INTO customers (email) VALUES ('ada@orders.test'); INSERT INTO orders (customer_id, item, quantity, price) SELECT 1, 'tea', 1, 0.1 FROM generate_series(1, 1000)",
    );
    alembic(&["upgrade", "head"]);
    assert_eq!(postgres.sql("orders", TYPE).trim(), "numeric|19|4|NO");
    assert_eq!(postgres.sql("orders", "SELECT sum(price) FROM orders").trim(), "100.0000");
    postgres.sql("orders", "UPDATE orders SET price = 19.99 WHERE id = 1");
    alembic(&["downgrade", "0001"]);
    assert_eq!(
        postgres.sql("orders", "SELECT price, pg_typeof(price) FROM orders WHERE id = 1").trim(),
        "19.99|double precision"
    );
    alembic(&["upgrade", "head"]);
    test(&project, &url);
}
