"""The reference page and the table of calls say what the program does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from quarterdeck.cli import states, task_operations
from quarterdeck.cli.catalogue import COMMANDS, overview
from quarterdeck.cli.main import application
from quarterdeck.cli.operations import OPERATIONS
from quarterdeck.cli.reference import page
from quarterdeck.console.state import TABLE
from quarterdeck.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")


def test_the_reference_page_has_every_command_and_option_as_the_program_has_them() -> None:
    assert page(PAGE) == PAGE, "run script/generate_command_reference"


def test_every_command_is_in_the_overview() -> None:
    shown = overview("1")
    assert [one.name for one in COMMANDS if not re.search(rf"^  {one.name} ", shown, re.MULTILINE)] == []


def test_every_setting_is_a_flag_of_serve() -> None:
    arguments = application("serve")["serve"].assemble_argument_collection()
    flags = {name for argument in arguments for name in argument.names}
    rows = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8").splitlines()
    without = {
        name for name in Settings.__struct_fields__ for row in rows if row.startswith("| (file") and name in row.lower()
    }
    wanted = {"--" + name.replace("_", "-") for name in Settings.__struct_fields__ if name not in without}
    assert wanted - flags == set()


def test_every_call_is_one_of_the_contract() -> None:
    contract = json.loads((ROOT / "contract" / "deploy.operations.json").read_text())["operations"]
    known = {
        (row["operationKey"] + ("/stream" if row["stream"] else ""), row["method"], "/api" + row["path"])
        for row in contract
    }
    assert {(key, *operation) for key, operation in OPERATIONS.items()} - known == set()


BESIDE = {
    ("GET", "/api/web/tasks/{}/diff"),
    ("POST", "/api/web/tasks/{}/budget"),
    ("GET", "/api/web/tasks/{}/messages"),
    ("POST", "/api/web/tasks/{}/messages"),
    ("PUT", "/api/web/projects/{}/git-token"),
    ("DELETE", "/api/web/projects/{}/git-token"),
}
"""Routes of the tasks surface that its seed has not got."""


def test_every_call_about_tasks_is_one_of_the_surface() -> None:
    routes = json.loads((ROOT / "contract" / "routes.json").read_text())
    known = {(row["method"], re.sub(r"{\w+}", "{}", row["path"])) for row in routes if row["surface"] == "tasks"}
    called = {
        (operation.method, re.sub(r"{\w+}", "{}", operation.path.partition("?")[0]))
        for operation in task_operations.OPERATIONS.values()
    }
    assert called - known == BESIDE
    assert set(task_operations.OPERATIONS) & set(OPERATIONS) == set()


def test_states_have_the_tone_that_the_console_gives_them() -> None:
    tables = {
        "deployment": states.TONES, "health": states.HEALTH, "task": states.TASK, "stage": states.STAGE,
        "worker": states.MACHINE,
    }  # fmt: skip
    for kind, table in tables.items():
        console = {word: tone for tone, words in TABLE[kind].items() for word in words.split()}
        shared = set(console) & set(table)
        assert {word: table[word] for word in shared} == {word: console[word] for word in shared}
        assert kind in {"health", "worker"} or set(console) == set(table)


def test_the_overview_loads_no_heavy_module_and_comes_at_once() -> None:
    script = (
        "import sys; from quarterdeck.cli.main import run; run(['--help']); "
        "heavy = ('cyclopts', 'rich', 'httpx', 'sqlalchemy', 'litestar'); "
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert done.stderr.strip() == "[]"
    assert time.monotonic() - began < 3, "the budget is 0.3 s on an idle machine"
