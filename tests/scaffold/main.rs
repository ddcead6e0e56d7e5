//! `readycheck scaffold` as a process: what is written, what is refused, what comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod apps;
mod django_apps;
mod fastapi;
mod fixes;
mod infrastructure;
mod life;
mod modules;
mod nextjs;
mod own;
mod python_apps;
mod refusals;
mod reports;
mod rust_apps;
mod whole;

use std::fs;

use apps::{bytes, classic, commit_all, fixture, git, run, text, write};
use assert_cmd::Command;
use serde_json::Value;

const FIRST: &[&str] = &["security-headers", "health"];

#[test]
fn a_plan_shows_the_diff_and_writes_nothing() {
    let shop = fixture("express-shop-unready");
    let before = bytes(shop.path());
    let ran = run(shop.path(), FIRST);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for expected in [
        "+app.use(securityHeaders);",
        "+import { healthRoutes } from \"./routes/health\";",
        "✓ security-headers passes",
        "✓ readiness-dependencies passes",
        "✓ server-header-disclosure passes",
        "--apply writes this",
    ] {
        assert!(ran.out.contains(expected), "{expected}:\n{}", ran.out);
    }
    assert_eq!(bytes(shop.path()), before);
}

#[test]
fn what_is_applied_closes_its_controls_and_a_second_time_there_is_nothing_to_do() {
    let shop = fixture("express-shop-unready");
    commit_all(shop.path());
    let mut arguments = FIRST.to_vec();
    arguments.push("--apply");
    let ran = run(shop.path(), &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let server = text(shop.path(), "src/server.ts");
    let made = server.find("const app = express();").unwrap();
    let [headers, health, cors] =
        ["app.use(securityHeaders);", "app.use(healthRoutes);", "app.use(cors("].map(|line| server.find(line).unwrap());
    assert!(made < headers && headers < health && health < cors, "{server}");
    let mut audit = Command::cargo_bin("readycheck").unwrap();
    let output = audit.current_dir(shop.path()).args(["audit", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for control in ["security-headers", "health-endpoint", "readiness-dependencies"] {
        let found = report["controls"].as_array().unwrap().iter().find(|c| c["id"] == control).unwrap();
        assert_eq!(found["state"], "pass", "{control}: {}", found["reason"]);
    }
    git(shop.path(), &["add", "-A"]);
    git(shop.path(), &["commit", "-q", "-m", "Modules"]);
    let after = bytes(shop.path());
    let again = run(shop.path(), &arguments);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    assert_eq!(bytes(shop.path()), after);
}

#[test]
fn a_javascript_project_gets_javascript_in_its_own_hand() {
    let app = classic();
    let ran = run(app.path(), &["security-headers", "health", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let main = text(app.path(), "app.js");
    assert!(main.contains("const { securityHeaders } = require('./middleware/security-headers')\n"), "{main}");
    assert!(main.contains("\napp.use(securityHeaders)\n"), "{main}");
    let headers = text(app.path(), "middleware/security-headers.js");
    assert!(headers.starts_with("const helmet = require('helmet')\n"), "{headers}");
    assert!(headers.contains("\n\tres.setHeader('Permissions-Policy', PERMISSIONS)\n"), "{headers}");
    assert!(headers.ends_with("\nmodule.exports = { securityHeaders }\n"), "{headers}");
    assert!(text(app.path(), "package.json").contains("\"express\": \"^4.21.2\",\n    \"helmet\": \"^8.1.0\"\n"));
    assert!(!headers.contains(": Request") && !headers.contains("import "), "{headers}");
}

#[test]
fn a_tree_that_is_not_clean_is_left_alone() {
    let app = classic();
    let ran = run(app.path(), &["security-headers", "--apply"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no git repository") && ran.err.contains("--allow-dirty"), "{}", ran.err);
    commit_all(app.path());
    write(app.path(), "notes.txt", "mine");
    let ran = run(app.path(), &["security-headers", "--apply"]);
    assert!(ran.code == 2 && ran.err.contains("notes.txt"), "{}", ran.err);
    assert!(!app.path().join("middleware").exists() && !app.path().join(".readycheck").exists());
    assert_eq!(run(app.path(), &["security-headers", "--apply", "--allow-dirty"]).code, 0);
}

#[test]
fn wrong_use_is_named_with_what_to_do() {
    let app = classic();
    for (arguments, expected) in [
        (&["helth"][..], "did you mean `health`"),
        (&["health", "--service", "apps/x"], "no service lies at"),
        (&["--apply"], "--apply needs modules"),
        (&["--for", "security-heders"], "did you mean `security-headers`"),
        (&["health", "--set", "x"], "NAME=VALUE"),
    ] {
        let ran = run(app.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn files_that_are_there_are_never_overwritten() {
    let app = classic();
    write(app.path(), "routes/health.js", "module.exports = {}\n");
    let before = bytes(app.path());
    let ran = run(app.path(), &["health", "--apply", "--allow-dirty"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("routes/health.js exists already") && ran.out.contains("Nothing was written"),
        "{}",
        ran.out
    );
    assert_eq!(bytes(app.path()), before);
}

#[test]
fn a_broken_manifest_is_named() {
    let app = classic();
    write(app.path(), "package.json", "{ \"name\": \"classic\", \"dependencies\": { \"express\": \"^4\" }");
    let before = bytes(app.path());
    let ran = run(app.path(), &["security-headers", "--apply", "--allow-dirty"]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert_eq!(bytes(app.path()), before);
}

#[test]
fn two_applications_become_a_numbered_step_with_the_snippet() {
    let app = classic();
    let main = text(app.path(), "app.js");
    write(app.path(), "app.js", &format!("{main}\nconst second = express()\nsecond.listen(3001)\n"));
    let ran = run(app.path(), &["security-headers"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("  1. Add this right after the application is made"), "{}", ran.out);
    assert!(ran.out.contains("app.use(securityHeaders)"), "{}", ran.out);
    assert!(ran.out.contains("once the steps below are done"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    let (app, elsewhere) = (classic(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), app.path().join("middleware")).unwrap();
    let ran = run(app.path(), &["security-headers", "--apply", "--allow-dirty"]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert!(!app.path().join(".readycheck").exists());
}

#[test]
fn json_says_the_same() {
    let app = classic();
    let ran = run(app.path(), &["security-headers", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(value["schema"], "readycheck/scaffold/1");
    assert_eq!(value["modules"][0]["closes"]["security-headers"]["is"], "closed");
    assert_eq!(value["modules"][0]["closes"]["server-header-disclosure"]["is"], "closed");
    assert_eq!(value["applied"], false);
    let modules = run(app.path(), &["modules", "--format", "json"]);
    let value: Value = serde_json::from_str(&modules.out).unwrap();
    assert!(value["modules"].as_array().unwrap().iter().any(|module| module["id"] == "health"));
}
