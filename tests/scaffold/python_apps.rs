//! FastAPI services to scaffold in, each laid out in another way.

use tempfile::TempDir;

use crate::apps::write;

fn service(files: &[(&str, &str)]) -> TempDir {
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

/// The usual Django project: settings in one file, pages and REST framework, nothing of its own to log or answer errors.
pub fn django() -> TempDir {
    service(&[
        ("requirements.txt", "Django==5.2.8\ndjangorestframework==3.16.1\npsycopg[binary]==3.2.12\n"),
        (
            "manage.py",
            "#!/usr/bin/env python\nimport os\nimport sys\n\nif __name__ == \"__main__\":\n    os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")\n    from django.core.management import execute_from_command_line\n\n    execute_from_command_line(sys.argv)\n",
        ),
        ("shop/__init__.py", ""),
        (
            "shop/settings.py",
            "import os\nfrom pathlib import Path\n\nBASE_DIR = Path(__file__).resolve().parent.parent\nSECRET_KEY = os.environ[\"SECRET_KEY\"]\nDEBUG = os.environ.get(\"DEBUG\", \"false\") == \"true\"\nALLOWED_HOSTS = [\"shop.example.com\"]\n\nINSTALLED_APPS = [\n    \"django.contrib.auth\",\n    \"django.contrib.contenttypes\",\n    \"rest_framework\",\n    \"items\",\n]\n\nMIDDLEWARE = [\n    \"django.middleware.security.SecurityMiddleware\",\n    \"django.middleware.common.CommonMiddleware\",\n    \"django.contrib.auth.middleware.AuthenticationMiddleware\",\n]\n\nROOT_URLCONF = \"shop.urls\"\nWSGI_APPLICATION = \"shop.wsgi.application\"\n\nDATABASES = {\n    \"default\": {\n        \"ENGINE\": \"django.db.backends.postgresql\",\n        \"NAME\": \"shop\",\n        \"HOST\": os.environ[\"DB_HOST\"],\n    }\n}\n\nREST_FRAMEWORK = {\n    \"DEFAULT_PERMISSION_CLASSES\": [\"rest_framework.permissions.IsAuthenticated\"],\n}\n",
        ),
        (
            "shop/urls.py",
            "from django.urls import include, path\n\nurlpatterns = [\n    path(\"items/\", include(\"items.urls\")),\n]\n",
        ),
        (
            "shop/wsgi.py",
            "import os\n\nfrom django.core.wsgi import get_wsgi_application\n\nos.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")\n\napplication = get_wsgi_application()\n",
        ),
        ("items/__init__.py", ""),
        (
            "items/models.py",
            "from django.db import models\n\n\nclass Item(models.Model):\n    name = models.CharField(max_length=80)\n",
        ),
        (
            "items/views.py",
            "from rest_framework import serializers, viewsets\n\nfrom .models import Item\n\n\nclass ItemSerializer(serializers.ModelSerializer):\n    class Meta:\n        model = Item\n        fields = [\"name\"]\n\n\nclass ItemViewSet(viewsets.ModelViewSet):\n    queryset = Item.objects.order_by(\"id\")\n    serializer_class = ItemSerializer\n",
        ),
        (
            "items/urls.py",
            "from rest_framework.routers import DefaultRouter\n\nfrom .views import ItemViewSet\n\nrouter = DefaultRouter()\nrouter.register(\"\", ItemViewSet)\n\nurlpatterns = router.urls\n",
        ),
    ])
}

/// Settings in several files, with an environment library and single quotes, and pages without an API.
pub fn django_split() -> TempDir {
    service(&[
        (
            "pyproject.toml",
            "[project]\nname = \"blog\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"django>=5.2\", \"django-environ>=0.12\", \"gunicorn>=23\", \"psycopg[binary]>=3.2\"]\n\n[dependency-groups]\ndev = [\"pytest-django>=4.11\"]\n",
        ),
        ("uv.lock", "version = 1\n"),
        (
            "manage.py",
            "#!/usr/bin/env python\nimport os\nimport sys\n\nif __name__ == '__main__':\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.local')\n    from django.core.management import execute_from_command_line\n\n    execute_from_command_line(sys.argv)\n",
        ),
        ("config/__init__.py", ""),
        ("config/settings/__init__.py", ""),
        (
            "config/settings/base.py",
            "from pathlib import Path\n\nimport environ\n\nenv = environ.Env()\nBASE_DIR = Path(__file__).resolve().parent.parent.parent\nSECRET_KEY = env('SECRET_KEY')\n\nINSTALLED_APPS = [\n    'django.contrib.auth',\n    'django.contrib.contenttypes',\n    'django.contrib.sessions',\n    'posts',\n]\n\nMIDDLEWARE = [\n    'django.middleware.security.SecurityMiddleware',\n    'django.contrib.sessions.middleware.SessionMiddleware',\n    'django.middleware.common.CommonMiddleware',\n    'django.middleware.clickjacking.XFrameOptionsMiddleware'\n]\n\nROOT_URLCONF = 'config.urls'\nDATABASES = {'default': env.db('DATABASE_URL')}\nADMINS = [('Ann', 'ann@example.com')]\n",
        ),
        ("config/settings/local.py", "from .base import *\n\nDEBUG = True\nALLOWED_HOSTS = ['localhost']\n"),
        (
            "config/settings/production.py",
            "from .base import *\n\nDEBUG = False\nALLOWED_HOSTS = env.list('ALLOWED_HOSTS')\nSECURE_SSL_REDIRECT = True\n",
        ),
        (
            "config/urls.py",
            "from django.urls import path\n\nfrom posts.views import index, take\n\nurlpatterns = [\n    path('', index),\n    path('take', take),\n]\n",
        ),
        (
            "config/wsgi.py",
            "import os\n\nfrom django.core.wsgi import get_wsgi_application\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.production')\n\napplication = get_wsgi_application()\n",
        ),
        ("posts/__init__.py", ""),
        (
            "posts/models.py",
            "from django.db import models\n\n\nclass Post(models.Model):\n    title = models.CharField(max_length=80)\n",
        ),
        (
            "posts/views.py",
            "from django.http import HttpResponse\nfrom django.views.decorators.http import require_POST\n\nfrom .models import Post\n\n\ndef index(request):\n    return HttpResponse(Post.objects.count())\n\n\n@require_POST\ndef take(request):\n    Post.objects.create(title=request.POST['title'])\n    return HttpResponse(status=201)\n",
        ),
    ])
}
