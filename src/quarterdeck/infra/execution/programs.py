"""Which programs for infrastructure jobs a machine has, looked at once, when its worker starts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import Iterable, Mapping

from quarterdeck.infra.execution import commands
from quarterdeck.infra.execution.versions import Name

NAMES: tuple[Name, ...] = ("tofu", "terraform")
WORD = "infra:program:"
"""Begins the words by which a worker says what it has (`infra:program:terraform:1.11.4`)."""
SECONDS = 20.0


async def present(environment: Mapping[str, str]) -> dict[str, str]:
    """The version of each program that the PATH finds and that says one."""
    found: dict[str, str] = {}
    for name in NAMES:
        path = shutil.which(name, path=environment.get("PATH", ""))
        version = await _version(path, environment) if path is not None else None
        if version is not None:
            found[name] = version
    return found


async def _version(path: str, environment: Mapping[str, str]) -> str | None:
    given = {name: environment[name] for name in ("PATH", "HOME") if name in environment} | {"CHECKPOINT_DISABLE": "1"}
    with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError, TypeError):
        process = await asyncio.create_subprocess_exec(
            *commands.version(path),
            env=given,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(SECONDS):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return str(json.loads(output)["terraform_version"])[:40]
    return None


def words(found: Mapping[str, str]) -> frozenset[str]:
    return frozenset(f"{WORD}{name}:{version}" for name, version in found.items())


def told(offered: Iterable[str]) -> dict[str, str]:
    """What `words` said, of whatever else a worker offers."""
    said = (word.removeprefix(WORD).partition(":") for word in offered if word.startswith(WORD))
    return {name: version for name, _, version in said if name in NAMES and version}
