"""`qd task`: have a coding agent change something, and see how it goes."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter, validators

from quarterdeck.cli import states, task_files, task_following, tasks
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common, Words
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.tasks import Row, about, number

COMMON, CHANGING = Common(), Changing()
task = App(name="task", help="Have a coding agent change something, see how it goes, and answer what it asks.")


def create(
    text: Words | None = None,
    /,
    *,
    description: Annotated[str | None, Parameter(name=["--description", "-d"])] = None,
    project: Annotated[str | None, Parameter(name=["--project", "-p"])] = None,
    on: str | None = None,
    file: Annotated[str | None, Parameter(name=["--file", "-f"])] = None,
    agent: str | None = None,
    priority: int | None = None,
    depends_on: Annotated[list[str] | None, Parameter(negative="")] = None,
    budget: Annotated[float | None, Parameter(validator=validators.Number(gt=0))] = None,
    follow: bool = False,
    timeout: Annotated[float | None, Parameter(validator=validators.Number(gt=0))] = None,
    changing: Changing = CHANGING,
) -> None:
    """Describe a change; a machine with an agent takes it up.

    qd task create "Add a dark theme" -p WEB
    qd task create -d "Add a dark theme" --on ant-1 --follow
    qd task create -f task.yaml --budget 5

    The keys of the file: description, project, machine, agentType, branch, baseBranch, pipeline, priority, dependsOn,
    budget. What is given beside it counts.

    Parameters
    ----------
    text
        What is wanted, in words; - reads stdin.
    description
        The same, as an option.
    project
        The key of the project. Default: that of the profile (qd config set default-project KEY), else the only one.
    on
        The machine to do it, by name or id. Default: the one that suits best.
    file
        A YAML file that describes the task; - reads stdin.
    agent
        Another agent than the project's: claude, codex, cursor, gemini or custom.
    priority
        Tasks with a higher one come first.
    depends_on
        A task that has to be completed before, by its number; may be given several times.
    budget
        US dollars after which it is stopped.
    follow
        Watch until it has ended. It ends with 0 only if the task was completed.
    timeout
        With --follow: seconds to watch; after that status 8, or 7 while it waits for a person. It goes on.
    """
    if text is not None and description is not None:
        raise usage("The description is given twice.", "qd task create TEXT, or qd task create -d TEXT")
    if timeout is not None and not follow:
        raise usage("--timeout says how long to --follow.", "qd task create TEXT --follow --timeout 600")
    if text == "-" and file == "-":
        raise usage("Only one of them can be stdin.", "qd task create -f task.yaml")
    body: dict[str, Any] = task_files.described(file) if file is not None else {}
    words = description if description is not None else text
    if words is not None:
        body["description"] = task_files.text_of("-", what="description").strip() if words == "-" else words
    body |= {"agentType": agent} if agent else {}
    body |= {"priority": priority} if priority is not None else {}
    body |= {"dependsOn": task_files.depends_on(depends_on)} if depends_on else {}
    body |= {"budgetUsd": budget} if budget is not None else {}
    if not str(body.get("description", "")).strip():
        raise usage("Say what is wanted.", 'qd task create "Add a dark theme"', code="description_required")
    with session(changing) as opened, about(not_allowed="qd project tasks list"):
        body["projectKey"] = tasks.project(opened.api, project or body.get("projectKey"))
        chosen = on or body.pop("machine", None)
        body.pop("machine", None)
        if chosen:
            body["machineId"] = tasks.machine(opened.api, chosen)["id"]
        with about(not_found="qd project tasks list"):
            made: Row = opened.api.change("tasks.create", body, what="task")
        opened.sent()
        _created(opened, made, follow=follow, timeout=timeout)


def _created(opened: Session, made: Row, *, follow: bool, timeout: float | None) -> None:
    ref = str(made["id"])
    if follow:
        task_following.ended(opened, ref, timeout=timeout)
        return
    where = f" for {made['projectKey']}" if made.get("projectKey") else ""
    opened.terminal.answer(made, name=ref, text=f"Created task #{ref}{where}.")
    opened.terminal.say(f"  Watch it:  qd task logs {ref} --follow   {tasks.page(opened, ref)}")


def ls(
    *,
    status: Annotated[list[str] | None, Parameter(negative="")] = None,
    project: Annotated[str | None, Parameter(name=["--project", "-p"])] = None,
    mine: bool = False,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1000))] = 20,
    common: Common = COMMON,
) -> None:
    """List tasks, newest first.

    qd task list
    qd task list --status running -p WEB
    qd task list --status SUSPENDED,FAILED --mine

    Parameters
    ----------
    status
        queued, assigned, running, suspended, completed, failed or cancelled, in any case; several with commas.
    project
        Only of the project with this key.
    mine
        Only your own.
    limit
        How many.
    """
    query = {"status": tasks.statuses(status or []), "projectKey": project, "mine": True if mine else None}
    with session(common) as opened, about(not_found="qd project tasks list"):
        found = opened.api.pages("tasks.list", query, limit)
        if not found and opened.terminal.format == "text":
            narrowed = any(value is not None for value in query.values())
            said = (
                "No task is like that." if narrowed else 'There is no task yet.\nTry:   qd task create "What is wanted"'
            )
            opened.terminal.say(said)
            return
        tasks.table(opened, found)


def show(task_id: str, /, *, common: Common = COMMON) -> None:
    """Show a task: its stages, where it runs, what it waits for, what it has made.

    qd task show 42
    qd task show 42 --json

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    """
    ref = number(task_id)
    with session(common) as opened, about(ref):
        found: Row = opened.api.read("tasks.show", taskId=ref)
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(found, name=ref, text="")
            return
        for line in _lines(opened, found):
            terminal.line(line)


def _lines(opened: Session, found: Row) -> list[str]:
    terminal, ref = opened.terminal, str(found["id"])
    plain = terminal.plain
    lines = [f"#{ref}   {terminal.state(tasks.shown(found))}   {plain(found['projectKey'])}"]
    lines += [f"  {plain(line)}" for line in str(found["description"]).splitlines()]
    delivered = f"{found['branch']} from {found['baseBranch']}" if found.get("branch") else ""
    facts = [
        ("waits", found.get("queuedReason") if found["status"] == "queued" else None),
        ("machine", found.get("machineName") or found.get("machineId")),
        ("agent", found.get("agentType")),
        ("branch", f"{delivered} {str(found.get('commitSha') or '')[:7]}".strip()),
        ("request", found.get("mrUrl")),
        ("person", f"{found['developerName']} ({found['source']})" if found.get("developerName") else None),
        ("priority", found.get("priority") or None),
        ("depends on", " ".join(f"#{one}" for one in found.get("dependsOn") or [])),
        ("cost", _cost(found)),
        ("attempt", found["attempt"] if found.get("attempt", 0) > 1 else None),
        ("created", tasks.local(found["createdAt"])),
        ("started", tasks.local(found.get("startedAt"))),
        ("resumes", tasks.local(found.get("resumeAt"))),
        ("ended", tasks.local(found.get("finishedAt"))),
        ("error", " ".join(str(found[key]) for key in ("errorCode", "errorMessage") if found.get(key))),
    ]
    lines += [f"  {label:<11} {plain(value)}" for label, value in facts if value]
    for run in found.get("stages") or []:
        note = plain(run.get("error") or run.get("result") or "")
        state = terminal.state(states.stage(run["status"]))
        lines.append(f"  {run['index']}  {plain(run['name']):<14} {state}  {tasks.lasted(run)}  {note}".rstrip())
    if tasks.is_waiting(found) and (asked := tasks.pending(opened.api, ref)):
        lines.append(f"  {plain(asked.get('prompt') or 'Go on?')}")
        lines.append(f"  {plain(tasks.answer_line(ref, asked))}   until {tasks.local(asked.get('expiresAt'))}")
    lines.append(f"  {tasks.page(opened, ref)}")
    return lines


def _cost(found: Row) -> str | None:
    spent, most = found.get("costUsd"), found.get("budgetUsd")
    if spent is None and most is None:
        return None
    return f"{spent or 0:.2f} USD" + (f" of {most:.2f}" if most else "")


def cancel(task_id: str, /, *, changing: Changing = CHANGING) -> None:
    """Stop a task, or take it out of the queue. Its branch and its log stay.

    qd task cancel 42
    qd task cancel 42 --yes

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    """
    ref = number(task_id)
    with session(changing) as opened, about(ref):
        opened.terminal.confirm(f"Cancel task #{ref}?")
        answer: Row = opened.api.change("tasks.cancel", taskId=ref)
        opened.done(answer, name=ref, text=f"Canceled task #{ref}.")


def budget(
    task_id: str,
    dollars: Annotated[float | None, Parameter(validator=validators.Number(gt=0))] = None,
    /,
    *,
    unlimited: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Give a task another budget. One that failed because it was spent may be retried then.

    qd task budget 42 10
    qd task budget 42 --unlimited

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    dollars
        US dollars, more than it has cost.
    unlimited
        It has no budget from now on.
    """
    ref = number(task_id)
    if unlimited == (dollars is not None):
        raise usage("Give an amount, or --unlimited.", f"qd task budget {ref} 10")
    with session(changing) as opened, about(ref):
        answer: Row = opened.api.change("tasks.budget", {"budgetUsd": dollars}, taskId=ref)
        said = "has no budget any more" if dollars is None else f"may cost {dollars:.2f} USD"
        opened.done(answer, name=ref, text=f"Task #{ref} {said}.")
        if answer["status"] == "failed":
            opened.terminal.say(f"Try:   qd task retry {ref}")


def retry(
    task_id: str,
    /,
    *,
    from_stage: Annotated[int | None, Parameter(validator=validators.Number(gte=0))] = None,
    on: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Try a failed task once more, on the same machine and in the same worktree where they are there.

    qd task retry 42
    qd task retry 42 --from-stage 2 --on ant-2

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    from_stage
        The stage to begin with, counted from 0. Default: the first.
    on
        Another machine, by name or id.
    """
    ref = number(task_id)
    with session(changing) as opened, about(ref):
        body: dict[str, Any] = {} if from_stage is None else {"fromStage": from_stage}
        if on:
            body["machineId"] = tasks.machine(opened.api, on)["id"]
        answer: Row = opened.api.change("tasks.retry", body, taskId=ref)
        opened.done(answer, name=ref, text=f"Task #{ref} is tried again. Watch it: qd task logs {ref} --follow")


for _command in (create, show, cancel, retry, budget):
    task.command(_command)
task.command(ls, name="list")
