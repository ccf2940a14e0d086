"""Applications of one organization share a network; nobody else's are on it."""

from __future__ import annotations

from types import SimpleNamespace

from quarterdeck.deploy.execution.starting import network_of


def order(instance: str, organization: str) -> SimpleNamespace:
    return SimpleNamespace(target=SimpleNamespace(instance=instance), organization=organization)


def test_each_organization_of_each_installation_has_a_network_of_its_own() -> None:
    one, other = "01a20173-fe68-7381-aeb9-e80837a3458b", "01a20173-fe68-7381-aeb9-e80837a30000"
    names = {network_of(order(instance, organization)) for instance in (one, other) for organization in ("1", "2")}
    assert names == {
        "quarterdeck-37a3458b-1", "quarterdeck-37a3458b-2", "quarterdeck-37a30000-1", "quarterdeck-37a30000-2",
    }  # fmt: skip
