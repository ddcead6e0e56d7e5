//! Django services to scaffold in, each laid out in another way.

use tempfile::TempDir;

use crate::python_apps::service;

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
