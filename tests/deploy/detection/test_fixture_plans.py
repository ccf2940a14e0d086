"""Every row of the detection table, from a source tree to the whole plan."""

from __future__ import annotations

import json

import pytest

from deploy.detection.fixture_plans import FIXTURES, as_expected

# What the contract's table lists, row by row: framework variants, version files and package managers.
TABLE = {
    "next": ("nextjs", "nextjs-standalone", "nextjs-bun"),
    "next export": ("nextjs-static", "nextjs-export-script", "nextjs-static-strategy"),
    "remix": ("remix",),
    "nuxt": ("nuxt-static", "nuxt-static-strategy", "nuxt-server"),
    "sveltekit": ("sveltekit-hybrid", "sveltekit-static", "sveltekit-start-command"),
    "astro": ("astro-static",),
    "angular": ("angular-static", "angular-browser-builder", "angular-several-applications"),
    "view libraries": ("vite-static", "vue-static", "vue-vite", "solid-static", "svelte-static", "react-static"),
    "node servers": ("express", "fastify", "hono", "koa", "nestjs", "node-plain", "node-without-start"),
    "node managers": ("npm-lock", "pnpm", "pnpm-workspace", "yarn", "yarn-modern", "bun", "package-manager-field-wins"),
    "node versions": ("node-version-file", "node-nvmrc", "node-engines"),
    "fastapi": ("fastapi", "fastapi-nested", "fastapi-ambiguous", "fastapi-missing-app", "fastapi-uv"),
    "django": ("django", "django-gunicorn", "django-with-assets", "django-without-manage"),
    "flask": ("flask", "flask-other-module", "flask-missing-app"),
    "generic python": ("generic-asgi", "generic-wsgi", "generic-wsgi-without-server"),
    "python managers": ("python-requirements", "python-pyproject", "python-poetry", "python-uv"),
    "python files alone": ("python-script", "python-script-started", "generic-wsgi-script"),
    "python": ("python-without-start", "python-version-file", "worker-without-port"),
    "java": ("java-maven", "java-maven-wrapper", "java-gradle", "java-gradle-kotlin-wrapper", "java-committed-jar"),
    "java frameworks": ("java-quarkus", "java-micronaut", "java-both-tools", "java-without-jar"),
    "ruby": ("ruby-rails", "ruby-sinatra", "ruby-rack"),
    "php": ("php-laravel", "php-symfony", "php-plain"),
    "go": ("go-gin", "go-echo", "go-fiber", "go-chi", "go-command", "go-several-commands"),
    "dotnet": ("dotnet", "dotnet-global-json", "dotnet-console"),
    "rust": ("rust-axum", "rust-actix-web", "rust-rocket", "rust-toolchain"),
    "elixir": ("elixir-phoenix",),
    "static": ("static", "static-strategy", "static-directory-missing", "static-output-missing", "static-python-built"),
    "static build": ("static-build-missing",),
    "dockerfile": (
        "dockerfile",
        "dockerfile-without-port",
        "dockerfile-path-and-stage",
        "dockerfile-missing",
        "dockerfile-inline",
    ),
    "compose": ("compose", "compose-ambiguous", "compose-target-service"),
    "image": ("image", "image-without-port", "image-wrong-strategy"),
    "explicit commands": ("node-explicit-commands", "workspace-commands", "build-secrets", "custom"),
    "nothing to go by": ("unknown", "empty", "broken-package-json"),
}
ROWS = sorted(name for names in TABLE.values() for name in names)


@pytest.mark.parametrize("name", ROWS)
def test_a_source_of_the_table_gives_the_reviewed_plan(name: str) -> None:
    assert as_expected(name) == json.loads((FIXTURES / name / "expected.json").read_text())


def test_every_row_has_a_fixture_and_every_fixture_a_row() -> None:
    fixtures = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
    assert fixtures == ROWS
    assert len(ROWS) == len(set(ROWS))
