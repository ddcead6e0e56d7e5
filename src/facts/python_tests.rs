//! Python through the evaluator: what calls resolve to.

use super::graph;
use super::program::{ExprRef, Program};
use super::python::PythonImports;
use super::resolve::Evaluator;
use super::stacks::Stacks;
use crate::project::requirements::Ecosystem;
use crate::project::{Dependency, File, FileId, FileKind, Project, Service, Span};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Module};
use crate::syntax::python;

fn project(files: &[(&str, &str)]) -> Project {
    let mut paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    paths.sort_unstable();
    let kind = |path: &str| if path.ends_with(".py") { FileKind::Python } else { FileKind::Text };
    let required = files.iter().filter(|(path, _)| *path == "requirements.txt").flat_map(|(_, text)| text.lines());
    let dependency = |name: &str| {
        let at = Span { file: FileId(0), start: 0, end: 0 };
        ((Ecosystem::Pypi, name.to_owned()), Dependency { version: String::new(), dev: false, at })
    };
    let service = Service { path: ".".into(), requirements: required.map(dependency).collect(), ..Service::default() };
    let files = paths.into_iter().map(|path| File::sample(path, kind(path))).collect();
    Project { files, services: vec![service], ..Project::default() }
}

/// Runs `look` with the program that the Python files of a project make.
fn with_program<T>(project: &Project, files: &[(&str, &str)], look: impl FnOnce(&Program<'_>) -> T) -> T {
    let modules = project
        .file_ids()
        .filter(|&id| project.file(id).kind == FileKind::Python)
        .map(|id| {
            let text = files.iter().find(|(path, _)| *path == &*project.file(id).path).unwrap().1;
            (id, python::parse(text).unwrap())
        })
        .collect();
    let resolver = PythonImports::new(project);
    look(&Program::new(project, modules, &resolver, &|_| None))
}

/// Runs `look` with an evaluator over the files.
fn with<T>(files: &[(&str, &str)], look: impl FnOnce(&mut Evaluator<'_>) -> T) -> T {
    with_program(&project(files), files, |program| {
        let stacks = Stacks::default();
        let (links, _) = graph::links(program, &stacks);
        look(&mut Evaluator::new(program, &stacks, &links))
    })
}

/// The API paths of everything that a file calls.
fn called(files: &[(&str, &str)], path: &str) -> Vec<String> {
    with(files, |evaluator| {
        let program = evaluator.program;
        let module = program.of_file(program.project.find(path).unwrap()).unwrap();
        let mut found = Vec::new();
        for index in 0..program.module(module).exprs.len() {
            let expr = ExprId(u32::try_from(index).unwrap());
            let ExprKind::Call { callee, .. } = program.module(module).kind(expr) else { continue };
            for path in evaluator.paths_of(ExprRef { module, expr: callee }) {
                found.push(evaluator.paths.text(path));
            }
        }
        found
    })
}

/// Every one of these is called in the file.
fn calls(files: &[(&str, &str)], path: &str, wanted: &[&str]) {
    let found = called(files, path);
    for wanted in wanted {
        assert!(found.iter().any(|call| call == wanted), "{wanted} in {found:?}");
    }
}

/// The value that a variable of a module is made with.
fn init_of(module: &Module, name: &str) -> ExprId {
    let inits = module.symbols.iter().filter(|symbol| module.str(symbol.name) == name);
    let mut inits = inits.filter_map(|symbol| match symbol.definition {
        Definition::Variable { init, .. } => Some(init),
        _ => None,
    });
    inits.next().unwrap()
}

/// The constant texts of the variables of a file.
fn texts(text: &str) -> Vec<(String, Option<String>)> {
    with(&[("a.py", text)], |evaluator| {
        let program = evaluator.program;
        let module = program.ids().next().unwrap();
        let hir = program.module(module);
        let mut found = Vec::new();
        for symbol in &hir.symbols {
            let Definition::Variable { init, .. } = symbol.definition else { continue };
            let value = evaluator.constant_text(ExprRef { module, expr: init });
            found.push((hir.str(symbol.name).to_owned(), value));
        }
        found
    })
}

#[test]
fn an_application_is_known_in_other_modules() {
    let files = [
        ("app/__init__.py", ""),
        ("app/main.py", "from fastapi import FastAPI as F\napp = F(title='x')\n"),
        ("app/routes.py", "from app.main import app\n@app.get('/x')\ndef x(): ...\n"),
        ("app/more.py", "from . import main\nfrom .main import app as a\nmain.app.put('/y')\na.post('/z')\n"),
    ];
    calls(&files, "app/routes.py", &["fastapi.FastAPI().get"]);
    calls(&files, "app/more.py", &["fastapi.FastAPI().put", "fastapi.FastAPI().post"]);
}

#[test]
fn dotted_imports_lead_to_their_modules() {
    let files = [
        ("src/shop/api/routes.py", "from fastapi import APIRouter\nrouter = APIRouter()\n"),
        (
            "src/shop/main.py",
            "import shop.api.routes\nimport shop.api.routes as r\nfrom shop.api import routes\nshop.api.routes.router.get('/a')\nr.router.put('/b')\nroutes.router.post('/c')\n",
        ),
        ("tool.py", "import os.path\nimport django.db.models as m\nos.path.join('a')\nos.getenv('b')\nm.Q()\n"),
        ("run/main.py", "from shop.api.routes import router\nrouter.patch('/d')\n"),
        ("pyproject.toml", ""),
    ];
    let methods = ["fastapi.APIRouter().get", "fastapi.APIRouter().put", "fastapi.APIRouter().post"];
    calls(&files, "src/shop/main.py", &methods);
    calls(&files, "run/main.py", &["fastapi.APIRouter().patch"]);
    calls(&files, "tool.py", &["os.path.join", "os.getenv", "django.db.models.Q"]);
}

#[test]
fn what_is_run_in_place_imports_what_is_beside_it() {
    let routes = "from fastapi import APIRouter\nrouter = APIRouter()\n";
    let files = [
        ("backend/__init__.py", ""),
        ("backend/manage.py", ""),
        ("backend/shop/__init__.py", ""),
        ("backend/shop/routes.py", routes),
        ("backend/main.py", "from shop.routes import router\nrouter.get('/a')\n"),
        ("tool.py", "from backend.shop.routes import router\nrouter.put('/b')\n"),
    ];
    calls(&files, "backend/main.py", &["fastapi.APIRouter().get"]);
    calls(&files, "tool.py", &["fastapi.APIRouter().put"]);
}

#[test]
fn names_come_through_packages_and_stars() {
    let files = [
        ("core/__init__.py", "from .db import *\nfrom .settings import settings\n"),
        ("core/db.py", "from sqlalchemy import create_engine\nengine = create_engine('x')\n"),
        (
            "core/settings.py",
            "from pydantic_settings import BaseSettings\nclass S(BaseSettings): ...\nsettings = S()\n",
        ),
        ("a.py", "from core import engine, settings\nengine.connect()\nsettings.model_dump()\n"),
        ("b.py", "from core import *\nengine.begin()\nprint('x')\n"),
        ("c.py", "from os import *\ngetenv('X')\n"),
    ];
    calls(&files, "a.py", &["sqlalchemy.create_engine().connect", "pydantic_settings.BaseSettings().model_dump"]);
    calls(&files, "b.py", &["sqlalchemy.create_engine().begin", "builtins.print"]);
    calls(&files, "c.py", &["os.getenv"]);
}

#[test]
fn a_package_is_not_the_file_of_its_name() {
    let files = [
        ("app/__init__.py", ""),
        ("app/requests.py", "import requests\nrequests.get('x')\n"),
        ("app/other.py", "import requests\nrequests.put('x')\n"),
        ("tests/redis/__init__.py", ""),
        ("app/cache.py", "import redis\nredis.Redis()\n"),
    ];
    calls(&files, "app/requests.py", &["requests.get"]);
    calls(&files, "app/other.py", &["requests.put"]);
    calls(&files, "app/cache.py", &["redis.Redis"]);
}

#[test]
fn a_folder_that_is_no_package_hides_none() {
    let files = [
        ("requirements.txt", "alembic\n"),
        ("alembic/env.py", "from alembic import context\ncontext.configure()\n"),
        ("alembic/versions/1a_x.py", "from alembic import op\nop.drop_table('x')\n"),
    ];
    calls(&files, "alembic/env.py", &["alembic.context.configure"]);
    calls(&files, "alembic/versions/1a_x.py", &["alembic.op.drop_table"]);
}

#[test]
fn methods_fields_and_keywords_are_followed() {
    let text = "
import httpx
from sqlalchemy.orm import Session
class Base:
    client = httpx.Client()
    def __init__(self, url, timeout=5, *, session: Session):
        self.session = session
        self.url = url
class Repo(Base):
    @classmethod
    def make(cls): return cls()
    def find(self):
        super().find()
        self.client.get(self.url)
        return self.session.execute('x')
def use(repo: Repo, other: 'Repo | None' = None):
    repo.session.commit()
    other.session.rollback()
def run(client): client.post('x')
run(client=httpx.AsyncClient())
";
    let wanted = [
        "httpx.Client().get",
        "sqlalchemy.orm.Session.execute",
        "sqlalchemy.orm.Session.commit",
        "sqlalchemy.orm.Session.rollback",
        "httpx.AsyncClient().post",
    ];
    calls(&[("a.py", text)], "a.py", &wanted);
}

#[test]
fn dependencies_and_aliases_say_what_parameters_are() {
    let text = "
from typing import Annotated
from fastapi import Depends
from sqlalchemy.orm import Session, sessionmaker
SessionLocal = sessionmaker()
def get_db():
    with SessionLocal() as db:
        yield db
SessionDep = Annotated[Session, Depends(get_db)]
def read(db: SessionDep, raw: Annotated[Session, Depends(get_db)]):
    db.get('x')
    raw.add('x')
";
    calls(&[("a.py", text)], "a.py", &["sqlalchemy.orm.Session.get", "sqlalchemy.orm.Session.add", "fastapi.Depends"]);
}

#[test]
fn names_that_modules_import_from_each_other_end() {
    let files = [
        ("a/__init__.py", "from .b import X, Y\ndef f(x: X, y: 'Y'): x.go()\n"),
        ("a/b.py", "from . import X\nfrom a import Y\nclass Z(X): ...\nZ().go()\n"),
    ];
    assert!(called(&files, "a/b.py").iter().all(|call| !call.contains("X.X")));
}

#[test]
fn texts_fold() {
    let text = "
TABLE = 'users'
a = f'SELECT * FROM {TABLE}'
b = 'SELECT %s' % TABLE
c = 'SELECT {} {x}'.format(TABLE, x=1)
d = 'a' 'b' + TABLE
e, f = 'x', 'y'
g = f'{unknown}'
";
    let found = texts(text);
    let value = |name: &str| found.iter().find(|(n, _)| n == name).and_then(|(_, value)| value.clone());
    assert_eq!(value("a").as_deref(), Some("SELECT * FROM users"));
    assert_eq!(value("b").as_deref(), Some("SELECT users"));
    assert_eq!(value("c").as_deref(), Some("SELECT users 1"));
    assert_eq!(value("d").as_deref(), Some("abusers"));
    assert_eq!((value("e").as_deref(), value("f").as_deref()), (Some("x"), Some("y")));
    assert_eq!(value("g"), None);
}

#[test]
fn applications_named_in_a_text_are_reached() {
    let files = [
        ("manage.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"),
        ("shop/__init__.py", ""),
        ("shop/settings.py", "INSTALLED_APPS = ['shop.orders']\nROOT = 'shop.urls.patterns'\n"),
        ("shop/urls.py", ""),
        ("shop/orders/__init__.py", ""),
        ("shop/orders/admin.py", ""),
        ("shop/unused.py", "x = 'shop'\n"),
    ];
    let mut project = project(&files);
    let entry = project.find("manage.py").unwrap();
    project.services[0].entries.push((entry, "manage.py".into()));
    let reached: Vec<String> = with_program(&project, &files, |program| {
        let reach = graph::reach(program, &[]);
        program.ids().filter(|id| reach.reached[id.0 as usize]).map(|id| program.path(id).to_owned()).collect()
    });
    let wanted = [
        "manage.py",
        "shop/__init__.py",
        "shop/orders/__init__.py",
        "shop/orders/admin.py",
        "shop/settings.py",
        "shop/urls.py",
    ];
    assert_eq!(reached, wanted);
}

#[test]
fn a_package_runs_before_what_is_imported_from_it() {
    let files = [
        ("app/auth/__init__.py", "from .views import login\n"),
        ("app/auth/base.py", ""),
        ("app/auth/views/__init__.py", ""),
        ("app/auth/views/login.py", "from app.auth.base import bp\n"),
        ("app/auth/views/unused.py", "from app.auth.base import bp\n"),
        ("app/other/__init__.py", ""),
        ("server.py", "from app.auth.base import bp\n"),
    ];
    let mut project = project(&files);
    let entry = project.find("server.py").unwrap();
    project.services[0].entries.push((entry, "server.py".into()));
    let reached: Vec<String> = with_program(&project, &files, |program| {
        let reach = graph::reach(program, &[]);
        program.ids().filter(|id| reach.reached[id.0 as usize]).map(|id| program.path(id).to_owned()).collect()
    });
    let wanted = [
        "app/auth/__init__.py",
        "app/auth/base.py",
        "app/auth/views/__init__.py",
        "app/auth/views/login.py",
        "server.py",
    ];
    assert_eq!(reached, wanted);
}

#[test]
fn formats_that_are_not_written_out_count_as_built() {
    let text = "QUERY = 'SELECT {}'\ndef f(x):\n    a = QUERY.format(x)\n    b = 'SELECT ' + x\n    c = OTHER % x\nOTHER = 'SELECT %s'\ndef g(a, b='z'): return a\nd = g(b=1, a='y')\n";
    with(&[("a.py", text)], |evaluator| {
        let program = evaluator.program;
        let module = program.ids().next().unwrap();
        let hir = program.module(module);
        for name in ["a", "b", "c", "d"] {
            let value = evaluator.value(ExprRef { module, expr: init_of(hir, name) });
            match name {
                "d" => assert_eq!(value.as_text(), Some("y")),
                _ => assert!(value.origins.has(super::Origins::BUILT), "{name}"),
            }
        }
    });
}

const STACK: &str = r#"
settings = { names = ["DATABASES"], aside = ["local"] }
resources = [
  { class = "views.APIView", answers = { get = "GET", post = "POST" } },
  { class = "views.ListView", has = ["get"], roles = "lists" },
  { class = "views.Permission", refuses = "allow" },
]
types = { App = "fastapi.FastAPI()", Router = "App | fastapi.APIRouter()", Model = "django.db.models.Model+" }
fact.router = [
  { call = "fastapi.FastAPI()", parent = "none" },
  { call = "fastapi.APIRouter()", prefix = "$opt.prefix" },
]
fact.route = [
  { call = "urls.path", list = "$list", method = "ALL", path = "$arg[0]", chain = "$arg[1]" },
  { decorator = "Router.{get,post}", router = "$recv", method = "$callee", path = "$arg:string", chain = "$target" },
]
fact.mount = [
  { call = "urls.path", list = "$list", path = "$arg[0]", routes = "$arg[1]", names = "patterns" },
  { setting = "ROOT", routes = "$value", names = "patterns" },
  { setting = "DEFAULTS", chain = "$value", holds_for = "views.APIView", slot = "permissions" },
  { call = "Router.include_router", scope = "$recv", path = "$opt.prefix", chain = "$arg[0]" },
  { param = "fastapi.Depends", scope = "$route", chain = "$arg[0]" },
  { decorator = "auth.login_required", scope = "$target", chain = "$recv" },
  { attr = "views.APIView.permission_classes", scope = "$class", chain = "$value", slot = "permissions" },
]
fact.model = [{ extends = "Model", name = "$class" }]
fact.capability = [{ attr = "Model.*", is = "django.db.models.*Field()", name = "$name", opts = { of = "$class", unique = "$opt.unique ?? false" } }]
fact.cookie = [{ call = "fastapi.FastAPI().cookie", if = { arg0 = { is = "errors.Known" } }, name = "known" }, { call = "fastapi.FastAPI().cookie", if = { arg0 = ":null" }, name = "none" }]
fact.header = [{ read = "fastapi.Response().headers.*", if = { assigned = ":any" }, name = "$member", value = "$assigned" }]
fact.response = [{ call = "fastapi.HTTPException", status = "$arg[0]" }, { call = "fastapi.jsonify", status = "$beside" }]
fact.setting = [{ setting = "DEBUG | DATABASES.default.ENGINE", key = "$name", value = "$value" }]
fact.role = [{ use = "views.SignedIn", role = "auth" }, { read = "ident.user", role = "auth", fails = "returns" }]
fact.input = [{ param = "pydantic.BaseModel", part = "body", type = "$type" }]
[[constants]]
of = "fastapi.status.*"
"#;

fn facts(files: &[(&str, &str)], kind: &str) -> Vec<super::Fact> {
    let stacks = Stacks::load([("test.toml", STACK)]).unwrap();
    let mut project = project(files);
    project.services[0].stacks = vec!["test".into()];
    let mut facts = with_program(&project, files, |program| super::code::code_facts(program, &stacks, Vec::new).facts);
    facts.retain(|fact| &*fact.kind == kind);
    facts
}

fn text(fact: &super::Fact, field: &str) -> String {
    fact.get(field).and_then(super::Value::as_text).unwrap_or_default().to_owned()
}

#[test]
fn decorated_functions_are_routes_of_mounted_routers() {
    let files = [
        ("app/__init__.py", ""),
        (
            "app/main.py",
            "from fastapi import FastAPI\nfrom app.api import router\napp = FastAPI()\napp.include_router(router, prefix='/v1')\n",
        ),
        (
            "app/api.py",
            "from fastapi import APIRouter, Depends\nrouter = APIRouter()\ndef current_user(): ...\n@router.get('/me')\nasync def me(user = Depends(current_user)): ...\n",
        ),
    ];
    let routes = facts(&files, "route");
    assert_eq!(routes.len(), 1);
    assert_eq!((text(&routes[0], "method"), text(&routes[0], "path")), ("GET".into(), "/v1/me".into()));
    assert_eq!(text(&routes[0], "handler"), "me");
    assert!(routes[0].roots.len() >= 2, "the dependency runs before the handler");
    assert!(routes[0].used);
}

#[test]
fn attributes_of_classes_are_found_through_bases() {
    let files = [
        ("base.py", "from django.db import models\nclass Base(models.Model):\n    class Meta: abstract = True\n"),
        (
            "shop.py",
            "from django.db import models as m\nfrom base import Base\nclass Order(Base):\n    total = m.FloatField(unique=True)\n    note: str\n    other = 1\nclass Plain: x = m.CharField()\n",
        ),
    ];
    let attributes = facts(&files, "capability");
    assert_eq!(attributes.len(), 1);
    assert_eq!(text(&attributes[0], "name"), "total");
    let options = attributes[0].get("opts").unwrap();
    assert_eq!((options.field("of"), options.field("unique")), (super::Value::text("Order"), super::Value::bool(true)));
}

#[test]
fn settings_are_read_by_their_path() {
    let files =
        [("settings.py", "DEBUG = True\nDATABASES = {'default': {'ENGINE': 'sqlite3'}, 'other': {'ENGINE': 'x'}}\n")];
    let found: Vec<String> = facts(&files, "setting").iter().map(|fact| text(fact, "key")).collect();
    assert_eq!(found, ["DEBUG", "DATABASES.default.ENGINE"]);
}

#[test]
fn settings_are_those_of_production() {
    let files = [
        ("conf/__init__.py", ""),
        ("conf/base.py", "DEBUG = True\nDATABASES = {'default': {'ENGINE': 'sqlite3'}}\n"),
        ("conf/local.py", "from .base import *\nDATABASES = {}\n"),
        ("conf/live.py", "from .base import *\nDEBUG = False\nDATABASES['default']['ENGINE'] = 'postgres'\n"),
        ("other.py", "DEBUG = True\n"),
    ];
    let found: Vec<(String, Option<super::Value>)> =
        facts(&files, "setting").iter().map(|fact| (text(fact, "key"), fact.get("value").cloned())).collect();
    let wanted = [
        ("DEBUG".to_owned(), Some(super::Value::bool(false))),
        ("DATABASES.default.ENGINE".to_owned(), Some(super::Value::text("postgres"))),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn what_is_set_either_way_replaces_what_stood_in_the_base() {
    let base = ("conf/base.py", "DEBUG = 'x'\n");
    let keys = |text: &str| {
        let files =
            [("conf/__init__.py", ""), base, ("conf/live.py", text), ("conf/local.py", "from .base import *\n")];
        facts(&files, "setting").iter().filter(|fact| text_of(fact)).count()
    };
    let text_of_base = "from .base import *\n";
    assert_eq!(keys(text_of_base), 1);
    assert_eq!(
        keys(&format!(
            "{text_of_base}try:\n    with held():\n        DEBUG = read()\nexcept OSError:\n    DEBUG = made()\n"
        )),
        0
    );
    assert_eq!(keys(&format!("{text_of_base}if asked():\n    DEBUG = read()\nelse:\n    DEBUG = made()\n")), 0);
    assert_eq!(keys(&format!("{text_of_base}if asked():\n    DEBUG = read()\n")), 1);
}

/// Is the value the one that the base has?
fn text_of(fact: &super::Fact) -> bool {
    fact.get("value").and_then(super::Value::as_text) == Some("x")
}

#[test]
fn a_setting_under_a_debug_switch_is_not_productions() {
    let text = "DATABASES = {}\nDEBUG = flag()\nif DEBUG:\n    DATABASES = {'default': {'ENGINE': 'sqlite3'}}\nelse:\n    DATABASES = {'default': {'ENGINE': 'pg'}}\n";
    let found = facts(&[("settings.py", text)], "setting");
    let engines: Vec<&super::Fact> = found.iter().filter(|fact| self::text(fact, "key") != "DEBUG").collect();
    assert_eq!(engines.len(), 1);
    assert_eq!(self::text(engines[0], "value"), "pg");
}

const VIEWS: &str = "
from views import APIView, ListView, Permission, SignedIn
import ident
class Own(Permission):
    def allow(self, request): return bool(ident.user)
class Orders(APIView):
    permission_classes = [Own]
    def get(self, request): ...
    def post(self, request): ...
class Things(APIView, ListView):
    def post(self, request): ...
class Open(APIView):
    permission_classes = []
    def get(self, request): ...
def plain(request): ...
";

fn routed(files: &[(&str, &str)]) -> Vec<(String, String, Vec<String>, bool)> {
    let roles = |fact: &super::Fact| match fact.get("roles").map(|roles| roles.data.clone()) {
        Some(super::Data::List(items)) => items.iter().filter_map(|role| role.as_text().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let found = facts(files, "route");
    found.iter().map(|fact| (text(fact, "method"), text(fact, "path"), roles(fact), fact.used)).collect()
}

#[test]
fn routes_in_lists_are_hung_into_lists() {
    let files = [
        ("conf.py", "DATABASES = {}\nROOT = 'main.routing'\nDEFAULTS = ['views.SignedIn']\n"),
        ("main/__init__.py", ""),
        (
            "main/routing.py",
            "from urls import path, include\npatterns = [path('api/', include('shop.routing'))]\npatterns += [path('', include(('shop.more', 'x')))]\n",
        ),
        ("shop/__init__.py", ""),
        ("shop/handlers.py", VIEWS),
        (
            "shop/routing.py",
            "from urls import path\nfrom . import handlers as h\npatterns = [path('orders/<int:pk>/', h.Orders.as_view()), path('plain/', h.plain)]\n",
        ),
        (
            "shop/more.py",
            "from urls import path\nfrom .handlers import Things, Open\npatterns = [path('t/', Things.as_view()), path('o/', wrap(Open.as_view()))]\n",
        ),
        ("shop/unused.py", "from urls import path\nfrom .handlers import plain\npatterns = [path('u/', plain)]\n"),
    ];
    let route = |method: &str, path: &str, roles: &[&str], used: bool| {
        (method.to_owned(), path.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect::<Vec<String>>(), used)
    };
    let mut found = routed(&files);
    found.sort();
    let wanted = [
        route("ALL", "/api/plain/", &[], true),
        route("ALL", "u/", &[], false),
        route("GET", "/api/orders/:pk/", &["auth"], true),
        route("GET", "/o/", &[], true),
        route("GET", "/t/", &["auth", "lists"], true),
        route("POST", "/api/orders/:pk/", &["auth"], true),
        route("POST", "/t/", &["auth"], true),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn the_type_of_a_parameter_is_what_it_extends() {
    let files = [(
        "a.py",
        "from pydantic import BaseModel\nclass Order(BaseModel): ...\ndef create(order: Order, x: int): ...\n",
    )];
    assert_eq!(facts(&files, "input").len(), 1);
}

#[test]
fn routers_of_classes_have_what_their_constructors_hand_on() {
    let files = [
        (
            "routers.py",
            "from fastapi import APIRouter\nclass Own(APIRouter):\n    def __init__(self, **kwargs):\n        super().__init__(prefix='/own', **kwargs)\n",
        ),
        (
            "main.py",
            "from fastapi import FastAPI\nfrom routers import Own\napp = FastAPI()\nrouter = Own()\n@router.get('/x')\ndef x(): ...\napp.include_router(router, prefix='/v1')\n",
        ),
    ];
    let routes = facts(&files, "route");
    assert_eq!((text(&routes[0], "path"), routes[0].used), ("/v1/own/x".into(), true));
}

#[test]
fn a_dependency_behind_an_alias_belongs_to_the_function_that_takes_it() {
    let files = [
        (
            "db.py",
            "from typing import Annotated\nfrom fastapi import Depends\ndef session(): ...\nSession = Annotated[int, Depends(session)]\n",
        ),
        (
            "main.py",
            "from fastapi import FastAPI\nfrom db import Session\napp = FastAPI()\ndef a(): ...\ndef b(): ...\n@app.get('/x')\ndef x(session: Session): ...\n",
        ),
    ];
    assert_eq!(facts(&files, "route")[0].roots.len(), 2);
}

#[test]
fn classes_of_views_answer_with_their_methods() {
    let files = [(
        "main.py",
        "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/orders')\nclass Orders:\n    def get(self): ...\n    def post(self): ...\n    def helper(self): ...\n",
    )];
    let methods: Vec<String> = facts(&files, "route").iter().map(|fact| text(fact, "method")).collect();
    assert_eq!(methods, ["GET", "POST"]);
}

#[test]
fn tests_of_clauses_know_names_and_null() {
    let files = [(
        "main.py",
        "from errors import Known, Other\nfrom fastapi import FastAPI\napp = FastAPI()\napp.cookie(Known)\napp.cookie(Other)\napp.cookie(None)\n",
    )];
    let names: Vec<String> = facts(&files, "cookie").iter().map(|fact| text(fact, "name")).collect();
    assert_eq!(names, ["known", "none"]);
}

#[test]
fn values_that_are_assigned_stand_beside_or_are_named() {
    let files = [(
        "main.py",
        "from fastapi import FastAPI, HTTPException, Response, jsonify, status\napp = FastAPI()\n@app.get('/x')\ndef x():\n    response = Response()\n    response.headers['X-A'] = 'b'\n    print(response.headers['X-B'])\n    raise HTTPException(status.HTTP_404_NOT_FOUND)\n@app.get('/y')\ndef y():\n    return jsonify(), 409\n@app.get('/z')\ndef z():\n    return {}, 410\n",
    )];
    let headers: Vec<(String, String)> =
        facts(&files, "header").iter().map(|fact| (text(fact, "name"), text(fact, "value"))).collect();
    assert_eq!(headers, [("X-A".to_owned(), "b".to_owned())]);
    let mut statuses: Vec<Option<super::Value>> =
        facts(&files, "response").iter().map(|fact| fact.get("status").cloned()).collect();
    statuses.retain(|status| status.as_ref().is_some_and(|status| !status.is_absent()));
    let wanted = [404.0, 409.0, 410.0].map(|number| Some(super::Value::number(number)));
    assert_eq!(statuses, wanted);
}
