//! What comes after: status, undo, update, eject, interrupted and concurrent runs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::apps::{bytes, classic, run, text, write};

fn applied(modules: &[&str]) -> tempfile::TempDir {
    let app = classic();
    let arguments: Vec<&str> = modules.iter().copied().chain(["--apply", "--allow-dirty"]).collect();
    let ran = run(app.path(), &arguments);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    app
}

#[test]
fn status_tells_what_became_of_each_file() {
    let app = applied(&["security-headers", "health"]);
    let headers = "middleware/security-headers.js";
    write(app.path(), headers, &format!("{}// mine\n", text(app.path(), headers)));
    write(app.path(), "app.js", &format!("{}// mine\n", text(app.path(), "app.js")));
    fs::remove_file(app.path().join("routes/health.js")).unwrap();
    let ran = run(app.path(), &["status", "--format", "json"]);
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    let state = |module: usize| value["modules"][module]["status"].as_str().unwrap();
    assert_eq!((ran.code, state(0), state(1)), (0, "modified", "deleted"), "{}", ran.out);
    let shown = run(app.path(), &["status"]).out;
    for expected in ["modified  middleware/security-headers.js", "drifted   app.js", "deleted   routes/health.js"] {
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn undo_keeps_what_somebody_changed_and_says_so() {
    let before = bytes(classic().path());
    let app = applied(&["security-headers"]);
    let headers = "middleware/security-headers.js";
    write(app.path(), headers, &format!("{}// mine\n", text(app.path(), headers)));
    let ran = run(app.path(), &["undo", "security-headers", "--apply"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains(&format!("kept      {headers}")), "{}", ran.out);
    assert!(text(app.path(), headers).ends_with("// mine\n"));
    assert_eq!(text(app.path(), "app.js").as_bytes(), before["app.js"]);
    assert!(!app.path().join("docs").exists());
}

#[test]
fn modules_can_be_taken_back_one_by_one() {
    let before = bytes(classic().path());
    for order in [["security-headers", "health"], ["health", "security-headers"]] {
        let app = applied(&["security-headers", "health"]);
        for module in order {
            let ran = run(app.path(), &["undo", module, "--apply"]);
            assert_eq!(ran.code, 0, "{order:?}: {}{}", ran.out, ran.err);
            assert!(!text(app.path(), "package.json").contains("helmet") || module == "health");
        }
        assert_eq!(bytes(app.path()), before, "{order:?}");
    }
}

#[test]
fn what_was_applied_one_after_the_other_stands_in_the_order_of_the_stack() {
    let together = applied(&["security-headers", "health"]);
    let apart = applied(&["health"]);
    assert_eq!(run(apart.path(), &["security-headers", "--apply", "--allow-dirty"]).code, 0);
    let uses = |root: &Path| -> Vec<String> {
        text(root, "app.js").lines().filter(|line| line.starts_with("app.use(")).map(str::to_owned).collect()
    };
    assert_eq!(uses(apart.path()), uses(together.path()));
    assert_eq!(run(apart.path(), &["undo", "--all", "--apply"]).code, 0);
    assert_eq!(bytes(apart.path()), bytes(classic().path()));
}

#[test]
fn a_module_that_others_need_stays() {
    let app = applied(&["error-handler"]);
    let ran = run(app.path(), &["undo", "request-id", "--apply"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`error-handler` needs `request-id`"), "{}", ran.err);
}

#[test]
fn eject_forgets_and_leaves_the_files() {
    let app = applied(&["security-headers"]);
    let ran = run(app.path(), &["eject", "--apply"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(app.path().join("middleware/security-headers.js").is_file() && !app.path().join(".readycheck").exists());
    assert!(run(app.path(), &["status"]).out.contains("No module is applied"));
}

/// The templates of the repository with a change, as a newer readycheck would bring them.
fn newer_templates(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for entry in walkdir::WalkDir::new(&source).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let inside = entry.path().strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).unwrap();
        let changed = if inside == file { text.replace(from, to) } else { text };
        write(folder.path(), &inside, &changed);
    }
    folder
}

#[test]
fn update_brings_what_is_new_and_keeps_what_is_theirs() {
    let app = applied(&["security-headers", "health"]);
    let file = "security-headers/express/security-headers.ts.j2";
    let newer = newer_templates(
        file,
        "referrerPolicy: { policy: \"no-referrer\" },",
        "referrerPolicy: { policy: \"same-origin\" },",
    );
    let templates = newer.path().to_str().unwrap();
    let status = run(app.path(), &["status", "--templates", templates]);
    assert!(status.out.contains("superseded"), "{}", status.out);
    let headers = "middleware/security-headers.js";
    let mine = text(app.path(), headers).replace("const headers", "// mine\nconst headers");
    write(app.path(), headers, &mine);
    let update = ["update", "--apply", "--allow-dirty", "--templates", templates];
    let ran = run(app.path(), &update);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let now = text(app.path(), headers);
    assert!(now.contains("// mine\n") && now.contains("same-origin"), "{now}");
    assert!(run(app.path(), &update).out.contains("nothing to do"));
    write(app.path(), headers, &now.replace("// mine\n", ""));
    assert_eq!(run(app.path(), &["undo", "--all", "--apply"]).code, 0);
    assert_eq!(bytes(app.path()), bytes(classic().path()));
}

#[test]
fn conflicts_are_put_beside_or_marked() {
    let file = "security-headers/express/security-headers.ts.j2";
    let newer = newer_templates(file, "31_536_000", "63_072_000");
    let templates = newer.path().to_str().unwrap();
    let headers = "middleware/security-headers.js";
    for (arguments, place, expected) in [
        (&[][..], "middleware/security-headers.js.readycheck-new", "63_072_000"),
        (&["--conflict", "inline"], headers, "<<<<<<<"),
    ] {
        let app = applied(&["security-headers"]);
        let mine = text(app.path(), headers).replace("31_536_000", "86_400");
        write(app.path(), headers, &mine);
        let update: Vec<&str> =
            ["update", "--apply", "--allow-dirty", "--templates", templates].iter().chain(arguments).copied().collect();
        let ran = run(app.path(), &update);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(text(app.path(), place).contains(expected), "{}", ran.out);
        if place != headers {
            assert_eq!(text(app.path(), headers), mine);
        }
    }
}

#[test]
fn a_damaged_lock_is_told() {
    let app = applied(&["health"]);
    write(app.path(), ".readycheck/lock.toml", "version = 1\n[[module]]\nid = 3\n");
    let ran = run(app.path(), &["status"]);
    assert!(ran.code == 2 && ran.err.contains("damaged"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn a_second_run_is_refused_while_the_first_writes() {
    let app = classic();
    let held = fs::File::open(app.path()).unwrap();
    held.lock().unwrap();
    let ran = run(app.path(), &["health", "--apply", "--allow-dirty"]);
    assert!(ran.code == 2 && ran.err.contains("another readycheck"), "{}{}", ran.out, ran.err);
    drop(held);
    assert_eq!(run(app.path(), &["health", "--apply", "--allow-dirty"]).code, 0);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_changes_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let app = classic();
    fs::set_permissions(app.path().join("app.js"), fs::Permissions::from_mode(0o444)).unwrap();
    let before = bytes(app.path());
    let ran = run(app.path(), &["health", "--apply", "--allow-dirty"]);
    assert!(ran.code == 2 && ran.err.contains("app.js") && ran.err.contains("read-only"), "{}{}", ran.out, ran.err);
    assert_eq!(bytes(app.path()), before);
}

#[cfg(unix)]
#[test]
fn a_killed_process_leaves_all_or_nothing_after_the_next_run() {
    let before = bytes(classic().path());
    let complete = bytes(applied(&["security-headers", "health"]).path());
    for delay in (0..60).step_by(6) {
        let app = classic();
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("readycheck"));
        command.current_dir(app.path()).args(["scaffold", "security-headers", "health", "--apply", "--allow-dirty"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay * 8));
        let _ = child.kill();
        child.wait().unwrap();
        let ran = run(app.path(), &["status"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let now = bytes(app.path());
        assert!(now == before || now == complete, "killed after {} ms: {}", delay * 8, ran.err);
    }
}
