"""A whole Django site in one file: two addresses, no database."""

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

VERSION = "1"
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-tests")
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_settings"
USE_TZ = True
DATABASES: dict[str, dict[str, str]] = {}


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"django {os.environ.get('VERSION', VERSION)}\n", content_type="text/plain")


def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [path("", index), path("health", health)]
