//! Audits of what was written.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

pub fn audit(root: &Path) -> Value {
    let mut command = Command::cargo_bin("readycheck").unwrap();
    let output = command.current_dir(root).args(["audit", "--format", "json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn control<'r>(report: &'r Value, id: &str) -> &'r Value {
    report["controls"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()
}

pub fn state<'r>(report: &'r Value, id: &str) -> &'r str {
    control(report, id)["state"].as_str().unwrap()
}

pub fn score(report: &Value) -> f64 {
    report["score"]["value"].as_f64().unwrap()
}

/// Panics if a control of a plan that was applied is not as the plan says.
pub fn assert_kept(plan: &Value, report: &Value, name: &str) {
    for module in plan["modules"].as_array().unwrap() {
        for (id, promise) in module["closes"].as_object().unwrap() {
            let state = state(report, id);
            let is_kept = match promise["is"].as_str().unwrap() {
                "closed" | "held" => state == "pass",
                "rises" => state == "pass" || state == "partial",
                "not-verified" => state == "unknown" || state == "not-applicable",
                "after-steps" => !plan["steps"].as_array().unwrap().is_empty(),
                _ => false,
            };
            assert!(is_kept, "{name}, {}: {id} is {state} after {promise}", module["id"]);
        }
    }
}
