//! Every module of the binary, in every dialect of the stacks that it is written for.

use serde_json::Value;
use tempfile::TempDir;

use crate::apps::{bytes, classic, modern, run};
use crate::python_apps::{factory, flat, packaged};

/// Projects of a stack, each in another hand; none for a stack that has no such project yet.
fn dialects(stack: &str) -> Vec<(&'static str, TempDir)> {
    match stack {
        "express" => {
            vec![("TypeScript", modern(true)), ("JavaScript with imports", modern(false)), ("CommonJS", classic())]
        }
        "fastapi" => {
            vec![("Python", packaged()), ("Python with a factory", factory()), ("Python in a flat folder", flat())]
        }
        "any" => vec![("any", modern(true))],
        _ => Vec::new(),
    }
}

fn modules() -> Vec<Value> {
    let here = tempfile::tempdir().unwrap();
    let value: Value = serde_json::from_str(&run(here.path(), &["modules", "--format", "json"]).out).unwrap();
    value["modules"].as_array().unwrap().clone()
}

#[test]
fn every_module_is_written_kept_and_taken_back_in_every_dialect() {
    let mut written = 0;
    for module in modules() {
        let id = module["id"].as_str().unwrap();
        for stack in module["stacks"].as_array().unwrap() {
            for (dialect, project) in dialects(stack.as_str().unwrap()) {
                check(id, dialect, &project);
                written += 1;
            }
        }
    }
    assert!(written >= 6, "{written}");
}

fn check(id: &str, dialect: &str, project: &TempDir) {
    let root = project.path();
    let before = bytes(root);
    let apply = [id, "--apply", "--allow-dirty", "--format", "json"];
    let ran = run(root, &apply);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{id}, {dialect}: {}", ran.out);
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(plan["applied"], true, "{id}, {dialect}: {}", ran.out);
    for file in plan["files"].as_array().unwrap() {
        let diff = file["diff"].as_str().unwrap();
        for leftover in ["{{", "{%", "undefined import"] {
            assert!(!diff.contains(leftover), "{id}, {dialect}: {diff}");
        }
    }
    let after = bytes(root);
    let again = run(root, &apply);
    assert_eq!(again.code, 0, "{id}, {dialect}: {}{}", again.out, again.err);
    assert_eq!(bytes(root), after, "{id}, {dialect}: a second run changed something");
    let undone = run(root, &["undo", "--all", "--apply"]);
    assert_eq!(undone.code, 0, "{id}, {dialect}: {}{}", undone.out, undone.err);
    assert_eq!(bytes(root), before, "{id}, {dialect}: undo did not give everything back");
    let empty: Vec<_> = walkdir::WalkDir::new(root)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_dir() && std::fs::read_dir(entry.path()).unwrap().next().is_none())
        .map(|entry| entry.path().to_path_buf())
        .collect();
    assert!(empty.is_empty(), "{id}, {dialect}: empty folders are left: {empty:?}");
}

#[test]
fn all_modules_of_a_stack_stand_together() {
    for (dialect, project) in [
        ("TypeScript", modern(true)),
        ("CommonJS", classic()),
        ("Python", packaged()),
        ("Python with a factory", factory()),
        ("Python in a flat folder", flat()),
    ] {
        let root = project.path();
        let before = bytes(root);
        let ran = run(root, &["--all", "--include", "behavioural,data", "--apply", "--allow-dirty"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{dialect}: {}", ran.out);
        let again = run(root, &["--all", "--include", "behavioural,data", "--apply", "--allow-dirty"]);
        assert!(again.out.contains("nothing to do"), "{dialect}: {}", again.out);
        let status = run(root, &["status"]);
        assert!(
            status.out.lines().all(|line| line.contains("pristine") || line.contains("No module")),
            "{}",
            status.out
        );
        if bytes(root) != before {
            assert_eq!(run(root, &["undo", "--all", "--apply"]).code, 0, "{dialect}");
        }
        assert_eq!(bytes(root), before, "{dialect}");
    }
}
