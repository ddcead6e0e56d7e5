//! The modules that fit every service, on a service of each kind.

use std::path::Path;

use serde_json::Value;

use crate::apps::{bytes, commit_all, copy, fixture, git, run, text, write};
use crate::reports::{assert_kept, audit, control};

const UNREADY: [&str; 5] = [
    "axum-service-unready",
    "django-shop-unready",
    "express-shop-unready",
    "fastapi-ledger-unready",
    "nextjs-ledger-unready",
];

const MODULES: [&str; 9] = [
    "ci-github-actions",
    "dependency-updates",
    "docker-compose-prod",
    "dockerfile",
    "docs-deployment",
    "docs-incident",
    "docs-runbook",
    "load-test-k6",
    "nginx-gateway",
];

/// Where findings are, with what they say.
fn findings(report: &Value) -> Vec<(String, String)> {
    let controls = report["controls"].as_array().unwrap().iter();
    let all = controls.flat_map(|control| control["findings"].as_array().unwrap());
    let open = all.filter(|finding| finding["confidence"] != "low");
    open.map(|finding| (finding["path"].to_string(), finding["message"].to_string())).collect()
}

#[test]
fn they_close_what_they_promise_on_every_kind_of_service() {
    for name in UNREADY {
        let project = fixture(name);
        let root = project.path();
        commit_all(root);
        let (before, earlier) = (bytes(root), findings(&audit(root)));
        let mut arguments = MODULES.to_vec();
        arguments.extend(["--apply", "--format", "json"]);
        let ran = run(root, &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}: {}", ran.out);
        let plan: Value = serde_json::from_str(&ran.out).unwrap();
        // Some rules look at what git holds alone.
        git(root, &["add", "-A"]);
        let report = audit(root);
        assert_kept(&plan, &report, name);
        for id in [
            "container-probes",
            "container-resource-limits",
            "deployment-guide",
            "docker-root-user",
            "incident-response-plan",
            "load-tests",
            "rollback-plan",
            "runbook",
            "tls-termination",
        ] {
            assert_eq!(control(&report, id)["state"], "pass", "{name}, {id}");
        }
        let ours = |path: &str| !before.contains_key(path.trim_matches('"'));
        let new: Vec<_> = findings(&report).into_iter().filter(|one| ours(&one.0) || !earlier.contains(one)).collect();
        assert!(new.is_empty(), "{name}: {new:?}");
        let after = bytes(root);
        assert_eq!(run(root, &[&MODULES[..], &["--apply", "--allow-dirty"]].concat()).code, 0, "{name}");
        assert_eq!(bytes(root), after, "{name}: a second run changed something");
        assert_eq!(run(root, &["undo", "--all", "--apply"]).code, 0, "{name}");
        assert_eq!(bytes(root), before, "{name}: undo did not give everything back");
    }
}

/// A workflow that checks every change already: nothing is written beside it.
#[test]
fn a_module_writes_only_what_is_open() {
    let shop = fixture("express-shop-unready");
    let root = shop.path();
    write(
        root,
        ".github/workflows/checks.yml",
        "name: checks\non: [push, pull_request]\npermissions: { contents: read }\njobs:\n  check:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: npm ci\n      - run: npx eslint .\n      - run: npx vitest run\n      - run: npm run build\n",
    );
    commit_all(root);
    assert_eq!(control(&audit(root), "ci-pipeline")["state"], "pass");
    let before = bytes(root);
    let ran = run(root, &["ci-github-actions", "--apply"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let new: Vec<String> = bytes(root).into_keys().filter(|path| !before.contains_key(path)).collect();
    let workflows: Vec<&String> = new.iter().filter(|path| path.contains("workflows/")).collect();
    assert_eq!(workflows, [".github/workflows/security.yml"], "{new:?}");
    let page = text(root, "docs/readiness/ci-github-actions.md");
    assert!(!page.contains("ci.yml") && page.contains("security.yml"), "{page}");
    assert_eq!(run(root, &["status"]).code, 0);
    // What it wrote closed controls. A later version of its templates still knows that they were open.
    let later = copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"));
    let template = text(later.path(), "ci-github-actions/security.yml.j2");
    write(later.path(), "ci-github-actions/security.yml.j2", &format!("{template}# of a later version\n"));
    let update = run(root, &["update", "--templates", later.path().to_str().unwrap()]);
    assert!(update.code == 0 && update.out.contains("+# of a later version"), "{}{}", update.out, update.err);
    assert!(!update.out.contains("ci.yml") && !update.out.contains("deleted"), "{}", update.out);
    assert_eq!(run(root, &["undo", "--all", "--apply"]).code, 0);
    assert_eq!(bytes(root), before);
}

#[test]
fn load_tests_ask_for_routes_that_are_there() {
    let shop = fixture("express-shop-unready");
    let root = shop.path();
    let ran = run(root, &["load-test-k6", "--apply", "--allow-dirty", "--set", "expected_rps=50"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let options = text(root, "tests/load/options.mjs");
    assert!(options.contains("\"/products\"") && options.contains("LOAD_EXPECTED_RPS || 50"), "{options}");
    assert!(options.contains("from \"k6/http\"") && !options.contains("/:id"), "{options}");
}

#[test]
fn updates_are_proposed_once() {
    let shop = fixture("express-shop-unready");
    let root = shop.path();
    write(root, "renovate.json", "{ \"extends\": [\"config:recommended\"] }\n");
    let ran = run(root, &["dependency-updates"]);
    assert!(ran.code == 1 && ran.out.contains("updates are proposed already"), "{}", ran.out);
}

#[test]
fn backups_are_written_where_there_is_a_database_to_back_up() {
    let shop = fixture("express-shop-unready");
    let ran = run(shop.path(), &["docker-compose-prod", "backup", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert_eq!(control(&audit(shop.path()), "backup-automation")["state"], "pass");
    assert!(text(shop.path(), "compose.prod.yaml").contains("build: ./deploy/backup"));
    let ledger = fixture("nextjs-ledger-unready");
    let ran = run(ledger.path(), &["backup"]);
    assert!(ran.code == 1 && ran.out.contains("written for PostgreSQL"), "{}", ran.out);
}

#[test]
fn no_value_of_an_environment_file_is_written_anywhere() {
    for name in UNREADY {
        let project = fixture(name);
        let before = bytes(project.path());
        let ran = run(project.path(), &["env-production-example", "docs-deployment", "--apply", "--allow-dirty"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}: {}", ran.out);
        assert_eq!(control(&audit(project.path()), "env-example")["state"], "pass", "{name}");
        let written = bytes(project.path()).into_iter().filter(|(path, _)| !before.contains_key(path));
        let texts: Vec<String> = written.map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
        let environment = before.iter().filter(|(path, _)| path.starts_with(".env"));
        for (_, bytes) in environment {
            for line in std::str::from_utf8(bytes).unwrap().lines() {
                let value = line.split_once('=').map_or("", |(_, value)| value.trim_matches('"'));
                assert!(value.len() < 8 || !texts.iter().any(|text| text.contains(value)), "{name}: {line}");
            }
        }
    }
}

#[test]
fn a_dockerfile_keeps_what_its_owner_wrote() {
    let shop = fixture("express-shop-unready");
    let root = shop.path();
    write(
        root,
        "Dockerfile",
        "# syntax=docker/dockerfile:1\n# Our shop\nFROM node:22-alpine\nWORKDIR /srv\nRUN apk add --no-cache tini\n# Cached while the manifest stays\nCOPY package.json ./\nRUN npm install\nCOPY . .\nRUN npm run build\n\n# From here on: how it starts\nEXPOSE 8080\nENTRYPOINT [\"tini\", \"--\"]\nCMD [\"node\", \"dist/server.js\"]",
    );
    let ran = run(root, &["dockerfile", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let image = text(root, "Dockerfile");
    for expected in [
        "# syntax=docker/dockerfile:1\n# Our shop\nFROM node:22-alpine AS build\nWORKDIR /srv\n",
        "# Cached while the manifest stays\nCOPY package.json ./\nRUN npm install\nCOPY . .\nRUN npm run build\n",
        "FROM node:22-alpine\nENV NODE_ENV=production\nRUN apk add --no-cache tini\nWORKDIR /srv\n",
        "COPY --from=build --chown=node:node /srv ./\nUSER node\n\n# From here on: how it starts\nEXPOSE 8080\nHEALTHCHECK ",
        "ENTRYPOINT [\"tini\", \"--\"]\nCMD [\"node\", \"dist/server.js\"]\n",
    ] {
        assert!(image.contains(expected), "{expected}\n---\n{image}");
    }
}

#[test]
fn a_dockerfile_that_is_not_understood_gets_its_user_and_steps() {
    let shop = fixture("express-shop-unready");
    let root = shop.path();
    let unusual = "FROM node:22-slim\nWORKDIR /app\nRUN curl -o /usr/local/bin/tool https://tools.example/tool\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"dist/server.js\"]\n";
    write(root, "Dockerfile", unusual);
    let ran = run(root, &["dockerfile"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.contains("+USER node") && ran.out.contains("+HEALTHCHECK"), "{}", ran.out);
    assert!(ran.out.contains("· docker-multi-stage passes once the steps below are done"), "{}", ran.out);
    assert!(ran.out.contains("✓ docker-root-user passes"), "{}", ran.out);
    write(root, "Dockerfile", "FROM scratch\nCOPY thing /thing\nCMD [\"/thing\"]\n");
    let ran = run(root, &["dockerfile"]);
    assert!(!ran.out.contains("--- a/Dockerfile"), "{}", ran.out);
}
