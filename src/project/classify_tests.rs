use super::*;

fn area(path: &str) -> Area {
    classify(path, None).1
}

#[test]
fn kinds_follow_names() {
    for (path, kind) in [
        ("src/a.ts", FileKind::JavaScript),
        ("a.MJS", FileKind::JavaScript),
        ("package.json", FileKind::Json),
        ("package-lock.json", FileKind::Text),
        ("apps/x/pnpm-lock.yaml", FileKind::Text),
        (".env", FileKind::Dotenv),
        ("config/.env.production.local", FileKind::Dotenv),
        ("prod.env", FileKind::Dotenv),
        (".env.ts", FileKind::JavaScript),
        (".env.vault", FileKind::Text),
        ("Dockerfile", FileKind::Dockerfile),
        ("docker/Dockerfile.api", FileKind::Dockerfile),
        ("api.dockerfile", FileKind::Dockerfile),
        ("Dockerfile.dockerignore", FileKind::Text),
        ("docker-compose.yml", FileKind::Yaml),
        ("prisma/schema.prisma", FileKind::Prisma),
        ("logo.PNG", FileKind::Binary),
        ("bun.lockb", FileKind::Binary),
        ("server.key", FileKind::Text),
        ("Makefile", FileKind::Text),
    ] {
        assert_eq!(kind_of(path), kind, "{path}");
    }
}

#[test]
fn a_file_without_extension_is_read_for_its_interpreter() {
    assert_eq!(classify("bin/www", Some(b"#!/usr/bin/env node\n")).0, FileKind::JavaScript);
    assert_eq!(classify("run", Some(b"#!/usr/bin/python3 -u\n")).0, FileKind::Python);
    assert_eq!(classify("run", Some(b"#!/bin/sh\nnode x")).0, FileKind::Text);
    assert!(names_no_kind("bin/www") && !names_no_kind("a.txt") && !names_no_kind("Dockerfile"));
}

#[test]
fn areas_follow_conventions() {
    for (path, expected) in [
        ("src/routes/users.ts", Area::Server),
        ("app/api/items/route.ts", Area::Server),
        ("src/app/api/scripts/test/route.ts", Area::Server),
        ("src/pages/api/examples/a.ts", Area::Server),
        ("src/pages/api/a.test.ts", Area::Test),
        ("examples/x/app/api/route.ts", Area::Example),
        ("prisma/schema.prisma", Area::Server),
        ("views/index.ejs", Area::Server),
        ("src/routes/users.test.ts", Area::Test),
        ("src/__tests__/x.ts", Area::Test),
        ("test/helpers.js", Area::Test),
        ("app_spec.js", Area::Test),
        ("cypress/support/index.js", Area::Test),
        ("tests/fixtures/a.json", Area::Test),
        ("go/webhook_test.go", Area::Test),
        ("csharp/Shop.Tests/User.cs", Area::Test),
        ("go/latest.go", Area::Config),
        ("spec/openapi.yaml", Area::Config),
        ("src/contest.ts", Area::Server),
        ("scripts/migrate.js", Area::Script),
        ("prisma/seed.ts", Area::Script),
        ("db/seed.sql", Area::Script),
        ("gulpfile.js", Area::Script),
        ("tools/gen.ts", Area::Script),
        ("src/tools/search.ts", Area::Server),
        ("deploy.sh", Area::Script),
        ("examples/basic/index.js", Area::Example),
        ("app/demo/route.ts", Area::Server),
        ("docs/guide/x.js", Area::Docs),
        ("src/docs/swagger.ts", Area::Server),
        ("README.md", Area::Docs),
        ("prisma/migrations/1_init/migration.sql", Area::Migration),
        ("src/migrations/1.ts", Area::Migration),
        ("schema.sql", Area::Migration),
        ("next.config.mjs", Area::Config),
        ("vite.config.ts", Area::Config),
        ("app/config/auth.config.js", Area::Server),
        ("src/config/database.ts", Area::Server),
        ("config/env/test.js", Area::Test),
        ("src/speed/test.js", Area::Server),
        (".eslintrc.js", Area::Config),
        (".github/workflows/ci.yml", Area::Config),
        (".github/scripts/x.js", Area::Script),
        ("docker-compose.yml", Area::Config),
        (".env", Area::Config),
        ("dist/index.js", Area::Generated),
        ("apps/api/build/main.js", Area::Generated),
        ("src/coverage/routes.ts", Area::Server),
        ("src/generated/client.ts", Area::Generated),
        ("types/express.d.ts", Area::Generated),
        ("yarn.lock", Area::Generated),
        ("Cargo.lock", Area::Generated),
        ("node_modules/a/index.js", Area::Vendored),
        ("public/js/app.js", Area::Vendored),
        ("src/routes/public/users.js", Area::Server),
        ("app/assets/vendor/jquery.js", Area::Vendored),
        (".yarn/releases/yarn-4.cjs", Area::Vendored),
        ("frontend/src/api.ts", Area::Client),
        ("client/src/api.js", Area::Client),
        ("src/client/http.ts", Area::Server),
        ("src/components/Button.tsx", Area::Client),
        ("src/hooks/useUser.ts", Area::Client),
        ("src/hooks/audit.ts", Area::Server),
        ("styles.css", Area::Client),
    ] {
        assert_eq!(area(path), expected, "{path}");
    }
}

#[test]
fn a_client_directive_stands_before_the_first_statement() {
    assert!(declares_client("/* licence */\n// note\n'use client';\n"));
    assert!(declares_client("\"use client\"\nimport x from 'x'"));
    assert!(!declares_client("import x from 'x'\n'use client'"));
    assert!(!declares_client("/* never closed 'use client'"));
}

#[test]
fn areas_of_python_and_rust() {
    for (path, area) in [
        ("requirements.txt", Area::Config),
        ("requirements/prod.txt", Area::Config),
        ("docs/notes.txt", Area::Docs),
        ("shop/tests.py", Area::Test),
        ("shop/test_orders.py", Area::Test),
        ("conftest.py", Area::Test),
        ("locustfile.py", Area::Test),
        ("alembic/versions/1a_x.py", Area::Migration),
        ("alembic/env.py", Area::Migration),
        (".semgrep/requests/no-requests.py", Area::Example),
        ("shop/migrations/0001_initial.py", Area::Migration),
        ("shop/api_pb2_grpc.py", Area::Generated),
        ("venv/lib/python3.12/site-packages/x.py", Area::Vendored),
        ("setup.py", Area::Script),
        ("build.rs", Area::Script),
        ("benches/load.rs", Area::Test),
        ("src/tests.rs", Area::Test),
        ("src/orders/test.rs", Area::Test),
        ("src/orders/tax_tests.rs", Area::Test),
        ("src/latest.rs", Area::Server),
        ("src/shop/test.rs", Area::Test),
        (".circleci/images/shop/Dockerfile", Area::Script),
        ("src/bin/worker.rs", Area::Server),
        ("frontend/views.py", Area::Server),
        ("app/api/tests/route.py", Area::Test),
    ] {
        assert_eq!(classify(path, None).1, area, "{path}");
    }
    assert_eq!(classify("Pipfile", None).0, FileKind::Toml);
}
