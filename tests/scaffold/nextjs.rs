//! What is written into the unready Next.js fixture.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

use crate::apps::{bytes, commit_all, fixture, run, text};

const ALL: [&str; 2] = ["--all", "--apply"];

/// What the additive modules of Next.js alone are worth; those for any service come on top.
const LEAST_RISE: f64 = 9.0;

fn audit(root: &Path) -> Value {
    let mut command = Command::cargo_bin("readycheck").unwrap();
    let output = command.current_dir(root).args(["audit", "--format", "json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn state<'a>(report: &'a Value, control: &str) -> &'a str {
    let controls = report["controls"].as_array().unwrap();
    controls.iter().find(|found| found["id"] == control).and_then(|found| found["state"].as_str()).unwrap()
}

#[test]
fn additive_modules_close_their_controls_raise_the_score_and_go_without_a_trace() {
    let ledger = fixture("nextjs-ledger-unready");
    let root = ledger.path();
    let before = (bytes(root), audit(root));
    commit_all(root);
    let ran = run(root, &ALL);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let after = audit(root);
    for control in ["request-id", "structured-logging", "error-handler", "security-headers", "health-endpoint"] {
        assert_eq!(state(&before.1, control), "fail", "{control}");
        assert_eq!(state(&after, control), "pass", "{control}");
    }
    let score = |report: &Value| report["score"]["value"].as_f64().unwrap();
    assert!(score(&after) >= score(&before.1) + LEAST_RISE, "{} → {}", score(&before.1), score(&after));
    let again = run(root, &["--all", "--apply", "--allow-dirty"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    assert_eq!(run(root, &["undo", "--all", "--apply"]).code, 0);
    assert_eq!(bytes(root), before.0);
}

#[test]
fn handlers_keep_what_is_theirs_inside_of_the_wrapper() {
    let ledger = fixture("nextjs-ledger-unready");
    let root = ledger.path();
    assert_eq!(run(root, &["body-limits", "rate-limit", "--apply", "--allow-dirty"]).code, 0);
    let wrapper = text(root, "lib/http/with-route.ts");
    let layers: Vec<&str> = wrapper.lines().filter_map(|line| line.trim().strip_prefix("route = ")).collect();
    assert_eq!(
        layers,
        ["withLimits(route);", "withRateLimit(route);", "withErrors(route);", "withRequestId(route);"],
        "{wrapper}"
    );
    let accounts = text(root, "app/api/v1/accounts/route.ts");
    assert!(accounts.contains("import { withRoute } from \"@/lib/http/with-route\";\n"), "{accounts}");
    assert!(accounts.contains("export const POST = withRoute(async function POST(request: NextRequest) {\n"));
    // What one handler checks does not count for the others.
    let report = audit(root);
    assert_ne!(state(&report, "route-authentication"), "pass");
    assert_ne!(state(&report, "input-validation"), "pass");
}

#[test]
fn the_configuration_keeps_what_it_says() {
    let ledger = fixture("nextjs-ledger-unready");
    let root = ledger.path();
    assert_eq!(run(root, &["security-headers", "--apply", "--allow-dirty"]).code, 0);
    let config = text(root, "next.config.ts");
    for expected in [
        "const config: NextConfig = {\n  poweredByHeader: false,\n  eslint:",
        "    return [\n      { source: \"/:path*\", headers: securityHeaders },\n      {\n        source: \"/api/:path*\",",
        "\nconst securityHeaders = [\n",
    ] {
        assert!(config.contains(expected), "{expected}\n{config}");
    }
}
