"""Every kind of application that the samples stand for goes from its repository to an address that answers."""

from __future__ import annotations

import pytest

from e2e.client import Client
from e2e.repositories import Repositories
from e2e.server import Deck
from e2e.truth import settled

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

SAMPLES = [
    ("flask", 3000, "auto", "flask 1\n"),
    ("fastapi", 3000, "auto", "fastapi 1\n"),
    ("django", 3000, "auto", "django 1\n"),
    ("wsgi", 3000, "auto", "wsgi 1\n"),
    ("express", 3000, "auto", "express 1\n"),
    ("vite", 80, "auto", ">vite 1<"),
    ("static", 80, "auto", ">static 1<"),
    ("dockerfile", 3000, "auto", "dockerfile 1\n"),
]
HEALTH = {"vite": "/health.html", "static": "/health.html"}


@pytest.mark.parametrize(("app", "port", "strategy", "answer"), SAMPLES, ids=[sample[0] for sample in SAMPLES])
def test_a_sample_is_deployed_from_git_and_answers_through_the_edge(
    shipyard: Deck, client: Client, repositories: Repositories, app: str, port: int, strategy: str, answer: str
) -> None:
    source = repositories.sample(app).source()
    application = client.application(app, source, port=port, runtime={"strategy": strategy})
    deployment = client.deployed(application)
    host = client.hostname(deployment)
    visited = client.visit(host)
    assert visited.status_code == 200
    assert answer in visited.text
    assert client.visit(host, HEALTH.get(app, "/health")).status_code == 200
    settled(shipyard, client, application, deployment)
