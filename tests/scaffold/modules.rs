//! Every module of the binary, in every dialect of the stacks that it is written for.

use serde_json::Value;
use tempfile::TempDir;

use crate::apps::{bytes, classic, fixture, modern, nextjs, nextjs_wrapped, run, text, with_what_it_is_for, write};
use crate::django_apps::{django, django_split};
use crate::python_apps::{factory, flat, packaged};
use crate::rust_apps::library;

/// Projects of a stack, each in another hand; none for a stack that has no such project yet.
fn dialects(stack: &str) -> Vec<(&'static str, TempDir)> {
    match stack {
        "express" => {
            vec![("TypeScript", modern(true)), ("JavaScript with imports", modern(false)), ("CommonJS", classic())]
        }
        "fastapi" => {
            vec![("Python", packaged()), ("Python with a factory", factory()), ("Python in a flat folder", flat())]
        }
        "axum" => vec![("a router in main()", fixture("axum-service-unready")), ("a router of a library", library())],
        "django" => vec![("Django", django()), ("Django with settings in several files", django_split())],
        "node" => vec![("Prisma in TypeScript", prisma(true)), ("Prisma in JavaScript", prisma(false))],
        "nextjs" => vec![
            ("TypeScript", nextjs(true, false)),
            ("JavaScript below src", nextjs(false, true)),
            ("Next.js 16", nextjs_wrapped()),
        ],
        "any" => vec![("any", fixture("express-shop-unready"))],
        _ => Vec::new(),
    }
}

/// A service that makes a Prisma client in each request, with migrations a foreign key without an index, and a price
/// that is not exact.
fn prisma(typescript: bool) -> TempDir {
    let app = modern(typescript);
    let extension = if typescript { "ts" } else { "js" };
    let root = app.path();
    let package = text(root, "package.json");
    write(root, "package.json", &package.replace("\"express\"", "\"@prisma/client\": \"^6.19.0\", \"express\""));
    write(
        root,
        "prisma/schema.prisma",
        "datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n\nmodel User {\n  id    Int    @id\n  posts Post[]\n}\n\nmodel Post {\n  id     Int  @id\n  userId Int  @map(\"user_id\")\n  user   User @relation(fields: [userId], references: [id])\n  price  Float @default(0)\n\n  @@map(\"posts\")\n}\n",
    );
    write(
        root,
        "prisma/migrations/20240101000000_init/migration.sql",
        "CREATE TABLE \"User\" (\"id\" INTEGER PRIMARY KEY);\nCREATE TABLE \"posts\" (\"id\" INTEGER PRIMARY KEY, \"user_id\" INTEGER NOT NULL REFERENCES \"User\"(\"id\"));\n",
    );
    let routes = format!("src/routes/items.{extension}");
    let made = "(\"/\", async (req, res) => {\n  const prisma = new PrismaClient();\n  res.json(await prisma.post.findMany({ take: 20 }));";
    let items = text(root, &routes).replace("(\"/\", (req, res) => {\n  res.json([]);", made);
    write(root, &routes, &format!("import {{ PrismaClient }} from \"@prisma/client\";\n{items}"));
    app
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
                check(id, dialect, &with_what_it_is_for(id, project));
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
        // Workflows have expressions of their own.
        let diff = file["diff"].as_str().unwrap().replace("${{", "");
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
        ("axum", library()),
        ("Django", django()),
        ("Django with settings in several files", django_split()),
        ("Next.js", nextjs(true, false)),
        ("Next.js in JavaScript", nextjs(false, true)),
        ("Next.js 16", nextjs_wrapped()),
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
