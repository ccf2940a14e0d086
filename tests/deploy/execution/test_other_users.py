"""What another user of the machine sees of a server that runs as root: what is published, and nothing beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.yard import Yard, program, site

pytestmark = [pytest.mark.edge, pytest.mark.root]
STRANGER = 64_777
LOOK = """
import json, os, sys
seen = []
for path in json.load(sys.stdin):
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            open(path, "rb").close()
    except OSError:
        continue
    seen.append(path)
print(json.dumps(seen))
"""


def seen_by_a_stranger(root: Path) -> list[str]:
    """Of everything below `root`, what a user of no group can list or read who knows every name."""
    every = [str(root)]
    for place, directories, files in os.walk(root):
        every += [os.path.join(place, name) for name in (*directories, *files)]  # noqa: PTH118 - words for a pipe
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
    done = subprocess.run(
        [python, "-I", "-c", LOOK],
        input=json.dumps(every).encode(),
        stdout=subprocess.PIPE,
        user=STRANGER,
        group=STRANGER,
        extra_groups=[],
        cwd="/",
        check=True,
    )
    return sorted(os.path.relpath(path, root) for path in json.loads(done.stdout))


async def test_only_what_is_published_is_seen(host: Yard) -> None:
    for name in ("releases", "deployments"):
        (host.root / name).mkdir(mode=0o755)  # as an earlier version left them
    process = host.order(**program(host.root, "a program"))
    await host.deploy(process)
    assert seen_by_a_stranger(host.root) == []
    await host.deploy(host.order(site(host.root, "a site")))
    assert await host.ask() == (200, "a site")
    seen = seen_by_a_stranger(host.root)
    assert any(path.endswith("/index.html") for path in seen)
    assert all(path.startswith("releases/") and "/tree" in path for path in seen), seen
    listed = [path for path in seen if (host.root / path).is_dir()]
    assert all(path.count("/") >= 2 for path in listed), listed


async def test_the_edge_of_another_version_is_closed_at_its_next_start(host: Yard) -> None:
    edge = host.root / "edge"
    for directory in (edge, edge / "routes", edge / "upstreams", edge / "candidates", edge / "empty"):
        directory.mkdir(mode=0o755)
    (edge / "ports.json").touch(mode=0o644)
    await host.deploy(host.order(site(host.root, "a site")))
    assert [path for path in seen_by_a_stranger(host.root) if path.startswith("edge")] == []
