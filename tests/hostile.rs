//! Trees that mean harm, or are merely broken: the audit of everything else goes on, and what was not read is said.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// Has something to find, whatever stands beside it.
const HEALTHY: &str = "\
import express from 'express'
const app = express()
app.get('/token', (req, res) => {
  const token = Math.random().toString(36)
  res.json({ token })
})
app.use(require('./bad'))
app.listen(3000)
";

const MANIFEST: &str = r#"{ "name": "shop", "main": "src/server.js", "scripts": { "start": "node src/server.js" }, "dependencies": { "express": "4.19.2" } }"#;

/// What a run left behind.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn report(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    /// `kind path` of every diagnostic.
    fn diagnostics(&self) -> Vec<String> {
        let report = self.report();
        let all = report["diagnostics"].as_array().cloned().unwrap_or_default();
        all.iter().map(|d| format!("{} {}", d["kind"].as_str().unwrap(), d["path"].as_str().unwrap())).collect()
    }

    #[track_caller]
    fn says(&self, diagnostic: &str) -> &Ran {
        let all = self.diagnostics();
        assert!(all.iter().any(|one| one == diagnostic), "no `{diagnostic}` in {all:#?}");
        self
    }

    #[track_caller]
    fn is_silent_about(&self, path: &str) -> &Ran {
        let all = self.diagnostics();
        assert!(!all.iter().any(|one| one.split_once(' ').is_some_and(|(_, p)| p == path)), "`{path}` in {all:#?}");
        self
    }
}

/// The healthy service, to which a test adds what is wrong.
struct Tree(TempDir);

impl Tree {
    fn new() -> Tree {
        let tree = Tree::empty();
        tree.with("package.json", MANIFEST).with("src/server.js", HEALTHY);
        tree
    }

    fn empty() -> Tree {
        Tree(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn with(&self, path: &str, contents: impl AsRef<[u8]>) -> &Tree {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(self.path(), arguments)
    }

    /// Audits, and holds what must be true of every audit of this tree.
    #[track_caller]
    fn audit(&self) -> Ran {
        let ran = self.run(&["--format", "json"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        let found = ran.report()["controls"].as_array().unwrap().iter().any(|control| {
            control["findings"].as_array().unwrap().iter().any(|finding| finding["path"] == "src/server.js")
        });
        assert!(found, "the healthy file was not audited: {:#?}", ran.diagnostics());
        ran
    }
}

/// `readycheck audit` of a path. The time limit only guards against hanging.
fn run(path: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("readycheck").unwrap();
    command.arg("audit").arg(path).args(arguments).timeout(Duration::from_secs(60));
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    for word in ["panicked", "overflowed", "RUST_BACKTRACE"] {
        assert!(!ran.err.contains(word) && !ran.out.contains(word), "{}", ran.err);
    }
    assert!(ran.code.is_some(), "killed: {}", ran.err);
    ran
}

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

// ---- no audit at all

#[test]
fn an_empty_folder_is_not_assessable() {
    let tree = Tree::empty();
    let ran = tree.run(&["--format", "json"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.report()["score"]["state"], "not-assessable");
    assert_eq!(ran.report()["score"]["value"], Value::Null);
    assert_eq!(tree.run(&["--min-score", "1"]).code, Some(3));
}

#[test]
fn a_path_that_is_no_folder_is_refused() {
    let tree = Tree::new();
    for path in ["missing", "package.json", "package.json/inside"] {
        let ran = run(&tree.path().join(path), &["--format", "json"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{path}");
        assert!(ran.err.contains("help:"), "{}", ran.err);
    }
}

#[test]
fn malformed_configuration_gives_no_report() {
    let deep = format!("a = {}", "[".repeat(100_000));
    for text in ["[gate", "[gate]\nmin_scor = 3", "[[waiver]]\ncontrol = 'x'", "\u{0}", &deep] {
        let ran = Tree::new().with("readycheck.toml", text).run(&["--format", "json"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{text:.60}");
        assert!(ran.err.contains("readycheck.toml"), "{}", ran.err);
    }
    let ran = Tree::new().with("readycheck.toml", b"a = '\xff'").run(&[]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    let ran = Tree::new().with("readycheck.toml", "[gate").run(&["--no-config"]);
    assert_eq!(ran.code, Some(0), "strangers decide nothing: {}", ran.err);
}

#[test]
fn malformed_rules_give_no_report() {
    let deep = format!("a = {}", "[".repeat(100_000));
    for text in ["id = ", "id = 'x'", "\u{0}", &deep] {
        let ran = Tree::new().with(".readycheck/rules/mine.toml", text).run(&["--format", "json"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{text:.60}");
        assert!(ran.err.contains("mine.toml"), "{}", ran.err);
    }
}

// ---- files that cannot be read

#[test]
fn what_is_no_text_is_left_out() {
    let tree = Tree::new();
    tree.with("src/bad.js", b"const a = 1;\0\0 const b = 2").with("src/latin.js", b"const a = '\xfc'");
    tree.with(".env", b"A=\xff").with("docker-compose.yml", b"\0").with("Dockerfile", b"FROM \xff\n");
    tree.with("prisma/schema.prisma", b"\xff\xfe").with("src/wide.js", b"\xff\xfea\0");
    let ran = tree.audit();
    ran.says("binary src/bad.js").says("not-utf8 src/latin.js").says("not-utf8 .env").says("not-utf8 Dockerfile");
    ran.says("not-utf8 src/wide.js").says("not-utf8 prisma/schema.prisma").says("binary docker-compose.yml");
}

#[cfg(unix)]
#[test]
fn unreadable_files_and_folders_are_left_out() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new();
    tree.with("src/bad.js", "a()").with("secret/inner.js", "b()");
    let lock = |path: &str, mode| fs::set_permissions(tree.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    lock("src/bad.js", 0o000);
    lock("secret", 0o000);
    let all_powerful = fs::read(tree.path().join("src/bad.js")).is_ok();
    let ran = tree.audit();
    lock("secret", 0o755);
    if !all_powerful {
        ran.says("unreadable src/bad.js").says("unreadable secret");
    }
}

#[cfg(unix)]
#[test]
fn links_lead_neither_around_nor_out() {
    use std::os::unix::fs::symlink;
    let outside = Tree::empty();
    outside.with("leak.js", "const password = Math.random()").with("env", "API_KEY=outside-of-the-root");
    let tree = Tree::new();
    symlink("..", tree.path().join("src/loop")).unwrap();
    symlink("self", tree.path().join("src/self")).unwrap();
    symlink(outside.path(), tree.path().join("src/out")).unwrap();
    symlink(outside.path().join("env"), tree.path().join(".env")).unwrap();
    symlink(outside.path().join("leak.js"), tree.path().join("src/bad.js")).unwrap();
    symlink("/dev/zero", tree.path().join("Dockerfile")).unwrap();
    let ran = tree.audit();
    for secret in ["leak.js", "outside-of-the-root", "src/loop/src", "src/out/"] {
        assert!(!ran.out.contains(secret), "{secret}");
    }
}

#[cfg(unix)]
#[test]
fn pipes_are_not_opened() {
    let tree = Tree::new();
    for name in ["src/bad.js", "Dockerfile", "readycheck.toml"] {
        let made = std::process::Command::new("mkfifo").arg(tree.path().join(name)).status();
        assert!(made.is_ok_and(|status| status.success()));
    }
    let ran = tree.run(&["--no-config", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ran = tree.run(&["--format", "json"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
}

#[cfg(unix)]
#[test]
fn a_hostile_git_configuration_runs_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new();
    let git = |arguments: &[&str]| {
        let status = std::process::Command::new("git").arg("-C").arg(tree.path()).args(arguments).output();
        status.is_ok_and(|output| output.status.success())
    };
    assert!(git(&["init", "-q"]) && git(&["add", "."]));
    let marker = tree.path().join("ran");
    let script = format!("#!/bin/sh\ntouch '{}'\n", marker.display());
    for hook in ["evil.sh", ".git/hooks/post-index-change", ".git/hooks/pre-commit", ".git/hooks/post-checkout"] {
        tree.with(hook, &script);
        fs::set_permissions(tree.path().join(hook), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let evil = tree.path().join("evil.sh");
    let evil = evil.display();
    let config = format!(
        "[core]\nrepositoryformatversion = 0\nfsmonitor = {evil}\npager = {evil}\nsshCommand = {evil}\neditor = {evil}\n\
         hooksPath = {}/.git/hooks\n[diff]\nexternal = {evil}\n[filter \"x\"]\nclean = {evil}\nsmudge = {evil}\n\
         process = {evil}\n[credential]\nhelper = {evil}\n[alias]\nls-files = !{evil}\n",
        tree.path().display()
    );
    tree.with(".git/config", config).with(".gitattributes", "* filter=x diff=x\n");
    tree.with("src/later.js", "a()");
    tree.audit();
    assert!(!marker.exists(), "the audited tree ran a command");
}

#[test]
fn broken_git_folders_are_survived() {
    for (path, contents) in [
        (".git/index", b"DIRC\0\0\0\x02\xff\xff\xff\xff".as_slice()),
        (".git/index", b"\0".as_slice()),
        (".git/HEAD", b"ref: ../../../../etc/passwd".as_slice()),
        (".git", b"gitdir: /nowhere".as_slice()),
    ] {
        Tree::new().with(path, contents).audit();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_with_control_bytes_are_escaped() {
    use std::os::unix::ffi::OsStrExt as _;
    let tree = Tree::new();
    let names: [&[u8]; 3] = [b"src/\x1b[31mred\n::error::x.js", b"src/bell\x07\r.js", b"src/raw\xff.js"];
    for name in names {
        let path = tree.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, "const token = Math.random().toString(36); let a = ;").unwrap();
    }
    let report = tree.audit().report();
    assert!(report["diagnostics"].as_array().unwrap().len() >= 2);
    for arguments in [["--verbose", "--list-skipped"], ["--format", "markdown"]] {
        let ran = tree.run(&arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let raw = ran.out.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{}", ran.out);
        assert!(!ran.out.contains("\n::error"), "{}", ran.out);
    }
}

// ---- too much

#[test]
fn large_files_are_left_out_or_read_in_time() {
    let tree = Tree::new();
    tree.with("src/bad.js", "a(b);".repeat(10_000_000));
    tree.with("src/line.js", format!("var a = '{}';", "x".repeat(1_900_000)));
    tree.with("src/calls.js", "a(b);".repeat(380_000));
    tree.with("data/one.json", format!("[{}1]", "1,".repeat(1_000_000)));
    tree.with(".env", "A=1\n".repeat(100_000));
    let ran = tree.audit();
    ran.says("too-large src/bad.js").is_silent_about("src/line.js").is_silent_about("data/one.json");
    assert!(ran.out.len() < 3_000_000, "{} bytes of report", ran.out.len());
}

#[test]
fn matches_on_a_long_line_do_not_repeat_it() {
    let tree = Tree::new();
    tree.with("src/bad.js", "const token = Math.random().toString(36);".repeat(20_000));
    let ran = tree.audit();
    assert!(ran.out.len() < 3_000_000, "{} bytes of report", ran.out.len());
    assert!(tree.run(&["--verbose"]).out.len() < 3_000_000);
}

#[test]
fn many_tiny_files_are_read() {
    let tree = Tree::new();
    for n in 0..5_000 {
        let next = (n + 1) % 5_000;
        let text = format!("const n = require('../d{}/f{next}'); module.exports = n(n.x)", next % 50);
        tree.with(&format!("src/d{}/f{n}.js", n % 50), text);
    }
    tree.with("src/bad.js", "module.exports = require('./d0/f0')");
    let ran = tree.audit();
    assert!(ran.report()["project"]["counts"]["audited"].as_u64().unwrap() >= 5_000);
}

#[test]
fn thousands_of_workspace_globs_are_matched() {
    let tree = Tree::new();
    let globs: Vec<String> = (0..10_000).map(|n| format!("\"packages/p{n}/*/**\"")).collect();
    let manifest = MANIFEST.replacen('{', &format!("{{ \"workspaces\": [{}], ", globs.join(",")), 1);
    tree.with("package.json", manifest).with("packages/p1/a/package.json", r#"{"name": "inner"}"#).audit();
}

// ---- too deep

/// Left out with a diagnostic, in part or whole; never an overflow.
fn deep_code() -> Vec<(&'static str, String)> {
    let n = 10_000;
    let chain = |link: &str, end: &str, times: usize| format!("x = {}{end};", link.repeat(times));
    vec![
        ("brackets.js", nested("[", "]", n)),
        ("parens.js", nested("(", ")", n)),
        ("blocks.js", format!("{}{}", "{".repeat(n), "}".repeat(n))),
        ("objects.js", format!("x = {}", nested("{a:", "}", n))),
        ("calls.js", nested("f(", ")", n)),
        ("arrows.js", nested("(()=>{", "})", n)),
        ("functions.js", nested("(function(){", "})", n)),
        ("classes.js", nested("(class{a=", "})", n)),
        ("methods.js", format!("x = {}", nested("{a(){return ", "}}", n / 2))),
        ("elements.jsx", format!("x = {}", nested("<a>", "</a>", n))),
        ("attributes.jsx", format!("x = {}", nested("<a b={", "}/>", n))),
        ("templates.js", nested("`${", "}`", n)),
        ("patterns.js", format!("const {}=y", nested("{a:x=", "}", n / 2).replace('1', "z"))),
        ("curried.js", chain("y=>", "1", 50_000)),
        ("sums.js", chain("a+", "a", 100_000)),
        ("texts.js", chain("'a' +\n", "'b'", 50_000)),
        ("ands.js", chain("a&&", "a", 100_000)),
        ("powers.js", chain("a**", "a", 50_000)),
        ("nots.js", chain("!", "a", 100_000)),
        ("allnots.js", chain("!", "a", 1_900_000)),
        ("awaits.js", chain("await ", "a", 100_000)),
        ("news.js", chain("new ", "A", 100_000)),
        ("ternaries.js", chain("a?b:", "c", 50_000)),
        ("assignments.js", chain("a=", "c", 100_000)),
        ("members.js", chain("b.", "c", 100_000)),
        ("callbacks.js", format!("b{}", ".then(x => x)".repeat(30_000))),
        ("results.js", format!("b{}", "()".repeat(100_000))),
        ("tags.js", format!("b{}", "`x`".repeat(60_000))),
        ("elseif.js", format!("if (a) {{}} {}", "else if (a) {}\n".repeat(20_000))),
        ("ifs.js", format!("{};", "if(a)".repeat(50_000))),
        ("labels.js", format!("{};", (0..50_000).map(|n| format!("l{n}:")).collect::<String>())),
        ("generics.ts", format!("type A = {}", nested("B<", ">", n).replace('1', "C"))),
        ("arrays.ts", format!("type A = B{}", "[]".repeat(100_000))),
        ("keyof.ts", format!("type A = {}B", "keyof ".repeat(50_000))),
        ("conditional.ts", format!("type A = {}D", "A extends B ? C : ".repeat(20_000))),
        ("functions.ts", format!("type A = {}D", "(a: B) => ".repeat(30_000))),
        ("casts.ts", format!("x = 1{}", " as A".repeat(100_000))),
        ("namespaces.ts", format!("namespace {}b {{}}", "a.".repeat(100_000))),
    ]
}

#[test]
fn deep_code_is_said_and_left_out() {
    let tree = Tree::new();
    let all = deep_code();
    for (name, text) in &all {
        tree.with(&format!("src/{name}"), text);
    }
    let ran = tree.audit();
    for (name, _) in &all {
        ran.says(&format!("too-deep src/{name}"));
    }
}

#[test]
fn code_that_only_looks_deep_is_read() {
    let tree = Tree::new();
    tree.with("src/bad.js", "call('https://example.org/a')\n".repeat(3_000));
    tree.with("src/quotes.js", "call('{[(')\n".repeat(3_000));
    tree.with("src/patterns.js", "text.replace(/[({\"'`]/g, '')\n".repeat(3_000));
    tree.with("src/templates.js", "call(`({[`)\n".repeat(3_000));
    tree.with("src/types.ts", format!("type A = {}", nested("[", "]", 5_000)));
    tree.with("src/table.js", format!("x = [{}]", "1,".repeat(200_000)));
    tree.with("src/page.jsx", format!("x = <p>{}</p>", "<b>don't (</b>\n".repeat(3_000)));
    tree.with("src/nested.js", nested("f(() => g({ a: [", "]}))", 300));
    let ran = tree.audit();
    assert_eq!(ran.diagnostics().iter().filter(|d| !d.starts_with("limit ")).count(), 0, "{:?}", ran.diagnostics());
}

#[test]
fn deep_data_is_said_and_left_out() {
    let n = 10_000;
    let tree = Tree::new();
    tree.with("vercel.json", nested("[", "]", n)).with("tsconfig.json", r#"{"a":"#.repeat(n));
    tree.with("inner/package.json", nested(r#"{"a":"#, "}", n));
    let levels = (2..1_500).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>();
    tree.with("docker-compose.yml", format!("services:\n web:\n{levels}"));
    tree.with(".github/workflows/flow.yml", nested("[", "]", n));
    tree.with(".github/workflows/keys.yml", "? ".repeat(n)).with("render.yaml", format!("{}a", "- ".repeat(n)));
    tree.with("fly.toml", format!("a = {}", nested("[", "]", n)))
        .with("netlify.toml", format!("a{} = 1", ".a".repeat(n)));
    tree.with("prisma/schema.prisma", format!("model A {{\n  id Int @default({})\n}}\n", nested("f(", ")", n)));
    tree.with("Dockerfile", format!("FROM a\nRUN {}\nCMD {}\n", nested("$(", ")", n), nested("[", "]", n)));
    let ran = tree.audit();
    for path in ["vercel.json", "tsconfig.json", "inner/package.json", "docker-compose.yml", "fly.toml", "netlify.toml"]
    {
        ran.says(&format!("too-deep {path}"));
    }
    for path in [".github/workflows/flow.yml", ".github/workflows/keys.yml", "render.yaml"] {
        ran.says(&format!("too-deep {path}"));
    }
}

#[test]
fn aliases_that_multiply_are_cut() {
    let tree = Tree::new();
    let mut bomb = "a0: &a0 [lol, lol, lol]\n".to_owned();
    let mut merge = "a0: &a0 {x: 1}\n".to_owned();
    for n in 1..100 {
        let before = n - 1;
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 9].join(", ")));
        merge.push_str(&format!("a{n}: &a{n}\n  <<: [*a{before}, *a{before}]\n"));
    }
    tree.with("docker-compose.yml", bomb).with("compose.yaml", merge);
    tree.with(".github/workflows/flow.yml", "a: &a\n  <<: *a\n  b: *a\n");
    let ran = tree.audit();
    for path in ["docker-compose.yml", "compose.yaml", ".github/workflows/flow.yml"] {
        ran.says(&format!("parse-error {path}"));
    }
}

// ---- broken

#[test]
fn broken_files_are_said_with_their_place() {
    let tree = Tree::new();
    tree.with("src/bad.js", "const a = 1\nconst b = ;\n").with("inner/package.json", "{\"name\": \"x\", ");
    tree.with("tsconfig.json", "{\"compilerOptions\": {,}")
        .with("docker-compose.yml", "services:\n  web: [\n x: : :\n\t");
    tree.with(".github/workflows/flow.yml", "on: [push\njobs: {").with("fly.toml", "a = = 1");
    tree.with("prisma/schema.prisma", "model A {\n  id Int @@@\n  model").with("Dockerfile", "FRMO x\n<<<");
    let ran = tree.audit();
    for path in ["src/bad.js", "inner/package.json", "tsconfig.json", "docker-compose.yml", "fly.toml", "Dockerfile"] {
        ran.says(&format!("parse-error {path}"));
    }
    ran.says("parse-error .github/workflows/flow.yml").says("parse-error prisma/schema.prisma");
    let report = ran.report();
    let place = report["diagnostics"].as_array().unwrap().iter().find(|d| d["path"] == "src/bad.js").unwrap();
    assert_eq!(place["line"], 2);
}

/// The place of the diagnostic of a file.
#[track_caller]
fn line_of(ran: &Ran, path: &str) -> u64 {
    let report = ran.report();
    let all = report["diagnostics"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|diagnostic| diagnostic["path"] == path);
    found.and_then(|diagnostic| diagnostic["line"].as_u64()).unwrap_or_else(|| panic!("nothing about {path}: {all:#?}"))
}

#[test]
fn a_statement_that_breaks_off_costs_itself() {
    let tree = Tree::new();
    tree.with("migrations/0001_init.sql", "CREATE TABLE txns (id bigserial PRIMARY KEY, note text, old text);\n");
    tree.with(
        "migrations/0002_more.sql",
        "ALTER TABLE txns DROP COLUMN old;\n\nALTER TABLE txns ADD COLUMN (;\nCREATE TABLE half (id bigint,\n",
    );
    let ran = tree.audit();
    ran.says("parse-error migrations/0002_more.sql");
    assert_eq!(line_of(&ran, "migrations/0002_more.sql"), 3);
    let report = ran.report();
    let controls = report["controls"].as_array().unwrap();
    let unsafe_migration = controls.iter().find(|control| control["id"] == "unsafe-migration").unwrap();
    assert_eq!(unsafe_migration["findings"][0]["line"], 1, "the statement before is judged");
}

#[test]
fn templates_of_helm_that_break_off_are_said() {
    let tree = Tree::new();
    tree.with("chart/Chart.yaml", "name: shop\nversion: 1.0.0\n").with("chart/values.yaml", "hosts: [a, b\n");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: api\n      image: shop/api:latest\n";
    tree.with(
        "chart/templates/open.yaml",
        format!("{pod}  hostAliases:\n  {{{{- range .Values.hosts }}}}\n    - {{{{ . }}}}\n"),
    );
    tree.with("chart/templates/action.yaml", format!("{pod}      command: [{{{{ .Values.command ]\n"));
    tree.with("chart/templates/more.yaml", format!("{pod}{{{{- end }}}}\n"));
    tree.with("chart/templates/whole.yaml", format!("{{{{- if .Values.on }}}}\n{pod}{{{{- end }}}}\n"));
    let ran = tree.audit();
    for (path, line) in [("open", 9), ("action", 8), ("more", 8)] {
        assert_eq!(line_of(&ran, &format!("chart/templates/{path}.yaml")), line, "{path}");
    }
    ran.says("parse-error chart/values.yaml").is_silent_about("chart/templates/whole.yaml");
}

#[test]
fn a_large_dump_holds_nothing_up() {
    let tree = Tree::new();
    let row = format!("INSERT INTO items VALUES (1, '{}');\n", "x".repeat(200));
    let copy = format!("COPY items (id, note) FROM stdin;\n{}\\.\n", "1\tsome text; with a 'quote\n".repeat(200_000));
    let dump = row.repeat(20_000_000 / 2 / row.len()) + &copy + &row.repeat(20_000);
    tree.with("db/dump.sql", format!("CREATE TABLE items (id int, note text);\n{dump}"));
    tree.with("migrations/0001_init.sql", "CREATE TABLE txns (id bigserial PRIMARY KEY, old text);\n");
    tree.with("migrations/0002_more.sql", "ALTER TABLE txns DROP COLUMN old;\n");
    let ran = tree.audit();
    assert!(ran.out.contains("migrations/0002_more.sql"), "the rest is judged");
}

#[test]
fn a_broken_manifest_at_the_root_is_said() {
    Tree::new().with("package.json", "{\"name\": ").audit().says("parse-error package.json");
    for odd in
        ["[]", "null", "3", "\"x\"", r#"{"scripts": [], "main": {}, "workspaces": 3, "dependencies": "x", "bin": []}"#]
    {
        Tree::new().with("package.json", odd).audit();
    }
}

// ---- circles

#[test]
fn circles_between_files_end() {
    let tree = Tree::new();
    tree.with("tsconfig.json", r#"{"extends": "./tsconfig.b.json"}"#);
    tree.with(
        "tsconfig.b.json",
        r#"{"extends": "./tsconfig.json", "compilerOptions": {"baseUrl": ".", "paths": {"*": ["*"], "@/*": ["src/*", "@/*"]}}}"#,
    );
    tree.with("src/bad.ts", "import x from '@/bad'; import y from 'bad'; export * from './bad'; export default x(y)");
    for n in 0..200 {
        let (next, third) = ((n + 1) % 200, (n + 3) % 200);
        let text = format!(
            "import {{ m{next} as n }} from './m{next}'; export * from './m{third}'; export const m{n} = n(); export default n"
        );
        tree.with(&format!("src/m{n}.js"), text);
    }
    tree.with(
        "src/bad.js",
        "import * as a from './m0'; import { none } from './m5'; none.use(none); module.exports = a.m0.x",
    );
    for n in 0..60 {
        let stars: String = (1..20).map(|step| format!("export * from './s{}'\n", (n + step) % 60)).collect();
        tree.with(&format!("src/s{n}.js"), stars);
    }
    tree.with("src/stars.js", "import { none, other } from './s0'; module.exports = none(); other.a.b()");
    tree.with("Dockerfile", (0..150).map(|n| format!("FROM s{} AS s{n}\n", (n + 1) % 150)).collect::<String>());
    tree.with(".env", (0..2_000).map(|n| format!("A{n}=${{A{}}}${{A{n}}}\n", n + 1)).collect::<String>());
    tree.with(
        "package.json",
        MANIFEST.replace("node src/server.js\"", "npm start\", \"a\": \"npm run b\", \"b\": \"npm run a\""),
    );
    tree.audit();
}

#[test]
fn circles_within_a_file_end() {
    let tree = Tree::new();
    tree.with(
        "src/bad.js",
        "const a = a.b(); const c = () => d(); const d = () => c(); c(); let x = x; let y = z, z = y;
         const { q = q } = q; class A extends A {} const r = require('express').Router(); r.use(r); r.use('/a', r);
         module.exports = module.exports; r.get('/x', r)",
    );
    let ring: String = (0..500)
        .map(|n| {
            let (one, two, three) = ((n + 1) % 500, (n * 7 + 3) % 500, (n * 13 + 5) % 500);
            format!("function f{n}(x) {{ if (x) return f{one}(x); return f{two}(x) || f{three}(x) }}\n")
        })
        .collect();
    tree.with("src/ring.js", ring + "module.exports = f0(1)");
    let doubling = |first: &str, step: fn(usize) -> String| {
        let chain: String = (1..200).map(|n| format!("const c{n} = {}\n", step(n - 1))).collect();
        format!(
            "const c0 = {first}\n{chain}const app = require('express')(); app.use(require('cors')(c199)); app.get('/', c199)"
        )
    };
    tree.with("src/sums.js", doubling("'x'", |n| format!("c{n} + c{n}")));
    tree.with("src/spreads.js", doubling("{ a: 1 }", |n| format!("{{ ...c{n}, ...c{n} }}")));
    tree.with("src/lists.js", doubling("[1]", |n| format!("[...c{n}, ...c{n}]")));
    tree.with("src/choices.js", doubling("1", |n| format!("x ? c{n} : c{n}")));
    tree.with("src/wrappers.js", doubling("h => h", |n| format!("h => c{n}(c{n}(h))")));
    let renewed = "  user = renew(user)\n".repeat(40);
    tree.with(
        "src/session.js",
        format!(
            "const app = require('express')(); const {{ getServerSession }} = require('next-auth')
             app.use(async (req, res, next) => {{ let user = await getServerSession(req)\n{renewed}next() }})"
        ),
    );
    tree.with("src/types.ts", "type B = C; type C = B; interface D extends E {} interface E extends D {} type Z<T> = Z<Z<T>>; const x: B = 1 as C; const z: Z<B> = x.y; export default z.q(x)");
    tree.audit();
}

#[test]
fn wide_code_is_read() {
    let tree = Tree::new();
    let routes =
        (0..5_000).map(|n| format!("app.get('/r{n}', (req, res) => res.json({{ n: {n} }}))\n")).collect::<String>();
    tree.with("src/bad.js", format!("const app = require('express')()\n{routes}module.exports = app"));
    let list = |count: usize, one: fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(", ");
    tree.with("src/object.js", format!("module.exports = {{ {} }}", list(10_000, |n| format!("k{n}: {n}"))));
    tree.with("src/parameters.js", format!("module.exports = function ({}) {{}}", list(10_000, |n| format!("a{n}"))));
    tree.with("src/enum.ts", format!("enum A {{ {} }}", list(10_000, |n| format!("a{n} = a{n}"))));
    tree.with("src/assigned.js", format!("let a\n{}module.exports = a", "a = b(a)\n".repeat(10_000)));
    let ran = tree.audit();
    assert!(ran.report()["routes"].as_array().unwrap().len() > 5_000);
}

// ---- always the same

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let tree = Tree::new();
    for (name, text) in deep_code() {
        tree.with(&format!("src/{name}"), text);
    }
    for n in 0..300 {
        let text = format!(
            "import x from './f{}'\nexport default () => fetch('http://a.example/' + x + Math.random())\n",
            (n * 7) % 300
        );
        tree.with(&format!("src/f{n}.js"), text);
    }
    for (format, repeated) in [("json", ["1", "2", "2"].as_slice()), ("terminal", &["2"]), ("markdown", &["2"])] {
        let first = tree.run(&["--format", format, "--jobs", "1"]);
        assert_eq!(first.code, Some(0), "{}", first.err);
        for jobs in repeated {
            assert!(tree.run(&["--format", format, "--jobs", jobs]).out == first.out, "{format} with {jobs}");
        }
    }
}
