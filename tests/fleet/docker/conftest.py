"""The engine that these tests use."""

from __future__ import annotations

from real.fixtures import docker_host, engine, mine

__all__ = ["docker_host", "engine", "mine"]
