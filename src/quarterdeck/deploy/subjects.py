"""What a person means by a word that says where: one thing of ours by its id, or a place in the words of access."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.access import Place, places
from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.resources import resources
from quarterdeck.fleet.servers import servers
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace import environments, projects

FINDERS: Mapping[str, Callable[[Tx, str], Any]] = {
    "prj": projects.find,
    "env": environments.find,
    "srv": servers.find,
    "res": resources.find,
    "dep": deployments.find,
}
"""By what the id begins with."""


def place(tx: Tx, text: str) -> Place:
    """Where that is: nothing is the whole organization, as is everything that permissions are not narrowed to. In a
    project its members and maintainers of agent tasks have what they are given there.
    Raises `NotFound` for an id of which the caller's organization has nothing, `Invalid` (`place_malformed`).
    """
    text = text.strip()
    find = FINDERS.get(text.partition("_")[0]) if "_" in text and not {"=", "/"} & set(text) else None
    if find is not None:
        found = find(tx, text)
        return Place(project_id=found.id) if find is projects.find else places.HERE
    return places.read(text) if text else places.HERE
