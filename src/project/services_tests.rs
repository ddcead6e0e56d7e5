use super::*;
use crate::project::{Need, Tree, WalkOptions, discover, needed};
use crate::syntax::{Entry as NodeEntry, NodeData};

/// A node with the places of its keys; configuration of any format is written as JSON here.
fn node(value: &serde_json::Value, text: &str) -> Node {
    let data = match value {
        serde_json::Value::Null => NodeData::Null,
        serde_json::Value::Bool(value) => NodeData::Bool(*value),
        serde_json::Value::Number(value) => NodeData::Number(value.as_f64().unwrap()),
        serde_json::Value::String(value) => NodeData::Text(value.as_str().into()),
        serde_json::Value::Array(items) => NodeData::List(items.iter().map(|item| node(item, text)).collect()),
        serde_json::Value::Object(map) => {
            NodeData::Map(map.iter().map(|(key, value)| entry(key, value, text)).collect())
        }
    };
    Node { start: 0, end: text.len() as u32, data }
}

fn entry(key: &str, value: &serde_json::Value, text: &str) -> NodeEntry {
    let at = text.find(&format!("\"{key}\"")).unwrap() as u32;
    NodeEntry { key: key.into(), key_start: at, key_end: at + key.len() as u32 + 2, value: node(value, text) }
}

fn assign(files: &[(&str, &str)], scope: Option<&str>) -> Project {
    let tree = Tree::in_memory(files.iter().copied());
    let options = WalkOptions { scope: scope.map(str::to_owned), ..WalkOptions::default() };
    let mut project = discover(tree, &options).unwrap();
    let contents: HashMap<&str, &str> = files.iter().copied().collect();
    let listed = &project;
    let wanted = |need| listed.file_ids().filter(move |id| needed(listed.file(*id)) == Some(need));
    let texts = wanted(Need::Text).map(|id| (id, contents[&*project.file(id).path])).collect();
    let trees: Vec<(FileId, Node)> = wanted(Need::Tree)
        .filter_map(|id| {
            let text = contents[&*project.file(id).path];
            Some((id, node(&serde_json::from_str(text).ok()?, text)))
        })
        .collect();
    let manifests = Manifests { trees: trees.iter().map(|(id, node)| (*id, node)).collect(), texts };
    assign_services(&mut project, &manifests);
    project
}

fn services(files: &[(&str, &str)]) -> Project {
    assign(files, None)
}

fn service<'p>(project: &'p Project, path: &str) -> &'p Service {
    let found = project.services.iter().find(|service| service.path == path);
    found.unwrap_or_else(|| panic!("no service {path}: {:?}", project.services))
}

fn named<'p>(project: &'p Project, entries: &'p [Entry]) -> Vec<(&'p str, &'p str)> {
    entries.iter().map(|(file, reason)| (&*project.file(*file).path, reason.as_str())).collect()
}

fn entries<'p>(project: &'p Project, path: &str) -> Vec<(&'p str, &'p str)> {
    named(project, &service(project, path).entries)
}

fn area(project: &Project, path: &str) -> Area {
    project.file(project.find(path).unwrap()).area
}

const EXPRESS: &str = r#"{"dependencies":{"express":"^4"},"scripts":{"start":"node server.js"}}"#;

#[test]
fn what_start_runs_is_the_entry_and_not_a_stale_main() {
    let manifest = r#"{"main":"src/app.js","scripts":{"start":"node src/index.js","dev":"nodemon src/app.js"},
        "dependencies":{"express":"^4"}}"#;
    let project = services(&[("package.json", manifest), ("src/app.js", ""), ("src/index.js", "")]);
    assert_eq!(entries(&project, "."), [("src/index.js", "package.json scripts.start")]);
    assert!(service(&project, ".").kinds.is_empty());
}

#[test]
fn compiled_entries_lead_to_their_source_through_the_compiler_options() {
    let manifest =
        r#"{"scripts":{"start":"node ./out-js/run.js","start:prod":"npm run start"},"dependencies":{"koa":"1"}}"#;
    let config = r#"{"compilerOptions":{"outDir":"out-js","rootDir":"./source"}}"#;
    let files = [("package.json", manifest), ("tsconfig.json", config), ("source/run.ts", ""), ("src/run.ts", "")];
    assert_eq!(entries(&services(&files), "."), [("source/run.ts", "package.json scripts.start")]);
}

#[test]
fn development_counts_only_without_a_start() {
    let manifest = r#"{"scripts":{"dev":"tsx watch src/x.ts"},"dependencies":{"hono":"4"}}"#;
    let project = services(&[("package.json", manifest), ("src/x.ts", "")]);
    assert_eq!(entries(&project, "."), [("src/x.ts", "package.json scripts.dev")]);
}

#[test]
fn workers_are_entries_and_other_scripts_are_not() {
    let manifest = r#"{"scripts":{"start":"node server.js","worker":"node worker.js","migrate":"node scripts/m.js",
        "start:dev":"node dev.js","test":"jest"},"prisma":{"seed":"ts-node prisma/seed.ts"},
        "dependencies":{"express":"4"}}"#;
    let files = ["server.js", "worker.js", "scripts/m.js", "dev.js", "prisma/seed.ts"].map(|path| (path, ""));
    let project = services(&[&[("package.json", manifest)], &files[..]].concat());
    let expected = [("server.js", "package.json scripts.start"), ("worker.js", "package.json scripts.worker")];
    assert_eq!(entries(&project, "."), expected);
    let by_hand = [("scripts/m.js", "package.json scripts.migrate"), ("prisma/seed.ts", "package.json prisma.seed")];
    assert_eq!(named(&project, &service(&project, ".").script_entries), by_hand);
}

#[test]
fn main_and_then_convention_are_fallbacks_that_say_so() {
    let main = r#"{"main":"lib/run.js","dependencies":{"express":"4"}}"#;
    let project = services(&[("package.json", main), ("lib/run.js", ""), ("server.js", "")]);
    assert_eq!(entries(&project, "."), [("lib/run.js", "package.json main")]);
    let bare = r#"{"dependencies":{"express":"4"},"main":"gone.js"}"#;
    let project = services(&[("package.json", bare), ("app.js", ""), ("src/server.ts", "")]);
    assert_eq!(entries(&project, "."), [("src/server.ts", "by convention: no manifest names an entry point")]);
    let nothing = services(&[("index.js", "")]);
    assert_eq!(entries(&nothing, ".").len(), 1);
}

#[test]
fn images_compose_and_procfiles_start_things() {
    let files = [
        ("package.json", r#"{"dependencies":{"express":"4"}}"#),
        (
            "Dockerfile",
            "FROM node AS build\nCMD [\"node\",\"no.js\"]\nFROM node\nWORKDIR /app\nENTRYPOINT [\"node\"]\nCMD [\"/app/dist/api.js\"]\n",
        ),
        ("Dockerfile.dev", "FROM node\nCMD node dev.js"),
        (
            "compose.yaml",
            r#"{"services":{"w":{"build":".","command":["node","w.js"]},"db":{"image":"x","command":"node db.js"}}}"#,
        ),
        ("Procfile", "web: npm start\nclock: node clock.js\nrelease: node release.js\n"),
        ("src/api.ts", ""),
        ("w.js", ""),
        ("clock.js", ""),
        ("release.js", ""),
        ("dev.js", ""),
        ("db.js", ""),
        ("no.js", ""),
    ];
    let project = services(&files);
    let expected =
        [("src/api.ts", "Dockerfile CMD"), ("clock.js", "Procfile clock"), ("w.js", "compose.yaml services.w.command")];
    assert_eq!(entries(&project, "."), expected);
}

#[test]
fn an_image_may_run_a_shell_script_or_a_package_script() {
    let files = [
        ("package.json", r#"{"dependencies":{"express":"4"},"scripts":{"go":"node b.js"}}"#),
        (
            "docker/Dockerfile",
            "FROM node\nWORKDIR /app\nENTRYPOINT [\"./docker/entry.sh\"]\nCMD [\"npm\",\"run\",\"go\"]",
        ),
        ("docker/entry.sh", "#!/bin/sh\n# node no.js\nnode a.js &\nexec \"$@\"\n"),
        ("a.js", ""),
        ("b.js", ""),
        ("no.js", ""),
    ];
    let project = services(&files);
    let found: Vec<_> = entries(&project, ".").into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, ["a.js", "b.js"]);
}

#[test]
fn a_monorepo_has_services_with_their_own_files_and_what_they_use() {
    let files = [
        (
            "package.json",
            r#"{"name":"shop","private":true,"workspaces":["apps/*","packages/**"],"devDependencies":{"typescript":"5"}}"#,
        ),
        (
            "apps/api/package.json",
            r#"{"name":"@shop/api","dependencies":{"express":"4","@shop/db":"workspace:*"},"scripts":{"start":"node dist/main.js"}}"#,
        ),
        ("apps/api/src/main.ts", ""),
        (
            "packages/db/package.json",
            r#"{"name":"@shop/db","main":"dist/index.js","exports":{".":{"types":"./x.d.ts","import":"./dist/index.js"},"./c/*":"./src/c/*.ts"},"dependencies":{"@shop/log":"*"}}"#,
        ),
        ("packages/db/src/index.ts", ""),
        ("packages/db/src/c/pool.ts", ""),
        ("packages/log/package.json", r#"{"name":"@shop/log","source":"log.ts"}"#),
        ("packages/log/log.ts", ""),
        ("packages/log/esm/package.json", r#"{"type":"module"}"#),
        ("packages/log/esm/log.js", ""),
        ("examples/demo/package.json", EXPRESS),
        ("tools/x.ts", ""),
    ];
    let project = services(&files);
    let folders: Vec<_> = project.services.iter().map(|service| service.path.as_str()).collect();
    assert_eq!(folders, [".", "apps/api", "packages/db", "packages/log"]);
    let api = service(&project, "apps/api");
    assert_eq!(api.name, "@shop/api");
    assert_eq!(api.uses, [ServiceId(2), ServiceId(3)]);
    assert_eq!(api.languages, ["typescript"]);
    assert_eq!(api.dependencies["typescript"].at.file, project.find("package.json").unwrap());
    assert_eq!(entries(&project, "apps/api"), [("apps/api/src/main.ts", "apps/api/package.json scripts.start")]);
    assert_eq!(service(&project, "packages/db").kinds, [ProcessKind::Library]);
    assert_eq!(entries(&project, "packages/log"), [("packages/log/log.ts", "packages/log/package.json main")]);
    assert_eq!(project.file(project.find("packages/log/esm/log.js").unwrap()).service, ServiceId(3));

    let module = |specifier| project.workspace_module(specifier).map(|id| &*project.file(id).path);
    assert_eq!(module("@shop/db"), Some("packages/db/src/index.ts"));
    assert_eq!(module("@shop/db/c/pool"), Some("packages/db/src/c/pool.ts"));
    assert_eq!(module("@shop/log"), Some("packages/log/log.ts"));
    assert_eq!(module("@shop/none"), None);
    assert_eq!(module("express"), None);
}

#[test]
fn the_root_hands_its_dependencies_to_members_only() {
    let files = [
        ("package.json", r#"{"workspaces":["server"],"dependencies":{"express":"4"}}"#),
        ("server/package.json", r#"{"name":"s","dependencies":{"zod":"3"}}"#),
        ("other/package.json", r#"{"name":"o","dependencies":{"zod":"3"}}"#),
    ];
    let project = services(&files);
    assert!(service(&project, "server").dependencies.contains_key("express"));
    assert!(!service(&project, "other").dependencies.contains_key("express"));
}

#[test]
fn a_dependency_knows_its_place_and_what_it_is_for() {
    let text = r#"{"devDependencies":{"zod":"4","jest":"29"},"dependencies":{"zod":"3"}}"#;
    let project = services(&[("package.json", text)]);
    let dependencies = &service(&project, ".").dependencies;
    assert_eq!((dependencies["zod"].version.as_str(), dependencies["zod"].dev), ("3", false));
    assert!(dependencies["jest"].dev);
    assert_eq!(dependencies["jest"].at.start as usize, text.find("\"jest\"").unwrap());
}

#[test]
fn a_root_script_may_start_a_part_with_its_own_manifest() {
    let root = r#"{"scripts":{"start":"npm start --prefix server","dev":"cd server && node dev.js"}}"#;
    let files =
        [("package.json", root), ("server/package.json", EXPRESS), ("server/server.js", ""), ("server/dev.js", "")];
    let project = services(&files);
    assert_eq!(entries(&project, "server"), [("server/server.js", "package.json scripts.start")]);
    assert!(entries(&project, ".").is_empty());
}

#[test]
fn programs_and_libraries_are_kinds() {
    let cli = r#"{"name":"c","bin":{"c":"./cli.js"}}"#;
    let project = services(&[("package.json", cli), ("cli.js", "")]);
    assert_eq!(service(&project, ".").kinds, [ProcessKind::Cli]);
    assert_eq!(entries(&project, "."), [("cli.js", "package.json bin")]);
    let library = r#"{"name":"l","main":"index.js"}"#;
    let project = services(&[("package.json", library), ("index.js", "")]);
    assert_eq!(service(&project, ".").kinds, [ProcessKind::Library]);
}

#[test]
fn platforms_own_the_process_unless_there_is_an_image() {
    let next = r#"{"dependencies":{"next":"15","react":"19"},"scripts":{"start":"next start"}}"#;
    let files = [("package.json", next), ("vercel.json", "{}"), ("app/page.tsx", "")];
    let project = services(&files);
    assert!(service(&project, ".").serverless);
    assert!(service(&project, ".").entries.is_empty() && service(&project, ".").kinds.is_empty());
    let with_image = services(&[&files[..], &[("Dockerfile", "FROM node\nCMD npm start")]].concat());
    assert!(!service(&with_image, ".").serverless);
    let functions = r#"{"functions":{"create":{"handler":"src/orders.create"}}}"#;
    let project = services(&[
        ("package.json", r#"{"name":"f","scripts":{"x":"y"}}"#),
        ("serverless.yml", functions),
        ("src/orders.ts", ""),
    ]);
    assert!(service(&project, ".").serverless);
    assert_eq!(entries(&project, "."), [("src/orders.ts", "serverless.yml functions.create")]);
}

#[test]
fn what_runs_in_the_browser_depends_on_the_service() {
    let files = [
        ("api/package.json", EXPRESS),
        ("api/server.js", ""),
        ("api/components/user.js", ""),
        ("api/src/public/index.html", ""),
        ("api/src/public/app.js", ""),
        ("api/src/public-api/app.js", ""),
        ("frontend/package.json", r#"{"dependencies":{"next":"15","react":"19"},"name":"n"}"#),
        ("frontend/app/api/a/route.ts", ""),
        ("frontend/app/page.tsx", ""),
        ("frontend/components/a.ts", ""),
        ("frontend/lib/db.ts", ""),
        ("spa/package.json", r#"{"dependencies":{"react":"19"},"devDependencies":{"vite":"6"}}"#),
        ("spa/src/fetch.ts", ""),
        ("shop/Cargo.toml", r#"{"package":{"name":"shop"},"dependencies":{"actix-web":"4"}}"#),
        ("shop/src/main.rs", ""),
        ("shop/package.json", r#"{"name":"pages","main":"index.js","devDependencies":{"webpack":"5"}}"#),
        ("shop/templates/login.ts", ""),
    ];
    let project = services(&files);
    for (path, expected) in [
        ("api/server.js", Area::Server),
        ("api/components/user.js", Area::Server),
        ("api/src/public/app.js", Area::Client),
        ("api/src/public-api/app.js", Area::Server),
        ("frontend/app/api/a/route.ts", Area::Server),
        ("frontend/app/page.tsx", Area::Server),
        ("frontend/components/a.ts", Area::Client),
        ("frontend/lib/db.ts", Area::Server),
        ("spa/src/fetch.ts", Area::Client),
        ("shop/templates/login.ts", Area::Client),
    ] {
        assert_eq!(area(&project, path), expected, "{path}");
    }
}

#[test]
fn an_entry_is_server_code_wherever_it_lies() {
    let manifest = r#"{"dependencies":{"express":"4"},"scripts":{"start":"node ./bin/www"}}"#;
    let project = services(&[("package.json", manifest), ("bin/www", "#!/usr/bin/env node\n"), ("bin/x.js", "")]);
    assert_eq!(entries(&project, "."), [("bin/www", "package.json scripts.start")]);
    assert_eq!((area(&project, "bin/www"), area(&project, "bin/x.js")), (Area::Server, Area::Script));
}

#[test]
fn a_scope_in_a_folder_of_fixtures_is_a_service_of_its_own() {
    let files = [("Cargo.toml", ""), ("fixtures/shop/package.json", EXPRESS), ("fixtures/shop/server.js", "")];
    let project = assign(&files, Some("fixtures/shop"));
    assert_eq!(
        entries(&project, "fixtures/shop"),
        [("fixtures/shop/server.js", "fixtures/shop/package.json scripts.start")]
    );
    assert_eq!(project.services.len(), 2);
    assert_eq!(services(&files).services.len(), 1);
}

#[test]
fn broken_and_circular_manifests_are_survived() {
    for manifest in [
        "{",
        "[]",
        "null",
        r#"{"name":1,"main":[],"bin":5,"scripts":"x","dependencies":[],"exports":{"a":{"b":{}}},"workspaces":{"packages":"["}}"#,
        r#"{"scripts":{"start":"npm run a","a":"npm run b","b":"npm start && npm run a"},"dependencies":{"express":1}}"#,
        r#"{"name":"self","dependencies":{"self":"*"},"workspaces":["[","{a","**"]}"#,
    ] {
        let project = services(&[("package.json", manifest), ("Dockerfile", "FROM\nCMD [\"\\"), ("Procfile", ":::\n")]);
        assert!(project.services[0].uses.is_empty(), "{manifest}");
    }
}

#[test]
fn modules_say_where_they_run() {
    use crate::project::area_of_module;
    assert_eq!(area_of_module(Area::Server, "app/a.tsx", "'use client'\n"), Area::Client);
    assert_eq!(area_of_module(Area::Client, "components/a.ts", "\"use server\";\n"), Area::Server);
    let loader = "export async function getServerSideProps() {}";
    assert_eq!(area_of_module(Area::Client, "src/pages/a.tsx", loader), Area::Server);
    assert_eq!(area_of_module(Area::Client, "src/views/a.tsx", loader), Area::Client);
    assert_eq!(area_of_module(Area::Test, "a.ts", "'use client'"), Area::Test);
}

#[test]
fn a_server_that_others_import_is_a_library() {
    let files = [
        (
            "app/package.json",
            r#"{"name":"app","dependencies":{"hono":"4","auth":"*"},"scripts":{"start":"node main.js"}}"#,
        ),
        ("app/main.js", ""),
        ("auth/package.json", r#"{"name":"auth","main":"index.js","dependencies":{"hono":"4"}}"#),
        ("auth/index.js", ""),
    ];
    let project = services(&files);
    assert_eq!(service(&project, "auth").kinds, [ProcessKind::Library]);
    assert!(service(&project, "app").kinds.is_empty());
}

#[test]
fn a_script_copied_into_an_image_runs_where_the_image_works() {
    let files = [
        ("apps/web/package.json", r#"{"name":"w","dependencies":{"hono":"4"}}"#),
        ("apps/web/server/main.ts", ""),
        ("docker/Dockerfile", "FROM node\nWORKDIR /app/apps/web\nCMD [\"sh\", \"start.sh\"]"),
        ("docker/start.sh", "node scripts/none.js\nPORT=1 node build/server/main.js\n"),
    ];
    assert_eq!(entries(&services(&files), "apps/web"), [("apps/web/server/main.ts", "docker/Dockerfile CMD")]);
}

#[test]
fn what_runs_before_serving_is_no_entry() {
    let manifest = r#"{"scripts":{"start":"node setup.js && node server.js"},"dependencies":{"express":"4"}}"#;
    let project = services(&[("package.json", manifest), ("setup.js", ""), ("server.js", "")]);
    assert_eq!(entries(&project, "."), [("server.js", "package.json scripts.start")]);
    let prepares = named(&project, &service(&project, ".").script_entries);
    assert_eq!(prepares, [("setup.js", "package.json scripts.start")]);
}

const FASTAPI: &str =
    r#"{"project":{"name":"shop","dependencies":["fastapi>=0.110"],"scripts":{"shop-admin":"shop.admin:main"}}}"#;

#[test]
fn a_python_service_starts_with_what_its_image_runs() {
    let files = [
        ("pyproject.toml", FASTAPI),
        ("Dockerfile", "FROM python:3.12-slim\nWORKDIR /app\nCOPY docker/entry.sh /run.sh\nENTRYPOINT [\"/run.sh\"]\n"),
        ("docker/entry.sh", "#!/bin/sh\nalembic upgrade head\nexec uvicorn shop.main:app --host 0.0.0.0\n"),
        ("src/shop/__init__.py", ""),
        ("src/shop/main.py", "app = FastAPI()"),
        ("src/shop/admin.py", ""),
        ("old/main.py", "app = FastAPI()"),
    ];
    let project = services(&files);
    assert_eq!(entries(&project, "."), [("src/shop/main.py", "Dockerfile ENTRYPOINT")]);
    let root = service(&project, ".");
    assert_eq!((root.kinds.as_slice(), root.name.as_str()), (&[ProcessKind::Http][..], "shop"));
    assert!(root.declares(Ecosystem::Pypi, "fastapi") && !root.declares(Ecosystem::Npm, "fastapi"));
    let by_hand = [("src/shop/admin.py", "pyproject.toml project.scripts.shop-admin")];
    assert_eq!(named(&project, &root.script_entries), by_hand);
}

#[test]
fn a_start_beside_the_application_that_imports_it_serves_too() {
    let files = [
        ("requirements.txt", "fastapi==0.115\n"),
        ("shop/app.py", "app = FastAPI()"),
        ("shop/main.py", "from shop.app import app\nfrom shop.routes import router\napp.include_router(router)"),
        ("shop/run.py", "from shop.mapping import happy"),
    ];
    let project = services(&files);
    let files: Vec<&str> = entries(&project, ".").iter().map(|(file, _)| *file).collect();
    assert_eq!(files, ["shop/app.py", "shop/main.py"]);
}

#[test]
fn a_module_that_sets_up_an_application_makes_no_service() {
    let files = [
        ("requirements.txt", "fastapi==0.115\n"),
        ("app/main.py", "from .core.setup import create\napp = create()"),
        ("app/core/setup.py", "from fastapi import FastAPI\ndef create():\n    return FastAPI()"),
    ];
    let project = services(&files);
    assert_eq!(project.services.iter().map(|service| service.path.as_str()).collect::<Vec<_>>(), ["."]);
}

#[test]
fn a_module_that_builds_the_application_serves_where_nothing_names_one() {
    let files = [
        ("requirements.txt", "flask==3.0\n"),
        ("shop/app.py", "app = Flask(__name__)"),
        ("shop/deep/app.py", "app = Flask(__name__)"),
        ("shop/models.py", ""),
    ];
    let project = services(&files);
    assert_eq!(entries(&project, "."), [("shop/app.py", "by convention: it builds the application")]);
    assert_eq!(service(&project, ".").kinds, [ProcessKind::Http]);
}

#[test]
fn django_brings_its_settings() {
    let files = [
        ("requirements.txt", "django==5.1\n"),
        ("Procfile", "web: gunicorn shop.wsgi\nworker: celery -A shop worker\n"),
        ("manage.py", "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings.dev\")"),
        ("shop/__init__.py", ""),
        (
            "shop/wsgi.py",
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.prod')\napplication = get_wsgi_application()",
        ),
        ("shop/celery.py", ""),
        ("shop/settings/prod.py", ""),
        ("shop/settings/dev.py", ""),
    ];
    let project = services(&files);
    let expected = [
        ("shop/wsgi.py", "Procfile web"),
        ("shop/settings/prod.py", "Procfile web"),
        ("shop/celery.py", "Procfile worker"),
    ];
    assert_eq!(entries(&project, "."), expected);
    let root = service(&project, ".");
    assert_eq!(root.kinds, [ProcessKind::Http, ProcessKind::Worker]);
    assert_eq!(named(&project, &root.script_entries), [("manage.py", "by convention: Django's commands")]);
}

#[test]
fn settings_are_put_together_from_files() {
    let gateway = "# os.environ['DJANGO_SETTINGS_MODULE'] = 'shop'\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\napplication = get_wsgi_application()";
    let settings =
        "from split_settings.tools import include, optional\ninclude('base.dist.py', optional(\"local.py\"))\n";
    let files = [
        ("requirements.txt", "django==5.1\n"),
        ("Procfile", "web: gunicorn shop.wsgi\n"),
        ("shop/__init__.py", ""),
        ("shop/wsgi.py", gateway),
        ("shop/settings/__init__.py", settings),
        ("shop/settings/base.dist.py", ""),
        ("shop/settings/other.py", ""),
    ];
    let of_web = |file| (file, "Procfile web");
    let expected = ["shop/wsgi.py", "shop/settings/__init__.py", "shop/settings/base.dist.py"].map(of_web);
    assert_eq!(entries(&services(&files), "."), expected);
}

#[test]
fn settings_that_only_the_environment_names_are_those_beside_the_gateway() {
    let gateway = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()";
    let files = [
        ("requirements.txt", "django==5.1\n"),
        ("Procfile", "web: gunicorn shop.wsgi\n"),
        ("shop/__init__.py", ""),
        ("shop/wsgi.py", gateway),
        ("shop/settings/__init__.py", ""),
        ("shop/settings/base.py", ""),
        ("shop/settings/development.py", ""),
    ];
    let expected = [("shop/wsgi.py", "Procfile web"), ("shop/settings/base.py", "Procfile web")];
    assert_eq!(entries(&services(&files), "."), expected);
}

#[test]
fn uwsgi_says_what_it_serves_with_which_settings() {
    let files = [
        ("requirements.txt", "django==5.1\nuwsgi\n"),
        (
            "deploy/uwsgi.ini",
            "[uwsgi]\nchdir = /app/src\nmodule = shop.wsgi:application\nenv = DJANGO_SETTINGS_MODULE=shop.settings.live\n",
        ),
        ("src/shop/__init__.py", ""),
        (
            "src/shop/wsgi.py",
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\napplication = get_wsgi_application()",
        ),
        ("src/shop/settings/__init__.py", ""),
        ("src/shop/settings/live.py", ""),
    ];
    let project = services(&files);
    let paths: Vec<&str> = entries(&project, ".").iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["src/shop/wsgi.py", "src/shop/settings/__init__.py", "src/shop/settings/live.py"]);
}

#[test]
fn a_crate_that_only_tests_need_is_test_code() {
    let files = [
        ("Cargo.toml", r#"{"workspace":{"members":["crates/*"]}}"#),
        (
            "crates/api/Cargo.toml",
            r#"{"package":{"name":"api"},"dependencies":{"axum":"0.8","own":{"path":"../own"}},"dev-dependencies":{"helpers":{"path":"../helpers"},"own":{"path":"../own"}}}"#,
        ),
        ("crates/api/src/main.rs", ""),
        ("crates/helpers/Cargo.toml", r#"{"package":{"name":"helpers"}}"#),
        ("crates/helpers/src/lib.rs", ""),
        ("crates/own/Cargo.toml", r#"{"package":{"name":"own"}}"#),
        ("crates/own/src/lib.rs", ""),
    ];
    let project = services(&files);
    let area = |path: &str| project.file(project.find(path).unwrap()).area;
    assert_eq!(area("crates/helpers/src/lib.rs"), Area::Test);
    assert_eq!(area("crates/own/src/lib.rs"), Area::Server);
    assert_eq!(area("crates/api/src/main.rs"), Area::Server);
}

#[test]
fn a_cargo_workspace_has_a_service_for_each_crate() {
    let files = [
        ("Cargo.toml", r#"{"workspace":{"members":["crates/*"],"dependencies":{"axum":"0.8"}}}"#),
        (
            "crates/api/Cargo.toml",
            r#"{"package":{"name":"api"},"dependencies":{"axum":{"workspace":true},"core":{"path":"../core"}}}"#,
        ),
        ("crates/api/src/main.rs", ""),
        ("crates/api/src/bin/migrate.rs", ""),
        ("crates/core/Cargo.toml", r#"{"package":{"name":"core"}}"#),
        ("crates/core/src/lib.rs", ""),
        (
            "Dockerfile",
            "FROM rust AS build\nRUN cargo build\nFROM debian\nCOPY --from=build /x /usr/bin/api\nCMD [\"api\"]\n",
        ),
    ];
    let project = services(&files);
    assert_eq!(entries(&project, "crates/api"), [("crates/api/src/main.rs", "Dockerfile CMD")]);
    let api = service(&project, "crates/api");
    assert_eq!(api.requirements[&(Ecosystem::Crates, "axum".to_owned())].version, "0.8");
    assert_eq!(api.uses.len(), 1);
    let by_hand = [("crates/api/src/bin/migrate.rs", "crates/api/Cargo.toml src/bin/migrate")];
    assert_eq!(named(&project, &api.script_entries), by_hand);
    assert_eq!(service(&project, "crates/core").kinds, [ProcessKind::Library]);
}

#[test]
fn a_server_crate_without_an_image_serves_with_its_programs() {
    let files = [
        ("Cargo.toml", r#"{"package":{"name":"shop"},"dependencies":{"actix-web":"4"}}"#),
        ("src/main.rs", ""),
        ("src/lib.rs", ""),
    ];
    let project = services(&files);
    assert_eq!(entries(&project, "."), [("src/main.rs", "Cargo.toml src/main.rs")]);
    assert_eq!(service(&project, ".").kinds, [ProcessKind::Http]);
    let tool = [("Cargo.toml", r#"{"package":{"name":"tool"},"dependencies":{"clap":"4"}}"#), ("src/main.rs", "")];
    assert_eq!(service(&services(&tool), ".").kinds, [ProcessKind::Cli]);
}
