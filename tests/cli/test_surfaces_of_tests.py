"""The surfaces that the command line's tests talk to let nothing pass that their contract does not know."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from cli.infra.infra_api import InfraApi
from fakes.surface_api import SurfaceApi
from fakes.tasks_api import TasksApi

READ = {TasksApi: "/api/web/machines", InfraApi: "/api/cli/zones"}
CHANGE = {TasksApi: "/api/web/notifications/read-all", InfraApi: "/api/cli/zones"}


@pytest.fixture(params=[TasksApi, InfraApi])
def surface(request: pytest.FixtureRequest) -> Iterator[SurfaceApi]:
    with request.param() as made:
        yield made


def send(surface: SurfaceApi, method: str, path: str, body: object = None, token: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token or surface.token}"}
    return httpx.request(method, surface.url + path, json=body, headers=headers, trust_env=False)


def test_what_the_contract_knows_is_answered_and_remembered(surface: SurfaceApi) -> None:
    assert send(surface, "GET", READ[type(surface)]).status_code == 200
    assert (len(surface.calls), surface.changes(), surface.wrong) == (1, [], [])


@pytest.mark.parametrize(
    ("method", "more", "body", "status"),
    [
        ("GET", "/else/where/than", None, 404),
        ("DELETE", "", None, 404),
        ("GET", "?unheard=of", None, 400),
        ("GET", "", {"a": 1}, 400),
    ],
)
def test_what_it_does_not_know_is_refused_and_fails_the_test(
    surface: SurfaceApi, method: str, more: str, body: object, status: int
) -> None:
    assert send(surface, method, READ[type(surface)] + more, body).status_code == status
    assert len(surface.wrong) == 1
    assert surface.calls == []


def test_a_field_that_a_body_does_not_have_is_refused(surface: SurfaceApi) -> None:
    assert send(surface, "POST", CHANGE[type(surface)], {"unheard": "of"}).status_code == 400
    assert (len(surface.wrong), surface.calls) == (1, [])


def test_nobody_is_known_by_another_credential(surface: SurfaceApi) -> None:
    assert send(surface, "GET", READ[type(surface)], token="another").status_code == 401
    assert (surface.wrong, surface.calls) == ([], [])


def test_a_list_of_jobs_says_whose_they_are() -> None:
    with InfraApi() as surface:
        assert send(surface, "GET", "/api/jobs").status_code == 400
        assert surface.wrong == ["jobs: whose jobs is not said"]
