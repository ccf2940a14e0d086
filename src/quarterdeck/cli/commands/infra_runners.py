"""`qd runner`: the programs that run Terraform for this server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter, validators

from quarterdeck.cli import infra_naming, infra_states, infra_watching, profiles
from quarterdeck.cli.commands.machine_tokens import hours
from quarterdeck.cli.commands.personal_tokens import ONCE, shown_once
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_losing import sure
from quarterdeck.cli.infra_options import AssignedId, IdentityId, Named, Timeout, Watch, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common, Losing
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago

COMMON, CHANGING, LOSING = Common(), Changing(), Losing()
RunnerRef = Annotated[str | None, Parameter(name=["--id", "--runner-id", "--worker-id"])]
Wait = Annotated[bool, Parameter(name=["--wait", "-w"])]
Follow = Annotated[bool, Parameter(name=["--follow", "-f"])]
CAPABILITY = "infra"
LOOKS = "takes looks for drift alone"
runner = App(name="runner", help="See, add, drain and remove the programs that run Terraform for this server.")


def ls(*, common: Common = COMMON) -> None:
    """List runners: your own and those that serve everybody, the default first.

    qd runner list
    qd runner list -o csv
    """
    with session(common) as opened:
        found = infra_naming.runners(opened.api)
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no runner yet; the server itself runs the templates that come with it.")
            opened.terminal.say("Try:   qd runner enrol fra-1 > runner.token")
            return
        rows = [
            [
                str(row["name"]),
                opened.terminal.state(infra_states.runner(row)),
                _noted(row),
                str(row["mode"]),
                str(row.get("version") or ""),
                ago(row.get("last_heartbeat")),
                str(row["id"]),
            ]
            for row in found
        ]
        columns = ["RUNNER", "STATE", "", "MODE", "VERSION", "SEEN", "ID"]
        identities = [str(row["id"]) for row in found]
        opened.terminal.table(found, columns, rows, names=identities, document={"workers": found})


def _noted(row: Row) -> str:
    said = ["default"] if row.get("is_default") else []
    if not row.get("takes_jobs", True):
        said.append("does not take infra jobs")
    elif row.get("looks_only"):
        said.append(LOOKS)
    return ", ".join(said)


def _jobs(row: Row) -> str:
    if not row.get("takes_jobs", True):
        return "none of infrastructure; start it with --capability infra"
    return LOOKS if row.get("looks_only") else ""


def register(
    name: str | None = None,
    /,
    *,
    named: Named = None,
    mode: str = "self-hosted",
    cloud_identity_id: IdentityId = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a runner known that is a program of its own, and print its token this once. It is the only thing on stdout.

    qd runner register rack-7 > runner.token

    A worker of Quarterdeck has a token of another kind: qd runner enrol

    Parameters
    ----------
    name
        What it is called.
    named
        The same, by name.
    mode
        self-hosted.
    cloud_identity_id
        It does only what is for this cloud identity, by id, label or provider.
    """
    given = one_of(name, named, "--name")
    if given is None:
        raise usage("Say what the runner is called.", "qd runner register rack-7")
    with session(changing) as opened, about(conflict="qd runner list"):
        body: Row = {"name": given, "mode": mode}
        if cloud_identity_id is not None:
            body["cloud_identity_id"] = infra_naming.identity(opened, cloud_identity_id)["id"]
        answer = opened.api.change("runners.register", body, what="runner")
        opened.sent()
        identity = str(answer["worker_id"])
        opened.terminal.answer(answer, name=identity, text=str(answer["worker_token"]))
        opened.terminal.say(f"Registered {given} as {identity}. {ONCE}")
        opened.terminal.say("It sends them as X-Worker-ID and X-Worker-Token.")


def enrol(
    label: str | None = None,
    /,
    *,
    named: Named = None,
    expires: str = "24h",
    changing: Changing = CHANGING,
) -> None:
    """Make a token that makes one machine a runner, once. It is the only thing on stdout.

    qd runner enrol fra-1 > runner.token
    qd runner enrol fra-1 --expires 7d -o json

    Parameters
    ----------
    label
        What it is called in lists, such as the machine's name.
    named
        The same, by name.
    expires
        After how long it is worth nothing: 24h or 7d, at most 90d.
    """
    given = one_of(label, named, "--name")
    body: Row = {"expires_in_hours": hours(expires)} | ({"label": given} if given else {})
    with session(changing) as opened, about(not_allowed="An administrator makes them, signed in: qd login"):
        made = opened.api.change("runners.enrol", body, what="token")
        shown_once(opened, made, name=str(made["id"]), text=f"Made token {made['id']}.")
        address = opened.api.profile.url
        opened.terminal.say(f"On the machine, with the token in a file there:\n  qd runner start --server {address} "
                            "--token @runner.token")  # fmt: skip


def show(runner: str | None = None, /, *, runner_id: RunnerRef = None, common: Common = COMMON) -> None:
    """Show a runner: whether it is there, its version, and what it does.

    qd runner show fra-1

    Parameters
    ----------
    runner
        Its name or id. Without one a person at a terminal chooses.
    runner_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd runner list"):
        found = infra_naming.runner(opened, one_of(runner, runner_id), option="--id")
        answer = opened.api.read("runners.show", runnerId=str(found["id"]))
        row, terminal = answer["worker"], opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(answer, name=str(row["id"]), text="")
            return
        default = "   default" if row.get("is_default") else ""
        terminal.line(
            f"{terminal.plain(row['name'])}   {terminal.state(infra_states.runner(row))}   {row['id']}{default}"
        )
        release = row.get("release") or {}
        should = "the newest is" if row.get("kind") == "runner" else "the server is"
        facts: list[tuple[str, Any]] = [
            ("mode", row["mode"]),
            ("version", row.get("version")),
            ("release", release.get("version")),
            ("programs", ", ".join(f"{name} {has}" for name, has in (row.get("programs") or {}).items())),
            ("outdated", f"{should} {row['due_version']}" if row.get("outdated") else None),
            ("drains", row.get("drain_reason")),
            ("jobs", _jobs(row)),
            ("seen", ago(row.get("last_heartbeat"))),
            ("does", row.get("current_job_id")),
            ("region", ((row.get("metadata") or {}).get("deploy_config") or {}).get("region")),
        ]
        for label, value in facts:
            if value:
                terminal.line(f"  {label:<10} {terminal.plain(value)}")


def remove(runner: str | None = None, /, *, runner_id: RunnerRef = None, changing: Changing = CHANGING) -> None:
    """Forget a runner. Its token is worth nothing then; what it runs on is not touched (qd runner destroy).

    qd runner remove rack-7 --yes

    Parameters
    ----------
    runner
        Its name or id. Without one a person at a terminal chooses.
    runner_id
        The same, by name.
    """
    with session(changing) as opened, about(not_found="qd runner list", conflict="qd runner show NAME"):
        found = infra_naming.runner(opened, one_of(runner, runner_id), option="--id")
        opened.terminal.confirm(f"Forget runner {found['name']}?")
        answer = opened.api.change("runners.remove", runnerId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"Forgot runner {found['name']}.")


def deploy(
    name: str | None = None,
    /,
    *,
    named: Named = None,
    cloud_identity_id: IdentityId = None,
    region: str | None = None,
    assigned_runner_id: AssignedId = None,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a runner in a cloud. Another runner, or the server, does it as a job.

    qd runner deploy eu-1 --cloud-identity-id aws --region eu-west-1 --wait

    Ends with 0 when it is made (without --wait: when that was accepted), with 1 when it failed or was canceled.

    Parameters
    ----------
    name
        What it is called.
    named
        The same, by name.
    cloud_identity_id
        Whom it is made as: an id, a label or a provider (qd connector list). Without one a person at a terminal
        chooses.
    region
        Where in the cloud.
    assigned_runner_id
        The runner that alone may do it, by name or id; any for whichever is free, which is the default.
    wait
        Watch until it has ended.
    follow
        Watch with its log.
    timeout
        Seconds to watch; after that status 8, and the job goes on.
    """
    watch, given = Watch(wait, follow, timeout), one_of(name, named, "--name")
    if given is None or region is None:
        missing = "what it is called" if given is None else "where"
        raise usage(f"Say {missing}.", "qd runner deploy eu-1 --cloud-identity-id aws --region eu-west-1")
    with session(changing) as opened, about(not_found="qd connector list"):
        identity = infra_naming.identity(opened, cloud_identity_id)
        body: Row = {"name": given, "cloud_identity_id": identity["id"], "region": region}
        by = infra_naming.pinned(opened, assigned_runner_id)
        body |= {"assigned_worker_id": by} if by else {}
        answer = opened.api.change("runners.deploy", body, what="runner")
        opened.sent()
        job = infra_watching.job_of(opened, str(answer["job"]["id"]))
        _watched(opened, job, watch, f"Making runner {given}, as job {job['id']}.", f"Made runner {given}.")


def _watched(opened: Session, job: Row, watch: Watch, begun: str, done: str) -> None:
    ended = infra_watching.accepted(opened, job, watch, text=begun)
    if ended is not None:
        opened.terminal.answer(ended, name=str(ended["id"]), text=done)


def destroy(
    runner: str | None = None,
    /,
    *,
    runner_id: RunnerRef = None,
    assigned_runner_id: AssignedId = None,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    losing: Losing = LOSING,
) -> None:
    """Destroy a runner that was deployed into a cloud, and forget it. It asks for its name.

    qd runner destroy eu-1 --wait

    Ends with 0 when it is gone (without --wait: when that was accepted), with 1 when it failed or was canceled.

    Parameters
    ----------
    runner
        Its name or id. Without one a person at a terminal chooses.
    runner_id
        The same, by name.
    assigned_runner_id
        The runner that alone may do it, by name or id; any for whichever is free, which is the default.
    wait
        Watch until it has ended.
    follow
        Watch with its log.
    timeout
        Seconds to watch; after that status 8, and the job goes on.
    """
    watch = Watch(wait, follow, timeout)
    with session(losing) as opened, about(not_found="qd runner list", conflict="qd runner show NAME"):
        found = infra_naming.runner(opened, one_of(runner, runner_id), option="--id")
        by, name = infra_naming.pinned(opened, assigned_runner_id), str(found["name"])
        sure(opened, f"Everything that runner {name} runs on is destroyed.", name, losing)
        body: Row = {"job_type": "DESTROY_WORKER", "config_snapshot": {"worker_id": found["id"]}}
        body |= {"assigned_worker_id": by} if by else {}
        answer = opened.api.change("infra-jobs.create", body, what="job")
        opened.sent()
        job = answer["job"]
        _watched(opened, job, watch, f"Destroying runner {name}, as job {job['id']}.", f"Destroyed runner {name}.")


def update(
    runner: str | None = None,
    /,
    *,
    runner_id: RunnerRef = None,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Bring a runner that was deployed into a cloud to the newest release.

    qd runner update eu-1 --wait

    Parameters
    ----------
    runner
        Its name or id. Without one a person at a terminal chooses.
    runner_id
        The same, by name.
    wait
        Watch until it has ended: 0 when it is done, 1 when it failed or was canceled.
    follow
        Watch with its log.
    timeout
        Seconds to watch; after that status 8, and the job goes on.
    """
    watch = Watch(wait, follow, timeout)
    with session(changing) as opened, about(not_found="qd runner list", conflict="qd runner show NAME"):
        found = infra_naming.runner(opened, one_of(runner, runner_id), option="--id")
        answer = opened.api.change("runners.update", runnerId=str(found["id"]))
        opened.sent()
        job, name = infra_watching.job_of(opened, str(answer["job"]["id"])), found["name"]
        _watched(opened, job, watch, f"Updating runner {name}, as job {job['id']}.", f"Updated runner {name}.")


def drain(
    runner: str | None = None,
    /,
    *,
    runner_id: RunnerRef = None,
    off: bool = False,
    reason: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Give a runner no more jobs. What it does now it finishes.

    qd runner drain fra-1
    qd runner drain fra-1 --off

    Parameters
    ----------
    runner
        Its name or id. Without one a person at a terminal chooses.
    runner_id
        The same, by name.
    off
        Give it jobs again.
    reason
        Why; shown to others.
    """
    with session(changing) as opened, about(not_found="qd runner list"):
        found = infra_naming.runner(opened, one_of(runner, runner_id), option="--id")
        answer = opened.api.change(
            "runners.drain", {"draining": not off} | ({"reason": reason} if reason else {}), runnerId=str(found["id"])
        )
        said = "is given jobs again" if off else "is given no more jobs"
        opened.done(answer, name=str(found["id"]), text=f"Runner {found['name']} {said}.")


def default(runner: str | None = None, /, *, runner_id: RunnerRef = None, changing: Changing = CHANGING) -> None:
    """Make a runner the one that is preselected where you choose one. Jobs are still given to any.

    qd runner default fra-1

    Parameters
    ----------
    runner
        Its name or id. Without one a person at a terminal chooses.
    runner_id
        The same, by name.
    """
    with session(changing) as opened, about(not_found="qd runner list"):
        found = infra_naming.runner(opened, one_of(runner, runner_id), option="--id")
        answer = opened.api.change("runners.default", runnerId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"Runner {found['name']} is the default.")


def start(
    *,
    server: str | None = None,
    token: str | None = None,
    slots: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=64))] = 1,
    name: str | None = None,
    data_dir: Path | None = None,
    log_level: str = "info",
) -> int:
    """Run Terraform for a server from this machine: the same as qd worker --capability infra.

    The first start enrols this machine with an enrolment token (qd runner enrol); later ones need none.

    qd runner start --server https://deck.example.com --token @runner.token
    qd runner start

    Parameters
    ----------
    server
        The address of the server. Default: that of the profile.
    token
        The enrolment token, for the first start: @FILE that holds it, or - to read it from stdin.
    slots
        How many jobs run at a time.
    name
        What the runner is called. Default: as its token was labelled, or the name of this machine.
    data_dir
        Where its identity and its work are kept; each worker of a machine needs one of its own. Default: as for
        qd worker.
    log_level
        debug, info, warning or error.
    """
    from quarterdeck.cli.commands.worker import worker

    address = server or profiles.chosen(None)[1].url
    return worker(
        server=address,
        token=token,
        capability=CAPABILITY,
        slots=slots,
        name=name,
        data_dir=data_dir,
        log_level=log_level,
    )


def releases(*, common: Common = COMMON) -> None:
    """List the releases of the runner program, the newest first. Runners of an older one are outdated.

    qd runner releases
    qd runner releases -o csv
    """
    with session(common) as opened:
        found = infra_naming.whole(opened.api, "runners.releases", "releases")
        if not found and opened.terminal.format == "text":
            opened.terminal.say("No release was published.")
            return
        rows = [
            [
                str(row["version"]),
                ago(row["released_at"]),
                "breaking" if row["is_breaking"] else "",
                str(row["commit_sha"] or "")[:12],
                (str(row["release_notes"] or "").splitlines() or [""])[0],
                str(row["github_release_url"] or ""),
            ]
            for row in found
        ]
        columns = ["VERSION", "RELEASED", "", "COMMIT", "NOTES", "PAGE"]
        versions = [str(row["version"]) for row in found]
        opened.terminal.table(found, columns, rows, names=versions, document={"releases": found})


for _command in (releases, enrol, register, show, remove, deploy, destroy, update, drain, default, start):
    runner.command(_command)
runner.command(ls, name="list")
