"""`qd server uninstall` and `qd server rm`: leaving a machine, and forgetting it."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Changing, Destroying
from quarterdeck.cli.session import session

CHANGING, DESTROYING = Changing(), Destroying()
FEW = 5
HISTORY = "deployment-history"


def uninstall(
    name: str,
    /,
    *,
    remove: bool = False,
    engine: bool = False,
    without_engine: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Say what Quarterdeck has left on a server; with --remove take it away: containers, images, releases, the edge.

    qd server uninstall berlin
    qd server uninstall berlin --remove
    qd server uninstall berlin --remove --engine

    Parameters
    ----------
    name
        Its name or id.
    remove
        Take it away. Nothing may be placed there any more; volumes stay.
    engine
        The Docker engine, too, if Quarterdeck has installed it and nothing of anybody else is in it.
    without_engine
        With --remove: go on where Docker does not answer. What it holds stays there until it runs and this is repeated.
    """
    with session(changing) as opened:
        found = names.server(opened.api, name)
        path, body = f"/api/servers/{found['id']}/uninstall", {"remove": remove}
        body |= {key: True for key, given in (("engine", engine), ("withoutEngine", without_engine)) if given}
        if remove:
            opened.terminal.confirm(f"Take away from {found['name']} all that Quarterdeck has left there?")
        if opened.api.planning:
            opened.api.plan.append({"operation": "servers.uninstall", "method": "POST", "path": path, "body": body})
        opened.sent()
        answer = opened.api.call("POST", path, body=body)
        items = answer["items"]
        rows = [[one["kind"], one["name"], _fate(one, remove=remove)] for one in items]
        opened.terminal.table(
            items, ["WHAT", "NAME", "STATE"], rows, names=[one["name"] for one in items], document=answer
        )
        gone = sum(one["removed"] for one in items)
        if remove:
            opened.terminal.say(f"Removed {gone} of {len(items)}. The key in authorized_keys there is yours to remove.")
        elif items:
            opened.terminal.say("Nothing was removed: add --remove.")
        else:
            opened.terminal.say(f"Nothing of ours is on {found['name']}.")


def _fate(one: dict[str, Any], *, remove: bool) -> str:
    if one["removed"]:
        return "removed"
    kept = one.get("kept")
    return f"stays: {kept}" if kept else ("there" if not remove else "stays")


def rm(name: str, /, *, with_history: bool = False, destroying: Destroying = DESTROYING) -> None:
    """Forget a deactivated server that nothing refers to. Nothing on the machine is touched.

    What is in the way is listed with the command that clears it. What was deployed there is kept as the history of its
    resources until --with-history erases it, with its logs.

    qd server rm berlin
    qd server rm berlin --with-history
    qd server rm berlin --with-history --confirm berlin

    Parameters
    ----------
    name
        Its name or id.
    with_history
        Erase the deployments that were made to it, too. Resources that are placed there now are in the way.
    """
    with session(destroying) as opened:
        found = names.server(opened.api, name)
        path = f"/api/servers/{found['id']}/removal"
        told = opened.api.call("GET", path)
        standing = [one for one in told["steps"] if not (with_history and one["kind"] == HISTORY)]
        if standing or (with_history and told["resources"]):
            raise _in_the_way(found, standing, told["resources"])
        history = next((one["count"] for one in told["steps"] if one["kind"] == HISTORY), 0)
        lost = f"{found['name']} is forgotten; nothing on the machine is touched."
        if history:
            lost = f"{lost} Its history is lost: {history:g} deployments, with their logs."
        opened.terminal.confirm_typed(lost, found["name"], destroying.confirm)
        confirmed = {"confirmation": {"serverId": found["id"]}}
        if with_history:
            opened.api.ours("servers.removal", "POST", path, {**confirmed, "withHistory": True})
        else:
            opened.api.change("servers.delete", confirmed, serverId=found["id"])
        opened.done({"serverId": found["id"]}, name=found["id"], text=f"Forgot {found['name']}.")


def _in_the_way(found: dict[str, Any], standing: list[dict[str, Any]], resources: list[str]) -> Failure:
    words = [one["message"] for one in standing]
    if resources:
        words.append(f"in use there: {', '.join(resources[:FEW])}{' …' if len(resources) > FEW else ''}")
    steps = "".join(f"\n  {one['command']}" for one in standing)
    return Failure(
        f"{found['name']} cannot be deleted yet: {'; '.join(words)}.",
        exit=Exit.CONFLICT,
        code="server_delete_blocked",
        hint=f"In this order:{steps}"
        if standing
        else "Deploy each to another server (qd deploy … --server OTHER), or stop and archive it.",
    )
