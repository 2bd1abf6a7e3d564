"""What the deployments in the tests share. GALLERY_ROOT is where files are collected and uploaded."""

import os
from pathlib import Path

BASE = Path(__file__).resolve().parent
ROOT = Path(os.environ.get("GALLERY_ROOT", "/tmp/gallery"))

SECRET_KEY = "no secret: this site exists only in tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "gallery.urls"
WSGI_APPLICATION = "gallery.wsgi.application"
USE_TZ = True

INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "static"
STATICFILES_DIRS = [BASE / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = ROOT / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}

# The server in front says by which scheme the client came.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
