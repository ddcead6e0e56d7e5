//! FastAPI services to scaffold in, each laid out in another way.

use tempfile::TempDir;

use crate::apps::write;

pub fn service(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

/// A package `app` with a router and a database, dependencies in `pyproject.toml`.
pub fn packaged() -> TempDir {
    service(&[
        (
            "pyproject.toml",
            "[project]\nname = \"shop\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\n    \"fastapi>=0.115,<1\",\n    \"sqlalchemy>=2.0\",\n    \"uvicorn>=0.32\",\n]\n",
        ),
        ("app/__init__.py", ""),
        (
            "app/db.py",
            "import os\n\nfrom sqlalchemy import create_engine, text\n\nengine = create_engine(os.environ[\"DATABASE_URL\"])\n\n\ndef count() -> int:\n    with engine.connect() as connection:\n        return connection.execute(text(\"SELECT count(*) FROM items\")).scalar_one()\n",
        ),
        ("app/routers/__init__.py", ""),
        (
            "app/routers/items.py",
            "from fastapi import APIRouter\nfrom pydantic import BaseModel\n\nfrom app.db import count\n\nrouter = APIRouter(prefix=\"/items\")\n\n\nclass Item(BaseModel):\n    name: str\n\n\n@router.post(\"/\")\nasync def create(item: Item) -> Item:\n    return item\n\n\n@router.get(\"/count\")\ndef show_count() -> int:\n    return count()\n",
        ),
        (
            "app/main.py",
            "from fastapi import FastAPI\n\nfrom app.routers import items\n\napp = FastAPI(title=\"Shop\")\n\napp.include_router(items.router)\n\n\n@app.get(\"/\")\nasync def root() -> dict[str, str]:\n    return {\"name\": \"shop\"}\n",
        ),
    ])
}

/// A package below `src` with an application factory, a lifespan of its own, async clients and relative imports.
pub fn factory() -> TempDir {
    service(&[
        (
            "pyproject.toml",
            "[project]\nname = \"shop\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"fastapi>=0.115\", \"redis>=5\", \"sqlalchemy[asyncio]>=2.0\", \"uvicorn\"]\n\n[dependency-groups]\ndev = [\"pytest>=8.3\"]\n",
        ),
        ("uv.lock", "version = 1\n"),
        ("src/shop/__init__.py", ""),
        (
            "src/shop/stores.py",
            "import os\n\nfrom redis.asyncio import Redis\nfrom sqlalchemy.ext.asyncio import create_async_engine\n\nengine = create_async_engine(\n    os.environ['DATABASE_URL'],\n    echo=False,\n)\ncache = Redis.from_url(os.environ['REDIS_URL'])\n",
        ),
        (
            "src/shop/items.py",
            "from fastapi import APIRouter\nfrom pydantic import BaseModel\nfrom sqlalchemy import text\n\nfrom .stores import cache, engine\n\nrouter = APIRouter(prefix='/items')\n\n\nclass Item(BaseModel):\n    name: str\n\n\n@router.post('/')\nasync def create(item: Item) -> Item:\n    await cache.set('latest', item.name)\n    return item\n\n\n@router.get('/count')\nasync def count() -> int:\n    async with engine.connect() as connection:\n        return (await connection.execute(text('SELECT 1'))).scalar_one()\n",
        ),
        (
            "src/shop/server.py",
            "from collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n\nfrom fastapi import FastAPI\n\nfrom .items import router\n\n\n@asynccontextmanager\nasync def lifespan(app: FastAPI) -> AsyncIterator[None]:\n    app.state.ready = True\n    yield\n\n\ndef create_app() -> FastAPI:\n    app = FastAPI(\n        title='Shop',\n        lifespan=lifespan,\n    )\n    app.include_router(router)\n    return app\n\n\napp = create_app()\n",
        ),
    ])
}

/// Everything in files beside each other, with event handlers and a list of requirements.
pub fn flat() -> TempDir {
    service(&[
        ("requirements.txt", "fastapi==0.115.6\nsqlalchemy==2.0.36\nuvicorn[standard]==0.32.1\n"),
        (
            "db.py",
            "import os\n\nfrom sqlalchemy import create_engine\nfrom sqlalchemy.orm import sessionmaker\n\nengine = create_engine(os.getenv(\"DATABASE_URL\", \"postgresql://localhost/shop\"))\nSessionLocal = sessionmaker(bind=engine)\n",
        ),
        (
            "main.py",
            "import os\n\nfrom fastapi import FastAPI\nfrom pydantic import BaseModel\n\nfrom db import SessionLocal\n\napp = FastAPI()\n\n\nclass Item(BaseModel):\n    name: str\n\n\n@app.on_event(\"startup\")\nasync def start() -> None:\n    app.state.name = os.getenv(\"SHOP_NAME\", \"shop\")\n\n\n@app.post(\"/items\")\nasync def create(item: Item) -> Item:\n    return item\n\n\n@app.get(\"/\")\ndef root() -> dict[str, bool]:\n    with SessionLocal() as session:\n        return {\"active\": session.is_active}\n",
        ),
    ])
}
