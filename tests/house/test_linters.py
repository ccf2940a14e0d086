"""Every linter of the house complains about a sample that breaks its rule, and is documented."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "script" / "linters"


@pytest.fixture(scope="module")
def linters():
    sys.path.insert(0, str(PLACE))
    try:
        spec = importlib.util.spec_from_file_location("house_linters", PLACE / "__main__.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield {linter.name: linter for linter in module.LINTERS}
    finally:
        sys.path.remove(str(PLACE))


DEPLOY = "src/quarterdeck/deploy/rooms/doors.py"
FAILING = [
    ("small-files", DEPLOY, "x = 1\n" * 601),
    ("named-rooms", "src/quarterdeck/deploy/utils/doors.py", ""),
    ("named-rooms", "src/quarterdeck/deploy/job_rooms/manager.py", ""),
    ("nothing-unfinished", DEPLOY, "x = 1  # " + "TO" + "DO: mend\n"),
    ("nothing-unfinished", DEPLOY, "def f():\n    raise " + "NotImplemented" + "Error\n"),
    ("chance-and-time", DEPLOY, "from datetime import UTC, datetime\nx = datetime.now(UTC)\n"),
    ("chance-and-time", DEPLOY, "import time\nx = time.time()\n"),
    ("chance-and-time", DEPLOY, "import uuid\nx = uuid.uuid4()\n"),
    ("chance-and-time", DEPLOY, "import random\n"),
    ("chance-and-time", DEPLOY, "from secrets import token_hex\n"),
    ("chance-and-time", DEPLOY, "import os\nx = os.urandom(4)\n"),
    ("one-way-to-move", DEPLOY, "def f(deployment):\n    deployment.status = 'failed'\n"),
    ("one-way-to-move", DEPLOY, "def f(old_deployment):\n    old_deployment.status, x = 'failed', 1\n"),
    ("one-way-to-move", DEPLOY, "def f(attempt):\n    attempt.status = 'running'\n"),
    ("one-way-to-move", "src/quarterdeck/deploy/resources/transitions.py", "deployment.status = 'failed'\n"),
    ("one-way-to-move", DEPLOY, "def f(resource):\n    resource.lifecycle, x = 'deleted', 1\n"),
    ("one-way-to-move", "src/quarterdeck/deploy/resources/archiving.py", "resource.wanted = 'stopped'\n"),
    ("one-way-to-move", "src/quarterdeck/surfaces/deploy/doors.py", "resource.serving_id = None\n"),
    ("one-way-to-move", "src/quarterdeck/fleet/servers/proxies.py", "attempt.status = 'running'\n"),
    ("one-way-to-move", "src/quarterdeck/fleet/servers/servers.py", "server.proxy_status = 'ready'\n"),
    ("one-way-to-move", "src/quarterdeck/fleet/servers/transitions.py", "resource.wanted = 'stopped'\n"),
    ("domains-without-http", DEPLOY, "from litestar import get\n"),
    ("domains-without-http", DEPLOY, "from quarterdeck.kernel.http.endpoint import Call\n"),
    ("surfaces-without-queries", "src/quarterdeck/surfaces/deploy/doors.py", "from sqlalchemy import select\n"),
    ("surfaces-without-queries", "src/quarterdeck/console/domain/doors.py", "def f():\n    import sqlalchemy.orm\n"),
    ("surfaces-without-queries", "src/quarterdeck/console/domain/home.py", "x = 1\n"),
    ("of-itself-alone", "docs/guide.md", "Look at https://" + "pypi" + ".org/simple\n"),
    ("of-itself-alone", "docs/guide.md", "cd /work" + "/main\n"),
    ("no-banners", DEPLOY, "# " + "-" * 20 + " doors\n"),
    ("documented-settings", "src/quarterdeck/kernel/settings.py", "class Settings:\n    never_heard_of: int = 1\n"),
    ("documented-commands", "src/quarterdeck/cli/doors.py", "@app.command\ndef never_heard_of(): ...\n"),
]


@pytest.mark.parametrize(("name", "path", "text"), FAILING, ids=lambda value: str(value)[:30])
def test_a_broken_rule_is_complained_about(linters, name: str, path: str, text: str) -> None:
    from complaint import Source

    assert list(linters[name].check(Source(path, text)))


PASSING = [
    ("small-files", DEPLOY, "x = 1\n" * 600),
    ("small-files", "src/quarterdeck/console/static/vendor/large.js", "x\n" * 2000),
    ("chance-and-time", "src/quarterdeck/kernel/clock.py", "import time\nx = time.time()\n"),
    ("chance-and-time", DEPLOY, "import time\nx = time.monotonic()\n"),
    ("one-way-to-move", DEPLOY, "def f(phase):\n    phase.status = 'failed'\n"),
    ("one-way-to-move", "src/quarterdeck/deploy/deployments/transitions.py", "deployment.status = 'failed'\n"),
    ("one-way-to-move", "src/quarterdeck/deploy/resources/transitions.py", "attempt.status = 'failed'\n"),
    ("one-way-to-move", "src/quarterdeck/deploy/resources/transitions.py", "resource.serving_id = None\n"),
    ("one-way-to-move", "src/quarterdeck/fleet/servers/transitions.py", "server.proxy_status = 'ready'\n"),
    ("domains-without-http", "src/quarterdeck/surfaces/deploy/doors.py", "from litestar import get\n"),
    ("surfaces-without-queries", "src/quarterdeck/console/domain/home.py", "from sqlalchemy import select\n"),
    ("surfaces-without-queries", DEPLOY, "from sqlalchemy import select\n"),
    ("documented-settings", "src/quarterdeck/kernel/clock.py", "class Settings:\n    never_heard_of: int = 1\n"),
]


@pytest.mark.parametrize(("name", "path", "text"), PASSING, ids=lambda value: str(value)[:30])
def test_what_keeps_the_rule_passes(linters, name: str, path: str, text: str) -> None:
    from complaint import Source

    assert not list(linters[name].check(Source(path, text)))


def test_every_linter_has_a_failing_sample_and_a_page(linters) -> None:
    page = (ROOT / "docs/reference/house-rules.md").read_text()
    sampled = {name for name, _, _ in FAILING}
    assert set(linters) == sampled
    assert [name for name in linters if f"`{name}`" not in page] == []


def test_the_house_keeps_its_own_rules() -> None:
    done = subprocess.run([sys.executable, str(PLACE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
