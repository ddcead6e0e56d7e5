//! `readycheck scaffold --fix`: what is certain is edited, once, and comes back to the byte.

use serde_json::Value;
use tempfile::TempDir;

use crate::apps::{bytes, fixture, run, text, write};

/// What the fixes of a control make of a file.
struct Case<'a> {
    control: &'a str,
    path: &'a str,
    after: &'a str,
}

const EXPRESS: &str = r#"{
  "name": "app",
  "type": "module",
  "main": "server.js",
  "dependencies": { "express": "^4.21.2", "axios": "^1.7.0", "@prisma/client": "^6.0.0" }
}
"#;

const SERVER: &str = "import express from \"express\";\n\nimport { prisma } from \"./db.js\";\nimport { router } from \"./routes.js\";\n\nawait prisma.$connect();\nconst app = express();\napp.use(router);\napp.listen(3000);\n";

fn node(path: &str, source: &str) -> TempDir {
    let app = tempfile::tempdir().unwrap();
    write(app.path(), "package.json", EXPRESS);
    write(app.path(), "server.js", SERVER);
    write(
        app.path(),
        "db.js",
        "import { PrismaClient } from \"@prisma/client\";\n\nexport const prisma = new PrismaClient();\n",
    );
    write(app.path(), path, source);
    app
}

fn python(path: &str, source: &str) -> TempDir {
    let app = tempfile::tempdir().unwrap();
    write(
        app.path(),
        "requirements.txt",
        "fastapi==0.115.0\nrequests==2.32.0\nPyYAML==6.0\nflask==3.0.0\nuvicorn==0.30.0\n",
    );
    write(app.path(), path, source);
    app
}

const HEAD: &str = "import express from \"express\";\n\nexport const router = express.Router();\n\n";

fn route(body: &str) -> String {
    format!("{HEAD}router.post(\"/x\", async (req, res) => {{\n{body}  res.json({{}});\n}});\n")
}

/// Applies the fixes of a control, checks that a second run finds nothing to do and that undo gives all bytes back.
fn check(app: &TempDir, case: &Case<'_>, extra: &[&str]) {
    let before = bytes(app.path());
    let arguments: Vec<&str> =
        ["--fix", case.control, "--apply", "--allow-dirty"].iter().chain(extra).copied().collect();
    let ran = run(app.path(), &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}: {}", case.control, ran.out);
    assert_eq!(text(app.path(), case.path), case.after, "{}: {}", case.control, ran.out);
    let after = bytes(app.path());
    let again = run(app.path(), &arguments);
    assert!(again.code == 0 && again.out.contains("nothing to do"), "{}: {}", case.control, again.out);
    assert_eq!(bytes(app.path()), after, "{}", case.control);
    let status = run(app.path(), &["status"]);
    assert!(status.out.starts_with(&format!("fix:{}", case.control)), "{}", status.out);
    assert_eq!(run(app.path(), &["undo", "--all", "--apply"]).code, 0, "{}", case.control);
    assert_eq!(bytes(app.path()), before, "{}: undo did not give everything back", case.control);
}

#[test]
fn what_is_safe_is_fixed_in_javascript() {
    let token = route("  const resetToken = Math.random().toString(36).substring(2);\n  await save(resetToken);\n");
    let token_after = token
        .replace("\"express\";\n\n", "\"express\";\nimport { randomBytes } from \"node:crypto\";\n\n")
        .replace("Math.random().toString(36).substring(2)", "randomBytes(16).toString(\"hex\")");
    let secret = format!("{HEAD}export const JWT_SECRET = process.env.JWT_SECRET || \"not-a-real-one-2024\";\n");
    let fetched = route("  await fetch(\"https://rates.example\", {\n    method: \"POST\",\n  });\n");
    let posted = route("  await axios.post(\"https://rates.example\", req.body);\n")
        .replace("import express", "import axios from \"axios\";\nimport express");
    let client = route("  const db = new PrismaClient();\n  await db.user.count();\n")
        .replace("import express", "import { PrismaClient } from \"@prisma/client\";\nimport express");
    for (control, before, after) in [
        ("insecure-randomness", &token, token_after),
        (
            "secret-fallback-default",
            &secret,
            secret
                .replace(
                    "\"express\";\n\n",
                    "\"express\";\n\nimport { requiredEnv } from \"./lib/required-env.js\";\n\n",
                )
                .replace("process.env.JWT_SECRET || \"not-a-real-one-2024\"", "requiredEnv(\"JWT_SECRET\")"),
        ),
        (
            "outbound-timeout",
            &fetched,
            fetched.replace("\"POST\",\n", "\"POST\",\n    signal: AbortSignal.timeout(30_000),\n"),
        ),
        ("outbound-timeout", &posted, posted.replace("req.body);", "req.body, { timeout: 30_000 });")),
        (
            "orm-client-per-request",
            &client,
            client
                .replace("import { PrismaClient } from \"@prisma/client\";\n", "")
                .replace("\"express\";\n\n", "\"express\";\n\nimport { prisma as db } from \"./db.js\";\n\n")
                .replace("  const db = new PrismaClient();\n", ""),
        ),
    ] {
        check(&node("routes.js", before), &Case { control, path: "routes.js", after: &after }, &[]);
    }
}

#[test]
fn what_is_safe_is_fixed_in_python() {
    for (control, before, after) in [
        (
            "insecure-randomness",
            "import random\nimport string\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.post(\"/forgot\")\ndef forgot():\n    reset_token = \"\".join(random.choice(string.ascii_letters) for _ in range(20))\n    return {\"token\": reset_token}\n",
            "import secrets\nimport string\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.post(\"/forgot\")\ndef forgot():\n    reset_token = \"\".join(secrets.choice(string.ascii_letters) for _ in range(20))\n    return {\"token\": reset_token}\n",
        ),
        (
            "secret-fallback-default",
            "import os\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\nSECRET_KEY = os.environ.get(\"SECRET_KEY\", \"not-a-real-one-2024\")\n",
            "import os\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\nSECRET_KEY = os.environ[\"SECRET_KEY\"]\n",
        ),
        (
            "outbound-timeout",
            "import requests\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/rate')\ndef rate():\n    return requests.get(\n        'https://rates.example',\n        params={'a': 1},\n    ).json()\n",
            "import requests\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/rate')\ndef rate():\n    return requests.get(\n        'https://rates.example',\n        params={'a': 1},\n        timeout=30,\n    ).json()\n",
        ),
        (
            "unsafe-deserialization",
            "import yaml\nfrom fastapi import FastAPI, Request\n\napp = FastAPI()\n\n\n@app.post(\"/import\")\nasync def load(request: Request):\n    return yaml.load(await request.body())\n",
            "import yaml\nfrom fastapi import FastAPI, Request\n\napp = FastAPI()\n\n\n@app.post(\"/import\")\nasync def load(request: Request):\n    return yaml.safe_load(await request.body())\n",
        ),
        (
            "debug-mode-production",
            "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get(\"/\")\ndef home():\n    return \"x\"\n\n\napp.run(host=\"0.0.0.0\", debug=True)\n",
            "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get(\"/\")\ndef home():\n    return \"x\"\n\n\napp.run(host=\"0.0.0.0\")\n",
        ),
    ] {
        check(&python("main.py", before), &Case { control, path: "main.py", after }, &[]);
    }
}

#[test]
fn what_somebody_may_rely_on_needs_to_be_asked_for() {
    let source = "import requests\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get(\"/rate\")\ndef rate():\n    return requests.get(\"https://rates.example\", verify=False, timeout=5).json()\n";
    let app = python("main.py", source);
    let ran = run(app.path(), &["--fix", "tls-verification-disabled", "--apply", "--allow-dirty"]);
    assert!(ran.code == 0 && ran.out.contains("--include needs-review"), "{}{}", ran.out, ran.err);
    assert_eq!(text(app.path(), "main.py"), source);
    let after = &source.replace("verify=False, ", "");
    let case = Case { control: "tls-verification-disabled", path: "main.py", after };
    check(&app, &case, &["--include", "needs-review"]);
}

#[test]
fn cookies_get_their_flags_once_somebody_has_looked() {
    let cookie = route("  res.cookie(\"token\", sign(req.body));\n");
    let after = cookie.replace(
        "sign(req.body));",
        "sign(req.body), {\n    httpOnly: true,\n    secure: process.env.NODE_ENV === \"production\",\n    sameSite: \"lax\",\n  });",
    );
    let case = Case { control: "insecure-cookie-flags", path: "routes.js", after: &after };
    check(&node("routes.js", &cookie), &case, &["--include", "needs-review"]);
}

#[test]
fn schemas_get_their_indexes() {
    let schema = "datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n\nmodel User {\n  id    Int    @id\n  posts Post[]\n}\n\nmodel Post {\n  id     Int  @id\n  userId Int\n  user   User @relation(fields: [userId], references: [id])\n\n  @@map(\"posts\")\n}\n";
    let app = node("routes.js", HEAD);
    write(app.path(), "prisma/schema.prisma", schema);
    let after = schema.replace("@@map(\"posts\")\n", "@@map(\"posts\")\n  @@index([userId])\n");
    let case = Case { control: "missing-index", path: "prisma/schema.prisma", after: &after };
    check(&app, &case, &["--include", "needs-review"]);
}

#[test]
fn what_is_not_certain_is_listed_with_the_reason() {
    let body = "  const options = { method: \"POST\" };\n  await fetch(\"https://rates.example\", options);\n  const db = new PrismaClient();\n  await db.user.count();\n  await db.$disconnect();\n";
    let app = node(
        "routes.js",
        &route(body).replace("import express", "import { PrismaClient } from \"@prisma/client\";\nimport express"),
    );
    let before = bytes(app.path());
    let ran = run(app.path(), &["--fix", "--apply", "--allow-dirty"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("its options are `options`, made elsewhere"), "{flat}");
    assert!(flat.contains("`db.$disconnect` is called here"), "{flat}");
    assert!(flat.contains("Nothing is written"), "{flat}");
    assert_eq!(bytes(app.path()), before);
    let json: Value = serde_json::from_str(&run(app.path(), &["--fix", "--format", "json"]).out).unwrap();
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["is"] == "not-certain"), "{json}");
}

#[test]
fn two_clients_to_import_are_one_too_many() {
    let app = node(
        "routes.js",
        &route("  const db = new PrismaClient();\n  await db.user.count();\n")
            .replace("import express", "import { PrismaClient } from \"@prisma/client\";\nimport express"),
    );
    write(
        app.path(),
        "other.js",
        "import { PrismaClient } from \"@prisma/client\";\n\nexport const prisma = new PrismaClient();\n",
    );
    write(app.path(), "server.js", &SERVER.replace("import express", "import \"./other.js\";\nimport express"));
    let ran = run(app.path(), &["--fix", "orm-client-per-request"]);
    assert!(ran.out.contains("there are several to import"), "{}", ran.out);
}

#[test]
fn names_are_checked() {
    let app = node("routes.js", HEAD);
    for (arguments, expected) in [
        (&["--fix", "outbound-timout"][..], "did you mean `outbound-timeout`"),
        (&["--fix", "health-endpoint"], "no fix in place is written for"),
        (&["health", "--fix"], "cannot be used with"),
    ] {
        let ran = run(app.path(), arguments);
        assert!(ran.code == 2 && ran.err.contains(expected), "{arguments:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn all_fixes_of_the_fixtures_hold_and_come_back() {
    for name in ["express-shop-unready", "nextjs-ledger-unready", "fastapi-ledger-unready", "django-shop-unready"] {
        let app = fixture(name);
        let before = bytes(app.path());
        let arguments = ["--fix", "--include", "needs-review", "--apply", "--allow-dirty", "--format", "json"];
        let ran = run(app.path(), &arguments);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let fixed = json["findings"].as_array().unwrap().iter().filter(|one| one["is"] != "not-certain").count();
        assert!(fixed >= 4, "{name}: {}", ran.out);
        assert!(json["score"]["after"].as_f64() >= json["score"]["before"].as_f64(), "{name}");
        let after = bytes(app.path());
        assert_eq!(run(app.path(), &arguments).code, 0, "{name}");
        assert_eq!(bytes(app.path()), after, "{name}: a second run changed something");
        assert_eq!(run(app.path(), &["undo", "--all", "--apply"]).code, 0, "{name}");
        assert_eq!(bytes(app.path()), before, "{name}");
    }
}

#[test]
fn console_goes_to_the_logger_where_there_is_one() {
    let routes = route(
        "  console.log(`order of ${req.body.name}`);\n  console.log(\"two\", req.body);\n  try {\n    work();\n  } catch (error) {\n    console.error(\"failed\", error);\n  }\n",
    );
    let app = node("routes.js", &routes);
    let asked = ["--fix", "console-logging", "--include", "needs-review", "--apply", "--allow-dirty"];
    let early = run(app.path(), &asked);
    assert!(early.out.contains("(it takes `readycheck scaffold"), "{}{}", early.out, early.err);
    let applied = run(app.path(), &["structured-logging", "--apply", "--allow-dirty"]);
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    let fixed = run(app.path(), &asked);
    assert_eq!(fixed.code, 0, "{}{}", fixed.out, fixed.err);
    let routes = text(app.path(), "routes.js");
    for line in [
        "import { logger } from \"./lib/logger.js\";",
        "  logger.info(`order of ${req.body.name}`);",
        "    logger.error({ err: error }, \"failed\");",
        "  console.log(\"two\", req.body);",
    ] {
        assert!(routes.contains(line), "{line}:\n{routes}");
    }
}

#[test]
fn money_gets_an_exact_type_once_somebody_has_looked() {
    let models = "datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n\nmodel Order {\n  id       Int    @id\n  total    Float  @default(0)\n  price    Float? @map(\"unit_price\") @db.DoublePrecision\n}\n";
    let app = node("prisma/schema.prisma", models);
    let after = models
        .replace("Float  @default(0)", "Decimal @db.Decimal(19, 4)  @default(0)")
        .replace("Float? @map(\"unit_price\") @db.DoublePrecision", "Decimal? @map(\"unit_price\") @db.Decimal(19, 4)");
    let case = Case { control: "money-float-column", path: "prisma/schema.prisma", after: &after };
    check(&app, &case, &["--include", "needs-review"]);
}
