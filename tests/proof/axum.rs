//! What is written for axum, with all modules together: checked, tested, running, taken back.

use std::thread;

use crate::app::Start;
use crate::cargo::{MADE, cargo, fits, program};
use crate::http::answer;
use crate::process::until;
use crate::project::{Project, modules};
use crate::rust_apps::library;
use crate::services::Postgres;

const SCHEMA: &str = "CREATE TABLE orders (id serial PRIMARY KEY, total integer NOT NULL);";
const LOCK: &str = "axum";

/// A service with every module, built, and its database.
struct Orders {
    project: Project,
    postgres: Postgres,
}

impl Orders {
    fn made() -> Self {
        let project = Project::app("axum");
        project.apply_all("axum");
        let postgres = Postgres::start();
        postgres.create("orders");
        postgres.sql("orders", SCHEMA);
        Self { project, postgres }
    }

    fn start(&self) -> Start {
        let program = program(&self.project, LOCK, "orders");
        Start::new(self.project.root(), &[program.to_str().unwrap()])
            .set("DATABASE_URL", &self.postgres.url("orders"))
            .set("SHOP_PASSWORD", "words that nobody guesses")
    }
}

#[test]
#[ignore = "needs crates: run by scripts/test"]
fn lock_of_the_axum_service() {
    let project = Project::app("axum");
    project.apply_all("axum");
    fits(&project, LOCK);
}

#[test]
#[ignore = "needs crates: run by scripts/test"]
fn axum_tests_pass_without_warnings_and_everything_can_be_taken_back() {
    let project = Project::app("axum");
    let applied = project.apply_all("axum");
    for id in modules("axum") {
        assert!(applied.contains(&id), "{id} is not in the service");
    }
    cargo(&project, LOCK, &["test"]);
    project.undo(&MADE);
}

#[test]
#[ignore = "needs crates: run by scripts/test"]
fn a_router_of_a_library_is_wired_where_it_is_served() {
    let project = Project::new(library());
    project.apply_all("axum");
    let main = std::fs::read_to_string(project.root().join("src/main.rs")).unwrap();
    assert!(main.contains("    small_shop::logging::start();\n"), "{main}");
    assert!(main.contains("    small_shop::health::watch(&pool);\n"), "{main}");
    let served = std::fs::read_to_string(project.root().join("src/http/mod.rs")).unwrap();
    assert!(served.contains(".layer(crate::request_id::assign())\n"), "{served}");
}

#[test]
#[ignore = "needs crates and PostgreSQL: run by scripts/test"]
fn the_axum_service_keeps_what_its_modules_promise() {
    let mut orders = Orders::made();
    let start =
        orders.start().set("METRICS_TOKEN", "scrape").set("RATE_LIMIT_MAX", "40").set("BODY_LIMIT_BYTES", "4096");
    let app = start.ready();

    let created = app.http().post_json("/orders", r#"{"amount":3,"price":250}"#);
    assert_eq!((created.status, created.json()["total"].as_i64()), (201, Some(750)));
    for name in ["x-request-id", "content-security-policy", "x-content-type-options", "ratelimit-remaining"] {
        assert!(created.header(name).is_some(), "{name}: {:?}", created.headers);
    }
    app.logs(created.header("x-request-id").unwrap());

    app.get("/no/such/page").is_problem(404);
    app.get("/orders/99").is_problem(404);
    app.get("/tells").is_problem(500);
    app.get("/panics").is_problem(500);
    app.http().post_json("/orders", "{").is_problem(400);
    app.http().post_json("/orders", r#"{"amount":"x"}"#).is_problem(422);
    app.http().post_json("/orders", &format!("\"{}\"", "x".repeat(5000))).is_problem(413);
    let large = answer(app.http().request("GET", "/large").header("accept-encoding", "gzip"));
    assert_eq!(large.header("content-encoding"), Some("gzip"));

    assert_eq!(app.get("/metrics").status, 404);
    let scraped = answer(app.http().request("GET", "/metrics").header("authorization", "Bearer scrape"));
    assert!(scraped.body.contains("route=\"/orders/{id}\""), "{}", scraped.body);

    let wrong = r#"{"email":"a@b","password":"hunter3"}"#;
    let tries: Vec<u16> = (0..6).map(|_| app.http().post_json("/sessions", wrong).status).collect();
    assert_eq!(tries, [401, 401, 401, 401, 401, 429]);
    let refused = until("the limit", || Some(app.get("/orders")).filter(|answer| answer.status == 429));
    refused.is_problem(429);
    assert!(refused.header("retry-after").is_some(), "{:?}", refused.headers);

    assert_eq!((app.get("/health/live").status, app.get("/health/ready").status), (200, 200));
    orders.postgres.stop();
    app.becomes("/health/ready", 503);
    assert_eq!(app.get("/health/live").status, 200);
    orders.postgres.restart();
    app.becomes("/health/ready", 200);

    let log = app.log();
    for secret in ["hunter2", "hunter3", "scrape", orders.postgres.password()] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    for line in log.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
#[ignore = "needs crates and PostgreSQL: run by scripts/test"]
fn the_axum_service_ends_in_order_and_refuses_to_start_incomplete() {
    let orders = Orders::made();
    let start = orders.start();
    let mut app = start.clone().set("SHUTDOWN_DELAY_MS", "500").ready();
    let http = app.http().clone();
    let slow = thread::spawn(move || http.get("/slow"));
    thread::sleep(std::time::Duration::from_millis(300));
    app.terminate();
    app.becomes("/health/ready", 503);
    assert_eq!(slow.join().unwrap().body, "done");
    assert!(app.wait().success());
    assert!(!app.listens());

    let (_, log) = start.unset("DATABASE_URL").refused();
    assert!(log.contains("DATABASE_URL") || log.contains("NotPresent"), "{log}");
}
