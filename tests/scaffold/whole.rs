//! Everything additive at once, on unready fixtures: each clause of what `scaffold --all --apply` promises.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::apps::{bytes, commit_all, fixture, git, run};
use crate::reports::{assert_kept, audit, control, score, state};

const UNREADY: [&str; 5] = [
    "axum-service-unready",
    "django-shop-unready",
    "express-shop-unready",
    "fastapi-ledger-unready",
    "nextjs-ledger-unready",
];

/// What it is worth at least, in points.
const RISE: f64 = 25.0;

/// What nothing but the user can do, with the step that says so: which version the data of a database is of.
const AFTER_STEPS: [&str; 1] = ["docker-unpinned-image"];

/// Applies in part once something is there: business events are counted beside requests.
const OPENED: [&str; 1] = ["domain-metrics"];

#[test]
fn additive_modules_keep_their_word_raise_the_score_and_go_without_a_trace() {
    for name in UNREADY {
        let project = fixture(name);
        let root = project.path();
        let (before, earlier) = (bytes(root), audit(root));
        commit_all(root);
        let ran = run(root, &["--all", "--apply", "--format", "json"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}: {}", ran.out);
        let plan: Value = serde_json::from_str(&ran.out).unwrap();
        git(root, &["add", "-A"]);
        let later = audit(root);
        assert_kept(&plan, &later, name);
        assert_closed(&plan, &later, name);
        assert_no_blocker_has_a_module(&later, name);
        assert_nothing_is_worse(&earlier, &later, &before, name);
        assert!(score(&later) >= score(&earlier) + RISE, "{name}: {} → {}", score(&earlier), score(&later));
        let written = bytes(root);
        let again = run(root, &["--all", "--apply", "--allow-dirty"]);
        assert!(again.code == 0 && again.out.contains("nothing to do"), "{name}: {}", again.out);
        assert_eq!(bytes(root), written, "{name}: a second run changed something");
        assert_eq!(run(root, &["undo", "--all", "--apply"]).code, 0, "{name}");
        assert_eq!(bytes(root), before, "{name}");
    }
}

/// Every control that a module closes passes, unless nothing judges it here, or only the user can tell.
fn assert_closed(plan: &Value, later: &Value, name: &str) {
    for module in plan["modules"].as_array().unwrap() {
        for (id, promise) in module["closes"].as_object().unwrap() {
            let is = promise["is"].as_str().unwrap();
            let left = is == "not-verified" || (is == "after-steps" && AFTER_STEPS.contains(&id.as_str()));
            assert!(left || state(later, id) == "pass", "{name}, {}: {id} is {}", module["id"], state(later, id));
        }
    }
}

/// What keeps a service from being ready is closed where an additive module closes it on this kind of service.
fn assert_no_blocker_has_a_module(later: &Value, name: &str) {
    let here = tempfile::tempdir().unwrap();
    let known: Value = serde_json::from_str(&run(here.path(), &["modules", "--format", "json"]).out).unwrap();
    let stacks: BTreeSet<&str> = later["project"]["services"][0]["stacks"]
        .as_array()
        .unwrap()
        .iter()
        .chain(later["project"]["services"][0]["languages"].as_array().unwrap())
        .map(|one| match one.as_str().unwrap() {
            "javascript" | "typescript" => "node",
            other => other,
        })
        .chain(["any"])
        .collect();
    for blocker in later["score"]["blockers"].as_array().unwrap() {
        let closes = |module: &&Value| {
            let is_for_it =
                module["stacks"].as_array().unwrap().iter().any(|one| stacks.contains(one.as_str().unwrap()));
            is_for_it && module["effect"] == "additive" && module["closes"].as_array().unwrap().contains(blocker)
        };
        let found = known["modules"].as_array().unwrap().iter().find(closes);
        assert!(found.is_none(), "{name}: {blocker} is left, and {} closes it", found.unwrap()["id"]);
    }
}

/// No finding is new, wherever it is; nothing that was in order is so no longer.
fn assert_nothing_is_worse(earlier: &Value, later: &Value, before: &BTreeMap<String, Vec<u8>>, name: &str) {
    let findings = |report: &Value, id: &str| -> Vec<(String, String)> {
        let all = control(report, id)["findings"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        all.iter().map(|one| (text(&one["path"]), text(&one["message"]))).collect()
    };
    let is_fine = |report: &Value, id: &str| matches!(state(report, id), "pass" | "not-applicable" | "attested");
    for one in later["controls"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let known = findings(earlier, id);
        // What nobody could tell before may be told now.
        let undecided = control(earlier, id)["sites"]["unknown"].as_u64().unwrap_or(0) as usize;
        let found = findings(later, id);
        let new: Vec<_> = found.iter().filter(|one| !known.contains(one)).collect();
        let is_ours = |(path, _): &(String, String)| !before.contains_key(path);
        assert!(new.len() <= undecided && !found.iter().any(is_ours), "{name}: {id} finds {new:?}");
        let fell = is_fine(earlier, id) && !is_fine(later, id) && !OPENED.contains(&id);
        assert!(!fell, "{name}: {id} was {} and is {}: {}", state(earlier, id), state(later, id), one["reason"]);
    }
}
