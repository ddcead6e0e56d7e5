//! What the service has of its own: a schema of its environment, a server whose name was declared before, old tools.

use crate::apps::{bytes, classic, commit_all, run, text, write};

const ZOD: &str = "const { z } = require('zod')\n\nconst schema = z.object({\n\tPORT: z.coerce.number().default(3000),\n\tITEMS_URL: z.string()\n})\n\nmodule.exports = schema.parse(process.env)\n";

fn with_schema(package: &str, schema: &str) -> tempfile::TempDir {
    let app = classic();
    let manifest = text(app.path(), "package.json")
        .replace("\"express\"", &format!("\"{package}\": \"^4.0.0\",\n    \"express\""));
    write(app.path(), "package.json", &manifest);
    write(app.path(), "config.js", schema);
    let main = text(app.path(), "app.js").replace("const app =", "const config = require('./config')\n\nconst app =");
    write(app.path(), "app.js", &main.replace("listen(3000)", "listen(config.PORT)"));
    app
}

#[test]
fn variables_of_modules_are_declared_in_the_services_own_schema() {
    let app = with_schema("zod", ZOD);
    let before = bytes(app.path());
    let ran = run(app.path(), &["health", "request-id", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let config = text(app.path(), "config.js");
    let declared = "\tITEMS_URL: z.string(),\n\tTRUST_INBOUND_REQUEST_ID: z.enum(['true', 'false']).optional(),\n\tHEALTH_CHECK_TIMEOUT_MS: z.coerce.number().optional(),\n\tSERVICE_VERSION: z.string().optional(),\n})";
    assert!(config.contains(declared), "{config}");
    let again = run(app.path(), &["health", "request-id", "--apply", "--allow-dirty"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    let undone = run(app.path(), &["undo", "--all", "--apply"]);
    assert_eq!(undone.code, 0, "{}{}", undone.out, undone.err);
    assert_eq!(bytes(app.path()), before);
}

#[test]
fn there_is_never_a_second_schema() {
    let app = with_schema("zod", ZOD);
    let main = text(app.path(), "app.js").replace("res.json([])", "res.json([process.env.ITEMS_KEY])");
    write(app.path(), "app.js", &main);
    let ran = run(app.path(), &["env-validation", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(text(app.path(), "config.js").contains("\tITEMS_KEY: z.string().min(1),\n})"), "{}", ran.out);
    assert!(!app.path().join("config/env-schema.js").exists());
}

#[test]
fn a_schema_that_cannot_be_edited_becomes_a_step() {
    let app = with_schema(
        "zod",
        &ZOD.replace("z.object({", "z.object({ ...other,")
            .replace("const schema", "const other = { MODE: z.string(), LEVEL: z.string() }\nconst schema"),
    );
    let ran = run(app.path(), &["request-id", "--apply", "--allow-dirty"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Declare TRUST_INBOUND_REQUEST_ID in the schema"), "{}", ran.out);
}

#[test]
fn a_server_keeps_the_name_that_was_declared_for_it_and_earlier_handlers_are_named() {
    let app = classic();
    let main = text(app.path(), "app.js").replace(
        "app.listen(3000)",
        "let server\nserver = app.listen(3000)\nprocess.on('SIGTERM', () => process.exit(0))",
    );
    write(app.path(), "app.js", &main);
    let ran = run(app.path(), &["graceful-shutdown", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(
        text(app.path(), "app.js").contains("server = app.listen(3000)\nshutDownGracefully(server)\n"),
        "{}",
        text(app.path(), "app.js")
    );
    assert!(ran.out.contains("Take out what ended the process before") && ran.out.contains("app.js:12"), "{}", ran.out);
}

#[test]
fn tests_for_an_old_runner_name_no_modules_that_it_does_not_know() {
    let app = classic();
    let manifest = text(app.path(), "package.json")
        .replace("\n  }\n", "\n  },\n  \"devDependencies\": { \"jest\": \"^26.6.0\" }\n");
    write(app.path(), "package.json", &manifest);
    let ran = run(app.path(), &["request-id", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(text(app.path(), "tests/request-id.test.js").starts_with("const assert = require('assert/strict')"));
    assert!(ran.out.contains("Raise jest"), "{}", ran.out);
}

#[test]
fn a_logger_of_its_own_gets_no_second_one() {
    let app = with_schema("winston", "module.exports = { PORT: 3000, log: require('winston').createLogger({}) }\n");
    let ran = run(app.path(), &["structured-logging", "--apply", "--allow-dirty"]);
    assert!(ran.code == 1 && ran.out.contains("has a logger already"), "{}", ran.out);
}

#[test]
fn a_service_without_an_application_gets_steps_and_one_of_another_kind_a_reason() {
    let app = classic();
    let plain = "const { createServer } = require('http')\n\ncreateServer((req, res) => res.end('[]')).listen(3000)\n";
    write(app.path(), "app.js", plain);
    let ran = run(app.path(), &["request-id", "--apply", "--allow-dirty"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("nothing that makes a"), "{}", ran.out);
    assert_eq!(text(app.path(), "app.js"), plain);
    let other = tempfile::tempdir().unwrap();
    write(other.path(), "go.mod", "module shop\n\ngo 1.22\n");
    write(
        other.path(),
        "main.go",
        "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\":80\", nil) }\n",
    );
    let before = bytes(other.path());
    let ran = run(other.path(), &["request-id", "--apply", "--allow-dirty"]);
    assert_ne!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(bytes(other.path()), before);
}

#[test]
fn modules_are_updated_beside_fixes() {
    let app = classic();
    let main =
        text(app.path(), "app.js").replace("res.json([])", "res.json({ token: Math.random().toString(36).slice(2) })");
    write(app.path(), "app.js", &main);
    commit_all(app.path());
    let fixed = run(app.path(), &["--fix", "insecure-randomness", "--apply", "--allow-dirty"]);
    assert_eq!(fixed.code, 0, "{}{}", fixed.out, fixed.err);
    let applied = run(app.path(), &["request-id", "--apply", "--allow-dirty"]);
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    let with_both = bytes(app.path());
    let updated = run(app.path(), &["update", "--apply"]);
    assert_eq!(updated.code, 0, "{}{}", updated.out, updated.err);
    assert_eq!(bytes(app.path()), with_both, "{}", updated.out);
}
