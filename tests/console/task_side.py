"""Agent tasks, their projects and machines, as the made-up installation of `portside` shows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.ports import Place
from quarterdeck.console.views.deployments import LogView
from quarterdeck.console.views.diffs import TaskDiffView, files_of
from quarterdeck.console.views.tasks import (
    Board,
    Column,
    EventRow,
    GateView,
    MachineView,
    Member,
    MessageRow,
    NewTask,
    NewTaskChoices,
    Notice,
    Spent,
    StageRow,
    TaskLog,
    TaskProjectView,
    TaskRow,
    TaskView,
)
from quarterdeck.kernel.errors import NotFound

ASKS = TaskRow(
    142, "Add rate limits to the <b>checkout</b> API", "WEB", ("suspended", "stage_gate"), "claude", "build-1", "mara",
    NOW - timedelta(minutes=24), "choose-limiter",
)  # fmt: skip
RUNS = TaskRow(141, "Move the mailer to the queue", "WEB", ("running", None), "codex", "build-1", "jonas",
               NOW - timedelta(hours=1), "implement")  # fmt: skip
WAITS = TaskRow(143, "Sort the changelog", "DOCS", ("queued", None), "claude", "", "mara", NOW, "",
                "No machine has a free place for claude.")  # fmt: skip
FAILED = TaskRow(140, "Raise the linter", "WEB", ("failed", None), "claude", "build-2", "mara",
                 NOW - timedelta(days=1), "", "The stage test took longer than 30 minutes.")  # fmt: skip
DONE = TaskRow(139, "Name the probes", "WEB", ("completed", None), "gemini", "build-2", "jonas",
               NOW - timedelta(days=2))  # fmt: skip
LOST = TaskRow(138, "Warm the cache", "WEB", ("suspended", "worker_disconnected"), "claude", "build-3", "jonas",
               NOW - timedelta(minutes=3), "implement")  # fmt: skip
LIMITED = TaskRow(137, "Count the sales", "WEB", ("suspended", "rate_limited"), "claude", "build-1", "jonas",
                  NOW - timedelta(minutes=9), "implement")  # fmt: skip
ALL = {row.id: row for row in (ASKS, RUNS, WAITS, FAILED, DONE, LOST, LIMITED)}
STAGES = (
    StageRow("plan", "completed", 130.0),
    StageRow("implement", "completed", 842.0),
    StageRow("choose-limiter", "waiting"),
    StageRow("deliver", "pending"),
)
GATES = {
    142: GateView(2, 4, "choose-limiter", "choice", "Which limiter shall the checkout use?",
                  ("sliding-window", "token-bucket"), NOW + timedelta(minutes=24)),
    138: GateView(1, 4, "implement", "input", "What is the name of the table?", (), NOW + timedelta(minutes=5),
                  "You may not answer task #138: that is for its owner and maintainers of its project."),
}  # fmt: skip
MACHINES = (
    MachineView("01a22800-0000-7000-8000-000000000001", "build-1", ("online", "degraded"), ("claude", "codex"),
                "2 of 4", 31.0, 52.4, 61.0, "8 cores, 32 GB, Linux x86_64", "1.0", NOW, draining=False, may_drain=True,
                tasks=(ASKS, RUNS), degraded=("codex until 14:20: rate limit",), at_most=4),
    MachineView("01a22800-0000-7000-8000-000000000002", "build-2", ("draining", None), (), "0 of 2", None, None, None,
                "", "", None, draining=True, may_drain=True),
)  # fmt: skip
PROJECT = TaskProjectView(
    "WEB", "Storefront", "https://git.example/shop.git", "", "main", "claude",
    (("plan", ""), ("build", "after a confirmation")), True, "npm ci", "",
    has_token=True, may_manage=True, members=(Member(1, "mara", "maintainer"), Member(2, "jonas", "member")),
    people=(("3", "ada"),),
)  # fmt: skip
READER = replace(PROJECT, key="DOCS", name="Handbook", may_manage=False, members=(), people=(), has_token=False)
PATCH = """\
diff --git a/shop/limits.py b/shop/limits.py
index 1111111..2222222 100644
--- a/shop/limits.py
+++ b/shop/limits.py
@@ -1,3 +1,5 @@
 import redis
-LIMIT = 10
+LIMIT = 30  # <b>a minute</b>
+WINDOW = 60
 diff --git a/in b/text
diff --git a/logo.png b/logo.png
new file mode 100644
index 0000000..3333333
Binary files /dev/null and b/logo.png differ
diff --git a/old name.py b/new name.py
similarity index 100%
rename from old name.py
rename to new name.py
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -0,0 +1 @@
+it was there
\\ No newline at end of file
"""
NOTICES = (
    Notice(
        7, "Task #142 needs an answer", "Which limiter shall the checkout use?", "/console/tasks/142", NOW, read=False
    ),
    Notice(6, "build-2 drains", "", "", NOW - timedelta(days=1), read=True),
)


class TaskSide:
    """What agents do, and what is done to them."""

    empty: bool
    _did: Callable[..., None]
    deployment_log: Callable[..., Awaitable[LogView]]

    async def board(self, who: Any, *, project: str, mine: bool) -> Board:
        names = ("Wait for an answer", "Waiting", "Working", "Ended")
        rows = ((ASKS,), (WAITS,), (RUNS, LOST, LIMITED), (FAILED, DONE))
        if self.empty:
            return Board(tuple(Column(name, ()) for name in names), ())
        columns = tuple(Column(name, some) for name, some in zip(names, rows, strict=True))
        return Board(columns, (("WEB", "WEB, Storefront"), ("DOCS", "DOCS, Handbook")))

    async def task(self, who: Any, number: int) -> TaskView:
        row = ALL.get(number)
        if row is None:
            raise NotFound(f"There is no task #{number}.", hint="Look at the list of tasks.")
        ended = row.state[0] in {"failed", "completed", "cancelled"}
        return TaskView(
            row=row,
            description="Limit POST /checkout to 30 a minute.\nKeep p99 < 5 ms.",
            branch=f"quarterdeck/{number}-rate-limits",
            base="main",
            commit="9f2c1ab0d4e5" if row is DONE else "",
            merge_request="https://git.example/shop/pulls/9" if row is DONE else "",
            attempt=2 if row is FAILED else 1,
            stages=STAGES,
            gate=GATES.get(number),
            messages=(MessageRow("Use the shared store.", "mara", NOW - timedelta(minutes=2), None),),
            spent=Spent(3.42, 10.0, 1_210_000, 34) if row is ASKS else None,
            error=("stage_timeout", row.note) if row is FAILED else None,
            queued_for=row.note if row is WAITS else "",
            active=not ended,
            live=row in {ASKS, RUNS},
            may_act=number != 138,
            may_retry=row is FAILED,
            may_take=number != 138,
            stream=f"task:{number}",
            files="3 files, +184 -12" if row is DONE else "",
            may_spend=row is ASKS,
        )

    async def task_events(self, who: Any, number: int) -> tuple[EventRow, ...]:
        await self.task(who, number)
        if self.empty:
            return ()
        return (EventRow(NOW, "confirm_requested", "Which limiter shall the checkout use?", "info"),
                EventRow(NOW, "status_change", "Task #142 runs.", "info", "mara"))  # fmt: skip

    async def task_diff(self, who: Any, number: int) -> TaskDiffView | None:
        await self.task(who, number)
        if number not in {139, 140}:
            return None
        files, left = files_of(PATCH)
        return TaskDiffView("Delivered as 9f2c1ab0d4e5", NOW, "a" * 40, 4, 3, 1, files, cut=number == 140, left=left)

    async def task_log(self, who: Any, number: int, limit: int) -> TaskLog:
        view = await self.task(who, number)
        log = await self.deployment_log(who, Place("storefront", "production", "web"), 42, limit)
        return TaskLog(view.row, replace(log, stream=view.stream))

    async def task_choices(self, who: Any) -> NewTaskChoices:
        if self.empty:
            return NewTaskChoices((), (), ())
        return NewTaskChoices(
            (("WEB", "WEB, Storefront"),), ((MACHINES[0].uid, "build-1 (online)"),), (("claude",) * 2,)
        )

    async def create_task(self, who: Any, wanted: NewTask) -> int:
        self._did("create-task", wanted)
        return 143

    async def cancel_task(self, who: Any, number: int) -> None:
        self._did("cancel-task", number)

    async def retry_task(self, who: Any, number: int, from_stage: int) -> None:
        self._did("retry-task", number, from_stage)

    async def change_budget(self, who: Any, number: int, dollars: str) -> None:
        self._did("change-budget", number, dollars)

    async def answer_gate(self, who: Any, number: int, index: int, *, result: str | None) -> None:
        self._did("answer-gate", number, index, result)

    async def say(self, who: Any, number: int, text: str) -> None:
        self._did("say", number, text)

    async def machines(self, who: Any) -> tuple[MachineView, ...]:
        return () if self.empty else MACHINES

    async def machine(self, who: Any, uid: str) -> MachineView:
        found = next((one for one in MACHINES if one.uid == uid), None)
        if found is None:
            raise NotFound("There is no such machine.", hint="Look at the list of machines.")
        return found

    async def drain_machine(self, who: Any, uid: str, *, drain: bool, reason: str = "") -> None:
        self._did("drain-machine", uid, drain, reason)

    async def task_projects(self, who: Any) -> tuple[TaskProjectView, ...]:
        return () if self.empty else (PROJECT, READER)

    async def task_project(self, who: Any, key: str) -> TaskProjectView:
        found = {"WEB": PROJECT, "DOCS": READER}.get(key)
        if found is None:
            raise NotFound(f"There is no project {key}.", hint="Look at the list of projects.")
        return found

    async def create_task_project(self, who: Any, values: Mapping[str, str]) -> str:
        self._did("create-task-project", dict(values))
        return "WEB"

    async def change_task_project(self, who: Any, key: str, values: Mapping[str, str]) -> None:
        self._did("change-task-project", key, dict(values))

    async def put_into_project(self, who: Any, key: str, user_id: str, role: str) -> None:
        self._did("put-into-project", key, user_id, role)

    async def take_out_of_project(self, who: Any, key: str, user_id: str) -> None:
        self._did("take-out-of-project", key, user_id)

    async def notices(self, who: Any, *, every: bool) -> tuple[Notice, ...]:
        return () if self.empty else NOTICES if every else NOTICES[:1]

    async def read_notices(self, who: Any, number: int | None) -> None:
        self._did("read-notices", number)
