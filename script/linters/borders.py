"""What only one room may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from complaint import Complaint, Linter, Source

KERNEL = "src/quarterdeck/kernel/"
CHANCE = {
    "datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.today",
    "date.today", "time.time", "time.time_ns", "os.urandom", "uuid.uuid4", "uuid.uuid1", "uuid4", "uuid1",
}  # fmt: skip
CHANCE_MODULES = {"random", "secrets"}
ALLOWED: dict[str, str] = {
    # path: why it may have a clock or dice of its own
    "src/quarterdeck/fleet/processes/supervisor": "runs alone on the target, without the package around it",
    "src/quarterdeck/tasks/tunnels/rehearsal": "runs by itself, without the package around it",
}


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def chance_and_time(source: Source) -> Iterator[Complaint]:
    path = source.path
    if not path.startswith("src/") or not source.python or path.startswith(KERNEL):
        return
    if any(path.startswith(allowed) for allowed in ALLOWED):
        return
    for node in source.nodes():
        if isinstance(node, ast.Call) and dotted(node.func) in CHANCE:
            yield Complaint(path, node.lineno, f"`{dotted(node.func)}()`: ask the kernel's clock or ids")
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            if name in CHANCE_MODULES:
                yield Complaint(path, node.lineno, f"`import {name}`: ask the kernel's ids")


STATES = {
    # what a thing is called, and its field: where it is assigned
    ("deployment", "status"): ("src/quarterdeck/deploy/deployments/transitions.py",),
    ("control", "status"): ("src/quarterdeck/deploy/resources/transitions.py",),
    ("resource", "lifecycle"): ("src/quarterdeck/deploy/resources/transitions.py",),
    ("resource", "wanted"): ("src/quarterdeck/deploy/resources/transitions.py",),
    ("resource", "serving_id"): ("src/quarterdeck/deploy/resources/transitions.py",),
    ("tunnel", "state"): ("src/quarterdeck/tasks/tunnels/transitions.py",),
    ("spec", "status"): ("src/quarterdeck/infra/specs/statuses.py",),
    ("job", "status"): (
        "src/quarterdeck/infra/work/transitions.py",
        "src/quarterdeck/broker/work/transitions.py",
    ),
    ("server", "proxy_status"): ("src/quarterdeck/fleet/servers/transitions.py",),
    ("task", "status"): ("src/quarterdeck/tasks/work/transitions.py",),
    ("stage", "status"): ("src/quarterdeck/tasks/work/stages.py",),
    ("attempt", "status"): (
        "src/quarterdeck/deploy/resources/transitions.py",
        "src/quarterdeck/fleet/servers/transitions.py",
    ),
}


def one_way_to_move(source: Source) -> Iterator[Complaint]:
    if not source.path.startswith("src/quarterdeck/") or not source.python:
        return
    for node in source.nodes():
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets = [node.target]
        for target in flattened(targets):
            if not isinstance(target, ast.Attribute):
                continue
            name = dotted(target.value).split(".")[-1].lower()
            for (thing, field), rooms in STATES.items():
                if field == target.attr and name.endswith(thing) and source.path not in rooms:
                    yield Complaint(
                        source.path, target.lineno, f"the {field} of a {thing} moves in {' or '.join(rooms)}"
                    )


def flattened(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from flattened(target.elts)
        else:
            yield target


DOMAINS = ("access", "identity", "workspace", "fleet", "deploy", "infra", "runbooks", "tasks", "broker", "notify")
SERVERS = {"litestar", "starlette", "uvicorn", "fastapi"}


def domains_without_http(source: Source) -> Iterator[Complaint]:
    parts = source.path.split("/")
    if parts[:2] != ["src", "quarterdeck"] or not source.python or parts[2] not in DOMAINS:
        return
    for node in source.nodes():
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in SERVERS or name.startswith("quarterdeck.kernel.http"):
                yield Complaint(source.path, node.lineno, f"`{name}`: a domain holds no HTTP, its surface does")


READERS = ("src/quarterdeck/surfaces/", "src/quarterdeck/console/")
QUERYING = {
    # What still asks the database by itself: this list only becomes shorter.
    "src/quarterdeck/console/domain/account.py",
    "src/quarterdeck/console/domain/deployments.py",
    "src/quarterdeck/console/domain/fleet.py",
    "src/quarterdeck/console/domain/home.py",
    "src/quarterdeck/console/domain/kept_logs.py",
    "src/quarterdeck/console/domain/ledger.py",
    "src/quarterdeck/console/domain/people.py",
    "src/quarterdeck/console/domain/places.py",
    "src/quarterdeck/console/domain/reads.py",
    "src/quarterdeck/console/domain/resources.py",
    "src/quarterdeck/surfaces/deploy/deployment_documents.py",
}


def surfaces_without_queries(source: Source) -> Iterator[Complaint]:
    if not source.path.startswith(READERS) or not source.python:
        return
    queries = [
        node.lineno
        for node in source.nodes()
        if (isinstance(node, ast.Import) and any(one.name.split(".")[0] == "sqlalchemy" for one in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy")
    ]
    if source.path in QUERYING:
        if not queries:
            yield Complaint(
                source.path, 1, "it queries no more: take it out of `QUERYING` in script/linters/borders.py"
            )
        return
    for line in queries:
        yield Complaint(source.path, line, "`sqlalchemy`: surfaces and the console read through the rooms' functions")


LINTERS = (
    Linter("chance-and-time", "Clock, ids and randomness come from the kernel.", chance_and_time),
    Linter(
        "one-way-to-move",
        "Only a room's transitions assign the states of its things.",
        one_way_to_move,
    ),
    Linter("surfaces-without-queries", "Surfaces and the console read through the rooms.", surfaces_without_queries),
    Linter("domains-without-http", "Domain packages import no HTTP framework.", domains_without_http),
)
