//! What is written for Django: each module alone, and all modules together, running behind gunicorn.

use std::io::Cursor;
use std::thread;

use reqwest::blocking::Body;

use crate::app::{App, Start};
use crate::http::answer;
use crate::process::{succeed, until};
use crate::project::{Project, modules};
use crate::python::{bin, program};
use crate::services::{Postgres, Redis};

/// What tests and the interpreter leave in a folder.
const MADE: [&str; 1] = ["__pycache__"];

const KEY: &str = "words that nobody guesses in a hundred years, 4711 of them";

/// A service with every module, and the services that it uses.
struct Orders {
    project: Project,
    postgres: Postgres,
    redis: Redis,
}

impl Orders {
    fn made() -> Self {
        let project = Project::app("django");
        project.apply_all("django");
        let postgres = Postgres::start();
        postgres.create("orders");
        let orders = Self { project, postgres, redis: Redis::start() };
        orders.manage(&["migrate", "--verbosity", "0"]);
        orders
    }

    /// A command of Django, with the database of the service.
    fn manage(&self, arguments: &[&str]) {
        let mut python = bin(&self.project, "python");
        python.arg("manage.py").args(arguments).env("SECRET_KEY", KEY).envs(self.postgres.variables("orders"));
        succeed(&mut python);
    }

    fn start(&self) -> Start {
        let gunicorn = program("gunicorn");
        let start = Start::new(self.project.root(), &[gunicorn.to_str().unwrap()]);
        let start = start.set("PYTHONDONTWRITEBYTECODE", "1").set("PYTHONUNBUFFERED", "1").set("SECRET_KEY", KEY);
        let start = start.set("REDIS_URL", &self.redis.url()).set("WEB_CONCURRENCY", "1");
        self.postgres.variables("orders").into_iter().fold(start, |start, (name, value)| start.set(&name, &value))
    }

    fn ready(&self) -> App {
        self.start().ready()
    }
}

/// Django's own checks, that models and migrations agree, and the tests; none of them needs a database.
fn check(project: &Project) {
    for command in [&["check"][..], &["makemigrations", "--check", "--dry-run", "--skip-checks"], &["test"]] {
        let mut python = bin(project, "python");
        python.arg("manage.py").args(command).env("SECRET_KEY", KEY).env("REDIS_URL", "redis://127.0.0.1:1");
        for (name, value) in [
            ("NAME", "none"),
            ("USER", "none"),
            ("PASSWORD", "the password of nobody 4711"),
            ("HOST", "127.0.0.1"),
            ("PORT", "1"),
        ] {
            python.env(format!("DB_{name}"), value);
        }
        succeed(&mut python);
    }
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn django_checks_hold_and_tests_pass_and_everything_can_be_taken_back() {
    let project = Project::app("django");
    project.apply_all("django");
    check(&project);
    project.undo(&MADE);
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn the_unready_django_shop_passes_its_tests_and_starts() {
    let project = Project::fixture("django-shop-unready");
    project.apply(&["--all"]);
    check(&project);
    succeed(bin(&project, "python").args(["manage.py", "migrate", "--verbosity", "0"]));
    let gunicorn = program("gunicorn");
    let start = Start::new(project.root(), &[gunicorn.to_str().unwrap()]).set("PYTHONDONTWRITEBYTECODE", "1");
    let app = start.set("WEB_CONCURRENCY", "1").ready();
    assert_eq!((app.get("/api/products/").status, app.get("/api/products/").body.as_str()), (200, "[]"));
    assert_eq!(app.get("/admin/login/").status, 200);
    assert_eq!(app.get("/health/ready").json()["checks"]["database"], "up");
    drop(app);
    project.undo(&["__pycache__", "db.sqlite3"]);
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn each_django_module_alone_passes_its_checks_and_tests() {
    for id in modules("django") {
        let project = Project::app("django");
        if project.planned(&[&id]).contains(&id) {
            project.apply(&[&id]);
            check(&project);
        }
    }
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn django_answers_errors_and_limits_without_internals() {
    let orders = Orders::made();
    let app = orders.start().set("BODY_LIMIT_BYTES", "2000").ready();
    assert_eq!(app.http().post_json("/orders", r#"{"item":"tea","quantity":2}"#).status, 201);
    assert_eq!(app.get("/orders").json()[0]["item"], "tea");

    assert_eq!(app.get("/missing").is_problem(404)["code"], "E1004");
    assert_eq!(app.http().post_json("/orders", "{\"item\": ").is_problem(400)["code"], "E1001");
    let wrong = app.http().post_json("/orders", r#"{"item":"tea","quantity":"hunter2"}"#);
    assert_eq!(wrong.is_problem(400)["code"], "E1001");
    assert!(wrong.body.contains("quantity") && !wrong.body.contains("hunter2"), "{wrong:?}");
    // Nobody has made the function that signing in calls.
    let failing = app.http().post_json("/session", r#"{"email":"ada@orders.test","password":"open-sesame-4711"}"#);
    assert_eq!(failing.is_problem(500)["code"], "E1000");
    assert!(!failing.body.contains("sign_in"), "{failing:?}");

    let large = format!(r#"{{"item":"{}","quantity":2}}"#, "x".repeat(2000));
    assert_eq!(app.http().post_json("/orders", &large).is_problem(413)["code"], "E1007");
    let chunks = app.http().request("POST", "/orders").header("content-type", "application/json");
    let chunks = answer(chunks.body(Body::new(Cursor::new(large))));
    // Of a body that does not say how long it is Django reads nothing.
    assert_eq!(chunks.is_problem(400)["code"], "E1001");

    for path in ["/orders", "/missing"] {
        let answer = app.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{answer:?}");
    }
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn django_requests_carry_an_id_and_the_log_keeps_secrets_out() {
    let orders = Orders::made();
    let app = orders.start().set("TRUST_INBOUND_REQUEST_ID", "true").set("METRICS_TOKEN", "scraper").ready();
    let own = app.get("/orders");
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
        lines.iter().any(|line| line["route"] == "session").then_some(lines)
    });
    let line = lines.iter().find(|line| line["route"] == "session").unwrap();
    assert_eq!(
        (line["method"].as_str(), line["status"].as_u64(), line["requestId"].as_str()),
        (Some("POST"), Some(500), Some("from-the-proxy-42")),
        "{line}"
    );
    assert_eq!(app.get("/metrics").status, 401);
    let metrics = answer(app.http().request("GET", "/metrics").header("authorization", "Bearer scraper"));
    let counted = "http_request_duration_seconds_count{method=\"POST\",route=\"session\",status=\"500\"} 1.0";
    assert!(metrics.body.contains(counted), "{metrics:?}");
    let log = app.log();
    assert!(log.contains("sign_in"), "the cause is in the log: {log}");
    assert!(!log.contains("4711") && !log.contains(orders.postgres.password()), "{log}");
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn django_readiness_follows_the_database() {
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
fn two_gunicorns_share_one_rate_limit() {
    let mut orders = Orders::made();
    let (first, second) = (orders.ready(), orders.ready());
    for request in 0..100 {
        let app = if request % 2 == 0 { &first } else { &second };
        let answer = app.get("/orders");
        assert_eq!(answer.status, 200, "request {request}: {answer:?}");
        assert_eq!(answer.header("ratelimit-remaining"), Some((99 - request).to_string().as_str()), "{answer:?}");
    }
    for app in [&first, &second] {
        let refused = app.get("/orders");
        assert_eq!(refused.is_problem(429)["code"], "E1006");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{refused:?}");
        assert_eq!(refused.header("ratelimit-limit"), Some("100"), "{refused:?}");
        // Probes of the platform are no clients.
        assert_eq!(app.get("/health/live").status, 200);
    }
    // Without its store a process counts alone.
    orders.redis.stop();
    let statuses: Vec<u16> = (0..101).map(|_| first.get("/orders").status).collect();
    assert_eq!((statuses[0], statuses[100]), (200, 429), "{statuses:?}");
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn gunicorn_finishes_what_is_under_way_before_it_ends() {
    let orders = Orders::made();
    let mut app = orders.ready();
    let http = app.http().clone();
    let slow = thread::spawn(move || http.get("/reports/monthly"));
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND state = 'active' AND pid <> pg_backend_pid()";
    until("the slow request to be under way", || (orders.postgres.sql("orders", running).trim() == "1").then_some(()));
    app.terminate();
    until("new connections to be refused", || (!app.listens()).then_some(()));
    let finished = slow.join().unwrap();
    assert_eq!((finished.status, finished.json()["orders"].as_i64()), (200, Some(0)), "{finished:?}");
    let status = app.wait();
    assert!(status.success(), "{status}: {}", app.log());
    assert!(!app.log().contains("Traceback"), "{}", app.log());
}

#[test]
#[ignore = "needs Python, PostgreSQL and Redis: run by scripts/test"]
fn a_django_start_without_a_needed_variable_is_refused_by_name() {
    let orders = Orders::made();
    let (_, log) = orders.start().unset("DB_HOST").refused();
    assert!(log.contains("DB_HOST"), "{log}");
    let (_, log) = orders.start().set("SECRET_KEY", "short-4711").refused();
    assert!(log.contains("SECRET_KEY") && !log.contains("4711"), "{log}");
}
