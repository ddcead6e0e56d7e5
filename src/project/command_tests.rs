use super::*;

/// What is run besides programs that may or may not be the project's own.
fn runs(command: &str) -> Vec<Run> {
    steps(command).into_iter().filter(|step| !step.is_program()).map(|step| step.run).collect()
}

fn serving(command: &str) -> Vec<Run> {
    steps(command).into_iter().filter(|step| step.serves && !step.is_program()).map(|step| step.run).collect()
}

/// The dotted modules that a command serves with, and what the process does.
fn python(command: &str) -> Vec<(String, Option<ProcessKind>)> {
    let steps = steps(command).into_iter().filter(|step| step.serves);
    steps
        .filter_map(|step| match step.run {
            Run::Dotted { modules, .. } => Some((modules.join(" "), step.kind)),
            Run::Module { candidates, .. } => Some((candidates.join(" "), step.kind)),
            _ => None,
        })
        .collect()
}

#[test]
fn python_servers_name_their_application() {
    use ProcessKind::{Http, Scheduler, Worker};
    for (command, module, kind) in [
        ("uvicorn app.main:app --host 0.0.0.0 --port 80", "app.main", Some(Http)),
        ("poetry run uvicorn --host=0.0.0.0 --log-level info app.main:app", "app.main info", Some(Http)),
        ("gunicorn -w 4 -b 0.0.0.0:8000 shop.wsgi", "shop.wsgi", Some(Http)),
        (
            "exec gunicorn 'shop:create_app()' -k uvicorn.workers.UvicornWorker",
            "shop uvicorn.workers.UvicornWorker",
            Some(Http),
        ),
        ("python3 -m uvicorn shop.asgi:application", "shop.asgi", Some(Http)),
        ("uv run --no-sync fastapi run app/main.py --port 80", "app.main", Some(Http)),
        ("FLASK_APP=autoapp.py flask run -h 0.0.0.0", "autoapp", Some(Http)),
        ("flask --app shop.web run", "shop.web", Some(Http)),
        ("python -m shop.worker", "shop.worker.__main__ shop.worker", None),
        ("python3.12 -u app.py", "app.py", None),
        ("python manage.py runserver 0.0.0.0:8000", "manage.py", Some(Http)),
        ("celery -A shop worker -l info", "shop.celery shop", Some(Worker)),
        ("celery --app=shop.tasks beat", "shop.tasks.celery shop.tasks", Some(Scheduler)),
        ("arq shop.worker.WorkerSettings", "shop.worker", Some(Worker)),
        ("dramatiq shop.tasks", "shop.tasks", Some(Worker)),
        ("alembic upgrade head && uvicorn app.main:app", "app.main", Some(Http)),
        ("python manage.py migrate && gunicorn shop.wsgi:application", "shop.wsgi", Some(Http)),
    ] {
        assert_eq!(python(command), [(module.to_owned(), kind)], "{command}");
    }
    for command in ["python manage.py migrate", "celery -A shop inspect ping", "flask db upgrade", "python -c 'x'"] {
        assert!(python(command).is_empty(), "{command}");
    }
}

#[test]
fn programs_may_be_the_projects_own() {
    let programs = |command: &str| -> Vec<(String, bool)> {
        let steps = steps(command).into_iter();
        steps
            .filter_map(|step| match step.run {
                Run::Program { name, .. } => Some((name, step.serves)),
                _ => None,
            })
            .collect()
    };
    assert_eq!(programs("exec /usr/local/bin/shop --port 80"), [("shop".to_owned(), true)]);
    assert_eq!(programs("./shop"), [("shop".to_owned(), true)]);
    assert_eq!(programs("prepare && node x.js"), [("prepare".to_owned(), false)]);
}

fn module(folder: &str, candidates: &[&str]) -> Run {
    Run::Module { folder: folder.into(), candidates: candidates.iter().map(|c| (*c).to_owned()).collect() }
}

fn script(name: &str) -> Run {
    Run::Script { folder: String::new(), package: None, name: name.into() }
}

#[test]
fn runners_name_their_module() {
    for command in [
        "node src/x.js",
        "NODE_ENV=production node --enable-source-maps src/x.js",
        "cross-env NODE_ENV=production PORT=1 node src/x.js",
        "npx -y tsx watch src/x.js",
        "ts-node-dev --respawn --ignore-watch node_modules src/x.js",
        "ts-node -P tsconfig.server.json -r tsconfig-paths/register src/x.js",
        "tsc && node src/x.js",
        "dotenv -e .env -- node src/x.js",
        "env-cmd -f .env node src/x.js",
        "sh -c 'sleep 1; exec node src/x.js'",
        "nodemon --watch src --ext ts,json --exec \"ts-node\" src/x.js",
        "nodemon -w src src/x.js",
        "nodemon --exec 'node --inspect src/x.js'",
        "pm2-runtime start src/x.js -i max --name api",
        "pm2 start 'node src/x.js'",
        "yarn ts-node src/x.js",
        "pnpm exec tsx src/x.js",
        "bun run src/x.js",
        "/usr/local/bin/node src/x.js",
        "npm run with:env -- cross-env A=b node src/x.js",
        "./wait-for-it.sh db:5432 -t 10 -- node src/x.js",
        "dumb-init node src/x.js",
        "./src/../src/x.js",
    ] {
        let expected = if command.starts_with("./src") { "./src/../src/x.js" } else { "src/x.js" };
        let found = runs(command);
        assert!(found.contains(&module("", &[expected])), "{command}: {found:?}");
        assert!(!found.iter().any(|run| matches!(run, Run::Main { .. })), "{command}");
    }
}

#[test]
fn what_is_preloaded_runs_too() {
    assert_eq!(
        runs("node -r ./tracing.js -r dotenv/config x.js"),
        [module("", &["./tracing.js"]), module("", &["x.js"])]
    );
    assert_eq!(runs("node --import=./a.mjs x.js"), [module("", &["./a.mjs"]), module("", &["x.js"])]);
}

#[test]
fn other_programs_run_nothing_of_ours() {
    for command in ["eslint src/x.js", "jest", "next start", "rimraf dist", "tsc -p .", "", "npm ci && npm", "&&"] {
        assert!(runs(command).iter().all(|run| matches!(run, Run::Script { name, .. } if name == "ci")), "{command}");
    }
}

#[test]
fn package_managers_name_scripts() {
    for command in ["npm run serve", "yarn serve", "pnpm run serve", "npm run serve -- --port 1", "npm-run-all serve"] {
        assert_eq!(runs(command), [script("serve")], "{command}");
    }
    assert_eq!(runs("npm start"), [script("start")]);
    assert_eq!(runs("pm2 start npm --name api -- run serve"), [script("serve")]);
    let elsewhere = Run::Script { folder: "server".into(), package: None, name: "start".into() };
    assert_eq!(runs("npm --prefix server start"), std::slice::from_ref(&elsewhere));
    assert_eq!(runs("cd server && npm start"), [elsewhere]);
    let member = Run::Script { folder: String::new(), package: Some("@shop/api".into()), name: "start".into() };
    for command in ["yarn workspace @shop/api start", "npm start -w @shop/api", "pnpm --filter=@shop/api start"] {
        assert_eq!(runs(command), std::slice::from_ref(&member), "{command}");
    }
}

#[test]
fn the_package_itself_may_be_run() {
    assert_eq!(runs("node ."), [Run::Main { folder: String::new() }]);
    assert_eq!(runs("nodemon"), [Run::Main { folder: String::new() }]);
    assert_eq!(runs("nest start --watch"), [module("", &["src/main"])]);
    assert_eq!(runs("nest start api"), [module("", &["apps/api/src/main", "api/src/main"])]);
}

#[test]
fn several_commands_and_files_of_commands() {
    assert_eq!(
        runs("concurrently -k \"node a.js\" 'npm run b' npm:c"),
        [module("", &["a.js"]), script("b"), script("c")]
    );
    assert_eq!(runs("./start.sh"), [Run::File { folder: String::new(), path: "./start.sh".into() }]);
    let list = Run::File { folder: String::new(), path: "ecosystem.config.js".into() };
    assert_eq!(runs("pm2-runtime ecosystem.config.js"), [list]);
    assert_eq!(runs("cd /app/a && node x.js"), [module("", &["/app/a/x.js"])]);
    assert_eq!(runs("cd a && node x.js; node y.js"), [module("a", &["x.js"]), module("a", &["y.js"])]);
}

#[test]
fn what_is_waited_for_only_prepares() {
    for command in [
        "node setup.js && node x.js",
        "node setup.js; exec node x.js && echo done",
        "if true; then node setup.js; fi; node x.js",
        "sh -c 'node setup.js && node x.js'",
    ] {
        assert_eq!(serving(command), [module("", &["x.js"])], "{command}");
        assert!(runs(command).contains(&module("", &["setup.js"])), "{command}");
    }
    assert_eq!(serving("node a.js & node b.js").len(), 2);
    assert!(serving("node setup.js && next start").is_empty());
    assert_eq!(serving("npm-run-all check serve"), [script("serve")]);
    assert_eq!(serving("run-p a b").len(), 2);
    let text = "#!/bin/sh\n# it's set up\nnode setup.js\nexec node x.js\n";
    let steps: Vec<bool> = steps_of_script(text).iter().map(|step| step.serves).collect();
    assert_eq!(steps, [false, true]);
    assert!(!steps_of_script("node setup.js\nexec \"$@\"")[0].serves);
    let text = "gunicorn \\\n  --workers=\"${WORKERS:-1}\" \\\n  # by hand\n  shop.wsgi &\nnode y.js\n";
    let runs: Vec<Run> = steps_of_script(text).into_iter().filter(|step| step.serves).map(|step| step.run).collect();
    assert_eq!(runs[0], Run::Dotted { folder: String::new(), modules: vec!["shop.wsgi".into()] });
    assert_eq!(runs.len(), 2);
}

#[test]
fn hostile_commands_end() {
    let nested = "sh -c ".repeat(5_000);
    let _ = runs(&nested);
    let _ = runs(&"npx ".repeat(4_000));
    let _ = runs(&"'".repeat(9_999));
    let _ = runs(&"concurrently \"".repeat(1_000));
    let _ = steps_of_words(&vec!["exec".to_owned(); 100_000], &BTreeMap::new());
    assert!(runs(&"a".repeat(MAX_COMMAND + 1)).is_empty());
}
