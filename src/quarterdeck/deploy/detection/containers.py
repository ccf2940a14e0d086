"""Dockerfiles and Compose files: where they are, and what Dockerfiles say about ports and stages."""

from __future__ import annotations

import re

from quarterdeck.deploy.detection.manifests import Manifests
from quarterdeck.deploy.detection.values import ComposeFacts, DockerfileFacts

COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_EXPOSE = re.compile(r"^[ \t]*EXPOSE[ \t]+(.+)$", re.IGNORECASE | re.MULTILINE)
_STAGE = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*\S+(?:[ \t]+AS[ \t]+([\w.-]+))?", re.IGNORECASE | re.MULTILINE)


def dockerfile_facts(manifests: Manifests, path: str | None) -> DockerfileFacts | None:
    """Read the named Dockerfile, else `Dockerfile`; None when it is missing or holds no FROM."""
    name = path or manifests.first("Dockerfile", "Containerfile")
    text = manifests.text(name) if name else None
    if name is None or text is None:
        return None
    stages = _STAGE.findall(text)
    if not stages:
        manifests.unreadable[name] = "holds no FROM instruction"
        return None
    final = text[[match.start() for match in _STAGE.finditer(text)][-1] :]
    return DockerfileFacts(path=name, exposed_ports=_exposed(final), stages=tuple(dict.fromkeys(filter(None, stages))))


def _exposed(text: str) -> tuple[int, ...]:
    words = [word for line in _EXPOSE.findall(text) for word in line.split()]
    return _ports([word for word in words if not word.lower().endswith("/udp")])


def _ports(words: list[str]) -> tuple[int, ...]:
    numbers = (re.fullmatch(r"(\d{1,5})(?:/tcp)?", word, re.IGNORECASE) for word in words)
    found = [int(match.group(1)) for match in numbers if match]
    return tuple(dict.fromkeys(port for port in found if 0 < port < 65_536))


def compose_facts(manifests: Manifests, path: str | None) -> ComposeFacts | None:
    """Where the Compose file is; what it says is read once it is known that it is what will be deployed."""
    name = path or manifests.first(*COMPOSE_NAMES)
    return ComposeFacts(path=name) if name is not None and manifests.has(name) else None
