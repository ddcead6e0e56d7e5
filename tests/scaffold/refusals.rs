//! Bad input: each is told clearly, and nothing is lost.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::apps::{Ran, bytes, classic, modern, run, text, write};
use crate::python_apps::{packaged, service};
use crate::rust_apps::library;

/// Applies modules to a folder as it is; panics unless every text is told and nothing is written.
fn refused(root: &Path, modules: &[&str], told: &[&str]) -> Ran {
    let before = bytes(root);
    let ran = run(root, &[modules, &["--apply", "--allow-dirty"]].concat());
    assert_ne!(ran.code, 0, "{modules:?}: {}", ran.out);
    assert_told(&ran, told);
    assert_eq!(bytes(root), before, "{modules:?} changed something");
    ran
}

/// Lines are wrapped at the width of the terminal.
fn assert_told(ran: &Ran, told: &[&str]) {
    let words = format!("{} {}", ran.out, ran.err).replace('│', " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in told {
        assert!(words.contains(text), "{text}:\n{}{}", ran.out, ran.err);
    }
}

fn broken(app: TempDir, manifest: &str, broken: &str, told: &str) {
    write(app.path(), manifest, broken);
    for modules in [&["security-headers"][..], &["--all"], &["--fix"]] {
        refused(app.path(), modules, &[told, "repair it first"]);
    }
}

#[test]
fn a_manifest_that_cannot_be_read_is_named_with_its_line() {
    let package = "{\n  \"name\": \"classic\",\n  \"dependencies\": { \"express\": \"^4\"\n";
    broken(classic(), "package.json", package, "package.json:3: this JSON cannot be read");
    broken(packaged(), "pyproject.toml", "[project]\nname = \"shop\"\n[tool\n", "pyproject.toml:3:");
    broken(library(), "Cargo.toml", "[package]\nname = \n", "Cargo.toml:2:");
}

#[test]
fn two_files_that_both_make_an_application_are_left_to_the_user() {
    let app = classic();
    let main = text(app.path(), "app.js");
    write(app.path(), "admin.js", &main.replace("3000", "3001"));
    let package = text(app.path(), "package.json");
    write(app.path(), "package.json", &package.replace("\"start\":", "\"admin\": \"node admin.js\", \"start\":"));
    let ran = run(app.path(), &["security-headers", "--apply", "--allow-dirty"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_told(&ran, &["2 applications are made: admin.js:5, app.js:5", "app.use(securityHeaders)", "Left to do"]);
    assert_eq!(text(app.path(), "app.js"), main);
    assert_eq!(run(app.path(), &["undo", "--all", "--apply"]).code, 0);
}

#[test]
fn without_the_file_that_makes_the_application_there_is_a_step() {
    let app = classic();
    let main = text(app.path(), "app.js").replace("const app = express()", "const app = require('@shop/app')(express)");
    write(app.path(), "app.js", &main);
    let ran = run(app.path(), &["security-headers", "--apply", "--allow-dirty"]);
    match ran.code {
        0 => assert!(ran.out.contains("nothing that makes a Express application was found"), "{}", ran.out),
        _ => assert!(ran.err.contains("no service here"), "{}{}", ran.out, ran.err),
    }
    assert_eq!(text(app.path(), "app.js"), main);
}

#[test]
fn what_is_not_supported_is_told_with_what_is() {
    let go = service(&[
        ("go.mod", "module shop\n\ngo 1.22\n"),
        ("main.go", "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\":8080\", nil) }\n"),
    ]);
    let told = ["there is no service here", "modules are written for", "Express", "Django", "FastAPI", "axum"];
    assert_eq!(refused(go.path(), &["health"], &told).code, 2);
    let flask = service(&[
        ("requirements.txt", "flask==3.1.0\n"),
        (
            "app.py",
            "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get(\"/items\")\ndef items():\n    return []\n",
        ),
    ]);
    let told = ["not written for this kind of service yet, only for express", "Nothing was written"];
    assert_eq!(refused(flask.path(), &["health"], &told).code, 1);
    // Pages without the app router.
    let pages = service(&[
        (
            "package.json",
            "{ \"name\": \"pages\", \"dependencies\": { \"next\": \"^15.5.6\", \"react\": \"^19.2.0\" } }\n",
        ),
        ("pages/api/items.js", "export default function handler(req, res) {\n  res.json([]);\n}\n"),
    ]);
    refused(pages.path(), &["health"], &["neither app/ nor src/app/"]);
}

#[test]
fn every_name_that_is_wrong_is_told_with_the_nearest() {
    let app = classic();
    for (name, nearest) in [("securty-headers", "security-headers"), ("ratelimit", "rate-limit"), ("Health", "health")]
    {
        let ran = refused(app.path(), &[name], &["did you mean", nearest]);
        assert_eq!(ran.code, 2, "{name}");
    }
    refused(app.path(), &["health", "no-such-thing-at-all"], &["no-such-thing-at-all"]);
}

#[test]
fn a_different_file_at_any_target_stops_all() {
    for (path, module) in [
        ("routes/health.js", "health"),
        ("tests/health.test.js", "health"),
        ("docs/readiness/security-headers.md", "security-headers"),
        ("middleware/security-headers.js", "security-headers"),
    ] {
        let app = classic();
        write(app.path(), path, "mine\n");
        refused(app.path(), &[module], &[&format!("{path} exists already"), "Nothing was written"]);
    }
    // Something that is no text, and a folder where a file would be.
    let app = classic();
    fs::create_dir_all(app.path().join("routes")).unwrap();
    fs::write(app.path().join("routes/health.js"), [0xff, 0xfe, 0x00]).unwrap();
    refused(app.path(), &["health"], &["routes/health.js exists already"]);
    let app = classic();
    write(app.path(), "routes/health.js/notes.txt", "mine\n");
    refused(app.path(), &["health"], &["routes/health.js exists already"]);
}

/// A disk that is full after some blocks: `ulimit` lets no file become larger, and every write beyond that fails.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let (app, before) = (modern(true), bytes(modern(true).path()));
    let mut complete = false;
    for blocks in ["0", "1", "2", "4", "8", "1000"] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.current_dir(app.path()).args(["-c", &script]).arg(assert_cmd::cargo::cargo_bin("readycheck"));
        command.args(["scaffold", "request-id", "structured-logging", "health", "--apply", "--allow-dirty"]);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        complete = output.status.success();
        if complete {
            break;
        }
        // The tool cannot even say so into a file that it may not write.
        assert!(blocks == "0" || told.contains("cannot be written"), "{blocks}: {told}");
        assert_eq!(bytes(app.path()), before, "{blocks} blocks: {told}");
    }
    assert!(complete);
    assert_eq!(run(app.path(), &["undo", "--all", "--apply"]).code, 0);
    assert_eq!(bytes(app.path()), before);
}
