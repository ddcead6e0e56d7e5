//! What is written for FastAPI: each module alone, every layout, and all modules together, running.

use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
use std::thread;

use reqwest::blocking::Body;

use crate::app::{App, Start};
use crate::http::answer;
use crate::process::{succeed, until};
use crate::project::{ALL, Project, modules};
use crate::python::{bin, check_types, program, test};
use crate::python_apps::{factory, flat, packaged};
use crate::services::{Postgres, Redis};

/// What tests and the interpreter leave in a folder.
const MADE: [&str; 2] = ["__pycache__", ".pytest_cache"];

/// Where generated tests find their database: nowhere, since they need none.
const NOWHERE: &str = "postgresql+asyncpg://orders@127.0.0.1:1/orders";

/// A service with every module, and the services that it uses.
struct Orders {
    project: Project,
    postgres: Postgres,
    redis: Redis,
    url: String,
}

impl Orders {
    fn made() -> Self {
        let project = Project::app("fastapi");
        project.apply_all("fastapi");
        let postgres = Postgres::start();
        let url = postgres.create("orders").replace("postgresql:", "postgresql+asyncpg:");
        let orders = Self { project, postgres, redis: Redis::start(), url };
        orders.alembic(&["upgrade", "head"]);
        orders.postgres.sql("orders", "INSERT INTO customers (email) VALUES ('ada@orders.test')");
        orders
    }

    fn alembic(&self, arguments: &[&str]) {
        let mut alembic = bin(&self.project, "alembic");
        succeed(alembic.args(arguments).env("PYTHONPATH", ".").env("DATABASE_URL", &self.url));
    }

    fn start(&self) -> Start {
        uvicorn(&self.project).set("DATABASE_URL", &self.url).set("REDIS_URL", &self.redis.url())
    }

    fn ready(&self) -> App {
        self.start().ready()
    }
}

/// How production starts a service.
fn uvicorn(project: &Project) -> Start {
    let program = program("uvicorn");
    let command = [
        program.to_str().unwrap(),
        "app.main:app",
        "--port",
        "{port}",
        "--no-server-header",
        "--timeout-graceful-shutdown",
        "25",
    ];
    Start::new(project.root(), &command).set("PYTHONDONTWRITEBYTECODE", "1").set("PYTHONUNBUFFERED", "1")
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn fastapi_types_hold_and_tests_pass_and_everything_can_be_taken_back() {
    let project = Project::app("fastapi");
    project.apply_all("fastapi");
    check_types(&project, ".", &["app", "tests"]);
    test(&project, NOWHERE);
    project.undo(&MADE);
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn each_fastapi_module_alone_has_types_that_hold_and_tests_that_pass() {
    for id in modules("fastapi") {
        let project = Project::app("fastapi");
        project.apply(&[&id]);
        check_types(&project, ".", &["app", "tests"]);
        test(&project, NOWHERE);
    }
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn every_layout_has_types_that_hold_and_tests_that_pass() {
    let synchronous = "postgresql+psycopg2://shop@127.0.0.1:1/shop";
    let layouts =
        [(packaged(), ".", "app", synchronous), (factory(), "src", "src", NOWHERE), (flat(), ".", ".", synchronous)];
    for (folder, imported_from, sources, database) in layouts {
        let project = Project::new(folder);
        project.apply(&ALL);
        check_types(&project, imported_from, &["--explicit-package-bases", sources]);
        test(&project, database);
    }
}

#[test]
#[ignore = "needs Python and PostgreSQL: run by scripts/test"]
fn the_unready_ledger_passes_its_tests_and_starts() {
    let project = Project::fixture("fastapi-ledger-unready");
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let url = postgres.create("ledger").replace("postgresql:", "postgresql+psycopg2:");
    project.apply_all("fastapi");
    check_types(&project, ".", &["app/core", "app/middleware", "tests"]);
    test(&project, &url);
    let start = uvicorn(&project)
        .set("DATABASE_URL", &url)
        .set("REDIS_URL", &redis.url())
        .set("SECRET_KEY", "words that nobody guesses in a hundred years");
    let app = start.ready();
    assert_eq!((app.get("/").status, app.get("/accounts").body.as_str()), (200, "[]"));
    assert_eq!(app.get("/health/ready").status, 200);
    app.get("/no/such/page").is_problem(404);
    // It is written with `debug=True`, and reads fields that nobody has checked.
    app.http().post_json("/login", "{}").is_problem(500);
    let (_, log) = start.unset("SECRET_KEY").refused();
    assert!(log.contains("SECRET_KEY"), "{log}");
    drop(app);
    project.undo(&MADE);
}

#[test]
#[ignore = "needs Python and PostgreSQL: run by scripts/test"]
fn revisions_run_forwards_and_backwards_and_leave_no_drift() {
    let orders = Orders::made();
    let indexes = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_orders_customer_id'::regclass";
    assert_eq!(orders.postgres.sql("orders", indexes).trim(), "t");
    // What money was kept in stays until somebody drops it.
    orders.postgres.sql("orders", "ALTER TABLE orders DROP COLUMN price_float");
    orders.alembic(&["check"]);
    orders.postgres.sql("orders", "ALTER TABLE orders ADD COLUMN price_float double precision");
    orders.alembic(&["downgrade", "base"]);
    orders.alembic(&["upgrade", "head"]);
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn fastapi_answers_errors_and_limits_without_internals() {
    let orders = Orders::made();
    let app = orders.start().set("BODY_LIMIT_BYTES", "2000").ready();
    let order = r#"{"customer_id":1,"item":"tea","quantity":2}"#;
    assert_eq!(app.http().post_json("/orders", order).status, 201);
    assert_eq!(app.get("/orders").json()[0]["item"], "tea");

    assert_eq!(app.get("/missing").is_problem(404)["code"], "E1004");
    assert_eq!(app.http().post_json("/orders", "{\"item\": ").is_problem(422)["code"], "E1001");
    let wrong = app.http().post_json("/orders", r#"{"customer_id":"hunter2","item":"tea","quantity":2}"#);
    assert_eq!(wrong.is_problem(422)["errors"][0]["pointer"], "/customer_id");
    assert!(!wrong.body.contains("hunter2"), "{wrong:?}");
    // Nobody has made the function that signing in calls.
    let failing = app.http().post_json("/session", r#"{"email":"ada@orders.test","password":"open-sesame-4711"}"#);
    assert_eq!(failing.is_problem(500)["code"], "E1000");
    assert!(!failing.body.contains("sign_in"), "{failing:?}");

    let large = format!(r#"{{"customer_id":1,"item":"{}","quantity":2}}"#, "x".repeat(2000));
    assert_eq!(app.http().post_json("/orders", &large).is_problem(413)["code"], "E1007");
    let chunks = app.http().request("POST", "/orders").header("content-type", "application/json");
    let chunks = answer(chunks.body(Body::new(Cursor::new(large))));
    assert_eq!(chunks.is_problem(413)["code"], "E1007");

    for path in ["/", "/missing"] {
        let answer = app.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.header("server"), None, "{answer:?}");
    }
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn fastapi_requests_carry_an_id_and_the_log_keeps_secrets_out() {
    let orders = Orders::made();
    let app = orders.start().set("TRUST_INBOUND_REQUEST_ID", "true").set("METRICS_TOKEN", "scraper").ready();
    let own = app.get("/");
    assert!(own.header("x-request-id").is_some_and(|id| id.len() == 36), "{own:?}");
    let request = app.http().request("POST", "/session?token=query-token-4711");
    let request = request
        .header("x-request-id", "from-the-proxy-42")
        .header("content-type", "application/json")
        .header("authorization", "Bearer bearer-token-4711")
        .header("cookie", "session=cookie-4711")
        .body(r#"{"email":"ada@orders.test","password":"open-sesame-4711"}"#);
    let failing = answer(request);
    assert_eq!(failing.header("x-request-id"), Some("from-the-proxy-42"), "{failing:?}");
    assert_eq!(failing.is_problem(500)["requestId"], "from-the-proxy-42");
    let lines = until("the line of the request", || {
        let log = app.log();
        let lines: Vec<serde_json::Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.iter().any(|line| line["route"] == "/session").then_some(lines)
    });
    let line = lines.iter().find(|line| line["route"] == "/session").unwrap();
    assert_eq!(
        (line["method"].as_str(), line["status"].as_u64(), line["requestId"].as_str()),
        (Some("POST"), Some(500), Some("from-the-proxy-42")),
        "{line}"
    );
    assert_eq!(app.get("/metrics").is_problem(401)["code"], "E1002");
    let metrics = answer(app.http().request("GET", "/metrics").header("authorization", "Bearer scraper"));
    let counted = "http_request_duration_seconds_count{method=\"POST\",route=\"/session\",status=\"500\"} 1.0";
    assert!(metrics.body.contains(counted), "{metrics:?}");
    let log = app.log();
    assert!(log.contains("sign_in"), "the cause is in the log: {log}");
    assert!(!log.contains("4711") && !log.contains(orders.postgres.password()), "{log}");
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn fastapi_readiness_follows_the_database() {
    let mut orders = Orders::made();
    let app = orders.ready();
    assert_eq!(app.becomes("/health/ready", 200).json()["checks"]["database"], "up");
    orders.postgres.stop();
    let down = app.becomes("/health/ready", 503);
    assert_eq!(down.json()["checks"]["database"], "down");
    assert!(!down.body.contains("127.0.0.1") && !down.body.contains("Errno"), "{down:?}");
    assert_eq!(app.get("/health/live").status, 200);
    orders.postgres.restart();
    app.becomes("/health/ready", 200);
    assert_eq!(app.get("/orders").status, 200);
}

/// As many requests of one client as are allowed in a window, and one more.
#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn two_fastapi_processes_share_one_rate_limit() {
    let orders = Orders::made();
    let (first, second) = (orders.ready(), orders.ready());
    for request in 0..100 {
        let app = if request % 2 == 0 { &first } else { &second };
        let answer = app.get("/");
        assert_eq!(answer.status, 200, "request {request}: {answer:?}");
        assert_eq!(answer.header("ratelimit-remaining"), Some((99 - request).to_string().as_str()), "{answer:?}");
    }
    for app in [&first, &second] {
        let refused = app.get("/");
        assert_eq!(refused.is_problem(429)["code"], "E1006");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{refused:?}");
        assert_eq!(refused.header("ratelimit-limit"), Some("100"), "{refused:?}");
        // Probes of the platform are no clients.
        assert_eq!(app.get("/health/live").status, 200);
    }
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn a_fastapi_limit_holds_without_its_store() {
    let mut orders = Orders::made();
    let app = orders.ready();
    orders.redis.stop();
    let statuses: Vec<u16> = (0..101).map(|_| app.get("/").status).collect();
    assert_eq!((statuses[0], statuses[100]), (200, 429), "{statuses:?}");
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn fastapi_finishes_what_is_under_way_before_the_process_ends() {
    let orders = Orders::made();
    let mut app = orders.start().set("SHUTDOWN_DELAY_MS", "1500").ready();
    let http = app.http().clone();
    let slow = thread::spawn(move || http.get("/reports/monthly"));
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND state = 'active' AND pid <> pg_backend_pid()";
    until("the slow request to be under way", || (orders.postgres.sql("orders", running).trim() == "1").then_some(()));
    app.terminate();
    // Until the balancer has noticed, requests are still served.
    app.becomes("/health/ready", 503);
    assert_eq!(app.get("/health/live").status, 200);
    until("new connections to be refused", || (!app.listens()).then_some(()));
    let finished = slow.join().unwrap();
    assert_eq!((finished.status, finished.json()["orders"].as_i64()), (200, Some(0)), "{finished:?}");
    let status = app.wait();
    // Newer servers end with the signal that they got, once all is done.
    assert!(status.success() || status.signal() == Some(15), "{status}: {}", app.log());
    assert!(!app.log().contains("Traceback"), "{}", app.log());
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn a_fastapi_start_without_a_needed_variable_is_refused_by_name() {
    let orders = Orders::made();
    for start in [orders.start().unset("DATABASE_URL"), orders.start().set("DATABASE_URL", "")] {
        let (_, log) = start.refused();
        assert!(log.contains("DATABASE_URL"), "{log}");
    }
}
