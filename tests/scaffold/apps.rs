//! Services to scaffold in, and ways to look at them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("readycheck").unwrap();
    command.current_dir(folder).arg("scaffold").args(arguments).timeout(std::time::Duration::from_secs(120));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

pub fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A copy of a fixture in a folder of its own.
pub fn fixture(name: &str) -> TempDir {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name))
}

/// A copy of a folder's files.
pub fn copy(source: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(source).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let inside = entry.path().strip_prefix(source).unwrap();
        let target = folder.path().join(inside);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(entry.path(), target).unwrap();
    }
    folder
}

/// A small JavaScript service that uses `require`, tabs and single quotes, and its own server file.
pub fn classic() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "package.json",
        "{\n  \"name\": \"classic\",\n  \"main\": \"app.js\",\n  \"scripts\": { \"start\": \"node app.js\" },\n  \"dependencies\": {\n    \"express\": \"^4.21.2\"\n  }\n}\n",
    );
    write(
        folder.path(),
        "app.js",
        "'use strict'\n\nconst express = require('express')\n\nconst app = express()\napp.get('/items', (req, res) => {\n\tres.json([])\n})\n\napp.listen(3000)\n",
    );
    folder
}

pub fn git(root: &Path, arguments: &[&str]) {
    let mut command = std::process::Command::new("git");
    command.arg("-C").arg(root).args(["-c", "user.name=a", "-c", "user.email=a@b.test"]).args(arguments);
    assert!(command.output().unwrap().status.success());
}

pub fn commit_all(root: &Path) {
    git(root, &["init", "-q"]);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
}

/// Every file with its bytes, `.git` left out.
pub fn bytes(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(root).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let own = files.map(|entry| {
        let path = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
        (path, fs::read(entry.path()).unwrap())
    });
    own.filter(|(path, _)| !path.starts_with(".git/")).collect()
}

pub fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The same with `import`, in TypeScript or not, and more of a service: two routers' worth of routes and a body.
pub fn modern(typescript: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let extension = if typescript { "ts" } else { "js" };
    let types = if typescript { ", \"devDependencies\": { \"typescript\": \"^5.9.3\" }" } else { "" };
    let manifest = format!(
        "{{ \"name\": \"modern\", \"type\": \"module\", \"scripts\": {{ \"start\": \"node src/index.js\" }}, \"dependencies\": {{ \"express\": \"^5.1.0\" }}{types} }}\n"
    );
    write(folder.path(), "package.json", &manifest);
    write(
        folder.path(),
        &format!("src/app.{extension}"),
        "import express from \"express\";\n\nimport { items } from \"./routes/items.js\";\n\nexport const app = express();\n\napp.use(express.json());\napp.use(\"/items\", items);\n",
    );
    write(
        folder.path(),
        &format!("src/routes/items.{extension}"),
        "import { Router } from \"express\";\n\nexport const items = Router();\n\nitems.get(\"/\", (req, res) => {\n  res.json([]);\n});\n\nitems.post(\"/\", (req, res) => {\n  res.status(201).json(req.body);\n});\n",
    );
    write(folder.path(), &format!("src/index.{extension}"), "import { app } from \"./app.js\";\n\napp.listen(3000);\n");
    folder
}

/// A Next.js service, beside `src` or below it, in TypeScript or not, with handlers of several shapes.
pub fn nextjs(typescript: bool, below_src: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (extension, markup) = if typescript { ("ts", "tsx") } else { ("js", "jsx") };
    let base = if below_src { "src/" } else { "" };
    let types = if typescript { ", \"devDependencies\": { \"typescript\": \"^5.9.3\" }" } else { "" };
    let manifest = format!(
        "{{ \"name\": \"pages\", \"scripts\": {{ \"start\": \"next start\" }}, \"dependencies\": {{ \"next\": \"^15.5.6\", \"react\": \"^19.2.0\", \"react-dom\": \"^19.2.0\" }}{types} }}\n"
    );
    write(root, "package.json", &manifest);
    let options = format!("{{ \"compilerOptions\": {{ \"paths\": {{ \"@/*\": [\"./{base}*\"] }} }} }}\n");
    write(root, if typescript { "tsconfig.json" } else { "jsconfig.json" }, &options);
    write(
        root,
        &format!("{base}app/layout.{markup}"),
        "export default function Layout({ children }) {\n  return <html><body>{children}</body></html>\n}\n",
    );
    write(
        root,
        &format!("{base}app/api/items/route.{extension}"),
        "import { all, add } from '@/lib/items'\n\nexport const GET = async () => Response.json(all())\n\nexport async function POST(request) {\n  const { name } = await request.json()\n  return Response.json(add(name), { status: 201 })\n}\n",
    );
    write(
        root,
        &format!("{base}app/api/items/latest/route.{extension}"),
        "import { all } from '@/lib/items'\n\nexport const runtime = 'edge'\n\nexport function GET() {\n  return Response.json(all().at(-1))\n}\n",
    );
    write(
        root,
        &format!("{base}lib/items.{extension}"),
        "const items = []\n\nexport const all = () => items\n\nexport function add(name) {\n  items.push(name)\n  return name\n}\n",
    );
    folder
}

/// A Next.js 16 service with a proxy of its own and a configuration inside of calls.
pub fn nextjs_wrapped() -> TempDir {
    let folder = nextjs(true, true);
    let root = folder.path();
    let manifest = text(root, "package.json").replace("^15.5.6", "^16.0.0");
    write(root, "package.json", &manifest);
    write(
        root,
        "next.config.mjs",
        "import withAnalyzer from '@next/bundle-analyzer'\n\n/** @type {import('next').NextConfig} */\nconst config = { reactStrictMode: true }\n\nexport default withAnalyzer({ enabled: false })(config)\n",
    );
    write(
        root,
        "src/proxy.ts",
        "import { NextResponse } from 'next/server'\n\nexport function proxy() {\n  return NextResponse.next()\n}\n\nexport const config = { matcher: ['/account/:path*'] }\n",
    );
    folder
}

/// A service that has what a module is about; most are about every service.
pub fn with_what_it_is_for(module: &str, app: TempDir) -> TempDir {
    let is_node = app.path().join("package.json").exists();
    match module {
        "db-pool" if is_node => with_pool(app.path()),
        "env-validation" if app.path().join("config/settings/base.py").exists() => with_unchecked_settings(app.path()),
        "money-decimal-migration" if !is_node => with_prices(app.path()),
        _ => {}
    }
    app
}

/// Settings that no library checks as it reads them.
fn with_unchecked_settings(root: &Path) {
    let edit = |path: &str, pairs: &[(&str, &str)]| {
        let edited = pairs.iter().fold(text(root, path), |text, (from, to)| text.replace(from, to));
        write(root, path, &edited);
    };
    edit("pyproject.toml", &[("\"django-environ>=0.12\", ", "")]);
    let database = "{'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['DATABASE_NAME']}}";
    edit(
        "config/settings/base.py",
        &[
            ("from pathlib", "import os\nfrom pathlib"),
            ("import environ\n\nenv = environ.Env()\n", ""),
            ("env('SECRET_KEY')", "os.environ['SECRET_KEY']"),
            ("{'default': env.db('DATABASE_URL')}", database),
        ],
    );
    let hosts = [
        ("from .base", "import os\n\nfrom .base"),
        ("env.list('ALLOWED_HOSTS')", "os.environ['ALLOWED_HOSTS'].split(',')"),
    ];
    edit("config/settings/production.py", &hosts);
}

/// Models with an inexact price, and the revision that made their table.
fn with_prices(root: &Path) {
    write(
        root,
        "models.py",
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n\n\nclass Base(DeclarativeBase):\n    pass\n\n\nclass Item(Base):\n    __tablename__ = \"items\"\n\n    id: Mapped[int] = mapped_column(primary_key=True)\n    price: Mapped[float] = mapped_column(sa.Float)\n",
    );
    write(
        root,
        "migrations/versions/0001_items.py",
        "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = \"0001\"\ndown_revision = None\n\n\ndef upgrade() -> None:\n    op.create_table(\n        \"items\",\n        sa.Column(\"id\", sa.Integer(), primary_key=True),\n        sa.Column(\"price\", sa.Float(), nullable=False),\n    )\n",
    );
}

/// An entry file that asks a pool of PostgreSQL.
fn with_pool(root: &Path) {
    let manifest = text(root, "package.json").replace("\"express\":", "\"pg\": \"^8.16.3\", \"express\":");
    write(root, "package.json", &manifest);
    let (main, import, export) = match ["src/app.ts", "src/app.js"].into_iter().find(|path| root.join(path).exists()) {
        Some(path) => (
            path,
            "import { pool } from \"./pool.js\";\n",
            "import { Pool } from \"pg\";\n\nexport const pool = new Pool({ connectionString: process.env.DATABASE_URL });\n",
        ),
        None => (
            "app.js",
            "const { pool } = require('./pool')\n",
            "const { Pool } = require('pg')\n\nconst pool = new Pool({ connectionString: process.env.DATABASE_URL })\n\nmodule.exports = { pool }\n",
        ),
    };
    let code = format!("{import}{}", text(root, main)).replacen(
        "(req, res) => {",
        "async (req, res) => {\n  await pool.query('SELECT 1')",
        1,
    );
    write(root, main, &format!("{code}\npool.on('error', () => {{}})\n"));
    write(root, &main.replace("app.", "pool."), export);
}
