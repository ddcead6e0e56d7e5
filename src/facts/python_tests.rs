//! Python through the evaluator: what calls resolve to.

use super::graph;
use super::program::{ExprRef, Program};
use super::python::PythonImports;
use super::resolve::Evaluator;
use super::stacks::Stacks;
use crate::project::{Area, File, FileKind, Project, Service, ServiceId, Tracked};
use crate::syntax::hir::{ExprId, ExprKind};
use crate::syntax::python;

fn project(files: &[(&str, &str)]) -> Project {
    let mut paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    paths.sort_unstable();
    let file = |path: &str| File {
        path: path.into(),
        kind: if path.ends_with(".py") { FileKind::Python } else { FileKind::Text },
        area: Area::Server,
        service: ServiceId(0),
        tracked: Tracked::Yes,
        size: 0,
        in_scope: true,
    };
    let files = paths.into_iter().map(file).collect();
    Project { files, services: vec![Service { path: ".".into(), ..Service::default() }], ..Project::default() }
}

/// Runs `look` with an evaluator over the files.
fn with<T>(files: &[(&str, &str)], look: impl FnOnce(&mut Evaluator<'_>) -> T) -> T {
    let project = project(files);
    let modules = project
        .file_ids()
        .filter(|&id| project.file(id).kind == FileKind::Python)
        .map(|id| {
            let text = files.iter().find(|(path, _)| *path == &*project.file(id).path).unwrap().1;
            (id, python::parse(text).unwrap())
        })
        .collect();
    let resolver = PythonImports::new(&project);
    let program = Program::new(&project, modules, &resolver);
    let stacks = Stacks::default();
    let links = graph::links(&program, &stacks);
    look(&mut Evaluator::new(&program, &stacks, &links))
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

fn calls(files: &[(&str, &str)], path: &str, wanted: &str) {
    let found = called(files, path);
    assert!(found.iter().any(|call| call == wanted), "{wanted} in {found:?}");
}

/// The constant texts of the variables of a file.
fn texts(text: &str) -> Vec<(String, Option<String>)> {
    with(&[("a.py", text)], |evaluator| {
        let program = evaluator.program;
        let module = program.ids().next().unwrap();
        let hir = program.module(module);
        let mut found = Vec::new();
        for symbol in &hir.symbols {
            let crate::syntax::hir::Definition::Variable { init, .. } = symbol.definition else { continue };
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
    calls(&files, "app/routes.py", "fastapi.FastAPI().get");
    calls(&files, "app/more.py", "fastapi.FastAPI().put");
    calls(&files, "app/more.py", "fastapi.FastAPI().post");
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
    for method in ["get", "put", "post"] {
        calls(&files, "src/shop/main.py", &format!("fastapi.APIRouter().{method}"));
    }
    calls(&files, "run/main.py", "fastapi.APIRouter().patch");
    for path in ["os.path.join", "os.getenv", "django.db.models.Q"] {
        calls(&files, "tool.py", path);
    }
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
    calls(&files, "a.py", "sqlalchemy.create_engine().connect");
    calls(&files, "a.py", "pydantic_settings.BaseSettings().model_dump");
    calls(&files, "b.py", "sqlalchemy.create_engine().begin");
    calls(&files, "b.py", "builtins.print");
    calls(&files, "c.py", "os.getenv");
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
    calls(&files, "app/requests.py", "requests.get");
    calls(&files, "app/other.py", "requests.put");
    calls(&files, "app/cache.py", "redis.Redis");
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
    let files = [("a.py", text)];
    for path in [
        "httpx.Client().get",
        "sqlalchemy.orm.Session.execute",
        "sqlalchemy.orm.Session.commit",
        "sqlalchemy.orm.Session.rollback",
        "httpx.AsyncClient().post",
    ] {
        calls(&files, "a.py", path);
    }
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
    calls(&[("a.py", text)], "a.py", "sqlalchemy.orm.Session.get");
    calls(&[("a.py", text)], "a.py", "sqlalchemy.orm.Session.add");
    calls(&[("a.py", text)], "a.py", "fastapi.Depends");
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
