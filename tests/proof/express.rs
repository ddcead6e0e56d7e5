//! What is written for Express, with all modules together: built, tested, running, taken back.

use std::thread;

use crate::app::{App, Start};
use crate::http::answer;
use crate::npm;
use crate::prisma::Prisma;
use crate::process::{succeed, until};
use crate::project::Project;
use crate::services::{Postgres, Redis};

/// What builds and test runs leave in a folder.
const MADE: [&str; 2] = ["dist", "tsconfig.proof.json"];

const SCHEMA: &str = include_str!("apps/express/db/schema.sql");

/// Checks the types of sources and tests: the service's own `tsc` often leaves the tests out.
pub fn check_types(project: &Project) {
    let check = r#"{ "extends": "./tsconfig.json", "compilerOptions": { "noEmit": true, "rootDir": "." }, "include": ["src", "tests"] }"#;
    std::fs::write(project.root().join("tsconfig.proof.json"), check).unwrap();
    succeed(npm::bin(project.root(), "tsc").args(["-p", "tsconfig.proof.json"]));
}

/// A service with every module, built, and the services that it uses.
struct Orders {
    project: Project,
    postgres: Postgres,
    redis: Redis,
}

impl Orders {
    fn built() -> Self {
        let project = Project::app("express");
        project.apply_all("express");
        npm::install(project.root(), "express");
        succeed(&mut npm::script(project.root(), "build"));
        let postgres = Postgres::start();
        postgres.create("orders");
        postgres.sql("orders", SCHEMA);
        Self { project, postgres, redis: Redis::start() }
    }

    fn start(&self) -> Start {
        Start::new(self.project.root(), &["node", "dist/index.js"])
            .set("NODE_ENV", "production")
            .set("DATABASE_URL", &self.postgres.url("orders"))
            .set("REDIS_URL", &self.redis.url())
    }

    fn ready(&self) -> App {
        self.start().ready()
    }
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn types_hold_and_tests_pass_and_everything_can_be_taken_back() {
    let project = Project::app("express");
    project.apply_all("express");
    npm::install(project.root(), "express");
    check_types(&project);
    succeed(&mut npm::script(project.root(), "build"));
    succeed(&mut npm::script(project.root(), "test"));
    project.undo(&MADE);
}

#[test]
#[ignore = "needs Node and PostgreSQL: run by scripts/test"]
fn the_unready_shop_builds_passes_its_tests_and_starts() {
    let project = Project::fixture("express-shop-unready");
    let (postgres, redis, prisma) = (Postgres::start(), Redis::start(), Prisma::new());
    project.apply_all("express");
    npm::install(project.root(), "express-shop");
    prisma.generate(project.root());
    postgres.create("shop");
    prisma.push(project.root(), &postgres, "shop");
    check_types(&project);
    succeed(&mut npm::script(project.root(), "build"));
    succeed(npm::script(project.root(), "test").env("NODE_OPTIONS", prisma.preload()));
    let start = Start::new(project.root(), &["node", &prisma.preload(), "dist/server.js"])
        .set("NODE_ENV", "production")
        .set("DATABASE_URL", &postgres.url("shop"))
        .set("REDIS_URL", &redis.url())
        .set("JWT_SECRET", "words that nobody guesses in a hundred years");
    let app = start.ready();
    assert_eq!((app.get("/").status, app.get("/products").body.as_str()), (200, "[]"));
    assert_eq!(app.get("/health/ready").status, 200);
    app.get("/no/such/page").is_problem(404);
    drop(app);
    project.undo(&MADE);
}

#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn errors_and_limits_are_answered_without_internals() {
    let orders = Orders::built();
    let app = orders.ready();
    let order = r#"{"customerId":1,"item":"tea","quantity":2}"#;
    assert_eq!(app.http().post_json("/orders", order).status, 201);
    assert_eq!(app.get("/orders").json()[0]["item"], "tea");

    assert_eq!(app.get("/missing").is_problem(404)["code"], "E1004");
    let broken = app.http().post_json("/orders", "{\"item\": ");
    assert_eq!(broken.is_problem(400)["code"], "E1001");
    assert!(!broken.body.contains("JSON") && !broken.body.contains("Unexpected"), "{broken:?}");
    let large = format!(r#"{{"item":"{}"}}"#, "x".repeat(1_048_576));
    assert_eq!(app.http().post_json("/orders", &large).is_problem(413)["code"], "E1007");
    // Nobody has made the function that signing in calls.
    let failing = app.http().post_json("/sessions", r#"{"email":"ada@orders.test","password":"open-sesame-4711"}"#);
    assert_eq!(failing.is_problem(500)["code"], "E1000");
    assert!(!failing.body.contains("sign_in"), "{failing:?}");

    for path in ["/", "/missing"] {
        let answer = app.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.header("x-powered-by"), None, "{answer:?}");
    }
}

#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn requests_carry_an_id_and_the_log_keeps_secrets_out() {
    let orders = Orders::built();
    let app = orders.start().set("TRUST_INBOUND_REQUEST_ID", "true").ready();
    let own = app.get("/");
    assert!(own.header("x-request-id").is_some_and(|id| id.len() == 36), "{own:?}");
    let request = app.http().request("POST", "/sessions?token=query-token-4711");
    let request = request
        .header("x-request-id", "from-the-proxy-42")
        .header("content-type", "application/json")
        .header("authorization", "Bearer bearer-token-4711")
        .header("cookie", "session=cookie-4711")
        .body(r#"{"email":"ada@orders.test","password":"open-sesame-4711"}"#);
    let failing = answer(request);
    assert_eq!(failing.header("x-request-id"), Some("from-the-proxy-42"), "{failing:?}");
    assert_eq!(failing.is_problem(500)["requestId"], "from-the-proxy-42");
    app.logs("from-the-proxy-42");
    let log = app.log();
    assert!(!log.contains("4711") && !log.contains(orders.postgres.password()), "{log}");
}

#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn readiness_follows_the_database() {
    let mut orders = Orders::built();
    let app = orders.ready();
    assert_eq!(app.becomes("/health/ready", 200).json()["checks"]["database"], "up");
    orders.postgres.stop();
    let down = app.becomes("/health/ready", 503);
    assert_eq!(down.json()["checks"]["database"], "down");
    assert!(!down.body.contains("127.0.0.1") && !down.body.contains("ECONNREFUSED"), "{down:?}");
    assert_eq!(app.get("/health/live").status, 200);
    orders.postgres.restart();
    app.becomes("/health/ready", 200);
    assert_eq!(app.get("/orders").status, 200);
}

/// As many requests of one client as are allowed in a window, and one more.
#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn two_processes_share_one_rate_limit() {
    let orders = Orders::built();
    let (first, second) = (orders.ready(), orders.ready());
    for request in 0..100 {
        let app = if request % 2 == 0 { &first } else { &second };
        let answer = app.get("/");
        assert_eq!(answer.status, 200, "request {request}: {answer:?}");
        assert!(answer.headers.iter().any(|(name, _)| name.starts_with("ratelimit")), "{answer:?}");
    }
    for app in [&first, &second] {
        let refused = app.get("/");
        assert_eq!(refused.is_problem(429)["code"], "E1006");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait), "{refused:?}");
        assert!(refused.headers.iter().any(|(name, _)| name.starts_with("ratelimit")), "{refused:?}");
        // Probes of the platform are no clients.
        assert_eq!(app.get("/health/live").status, 200);
    }
}

#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn a_limit_holds_without_its_store() {
    let mut orders = Orders::built();
    let app = orders.ready();
    orders.redis.stop();
    let statuses: Vec<u16> = (0..101).map(|_| app.get("/").status).collect();
    assert_eq!((statuses[0], statuses[100]), (200, 429), "{statuses:?}");
}

#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn what_is_under_way_is_finished_before_the_process_ends() {
    let orders = Orders::built();
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
    assert_eq!(status.code(), Some(0), "{}", app.log());
}

#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn a_start_without_a_needed_variable_is_refused_by_name() {
    let orders = Orders::built();
    let (_, log) = orders.start().unset("DATABASE_URL").refused();
    assert!(log.contains("DATABASE_URL"), "{log}");
    let (_, log) = orders.start().set("DATABASE_URL", "").refused();
    assert!(log.contains("DATABASE_URL"), "{log}");
}
