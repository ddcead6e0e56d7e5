//! The small apps of `fixtures/`, audited as a user would: each as a repository of its own. What a person found in
//! them is in `fixtures/EXPECTED.md`; where the tool sees less, the lists below say why.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const FIXTURES: &[&str] = &[
    "axum-service-ready",
    "axum-service-unready",
    "dead-code",
    "dead-code-mounted",
    "django-shop-ready",
    "django-shop-unready",
    "express-shop-ready",
    "express-shop-unready",
    "fastapi-ledger-ready",
    "fastapi-ledger-unready",
    "monorepo-mixed",
    "nextjs-ledger-ready",
    "nextjs-ledger-unready",
];

/// A line of a finding may be that of the statement around it.
const LINES_APART: u64 = 3;

// ---- the harness

/// A copy of a fixture with its placeholder keys written out, in a folder of its own name.
struct Fixture {
    folder: TempDir,
    name: &'static str,
}

impl Fixture {
    fn new(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        copy(&from, &folder.path().join(name));
        Fixture { folder, name }
    }

    fn audit(&self, arguments: &[&str]) -> String {
        let mut command = Command::cargo_bin("readycheck").unwrap();
        command.current_dir(self.folder.path().join(self.name)).arg("audit").args(arguments);
        command.env("COLUMNS", "80").timeout(Duration::from_secs(60));
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.as_ref()), (Some(0), ""), "{}", self.name);
        String::from_utf8(output.stdout).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, with_keys(&fs::read_to_string(entry.path()).unwrap())).unwrap();
        }
    }
}

/// Writes made-up keys in place of `{{key:NAME}}`. Their prefixes are in parts, so that no file holds such a key.
fn with_keys(text: &str) -> String {
    let keys = [
        ("aws", ["AK", "IA"].concat() + &noise(16).to_uppercase()),
        ("sendgrid", ["SG", "."].concat() + &noise(22) + "." + &noise(43)),
        ("stripe", ["sk", "live", ""].join("_") + &noise(24)),
    ];
    let expanded =
        keys.iter().fold(text.to_owned(), |text, (name, key)| text.replace(&format!("{{{{key:{name}}}}}"), key));
    assert!(!expanded.contains("{{key:"), "a placeholder without a key: {expanded}");
    expanded
}

fn noise(length: usize) -> String {
    let alphabet = b"7hQ2mZx4KdV9pLw3RtBn6YcJfGsE5uTa";
    (0..length).map(|at| char::from(alphabet[(at * 11 + at / 3 * 7 + length) % alphabet.len()])).collect()
}

/// The JSON report of each fixture.
static REPORTS: LazyLock<BTreeMap<&'static str, Value>> = LazyLock::new(|| {
    let report = |name: &'static str| serde_json::from_str(&Fixture::new(name).audit(&["--format", "json"])).unwrap();
    FIXTURES.iter().map(|name| (*name, report(name))).collect()
});

fn report(fixture: &str) -> &'static Value {
    &REPORTS[fixture]
}

fn controls(fixture: &str) -> impl Iterator<Item = &'static Value> {
    report(fixture)["controls"].as_array().unwrap().iter().filter(|control| control["reason"] != "not implemented yet")
}

/// A control as it is judged for each service.
fn judged(fixture: &str, id: &str) -> Vec<&'static Value> {
    let found: Vec<&Value> = controls(fixture).filter(|control| control["id"] == id).collect();
    assert!(!found.is_empty(), "{fixture} has no control {id}");
    found
}

/// The state of a control in a fixture of one service.
fn state(fixture: &str, id: &str) -> &'static str {
    judged(fixture, id)[0]["state"].as_str().unwrap()
}

fn service_state(fixture: &str, service: &str, id: &str) -> &'static str {
    let control = judged(fixture, id).into_iter().find(|control| control["service"] == service);
    control.unwrap_or_else(|| panic!("{service} is not judged by {id}"))["state"].as_str().unwrap()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    path: String,
    line: u64,
}

impl Place {
    fn of(value: &Value) -> Option<Self> {
        Some(Place { path: value["path"].as_str()?.to_owned(), line: value["line"].as_u64()? })
    }

    fn is_near(&self, other: &Place) -> bool {
        self.path == other.path && self.line.abs_diff(other.line) <= LINES_APART
    }
}

/// Where a control names a lack: its findings and its nearest miss.
fn places(fixture: &str, id: &str) -> Vec<Place> {
    let of_control = |control: &Value| {
        let findings = control["findings"].as_array().unwrap().iter().filter_map(Place::of);
        findings.chain(Place::of(&control["nearest_miss"])).collect::<Vec<_>>()
    };
    judged(fixture, id).into_iter().flat_map(of_control).collect()
}

// ---- what a person found

/// A row of `fixtures/EXPECTED.md`.
struct Row {
    fixture: String,
    controls: Vec<String>,
    state: String,
    places: Vec<Place>,
}

fn expected() -> Vec<Row> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/EXPECTED.md");
    let text = fs::read_to_string(path).unwrap();
    let mut fixture = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            fixture = title.split([':', ' ']).next().unwrap().to_owned();
        } else if line.starts_with("| ") && !line.starts_with("| control ") {
            rows.push(row(&fixture, line));
        }
    }
    rows
}

/// What a person failed in the unready apps.
fn failed_rows() -> impl Iterator<Item = Row> {
    expected().into_iter().filter(|row| row.fixture.ends_with("-unready") && row.state.starts_with("fail"))
}

fn row(fixture: &str, line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let place = |quoted: &str| {
        let (path, line) = quoted.rsplit_once(':')?;
        Some(Place { path: path.to_owned(), line: line.parse().ok()? })
    };
    Row {
        fixture: fixture.to_owned(),
        controls: cells[0].split(", ").map(str::to_owned).collect(),
        state: cells[1].to_owned(),
        places: cells[2].split('`').filter_map(place).collect(),
    }
}

// ---- scores

#[test]
fn ready_apps_are_ready() {
    for fixture in
        ["axum-service-ready", "django-shop-ready", "express-shop-ready", "fastapi-ledger-ready", "nextjs-ledger-ready"]
    {
        let score = &report(fixture)["score"];
        assert!(score["value"].as_f64().unwrap() >= 85.0, "{fixture}: {score}");
        assert_eq!(score["verdict"], "ready", "{fixture}: {score}");
        assert_eq!(score["blockers"].as_array().unwrap().len(), 0, "{fixture}: {score}");
    }
}

#[test]
fn unready_apps_are_blocked() {
    for fixture in [
        "axum-service-unready",
        "django-shop-unready",
        "express-shop-unready",
        "fastapi-ledger-unready",
        "nextjs-ledger-unready",
    ] {
        let score = &report(fixture)["score"];
        assert!(score["value"].as_f64().unwrap() <= 35.0, "{fixture}: {score}");
        assert_eq!(score["verdict"], "not-ready", "{fixture}: {score}");
        assert!(score["blockers"].as_array().unwrap().len() >= 4, "{fixture}: {score}");
    }
}

#[test]
fn services_of_a_monorepo_are_told_apart() {
    let services = report("monorepo-mixed")["project"]["services"].as_array().unwrap();
    let kinds = |path: &str| &services.iter().find(|service| service["path"] == path).unwrap()["kinds"];
    assert_eq!(*kinds("apps/api"), serde_json::json!(["http"]));
    assert_eq!(*kinds("apps/worker"), serde_json::json!(["worker"]));
    assert_eq!(*kinds("packages/shared"), serde_json::json!(["library"]));
    let scored = services.iter().filter_map(|service| service["score"]["value"].as_f64());
    let worst = scored.fold(f64::INFINITY, f64::min);
    assert_eq!(report("monorepo-mixed")["score"]["value"].as_f64(), Some(worst));

    assert_eq!(service_state("monorepo-mixed", "apps/worker", "route-authentication"), "not-applicable");
    assert_eq!(service_state("monorepo-mixed", "apps/worker", "outbound-timeout"), "fail");
    assert_ne!(service_state("monorepo-mixed", "apps/api", "outbound-timeout"), "fail");
    assert_eq!(service_state("monorepo-mixed", "apps/api", "n-plus-one"), "fail");
}

#[test]
fn a_front_end_is_not_alarmed() {
    for control in controls("monorepo-mixed") {
        let findings = control["findings"].as_array().unwrap();
        let alarm = findings.iter().find(|finding| finding["path"].as_str().unwrap().starts_with("apps/web/"));
        assert!(alarm.is_none(), "{}: {alarm:?}", control["id"]);
    }
}

// ---- what is found

/// P0 controls that never fail or never pass, with the reason. An open blocker fails, in part or not.
const ONE_SIDED: &[(&str, &[&str], &str)] = &[
    ("api-key-hashed", &["fail", "pass"], "no fixture keeps keys of clients"),
    ("backup-automation", &["fail"], "backups may live with the provider: nothing there to see is unknown"),
    ("card-data-storage", &["fail", "pass"], "no fixture has a column for card data, which alone makes it apply"),
    ("csrf-protection", &["fail"], "the fixtures with sessions keep their cookies on their site, which is half"),
    ("debug-endpoint-exposed", &["fail"], "no fixture hands out its environment"),
    ("nosql-injection", &["fail", "pass"], "no fixture talks to MongoDB"),
    (
        "object-level-authorization",
        &["fail"],
        "the unready handlers ask for nobody at all, which route-authentication reports",
    ),
    ("path-traversal", &["fail", "pass"], "no fixture serves files by the names that callers send"),
    ("oauth-state-validation", &["fail"], "no unready fixture signs in by another provider"),
    (
        "placeholder-auth",
        &["pass"],
        "only functions that let everybody through are its places: without one it does not apply",
    ),
    ("session-validation", &["fail"], "no unready fixture keeps sessions that it could accept unseen"),
    ("ssrf-user-url", &["fail"], "the one call to an address that a caller sends leaves it partial"),
    ("tls-termination", &["fail"], "TLS may live with the provider: nothing there to see is unknown"),
];

#[test]
fn every_p0_control_occurs_once_bad_and_once_good() {
    let all = || FIXTURES.iter().flat_map(|fixture| controls(fixture));
    let id = |control: &'static Value| control["id"].as_str().unwrap();
    let p0: BTreeSet<&str> = all().filter(|control| control["priority"] == "P0").map(id).collect();
    let mut states: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for control in all().filter(|control| p0.contains(id(control))) {
        let state = if control["blocker"] == true { "fail" } else { control["state"].as_str().unwrap() };
        states.entry(id(control)).or_default().insert(state);
    }
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, seen) in &states {
        for state in ["fail", "pass"].into_iter().filter(|state| !seen.contains(state)) {
            lacking.entry(id).or_default().push(state);
        }
    }
    let known: BTreeMap<&str, Vec<&str>> = ONE_SIDED.iter().map(|(id, states, _)| (*id, states.to_vec())).collect();
    assert_eq!(lacking, known);
}

/// What is absent has no place: the person named where a reader would look for it.
const ABSENT: &str = "nothing there to name";

/// Places of `fail` rows that no finding and no nearest miss names: fixture, control, place, reason. "A missed finding"
/// is a debt of the tool, all others are answered.
const UNNAMED: &[(&str, &str, &str, &str)] = &[
    (
        "django-shop-unready",
        "cors-misconfiguration",
        "shop/settings.py:59",
        "the finding is at the middleware that reads the setting, line 26",
    ),
    (
        "django-shop-unready",
        "sensitive-data-in-logs",
        "store/views.py:29",
        "a missed finding: the whole body goes by the name `data`",
    ),
    ("express-shop-unready", "api-versioning", "src/server.ts:32", ABSENT),
    ("express-shop-unready", "console-logging", "src/server.ts:39", "one line at the start is a banner, not logging"),
    ("express-shop-unready", "cors-configured", "src/server.ts:17", "cors-misconfiguration names the place"),
    ("express-shop-unready", "env-validation", "src/lib/config.ts:1", ABSENT),
    ("express-shop-unready", "graceful-shutdown", "src/server.ts:38", ABSENT),
    ("express-shop-unready", "health-endpoint", "src/server.ts:27", ABSENT),
    ("express-shop-unready", "input-validation", "src/routes/orders.ts:35", "the finding is at the route, line 25"),
    ("express-shop-unready", "migrations-managed", "package.json:11", ABSENT),
    ("express-shop-unready", "pagination", "src/routes/payments.ts:22", "an export is a file, not a list of pages"),
    (
        "express-shop-unready",
        "pagination",
        "src/routes/products.ts:12",
        "a missed finding: the list is read by raw SQL",
    ),
    (
        "express-shop-unready",
        "password-hashing",
        "src/routes/auth.ts:11",
        "the findings are where the digest is stored and compared, lines 16 and 25",
    ),
    ("express-shop-unready", "rate-limit-coverage", "src/routes/orders.ts:29", "the findings are at the routes"),
    (
        "express-shop-unready",
        "rate-limit-headers",
        "src/routes/orders.ts:29",
        "the limiter that limits nothing would send headers",
    ),
    ("express-shop-unready", "request-body-limit", "src/server.ts:18", ABSENT),
    ("express-shop-unready", "security-headers", "package.json:20", ABSENT),
    (
        "express-shop-unready",
        "unbounded-memory-store",
        "src/lib/sessions.ts:14",
        "the finding is at the declaration, line 9",
    ),
    (
        "express-shop-unready",
        "unbounded-query",
        "src/routes/orders.ts:12",
        "the orders of one user: bounded by their owner",
    ),
    ("express-shop-unready", "unit-tests", "package.json:10", "the findings are at the modules without tests"),
    ("nextjs-ledger-unready", "cors-configured", "next.config.ts:10", "cors-misconfiguration names the place"),
    ("nextjs-ledger-unready", "env-validation", "lib/bank.ts:19", ABSENT),
    ("nextjs-ledger-unready", "env-validation", "lib/tokens.ts:3", ABSENT),
    ("nextjs-ledger-unready", "error-handler", "app/api/v1/transactions/route.ts:16", ABSENT),
    ("nextjs-ledger-unready", "hardcoded-secret", "lib/bank.ts:20", "secret-fallback-default names the place"),
    ("nextjs-ledger-unready", "hardcoded-secret", "lib/tokens.ts:3", "secret-fallback-default names the place"),
    (
        "nextjs-ledger-unready",
        "input-validation",
        "app/api/v1/auth/login/route.ts:13",
        "the finding is at the route, line 7",
    ),
    (
        "nextjs-ledger-unready",
        "input-validation",
        "app/transactions/actions.ts:11",
        "a missed finding: the form of a server action",
    ),
    (
        "nextjs-ledger-unready",
        "insecure-cookie-flags",
        "app/api/v1/auth/oauth/callback/route.ts:12",
        "a missed finding: a cookie without options is undecided",
    ),
    (
        "nextjs-ledger-unready",
        "jwt-verification",
        "lib/tokens.ts:11",
        "a missed finding: thirty days are long for a session",
    ),
    (
        "nextjs-ledger-unready",
        "lockfile",
        ".github/workflows/deploy.yml:12",
        "the finding is at the first line of the workflow",
    ),
    ("nextjs-ledger-unready", "migrations-managed", "README.md:4", ABSENT),
    (
        "nextjs-ledger-unready",
        "pagination",
        "app/api/v1/partner/export/route.ts:8",
        "an export is a file, not a list of pages",
    ),
    (
        "nextjs-ledger-unready",
        "pagination",
        "app/api/v1/transactions/route.ts:4",
        "a missed finding: the list is read by raw SQL",
    ),
    (
        "nextjs-ledger-unready",
        "placeholder-auth",
        "lib/api-key.ts:3",
        "a missed finding: a comparison with undefined that is always true",
    ),
    ("nextjs-ledger-unready", "rate-limit-headers", "app/api/v1/auth/login/route.ts:11", ABSENT),
    ("nextjs-ledger-unready", "security-headers", "next.config.ts:5", ABSENT),
    (
        "nextjs-ledger-unready",
        "unbounded-query",
        "app/api/v1/transactions/route.ts:10",
        "a missed finding: the list is read by raw SQL",
    ),
    (
        "nextjs-ledger-unready",
        "unreachable-capability",
        "lib/cache.ts:1",
        "a missed finding: a cache counts as a capability nowhere but in caching",
    ),
];

#[test]
fn what_a_person_found_in_the_unready_apps_is_found() {
    let mut unnamed = Vec::new();
    for row in failed_rows() {
        for id in &row.controls {
            let named = places(&row.fixture, id);
            let missing = row.places.iter().filter(|place| !named.iter().any(|found| found.is_near(place)));
            unnamed.extend(missing.map(|place| format!("{} {id} {}:{}", row.fixture, place.path, place.line)));
        }
    }
    let known: Vec<String> = UNNAMED.iter().map(|(app, id, place, _)| format!("{app} {id} {place}")).collect();
    unnamed.sort();
    let known: Vec<String> = BTreeSet::from_iter(known).into_iter().collect();
    assert_eq!(unnamed, known);
}

/// `fail` rows that come out better: fixture, control, state, reason.
const BETTER: &[(&str, &str, &str, &str)] = &[
    ("axum-service-unready", "route-authentication", "partial", "signing in asks for a password"),
    (
        "django-shop-unready",
        "route-authentication",
        "partial",
        "a guard that only decodes the token counts here; jwt-verification fails it",
    ),
    ("express-shop-unready", "rate-limit-headers", "pass", "the limiter that limits nothing would send headers"),
    (
        "express-shop-unready",
        "route-authentication",
        "partial",
        "a guard that only decodes the token counts here; jwt-verification fails it",
    ),
    ("express-shop-unready", "unbounded-query", "partial", "the other queries are bounded"),
    ("nextjs-ledger-unready", "container-probes", "partial", "who starts the image may probe it: low confidence"),
    ("nextjs-ledger-unready", "placeholder-auth", "n/a", "a comparison with undefined that is always true is not seen"),
    ("nextjs-ledger-unready", "route-authentication", "partial", "one route reads the token"),
];

#[test]
fn what_a_person_failed_fails() {
    let mut better = BTreeSet::new();
    for row in failed_rows() {
        for id in &row.controls {
            let state = state(&row.fixture, id).replace("not-applicable", "n/a");
            if !row.state.split([' ', ',']).any(|allowed| allowed == state) {
                better.insert(format!("{} {id} {state}", row.fixture));
            }
        }
    }
    let known = BETTER.iter().map(|(app, id, state, _)| format!("{app} {id} {state}"));
    assert_eq!(better, known.collect());
}

// ---- dead code

/// The controls whose means exist and are not mounted, with the file that is the nearest miss.
const DEAD: &[(&str, &str)] = &[
    ("rate-limit-coverage", "src/middleware/rate-limit.ts"),
    ("health-endpoint", "src/routes/health.ts"),
    ("error-handler", "src/middleware/error-handler.ts"),
    ("structured-logging", "src/lib/logger.ts"),
    ("input-validation", "src/middleware/validate.ts"),
];

#[test]
fn dead_code_proves_nothing() {
    for (id, file) in DEAD {
        let control = judged("dead-code", id)[0];
        assert_eq!(control["state"], "fail", "{id}");
        assert_eq!(control["nearest_miss"]["path"], *file, "{id}");
    }
}

#[test]
fn mounting_it_turns_each() {
    for (id, _) in DEAD {
        assert_eq!(state("dead-code-mounted", id), "pass", "{id}");
    }
    assert_eq!(state("dead-code", "unreachable-capability"), "fail");
    assert_eq!(state("dead-code-mounted", "unreachable-capability"), "pass");
    for same in ["route-authentication", "request-body-limit", "migrations-managed", "connection-pool"] {
        assert_eq!(state("dead-code", same), state("dead-code-mounted", same), "{same}");
    }
}

// ---- the output as a whole

#[test]
fn threads_do_not_change_a_byte() {
    for name in FIXTURES {
        let fixture = Fixture::new(name);
        for format in ["json", "terminal", "markdown"] {
            let one = fixture.audit(&["--format", format, "--jobs", "1"]);
            assert!(one == fixture.audit(&["--format", format, "--jobs", "2"]), "{name} as {format}");
        }
    }
}

#[test]
fn first_screens() {
    let apps = ["express-shop", "fastapi-ledger", "nextjs-ledger"];
    for name in apps.iter().flat_map(|app| FIXTURES.iter().filter(move |name| name.starts_with(app))) {
        let screen = Fixture::new(name).audit(&[]);
        assert!(screen.lines().count() <= 24, "{name}: more than a screen\n{screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{name}: wider than the screen\n{screen}");
        insta::assert_snapshot!(format!("screen of {name}"), screen);
    }
}

#[test]
fn markdown_of_an_unready_app() {
    insta::assert_snapshot!(Fixture::new("express-shop-unready").audit(&["--format", "markdown"]));
}
