"""Dockerfiles and Compose files: what they say about ports, stages and services."""

from __future__ import annotations

import re

import yaml

from quarterdeck.deploy.detection.manifests import Manifests
from quarterdeck.deploy.detection.values import ComposeFacts, ComposeService, DockerfileFacts

COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
YAML_LIMIT = 262_144
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
    """Read service names and container ports, without constructing values: nodes cannot explode as aliases can."""
    name = path or manifests.first(*COMPOSE_NAMES)
    text = manifests.text(name, YAML_LIMIT) if name else None
    if name is None or text is None:
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        manifests.unreadable[name] = "is not valid YAML"
        return None
    services = _child(root, "services")
    if not isinstance(services, yaml.MappingNode):
        manifests.unreadable[name] = "holds no services"
        return None
    found = [
        ComposeService(key.value, _service_ports(node))
        for key, node in services.value
        if isinstance(key, yaml.ScalarNode) and key.value != "<<"
    ]
    return ComposeFacts(path=name, services=tuple(found[:200]))


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key), None)


def _service_ports(node: yaml.Node) -> tuple[int, ...]:
    words: list[str] = []
    for key in ("ports", "expose"):
        listed = _child(node, key)
        for item in listed.value[:100] if isinstance(listed, yaml.SequenceNode) else []:
            target = _child(item, "target") if isinstance(item, yaml.MappingNode) else item
            if isinstance(target, yaml.ScalarNode):
                words.append(target.value.rpartition(":")[2])
    return _ports(words)
