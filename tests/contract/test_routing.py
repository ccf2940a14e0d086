"""Every route is reached by its own address, whatever its parameters are called."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.exceptions import MethodNotAllowedException, NotFoundException

from contract.deploy_app import served, whole_surface
from quarterdeck.surfaces.addresses import DIALECTS, rewritten

ROUTES = json.loads((Path(__file__).resolve().parents[2] / "contract" / "routes.json").read_text())

# A literal that stands beside a parameter is no value of it where the parameter is an id (prefix_…). Values of these
# parameters are chosen by people, so no word may be hidden from them.
CHOSEN_FREELY = {"key", "token"}


@pytest.fixture(scope="module")
def app() -> Litestar:
    return whole_surface()


@pytest.fixture(scope="module", params=["documented", "served"])
def either(request: pytest.FixtureRequest, app: Litestar) -> Litestar:
    """Every documented operation of deploy; every route of every surface that the program serves."""
    return app if request.param == "documented" else served()


def declared(app: Litestar) -> list[tuple[str, str]]:
    return [
        (handler.opt["endpoint"].method, handler.opt["endpoint"].path)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if "endpoint" in handler.opt
    ]


def reached(app: Litestar, method: str, path: str) -> str | None:
    """The declared path of the handler that a request reaches."""
    try:
        _, handler, *_ = app.asgi_router.handle_routing(path=path, method=method)
    except (NotFoundException, MethodNotAllowedException):
        return None
    return handler.opt["endpoint"].path if "endpoint" in handler.opt else None


def test_every_route_is_reached_by_an_ordinary_address(either) -> None:
    for method, path in declared(either):
        assert reached(either, method, re.sub(r"{\w+}", "x_1", path)) == path


def test_a_parameter_that_spells_a_literal_still_reaches_a_documented_route(either) -> None:
    """Litestar takes a literal before a parameter and never goes back: no family below a parameter may be hidden."""
    literals: dict[tuple[str, ...], set[str]] = defaultdict(set)
    routes = declared(either)
    for _, path in routes:
        parts = path.strip("/").split("/")
        for index, part in enumerate(parts):
            if not part.startswith("{"):
                literals[tuple(re.sub(r"{\w+}", "{}", piece) for piece in parts[:index])].add(part)
    hidden = set()
    for method, path in routes:
        parts = path.strip("/").split("/")
        for index, part in enumerate(parts):
            if not part.startswith("{"):
                continue
            for literal in literals[tuple(re.sub(r"{\w+}", "{}", piece) for piece in parts[:index])]:
                filled = [*parts[:index], literal, *parts[index + 1 :]]
                asked = "/" + "/".join("x_1" if piece.startswith("{") else piece for piece in filled)
                found = reached(either, method, asked)
                if found is None:
                    hidden.add((method, path, part.strip("{}"), literal))
                else:
                    assert found == path or found.strip("/").split("/")[index] == literal, (method, asked, found)
    assert all("_" not in literal for *_, literal in hidden)
    assert {entry for entry in hidden if entry[2] in CHOSEN_FREELY} == set()


def test_every_documented_root_path_reaches_its_route_below_api(app) -> None:
    for route in ROUTES:
        if route["surface"] == "deploy":
            path = rewritten(route["method"], re.sub(r"{\w+}", "x_1", route["path"]))
            assert reached(app, route["method"], path) is not None, route


def test_no_documented_route_of_another_surface_is_rewritten() -> None:
    for route in ROUTES:
        if route["surface"] != "deploy":
            path = re.sub(r"{\w+}", "x_1", route["path"])
            assert rewritten(route["method"], path) == path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/console",
        "/console/projects",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/api/v1/projects",
        "/ws/pty/1",
        "/cli/login",
        "/api",
        "/api/projects",
        "/api/runners/register",
        "/nowhere/projects",
    ],
)
def test_these_addresses_are_left_alone(path: str) -> None:
    assert rewritten("GET", path) == path


@pytest.mark.parametrize(
    ("method", "alias", "canonical"),
    [
        ("GET", "/projects", "/api/projects"),
        ("GET", "/projects/", "/api/projects"),
        ("GET", "//projects//prj_1", "/api/projects/prj_1"),
        ("GET", "/system/doctor", "/api/system/doctor"),
        ("GET", "/api/cli/runners", "/api/cli/workers"),
        ("GET", "/api/cli/runners/1", "/api/cli/workers/1"),
        ("POST", "/api/cli/runners/register", "/api/cli/workers"),
        ("POST", "/api/runners/heartbeat", "/api/workers/heartbeat"),
        ("POST", "/api/runners/register/x", "/api/workers/register/x"),
        ("POST", "/api/releases/runner", "/api/releases/worker"),
        ("GET", "/api/web/workers/1/tasks", "/api/web/machines/1/tasks"),
        ("PUT", "/api/admin/workers/1", "/api/admin/machines/1"),
        ("PUT", "/api/auth/me", "/api/users/profile"),
        ("GET", "/api/auth/status", "/api/auth/setup-required"),
        ("POST", "/api/auth/change-password", "/api/users/password"),
        ("POST", "/api/users/invite", "/api/users"),
        ("POST", "/api/auth/accept-invite", "/api/auth/invite/-"),
        ("POST", "/api/auth/reset-password", "/api/auth/password-reset/-"),
        ("GET", "/api/auth/me", "/api/auth/me"),
    ],
)
def test_aliases_lead_to_the_canonical_address(method: str, alias: str, canonical: str) -> None:
    assert rewritten(method, alias) == canonical
    assert rewritten(method, canonical) == canonical


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/api/projects/x", "deploy"),
        ("/api/auth/login", "shared"),
        ("/api/auth/refresh", "tasks"),
        ("/api/auth/setup", "runbooks"),
        ("/api/auth/sign-in/email", "deploy"),
        ("/api/auth/cli/exchange", "infra"),
        ("/api/jobs", "jobs"),
        ("/api/jobs/0a1b2c3d", "runbooks"),
        ("/api/jobs/01890a5d-ac96-774b-bcce-b302099a8057/logs", "infra"),
        ("/api/workers/healthz", "tasks"),
        ("/api/workers/register", "shared"),
        ("/api/workers/jobs/claim", "infra"),
        ("/api/health", "deploy"),
        ("/api/health/summary", "runbooks"),
        ("/api/system/doctor", "deploy"),
        ("/api/v1/nowhere", "broker"),
        ("/healthz", "broker"),
        ("/ws/pty/1", "tasks"),
        ("/console/x", "console"),
        ("/nowhere", "deploy"),
    ],
)
def test_the_longest_prefix_chooses_the_dialect(path: str, dialect: str) -> None:
    assert DIALECTS.at(path).name == dialect


@pytest.mark.parametrize("path", ["", "*", "\\api\\projects", "api/projects"])
def test_an_address_without_a_leading_slash_is_left_as_it_is(path: str) -> None:
    assert rewritten("GET", path) == path
