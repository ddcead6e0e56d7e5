//! Everything additive at once, on unready fixtures.

use serde_json::Value;

use crate::apps::{bytes, commit_all, fixture, git, run};
use crate::reports::{assert_kept, audit, score, state};

/// What `scaffold --all --apply` is worth at least, in points.
const RISES: [(&str, f64); 5] = [
    ("axum-service-unready", 25.0),
    ("express-shop-unready", 25.0),
    ("fastapi-ledger-unready", 25.0),
    ("nextjs-ledger-unready", 25.0),
    ("django-shop-unready", 23.0),
];

#[test]
fn additive_modules_keep_their_word_raise_the_score_and_go_without_a_trace() {
    for (name, rise) in RISES {
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
        for control in ["request-id", "structured-logging", "error-handler", "security-headers", "health-endpoint"] {
            assert_eq!(state(&later, control), "pass", "{name}: {control}");
        }
        assert!(score(&later) >= score(&earlier) + rise, "{name}: {} → {}", score(&earlier), score(&later));
        let again = run(root, &["--all", "--apply", "--allow-dirty"]);
        assert!(again.out.contains("nothing to do"), "{name}: {}", again.out);
        assert_eq!(run(root, &["undo", "--all", "--apply"]).code, 0, "{name}");
        assert_eq!(bytes(root), before, "{name}");
    }
}
