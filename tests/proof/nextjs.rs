//! What is written for Next.js, with all modules together: built, tested, running, taken back.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::app::{App, Start};
use crate::apps::{fixture, git};
use crate::http::answer;
use crate::npm;
use crate::prisma::Prisma;
use crate::process::{succeed, until};
use crate::project::{Project, modules};
use crate::services::{Postgres, Redis};

/// What builds and test runs leave in a folder.
const MADE: [&str; 4] = [".next", "next-env.d.ts", "tsconfig.tsbuildinfo", "tsconfig.proof.tsbuildinfo"];

const SCHEMA: &str = "CREATE TABLE orders (id serial PRIMARY KEY, title text NOT NULL)";

/// The password of the service's only account: no log may hold it.
const ADMIN: &str = "open-sesame-4711";

/// Checks the types of sources and tests as they are, before Next.js has made any of its own.
fn check_types(project: &Project) {
    succeed(npm::bin(project.root(), "tsc").args(["--noEmit", "--incremental", "false"]));
}

fn next(project: &Project, arguments: &[&str]) -> Command {
    let mut command = npm::bin(project.root(), "next");
    command.args(arguments).env("NEXT_TELEMETRY_DISABLED", "1");
    command
}

/// The services that a running instance uses.
struct Around {
    postgres: Postgres,
    redis: Redis,
}

impl Around {
    fn started() -> Self {
        let postgres = Postgres::start();
        postgres.create("orders");
        postgres.sql("orders", SCHEMA);
        Self { postgres, redis: Redis::start() }
    }

    fn start(&self, project: &Project) -> Start {
        Start::new(project.root(), &["node_modules/.bin/next", "start", "--port", "{port}"])
            .set("NODE_ENV", "production")
            .set("NEXT_TELEMETRY_DISABLED", "1")
            .set("DATABASE_URL", &self.postgres.url("orders"))
            .set("REDIS_URL", &self.redis.url())
            .set("ADMIN_PASSWORD", ADMIN)
    }

    fn ready(&self, project: &Project) -> App {
        self.start(project).ready()
    }
}

/// One build, since that takes longer than everything else: each part starts instances and services of its own.
#[test]
#[ignore = "needs Node, PostgreSQL and Redis: run by scripts/test"]
fn the_service_with_every_module() {
    let project = Project::app("nextjs");
    project.apply_all("nextjs");
    npm::install(project.root(), "nextjs");
    check_types(&project);
    succeed(&mut npm::script(project.root(), "test"));
    succeed(&mut next(&project, &["build"]));
    let parts = [
        errors_and_limits_are_answered_without_internals,
        requests_carry_an_id_and_the_log_keeps_secrets_out,
        readiness_follows_the_database,
        two_processes_share_one_rate_limit,
        a_limit_holds_without_its_store,
        what_is_under_way_is_finished_before_the_process_ends,
        a_start_without_a_needed_variable_is_refused_by_name,
        requests_are_measured_for_who_has_the_token,
        errors_are_told_to_the_tracker,
    ];
    for part in parts {
        part(&project);
    }
    project.undo(&MADE);
}

fn errors_and_limits_are_answered_without_internals(project: &Project) {
    let around = Around::started();
    let app = around.ready(project);
    assert_eq!(app.http().post_json("/api/orders", r#"{"title":"tea"}"#).status, 201);
    assert_eq!(app.get("/api/orders/1").json()["title"], "tea");
    // Next.js itself answers what `notFound()` throws.
    assert_eq!(app.get("/api/orders/2").status, 404);
    assert!(app.get("/no/such/page").body.contains("Page not found"));

    let broken = app.http().post_json("/api/orders", "{\"title\": ");
    assert_eq!(broken.is_problem(400)["code"], "E1001");
    assert!(!broken.body.contains("Unexpected"), "{broken:?}");
    let large = format!(r#"{{"title":"{}"}}"#, "x".repeat(1_048_576));
    assert_eq!(app.http().post_json("/api/orders", &large).is_problem(413)["code"], "E1007");
    let failing = app.get("/api/fails");
    assert_eq!(failing.is_problem(500)["code"], "E1000");
    assert!(!failing.body.contains("postgres") && !failing.body.contains("no answer"), "{failing:?}");

    for path in ["/", "/api/orders", "/no/such/page"] {
        let answer = app.get(path);
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert!(answer.header("strict-transport-security").is_some(), "{answer:?}");
        assert_eq!(answer.header("x-powered-by"), None, "{answer:?}");
    }
}

fn requests_carry_an_id_and_the_log_keeps_secrets_out(project: &Project) {
    let around = Around::started();
    let app = around.start(project).set("TRUST_INBOUND_REQUEST_ID", "true").ready();
    for path in ["/", "/api/orders"] {
        let own = app.get(path);
        assert!(own.header("x-request-id").is_some_and(|id| id.len() == 36), "{own:?}");
    }
    let request = app.http().request("POST", "/api/auth/login?token=query-token-4711");
    let request = request
        .header("x-request-id", "from-the-proxy-42")
        .header("content-type", "application/json")
        .header("authorization", "Bearer bearer-token-4711")
        .header("cookie", "session=cookie-4711");
    let refused = answer(request.try_clone().unwrap().body(r#"{"password":"wrong-4711"}"#));
    assert_eq!((refused.status, refused.header("x-request-id")), (401, Some("from-the-proxy-42")), "{refused:?}");
    let entered = answer(request.body(format!(r#"{{"password":"{ADMIN}"}}"#)));
    assert_eq!((entered.status, entered.header("location")), (307, Some("/")), "{entered:?}");
    app.logs("from-the-proxy-42");
    assert_eq!(app.get("/api/fails").status, 500);
    app.logs("request failed");
    let log = app.log();
    assert!(!log.contains("4711") && !log.contains(around.postgres.password()), "{log}");
}

fn readiness_follows_the_database(project: &Project) {
    let mut around = Around::started();
    let app = around.ready(project);
    assert_eq!(app.becomes("/api/health/ready", 200).json()["checks"]["database"], "up");
    around.postgres.stop();
    let down = app.becomes("/api/health/ready", 503);
    assert_eq!(down.json()["checks"]["database"], "down");
    assert!(!down.body.contains("127.0.0.1") && !down.body.contains("ECONNREFUSED"), "{down:?}");
    assert_eq!(app.get("/api/health/live").status, 200);
    around.postgres.restart();
    app.becomes("/api/health/ready", 200);
    assert_eq!(app.get("/api/orders").status, 200);
}

/// As many requests of one client as are allowed in a window, and one more.
fn two_processes_share_one_rate_limit(project: &Project) {
    let around = Around::started();
    let (first, second) = (around.ready(project), around.ready(project));
    for request in 0..100 {
        let app = if request % 2 == 0 { &first } else { &second };
        let answer = app.get("/api/orders");
        assert_eq!(answer.status, 200, "request {request}: {answer:?}");
        assert!(answer.header("ratelimit-remaining").is_some(), "{answer:?}");
    }
    for app in [&first, &second] {
        let refused = app.get("/api/orders");
        assert_eq!(refused.is_problem(429)["code"], "E1006");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait), "{refused:?}");
        assert_eq!(refused.header("ratelimit-remaining"), Some("0"), "{refused:?}");
        // Probes of the platform are no clients.
        assert_eq!(app.get("/api/health/live").status, 200);
    }
}

fn a_limit_holds_without_its_store(project: &Project) {
    let mut around = Around::started();
    let app = around.ready(project);
    around.redis.stop();
    let statuses: Vec<u16> = (0..101).map(|_| app.get("/api/orders").status).collect();
    assert_eq!((statuses[0], statuses[100]), (200, 429), "{statuses:?}");
}

/// Next.js does this by itself, which is why no module does.
fn what_is_under_way_is_finished_before_the_process_ends(project: &Project) {
    let around = Around::started();
    let mut app = around.ready(project);
    let http = app.http().clone();
    let slow = thread::spawn(move || http.get("/api/reports"));
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND state = 'active' AND pid <> pg_backend_pid()";
    until("the slow request to be under way", || (around.postgres.sql("orders", running).trim() == "1").then_some(()));
    app.terminate();
    until("new connections to be refused", || (!app.listens()).then_some(()));
    let finished = slow.join().unwrap();
    assert_eq!((finished.status, finished.json()["orders"].as_i64()), (200, Some(0)), "{finished:?}");
    app.wait();
}

fn a_start_without_a_needed_variable_is_refused_by_name(project: &Project) {
    let around = Around::started();
    let (_, log) = around.start(project).unset("DATABASE_URL").refused();
    assert!(log.contains("DATABASE_URL") && !log.contains(ADMIN), "{log}");
    let (_, log) = around.start(project).set("ADMIN_PASSWORD", "").refused();
    assert!(log.contains("ADMIN_PASSWORD") && !log.contains(around.postgres.password()), "{log}");
}

fn requests_are_measured_for_who_has_the_token(project: &Project) {
    let around = Around::started();
    let app = around.start(project).set("METRICS_TOKEN", "of-the-scraper").ready();
    assert_eq!(app.get("/api/metrics").status, 401);
    for id in [1, 2] {
        assert_eq!(app.get(&format!("/api/orders/{id}")).status, 404);
    }
    assert_eq!(app.get("/api/orders").status, 200);
    let scraped = answer(app.http().request("GET", "/api/metrics").header("authorization", "Bearer of-the-scraper"));
    for expected in [
        "http_request_duration_seconds_count{method=\"GET\",route=\"/api/orders/[id]\",status=\"404\"} 2",
        "http_request_duration_seconds_count{method=\"GET\",route=\"/api/orders\",status=\"200\"} 1",
        "process_resident_memory_bytes ",
    ] {
        assert!(scraped.body.contains(expected), "{expected}: {scraped:?}");
    }
}

fn errors_are_told_to_the_tracker(project: &Project) {
    let around = Around::started();
    let (port, reports) = tracker();
    let app = around.start(project).set("SENTRY_DSN", &format!("http://key@127.0.0.1:{port}/1")).ready();
    let request = app.http().request("GET", "/api/fails?token=query-4711").header("cookie", "session=cookie-4711");
    assert_eq!(answer(request).status, 500);
    let report = until("a report of the error", || reports.try_iter().find(|report| report.contains("\"exception\"")));
    assert!(report.contains("no answer from") && report.contains("\"requestId\":\""), "{report}");
    assert!(!report.contains("4711") && !report.contains(around.postgres.password()), "{report}");
}

/// Somebody to report errors to: answers everything, and tells what it was sent.
fn tracker() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, reports) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(received(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (port, reports)
}

/// One request, read until its sender has nothing more to say.
fn received(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
    let mut request = Vec::new();
    let mut part = [0; 65_536];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..length]);
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    String::from_utf8_lossy(&request).into_owned()
}

/// The ledger once its owner has moved it from SQLite to a server, which is among what is left to do.
fn ledger() -> Project {
    let folder = fixture("nextjs-ledger-unready");
    let schema = folder.path().join("prisma/schema.prisma");
    let text = fs::read_to_string(&schema).unwrap();
    fs::write(&schema, text.replace("\"sqlite\"", "\"postgresql\"")).unwrap();
    Project::new(folder)
}

#[test]
#[ignore = "needs Node and PostgreSQL: run by scripts/test"]
fn the_unready_ledger_passes_its_tests_builds_and_starts() {
    let project = ledger();
    let (postgres, prisma) = (Postgres::start(), Prisma::new());
    project.apply_all("nextjs");
    npm::install(project.root(), "nextjs-ledger");
    prisma.generate(project.root());
    check_types(&project);
    succeed(npm::script(project.root(), "test").env("NODE_OPTIONS", prisma.preload()));
    postgres.create("ledger");
    prisma.push(project.root(), &postgres, "ledger");
    // Its pages ask the database while they are built.
    let url = postgres.url("ledger");
    succeed(next(&project, &["build"]).env("NODE_OPTIONS", prisma.preload()).env("DATABASE_URL", &url));
    let start = Start::new(project.root(), &["node_modules/.bin/next", "start", "--port", "{port}"])
        .set("NODE_ENV", "production")
        .set("NODE_OPTIONS", &prisma.preload())
        .set("DATABASE_URL", &url)
        .set("JWT_SECRET", "words that nobody guesses in a hundred years")
        .set("BANK_CLIENT_ID", "ledger")
        .set("BANK_CLIENT_SECRET", "words that nobody guesses in a hundred years");
    let app = start.ready();
    assert_eq!((app.get("/api/v1/accounts").status, app.get("/api/health/ready").status), (200, 200));
    assert_eq!(app.get("/").header("location"), Some("/transactions"));
    drop(app);
    // It is under version control here, and Next.js writes it anew.
    git(project.root(), &["checkout", "-q", "--", "next-env.d.ts"]);
    project.undo(&MADE[..1]);
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn each_next_module_alone_has_types_that_hold() {
    for id in modules("nextjs") {
        let project = Project::app("nextjs");
        if project.planned(&[&id]).contains(&id) {
            project.apply(&[&id]);
            npm::borrow(project.root(), "nextjs");
            check_types(&project);
        }
    }
}

#[test]
#[ignore = "part of the proof: run by scripts/test"]
fn each_next_module_is_part_of_a_service_that_is_checked() {
    let checked = [Project::app("nextjs"), Project::fixture("nextjs-ledger-unready")];
    let applied: Vec<String> = checked.iter().flat_map(|project| project.apply_all("nextjs")).collect();
    for id in modules("nextjs") {
        assert!(applied.contains(&id), "{id} is in neither service");
    }
}
