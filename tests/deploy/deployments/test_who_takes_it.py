"""Which workers may take a deployment: those that can read its source and reach its server."""

from __future__ import annotations

import pytest

from quarterdeck.deploy.deployments.admission import source_capabilities
from quarterdeck.fleet.targets.machine import fingerprint


@pytest.mark.parametrize(
    ("kind", "locator"),
    [
        ("local-folder", "/srv/shop"),
        ("local-git", "/srv/shop.git"),
        ("git-public", "file:///srv/shop.git"),
        ("zip-artifact", "/srv/shop.zip"),
        ("zip-artifact", "file:///srv/shop.zip"),
    ],
)
def test_what_lies_on_this_machine_is_read_on_it(kind: str, locator: str) -> None:
    assert source_capabilities({"kind": kind, "locator": locator}) == {f"local:{fingerprint()}"}


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"kind": "git-public", "locator": "https://host/shop.git"},
        {"kind": "git-deploy-key", "locator": "git@host:shop.git"},
        {"kind": "zip-artifact", "locator": "https://host/shop.zip"},
        {"kind": "docker-image", "locator": "nginx:1"},
        {"kind": "dockerfile-inline", "locator": "/Dockerfile", "content": "FROM nginx:1"},
    ],
)
def test_what_is_elsewhere_is_read_from_anywhere(source: dict[str, str]) -> None:
    assert source_capabilities(source) == frozenset()
