"""The detection table itself, retyped from the contract: planner, base image and what is run or published."""

from __future__ import annotations

import pytest

from deploy.detection.fixture_plans import planned

SERVERS = [
    ("nextjs", "nextjs", "node:22-alpine", "npm run build", "npm run start"),
    ("nextjs-standalone", "nextjs", "node:22-alpine", "npm run build", "node .next/standalone/server.js"),
    ("nextjs-bun", "nextjs", "oven/bun:1.3-alpine", "bun run build", "bun run start"),
    ("remix", "remix", "node:22-alpine", "npm run build", "npm run start"),
    ("nestjs", "node", "node:22-alpine", "npm run build", "npm run start:built"),
    ("express", "node", "node:22-alpine", None, "npm run start"),
    ("yarn", "node", "node:22-alpine", "yarn build", "yarn start"),
    ("fastapi", "fastapi", "python:3.11-slim", None, "python -m uvicorn main:app --host 0.0.0.0 --port 3000"),
    (
        "fastapi-uv",
        "fastapi",
        "ghcr.io/astral-sh/uv:python3.12-bookworm-slim",
        None,
        "python -m uvicorn main:app --host 0.0.0.0 --port 3000",
    ),
    ("django", "django", "python:3.11-slim", None, "python manage.py runserver 0.0.0.0:3000"),
    ("flask", "flask", "python:3.11-slim", None, "python -m flask --app app:app run --host 0.0.0.0 --port 3000"),
    (
        "generic-wsgi",
        "generic-wsgi",
        "python:3.11-slim",
        None,
        "python -m gunicorn server:application --bind 0.0.0.0:3000",
    ),
    (
        "java-maven",
        "java",
        "maven:3.9-eclipse-temurin-17",
        "mvn package -DskipTests",
        "java -Dserver.port=3000 -jar app.jar",
    ),
    ("java-gradle", "java", "gradle:8.12-jdk21", "gradle bootJar", "java -Dserver.port=3000 -jar app.jar"),
    ("ruby-sinatra", "ruby", "ruby:3.3-slim", None, "bundle exec ruby app.rb -o 0.0.0.0 -p 3000"),
    ("php-laravel", "php", "composer:2", None, "php artisan serve --host=0.0.0.0 --port=3000"),
    ("go-command", "go", "golang:1.23-bookworm", "go build -o app ./cmd/server", "./app"),
    (
        "dotnet",
        "dotnet",
        "mcr.microsoft.com/dotnet/sdk:9.0",
        "dotnet publish Shop.csproj -c Release -o out",
        "dotnet Shop.dll",
    ),
    ("rust-axum", "rust", "rust:1-bookworm", "cargo build --release", "./target/release/shop"),
    ("elixir-phoenix", "elixir", "elixir:1.17-slim", "mix release", "_build/prod/rel/shop/bin/shop start"),
]
STATIC = [
    ("nextjs-static", "nextjs-static", "out"),
    ("nuxt-static", "nuxt-static", ".output/public"),
    ("sveltekit-static", "sveltekit-static", "build"),
    ("astro-static", "astro-static", "dist"),
    ("angular-browser-builder", "angular-static", "public/panel"),
    ("vite-static", "vite-static", "dist"),
    ("vue-static", "vue-static", "dist"),
    ("solid-static", "solid-static", "dist"),
    ("svelte-static", "svelte-static", "public"),
    ("react-static", "react-static", "build"),
    ("static", "static", "."),
]


@pytest.mark.parametrize(("name", "planner", "image", "build", "start"), SERVERS)
def test_a_server_is_built_and_started_as_the_table_says(
    name: str, planner: str, image: str, build: str | None, start: str
) -> None:
    plan = planned(name, "docker-container")
    commands = {command.kind: command.command for command in plan.commands}
    assert plan.readiness.ready
    assert (plan.planner_key, plan.base_image, commands.get("build"), commands["start"]) == (
        planner,
        image,
        build,
        start,
    )


@pytest.mark.parametrize(("name", "planner", "directory"), STATIC)
def test_a_static_site_publishes_the_directory_of_the_table(name: str, planner: str, directory: str) -> None:
    plan = planned(name, "docker-container")
    assert plan.readiness.ready
    assert (plan.planner_key, plan.publish_directory, plan.internal_port) == (planner, directory, 80)
    assert (plan.build_strategy, plan.artifact_kind, plan.application_shape) == (
        "static-artifact",
        "static-server-image",
        "static",
    )


def test_the_shape_of_each_server_family_is_the_documented_one() -> None:
    assert planned("nextjs", "docker-container").application_shape == "ssr"
    assert planned("express", "docker-container").application_shape == "serverful-http"
    assert planned("dockerfile", "docker-container").application_shape == "container-native"
    assert planned("sveltekit-hybrid", "docker-container").application_shape == "hybrid-static-server"
