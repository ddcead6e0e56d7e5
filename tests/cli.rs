//! The command line as a process: what it prints where, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const SERVER: &str = "\
import express from 'express'
import pg from 'pg'
const app = express()
const pool = new pg.Pool()
app.get('/token', (req, res) => {
  const token = Math.random().toString(36)
  res.json({ token })
})
app.get('/items', async (req, res) => {
  const found = await pool.query('select * from items where name = ' + req.query.name)
  res.json(found.rows)
})
app.listen(3000)
";

const MANIFEST: &str = r#"{ "name": "shop", "main": "src/server.js", "scripts": { "start": "node src/server.js" },
  "dependencies": { "express": "4.19.2", "pg": "8.11.0" } }"#;

/// A service with a predictable token on line 6 and an injection, a blocker, on line 10.
fn shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "package.json", MANIFEST);
    write(&folder, "src/server.js", SERVER);
    folder
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}{}", self.out, self.err))
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("readycheck").unwrap();
    command.current_dir(folder).args(arguments).timeout(std::time::Duration::from_secs(60));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    finish(command(folder, arguments))
}

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    run_in(folder.path(), arguments)
}

fn finish(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The findings of a control: their lines and states.
fn findings(report: &Value, control: &str) -> Vec<(u64, String)> {
    let controls = report["controls"].as_array().unwrap();
    let found = controls.iter().filter(|c| c["id"] == control).flat_map(|c| c["findings"].as_array().unwrap());
    found.map(|f| (f["line"].as_u64().unwrap(), f["state"].as_str().unwrap().to_owned())).collect()
}

fn states(report: &Value) -> Vec<&str> {
    report["controls"].as_array().unwrap().iter().filter_map(|c| c["state"].as_str()).collect()
}

// ---- help

#[test]
fn help_of_every_command() {
    let here = tempfile::tempdir().unwrap();
    let bare = run(&here, &[]);
    assert_eq!((bare.code, bare.err.as_str()), (0, ""));
    let mut all = format!("$ readycheck\n{}", bare.out);
    for name in [
        "audit",
        "init",
        "facts",
        "routes",
        "scaffold",
        "scaffold undo",
        "scaffold update",
        "rules",
        "rules list",
        "rules show",
        "rules test",
        "rules new",
        "rules why",
        "rules schema",
    ] {
        let arguments: Vec<&str> = name.split(' ').chain(["--help"]).collect();
        let ran = run(&here, &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}");
        all.push_str(&format!("\n$ readycheck {name} --help\n{}", ran.out));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_use_is_an_error_of_its_own() {
    let here = shop();
    for wrong in [
        ["audti", "."].as_slice(),
        &["audit", "--min-score", "120"],
        &["audit", "--fail-on", "P7"],
        &["audit", "--format", "yamll"],
        &["audit", "--jobs", "0"],
        &["audit", "--now", "2026-02-30"],
        &["audit", "--config", "missing.toml"],
        &["audit", "--service", "apps/missing"],
        &["rules", "show", "no-such"],
        &["facts", "--kind", "rout"],
        &["audit", "-o", "missing/folder/report.json"],
    ] {
        let ran = run(&here, wrong);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{wrong:?}: {}", ran.err);
        assert!(!ran.err.is_empty());
    }
}

// ---- gates

#[test]
fn gates_decide_the_exit_code() {
    let here = shop();
    assert_eq!(run(&here, &["audit"]).code, 0);
    let failed = run(&here, &["audit", "--min-score", "99", "--format", "json"]);
    assert_eq!(failed.code, 1);
    assert!(failed.err.starts_with("gate failed: "), "{}", failed.err);
    assert_eq!(failed.json()["schema"], "readycheck/report/1");
    assert_eq!(run(&here, &["audit", "--fail-on", "P0"]).code, 1);
    let blocker = run(&here, &["audit", "--min-score", "0"]);
    assert_eq!(blocker.code, 1, "an open blocker fails any gate");
    assert!(blocker.err.contains("sql-injection"), "{}", blocker.err);
}

#[test]
fn the_configuration_is_a_gate() {
    let here = shop();
    for (text, code) in [
        ("[gate]\nmin_score = 0\nblockers = false\n", 0),
        ("[gate]\nmin_score = 0\n", 1),
        ("[gate]\nmin_score = 99\n", 1),
        ("[gate]\nblockers = false\nfail_on = 'P0'\n", 1),
        ("[project]\nstage = 'production'\n", 0),
    ] {
        write(&here, "readycheck.toml", text);
        let ran = run(&here, &["audit"]);
        assert_eq!(ran.code, code, "{text}: {}", ran.err);
    }
    assert_eq!(run(&here, &["audit", "--no-config"]).code, 0);
    write(&here, "other.toml", "[gate]\nmin_score = 99\n");
    assert_eq!(run(&here, &["audit", "--config", "other.toml"]).code, 1);
}

// ---- output

#[test]
fn several_reports_of_one_run() {
    let here = shop();
    let arguments = ["audit", "-o", "json=report", "-o", "TODO.md", "-o", "terminal=screen.txt"];
    let ran = run(&here, &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("NOT READY"), "{}", ran.out);
    let read = |name: &str| fs::read_to_string(here.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&read("report")).unwrap();
    assert_eq!(report["schema"], "readycheck/report/1");
    assert!(read("TODO.md").starts_with("# "));
    assert!(read("screen.txt").starts_with("NOT READY"));
    let again = run(&here, &["audit", "--format", "json", "--only", "sql-injection"]);
    assert_eq!(findings(&again.json(), "sql-injection"), [(10, "open".to_owned())]);
}

#[test]
fn an_audit_writes_nothing_unasked() {
    let here = shop();
    let list = || {
        let files = walkdir::WalkDir::new(here.path()).sort_by_file_name();
        files.into_iter().map(|entry| entry.unwrap().into_path()).collect::<Vec<_>>()
    };
    let before = list();
    for command in ["audit", "facts", "routes"] {
        assert_eq!(run(&here, &[command]).code, 0);
    }
    assert_eq!(list(), before);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let here = shop();
    let all: String = (0..3_000).map(|n| format!("app.get('/r{n}', (req, res) => res.json({{}}))\n")).collect();
    write(&here, "src/server.js", &format!("{SERVER}{all}"));
    let mut child = Process::new(assert_cmd::cargo::cargo_bin("readycheck"))
        .args(["audit", "--format", "json"])
        .current_dir(here.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(line, "{\n");
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn colour_follows_the_environment_and_the_flag() {
    let here = shop();
    let coloured = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = command(here.path(), arguments);
        command.envs(variables.iter().copied());
        finish(command).out.contains('\u{1b}')
    };
    assert!(!coloured(&[], &["audit"]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")], &["audit"]));
    assert!(!coloured(&[("NO_COLOR", "1")], &["audit"]));
    assert!(coloured(&[("NO_COLOR", "1")], &["audit", "--color", "always"]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1")], &["audit", "--color", "never"]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1")], &["audit", "--format", "json"]));
}

#[test]
fn the_report_is_valid_by_its_published_schema() {
    let here = shop();
    let schema = run(&here, &["rules", "schema", "--report"]).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let empty = tempfile::tempdir().unwrap();
    write(&here, "broken.json", "{");
    for folder in [&here, &empty] {
        for more in [[].as_slice(), &["--now", "2026-11-01"], &["--only", "sql-injection"]] {
            let arguments: Vec<&str> = ["audit", "--format", "json"].iter().chain(more).copied().collect();
            let report = run(folder, &arguments).json();
            let errors: Vec<String> =
                validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
    }
}

// ---- selection

#[test]
fn selections_narrow_and_misspelt_ones_are_refused() {
    let here = shop();
    let ids = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["audit", "--format", "json"].iter().chain(arguments).copied().collect();
        let report = run(&here, &arguments).json();
        let open =
            report["controls"].as_array().unwrap().iter().filter(|c| !c["findings"].as_array().unwrap().is_empty());
        open.map(|c| c["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["--only", "insecure-randomness"]), ["insecure-randomness"]);
    let skipped = ids(&["--skip", "insecure-randomness"]);
    assert!(skipped.contains(&"sql-injection".to_owned()) && !skipped.contains(&"insecure-randomness".to_owned()));
    assert!(!ids(&["--category", "testing"]).contains(&"sql-injection".to_owned()));
    for (flag, wrong, right) in [
        ("--only", "insecure-randomnes", "insecure-randomness"),
        ("--skip", "sql-injektion", "sql-injection"),
        ("--category", "securty", "security"),
    ] {
        let ran = run(&here, &["audit", flag, wrong]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(&format!("did you mean `{right}`?")), "{}", ran.err);
    }
}

#[test]
fn services_are_chosen_and_declared() {
    let here = tempfile::tempdir().unwrap();
    write(&here, "package.json", r#"{ "name": "all", "workspaces": ["apps/*"] }"#);
    for name in ["apps/api", "apps/web"] {
        write(&here, &format!("{name}/package.json"), MANIFEST);
        write(&here, &format!("{name}/src/server.js"), SERVER);
    }
    write(&here, "tools/odd/job.js", "setInterval(() => fetch('https://example.org'), 1000)");
    let services = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["audit", "--format", "json"].iter().chain(arguments).copied().collect();
        let ran = run(&here, &arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let report = ran.json();
        let all = report["project"]["services"].as_array().unwrap().iter();
        all.map(|s| s["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(services(&[]).contains(&"apps/web".to_owned()));
    assert_eq!(services(&["--service", "apps/api"]), ["apps/api"]);
    let ran = run(&here, &["audit", "--service", "apps/apj"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("apps/api"), "{}", ran.err);
}

// ---- waivers

const WAIVER: &str = "\
[[waiver]]
control = 'sql-injection'
reason = 'names are checked before'
owner = 'data team'
until = 2027-03-31
";

#[test]
fn the_configuration_names_the_services() {
    let folder = shop();
    write(&folder, "apps/api/package.json", MANIFEST);
    write(&folder, "apps/api/src/server.js", SERVER);
    write(&folder, "readycheck.toml", "[audit]\nservices = [\"apps/api/\"]\n");
    let report = run(&folder, &["audit", "--format", "json"]).json();
    let paths: Vec<&str> =
        report["project"]["services"].as_array().unwrap().iter().map(|s| s["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["apps/api"]);

    write(&folder, "readycheck.toml", "[audit]\nservices = [\"apps/apj\"]\n");
    let ran = run(&folder, &["audit"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("apps/apj") && ran.err.contains("readycheck.toml"), "{}", ran.err);
}

#[test]
fn changed_rules_do_not_raise_the_strict_score() {
    let folder = shop();
    let score = |report: &Value, key: &str| report["score"][key].as_f64().unwrap();
    let before = run(&folder, &["audit", "--format", "json"]).json();
    for id in ["sql-injection", "insecure-randomness", "health-endpoint", "readiness-dependencies", "env-validation"] {
        write(&folder, &format!(".readycheck/rules/{id}.toml"), &format!("id = \"{id}\"\nenabled = false\n"));
    }
    let after = run(&folder, &["audit", "--format", "json"]).json();
    assert!(score(&after, "value") > score(&before, "value"), "{} {}", before["score"], after["score"]);
    assert_eq!(score(&after, "strict"), score(&before, "strict"));
    let notices = after["notices"].as_array().unwrap();
    assert!(notices.iter().any(|notice| notice["kind"] == "strict-differs"), "{notices:?}");
}

#[test]
fn waivers_end_on_their_day() {
    let here = shop();
    write(&here, "readycheck.toml", &format!("{WAIVER}paths = ['src/**']\n"));
    let state = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["audit", "--format", "json"].iter().chain(arguments).copied().collect();
        let report = run(&here, &arguments).json();
        (findings(&report, "sql-injection")[0].1.clone(), report["notices"].to_string())
    };
    assert_eq!(state(&["--now", "2027-03-31"]).0, "waived");
    let (expired, notices) = state(&["--now", "2027-04-01"]);
    assert_eq!(expired, "open");
    assert!(notices.contains("expired"), "{notices}");
    assert_eq!(state(&["--now", "2027-03-31", "--no-waivers"]).0, "open");
}

#[test]
fn inline_allows_need_a_reason_and_end_on_their_day() {
    let here = shop();
    let state = |comment: &str| {
        let marked = SERVER.replace("  const token", &format!("  {comment}\n  const token"));
        write(&here, "src/server.js", &marked);
        let report = run(&here, &["audit", "--format", "json", "--now", "2027-03-31"]).json();
        (findings(&report, "insecure-randomness")[0].1.clone(), report["notices"].to_string())
    };
    let (allowed, _) = state("// readycheck-allow(insecure-randomness, until=2027-03-31): only shown, never checked");
    assert_eq!(allowed, "waived");
    for (comment, said) in [
        ("// readycheck-allow(insecure-randomness, until=2027-03-30): only shown", "expired"),
        ("// readycheck-allow(insecure-randomness)", "reason"),
        ("// readycheck-allow(insecure-randomnes): only shown", "no rule or control"),
    ] {
        let (state, notices) = state(comment);
        assert_eq!(state, "open", "{comment}");
        assert!(notices.contains(said), "{comment}: {notices}");
    }
    let (_, notices) = state("// readycheck-allow(insecure-cookie-flags): nothing here");
    assert!(notices.contains("insecure-cookie-flags") && notices.contains("src/server.js"), "{notices}");
}

#[test]
fn waivers_without_a_match_are_noticed() {
    let here = shop();
    write(&here, "readycheck.toml", &format!("{WAIVER}paths = ['elsewhere/**']\n"));
    let report = run(&here, &["audit", "--format", "json", "--now", "2027-01-01"]).json();
    assert!(report["notices"].to_string().contains("sql-injection"), "{}", report["notices"]);
    assert!(!states(&report).contains(&"waived"));
}

// ---- the other commands

#[test]
fn init_writes_a_configuration_that_changes_nothing() {
    let here = shop();
    let before = run(&here, &["audit", "--format", "json"]).out;
    assert_eq!(run(&here, &["init"]).code, 0);
    assert_eq!(
        run(&here, &["audit", "--format", "json"]).json()["score"],
        serde_json::from_str::<Value>(&before).unwrap()["score"]
    );
    let written = fs::read_to_string(here.path().join("readycheck.toml")).unwrap();
    assert_eq!(run(&here, &["init"]).code, 2, "nothing is overwritten");
    assert_eq!(fs::read_to_string(here.path().join("readycheck.toml")).unwrap(), written);
}

#[test]
fn rules_are_listed_shown_and_described() {
    let here = shop();
    let list = run(&here, &["rules", "list"]);
    assert!(list.code == 0 && list.out.contains("sql-injection"), "{}", list.out);
    let security = run(&here, &["rules", "list", "--category", "security"]).out;
    assert!(security.len() < list.out.len() && security.contains("sql-injection"));
    let show = run(&here, &["rules", "show", "sql-injection"]);
    assert!(show.code == 0 && show.out.contains("P0"), "{}", show.out);
    let schema = run(&here, &["rules", "schema"]).json();
    assert!(jsonschema::validator_for(&schema).is_ok());
    let why = run(&here, &["rules", "why", "sql-injection", "."]);
    assert!(why.code == 0 && why.out.contains("src/server.js:10"), "{}{}", why.out, why.err);
}

#[test]
fn a_new_rule_is_used_unless_strangers_decide() {
    let here = shop();
    assert_eq!(run(&here, &["rules", "new", "no-moment"]).code, 0);
    let report = run(&here, &["audit", "--format", "json"]);
    assert!(report.code == 0 && report.out.contains("\"no-moment\""), "{}", report.err);
    assert!(!run(&here, &["audit", "--format", "json", "--no-config"]).out.contains("\"no-moment\""));
}

#[test]
fn facts_and_routes_say_what_was_understood() {
    let here = shop();
    let facts = run(&here, &["facts", "--kind", "route"]);
    assert!(facts.out.contains("src/server.js:5:1") && facts.out.contains("path = \"/token\""), "{}", facts.out);
    assert!(run(&here, &["facts", "--kind", "route", "--format", "json"]).json().is_object());
    let counted = run(&here, &["facts"]).out;
    assert!(counted.contains("route") && counted.contains("query"), "{counted}");
    let routes = run(&here, &["routes"]).out;
    assert!(routes.contains("/items") && routes.contains("src/server.js:9"), "{routes}");
}

#[test]
fn what_only_people_know_asks_for_an_attestation_and_takes_one() {
    let folder = shop();
    let state = |ran: &Ran| {
        let control =
            ran.json()["controls"].as_array().unwrap().iter().find(|c| c["id"] == "on-call-rotation").cloned();
        control.map(|control| (control["state"].clone(), control["reason"].clone())).unwrap()
    };
    let asked = (Value::from("unknown"), Value::from("no file can show it: it asks for an attestation"));
    assert_eq!(state(&run(&folder, &["audit", "--format", "json"])), asked);
    let list = run(&folder, &["rules", "list"]).out;
    assert!(list.contains(" aP1  on-call-rotation") && list.contains("ask for an attestation"), "{list}");
    for arguments in [vec!["rules", "show", "on-call-rotation"], vec!["rules", "why", "on-call-rotation"]] {
        let ran = run(&folder, &arguments);
        assert!(ran.out.contains("[[attest]]\ncontrol = \"on-call-rotation\"\n"), "{}", ran.out);
        assert!(!ran.out.contains("mplemented yet"), "{}", ran.out);
    }
    // What is printed is what the configuration takes, once it is filled in.
    let shown = run(&folder, &["rules", "show", "on-call-rotation"]).out;
    let table = &shown[shown.find("[[attest]]").unwrap()..];
    write(&folder, "readycheck.toml", &table.replace("YYYY-MM-DD", "2027-03-31"));
    let until = |day: &str| state(&run(&folder, &["audit", "--format", "json", "--now", day]));
    assert_eq!(until("2027-03-31").0, "attested");
    assert_eq!(until("2027-04-01"), asked);
}

/// The controls of a report that a platform takes care of.
fn provided(report: &Value) -> Vec<&str> {
    let controls = report["controls"].as_array().unwrap().iter();
    let of_platform = controls.filter(|control| {
        let reason = control["reason"].as_str().unwrap_or_default();
        control["state"] == "not-applicable" && reason.starts_with("provided by")
    });
    of_platform.map(|control| control["id"].as_str().unwrap()).collect()
}

#[test]
fn what_a_platform_provides_is_not_asked_for() {
    let tls = "tls-termination";
    let (deploy, scaling) = ("zero-downtime-deploy", "orchestration-scaling");
    for (path, text, wanted) in [
        ("fly.toml", "app = \"shop\"\n[http_service]\ninternal_port = 3000\n", vec![tls, deploy]),
        ("render.yaml", "services:\n  - type: web\n    name: shop\n", vec![tls, deploy, "response-compression"]),
        ("railway.json", "{ \"deploy\": { \"startCommand\": \"node src/server.js\" } }", vec![tls]),
        ("vercel.json", "{ \"version\": 2 }", vec![tls, deploy, scaling, "https-enforcement"]),
        ("heroku.yml", "build:\n  docker:\n    web: Dockerfile\n", vec![tls]),
        ("app.yaml", "runtime: nodejs20\n", vec![tls, deploy, scaling, "log-aggregation"]),
        (
            "service.yaml",
            "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: shop\n  annotations: { run.googleapis.com/ingress: all }\nspec: { template: { spec: { containers: [{ image: gcr.io/shop/api:1.4.2 }] } } }\n",
            vec![tls, deploy, scaling, "log-aggregation"],
        ),
        (
            "serverless.yml",
            "service: shop\nprovider: { name: aws, runtime: nodejs20.x }\nfunctions: { api: { handler: src/server.handler } }\n",
            vec![tls, deploy, scaling],
        ),
    ] {
        let folder = shop();
        let arguments = ["audit", "--format", "json"];
        assert_eq!(provided(&run(&folder, &arguments).json()), Vec::<&str>::new(), "nobody provides anything yet");
        write(&folder, path, text);
        let report = run(&folder, &arguments).json();
        let found = provided(&report);
        for control in wanted {
            assert!(found.contains(&control), "{path}: {control} in {found:?}");
        }
    }
}
