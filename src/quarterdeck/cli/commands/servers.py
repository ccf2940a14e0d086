"""`qd server`: the machines that are deployed to."""

from __future__ import annotations

from datetime import timedelta
from shlex import quote
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import names, states
from quarterdeck.cli.commands.server_engine import engine as engine_of
from quarterdeck.cli.commands.server_leaving import rm, uninstall
from quarterdeck.cli.commands.server_policies import Category, policies, policy
from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.keys import private_key
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import Session, session
from quarterdeck.kernel.clock import SystemClock, wire_time

COMMON, CHANGING = Common(), Changing()
Edge = Literal["caddy", "traefik", "none"]
Port = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65535))]
FEW = 5
server = App(name="server", help="Add, test, change and remove the machines you deploy to.")


def add(
    name: str,
    host: str | None = None,
    /,
    *,
    port: Port = 22,
    user: str | None = None,
    credential: str | None = None,
    key: str | None = None,
    agent: bool = False,
    edge: Edge = "caddy",
    changing: Changing = CHANGING,
) -> None:
    """Register a machine, say how it is signed in to, and test it. Without a host: the machine of the control plane.

    qd server add berlin 203.0.113.10 --credential deploy
    qd server add berlin deploy.example.com --user deploy --key ~/.ssh/quarterdeck
    qd server add here

    Parameters
    ----------
    name
        What it is called.
    host
        Its name or address.
    port
        The port of its SSH server.
    user
        Whom to sign in as. Default: what the credential says, else root.
    credential
        A stored credential: see qd credential add.
    key
        The file of a private key for this server alone; - reads stdin.
    agent
        Use the SSH agent of the account that the control plane runs as.
    edge
        Which edge proxy it gets.
    """
    way = _way(user, credential, key, agent=agent, needed=host is not None)
    local = host is None
    body = {
        "name": name,
        "host": host or "127.0.0.1",
        "port": port,
        "providerKey": "local-shell" if local else "generic-ssh",
        "proxyKind": edge,
    }
    with session(changing) as opened:
        asked = _resolved(opened, way)
        made = opened.api.change("servers.register", body)["id"]
        if asked is not None:
            opened.api.change("servers.configure-credential", {"credential": asked}, serverId=made)
        opened.sent()
        opened.terminal.say(f"Registered {name} ({made}).")
        _tested(opened, made, name)


def _way(
    user: str | None, credential: str | None, key: str | None, *, agent: bool, needed: bool
) -> dict[str, Any] | None:
    given = [bool(credential), bool(key), agent]
    if sum(given) > 1 or (needed and not any(given)):
        raise usage(
            "Say with which key it is signed in to." if not any(given) else "Only one way to sign in can be given.",
            "--credential NAME, --key FILE or --agent",
        )
    if not any(given):
        return None
    way: dict[str, Any] = {"kind": "local-ssh-agent"}
    if credential:
        way = {"kind": "stored-ssh-private-key", "credentialId": credential}
    elif key:
        way = {"kind": "ssh-private-key", "privateKey": private_key(key)}
    return {**way, **({"username": user} if user else {})}


def _resolved(opened: Session, way: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same with the id of the credential in place of its name."""
    if way is None or "credentialId" not in way:
        return way
    return {**way, "credentialId": names.credential(opened.api, way["credentialId"])["id"]}


def ls(*, common: Common = COMMON) -> None:
    """List servers with their state, how they were when they were last seen, their room and their edge.

    qd server ls
    """
    with session(common) as opened:
        rows = opened.api.items("servers.list")
        seen = opened.api.call("GET", "/api/servers/health")
        known = {one["serverId"]: one for one in seen["items"]}
        rows = [{**row, **({"health": known[row["id"]]} if row["id"] in known else {})} for row in rows]
        terminal = opened.terminal
        cells = [
            [
                row["name"],
                row["host"] if row["port"] == 22 else f"{row['host']}:{row['port']:g}",
                terminal.state(states.check(row["lifecycleStatus"])),
                terminal.state(states.check((row.get("health") or {}).get("status", "unknown"))),
                _room((row.get("health") or {}).get("disk")),
                terminal.state(states.check((row.get("edgeProxy") or {}).get("status", "disabled"))),
            ]
            for row in rows
        ]
        headings = ["SERVER", "HOST", "STATE", "HEALTH", "FREE", "EDGE"]
        terminal.table(rows, headings, cells, names=[row["id"] for row in rows])
        for row in rows:
            said = row.get("health") or {}
            if said.get("message") and row["lifecycleStatus"] == "active":
                terminal.say(f"{row['name']}: {said['message']}")
        unwatched = [row["name"] for row in rows if not (row.get("health") or {}).get("watched", True)]
        if unwatched:
            terminal.say(
                f"Only {seen['mostWatched']:g} servers are watched; not these, where nobody sees what becomes of what "
                f"they serve: {', '.join(unwatched[:FEW])}{' …' if len(unwatched) > FEW else ''}"
            )


def _room(disk: dict[str, Any] | None) -> str:
    if disk is None:
        return ""
    of = f" of {_size(disk['size'])}" if disk.get("size") else ""
    return f"{_size(disk['available'])}{of}"


def show(name: str, /, *, common: Common = COMMON) -> None:
    """Show a server: how it is signed in to, its edge, what was deployed, and how full it is.

    qd server show berlin

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(common) as opened:
        found = names.server(opened.api, name)
        shown = opened.api.read("servers.show", serverId=found["id"])
        capacity = opened.api.read("servers.capacity.inspect", serverId=found["id"])
        if opened.terminal.structured:
            opened.terminal.document({**shown, "capacity": capacity})
            return
        text = "\n".join(_lines(opened, shown, capacity))
        if opened.terminal.format == "name":
            opened.terminal.line(found["id"])
        else:
            opened.terminal.line(text)


def _lines(opened: Session, shown: dict[str, Any], capacity: dict[str, Any]) -> list[str]:
    row, terminal = shown["server"], opened.terminal
    edge, way = row.get("edgeProxy") or {}, row.get("credential")
    signed = "none"
    if way is not None:
        what = way.get("credentialName") or ("the agent" if way["kind"] == "local-ssh-agent" else "a key of its own")
        signed = f"{way.get('username') or 'root'} with {what}"
    lines = [
        f"{row['name']}   {row['id']}",
        f"  host         {row['host']}:{row['port']:g} ({row['providerKey']})",
        f"  state        {terminal.state(states.check(row['lifecycleStatus']))}",
        f"  signed in    {signed}",
        f"  edge         {edge.get('kind', 'none')} {terminal.state(states.check(edge.get('status', 'disabled')))}",
    ]
    if edge.get("lastErrorMessage"):
        lines.append(f"               {edge['lastErrorMessage']}")
    lines.append(f"  deployments  {shown['rollups']['deployments']['total']:g}")
    lines += [
        f"  disk         {disk['mount']}: {disk['usePercent']:g} % of {_size(disk['size'])}, "
        f"{_size(disk['available'])} free"
        for disk in capacity["disk"]
    ]
    memory, cpu = capacity["memory"], capacity["cpu"]
    if memory["total"]:
        lines.append(f"  memory       {memory['usePercent']:g} % of {_size(memory['total'])}")
    if cpu["logicalCores"] and cpu["loadAverage1m"] is not None:
        lines.append(f"  load         {cpu['loadAverage1m']:g} on {cpu['logicalCores']:g} cores")
    lines += [f"  {terminal.mark('warn')} {warning['message']}" for warning in capacity["warnings"]]
    return lines


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def examine(name: str, /, *, common: Common = COMMON) -> None:
    """Look whether a server can be reached and has what a deployment needs. Ends with 1 when something is missing.

    qd server test berlin

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(common) as opened:
        found = names.server(opened.api, name)
        _tested(opened, found["id"], found["name"])


def _tested(opened: Session, identifier: str, name: str) -> None:
    answer = opened.api.read("servers.test-connectivity", serverId=identifier)
    terminal = opened.terminal
    if terminal.structured:
        terminal.document(answer)
    elif terminal.format == "name":
        terminal.line(identifier)
    else:
        terminal.line(f"{name}   {terminal.state(states.check(answer['status']))}")
        for check in answer["checks"]:
            terminal.line(
                f"  {terminal.mark(states.check(check['status']).tone)} {check['name']:<15} {check['message']}"
            )
    if answer["status"] != "healthy":
        failed = [check["name"] for check in answer["checks"] if check["status"] == "failed"]
        raise Failure(
            f"{name} is {answer['status']}: {', '.join(failed)}.",
            code="connectivity_degraded" if answer["status"] == "degraded" else "connectivity_unreachable",
            hint=f"Do what stands beside each, then: qd server test {quote(name)}",
            facts={"serverId": identifier} if not terminal.structured else {},
        )


def rename(name: str, new: str, /, *, changing: Changing = CHANGING) -> None:
    """Give a server another name.

    qd server rename berlin berlin-old

    Parameters
    ----------
    name
        Its name or id.
    new
        The name that it gets.
    """
    with session(changing) as opened:
        found = names.server(opened.api, name)
        opened.api.change("servers.rename", {"name": new}, serverId=found["id"])
        _done(opened, found["id"], f"{found['name']} is called {new} now.")


def address(
    name: str,
    host: str,
    /,
    *,
    port: Port = 22,
    trust: str | None = None,
    unseen: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Reach a server at another address from now on: the same machine elsewhere, or with --trust another in its place.

    The host key that is shown there has to be the pinned one. Addresses of applications that were made from the old
    address change with the next deployment of each.

    qd server address berlin 203.0.113.99
    qd server address berlin 203.0.113.99 --port 2222
    qd server address berlin 203.0.113.99 --trust SHA256:…

    Parameters
    ----------
    name
        Its name or id.
    host
        The host name or address that it has now.
    port
        The port of its SSH server there.
    trust
        Expect this host key from now on, after you have compared it on the machine itself.
    unseen
        Change it without a look: the machine is not there yet. The pinned host key is expected all the same.
    """
    body: dict[str, Any] = {"host": host, "port": port, "unseen": unseen}
    if trust is not None:
        body["fingerprint"] = trust
    with session(changing) as opened:
        found = names.server(opened.api, name)
        opened.api.ours("servers.address", "POST", f"/api/servers/{found['id']}/address", body)
        where = host if port == 22 else f"{host}:{port}"
        _done(opened, found["id"], f"{found['name']} is reached at {where}. Test it: qd server test {quote(name)}")


def deactivate(name: str, /, *, reason: str | None = None, changing: Changing = CHANGING) -> None:
    """Take no new deployments on a server. What runs there goes on; there is no way back.

    qd server deactivate berlin --reason "moved to Frankfurt"

    Parameters
    ----------
    name
        Its name or id.
    reason
        One line for those who wonder.
    """
    with session(changing) as opened:
        found = names.server(opened.api, name)
        opened.terminal.confirm(f"Deactivate {found['name']} for good?")
        body = {"reason": reason} if reason else {}
        opened.api.change("servers.deactivate", body, serverId=found["id"])
        _done(opened, found["id"], f"{found['name']} takes no new deployments.")


def credential(
    name: str,
    /,
    *,
    credential: str | None = None,
    key: str | None = None,
    agent: bool = False,
    user: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Say how a server is signed in to, in place of what was said before.

    qd server credential berlin --credential deploy

    Parameters
    ----------
    name
        Its name or id.
    credential
        A stored credential.
    key
        The file of a private key for this server alone; - reads stdin.
    agent
        Use the SSH agent of the account that the control plane runs as.
    user
        Whom to sign in as.
    """
    way = _way(user, credential, key, agent=agent, needed=True)
    with session(changing) as opened:
        found = names.server(opened.api, name)
        body = {"credential": _resolved(opened, way)}
        opened.api.change("servers.configure-credential", body, serverId=found["id"])
        _done(opened, found["id"], f"Changed how {found['name']} is signed in to.")


def trust(name: str, fingerprint: str, /, *, changing: Changing = CHANGING) -> None:
    """Expect another host key from now on, after you have compared its fingerprint on the machine itself.

    qd server trust berlin SHA256:…

    Parameters
    ----------
    name
        Its name or id.
    fingerprint
        What ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub says there.
    """
    with session(changing) as opened:
        found = names.server(opened.api, name)
        body = {"fingerprint": fingerprint}
        opened.api.ours("servers.host-key", "POST", f"/api/servers/{found['id']}/host-key", body)
        _done(opened, found["id"], f"{found['name']} is expected to show {fingerprint}.")


def edge(name: str, kind: Edge | None = None, /, *, changing: Changing = CHANGING) -> None:
    """Choose the edge proxy of a server; without a kind, bring up or mend the one it has.

    qd server edge here
    qd server edge here caddy

    Parameters
    ----------
    name
        Its name or id.
    kind
        Which proxy; none removes the server's routes from deployments to come.
    """
    with session(changing) as opened:
        found = names.server(opened.api, name)
        if kind is not None:
            opened.api.change("servers.configure-edge-proxy", {"proxyKind": kind}, serverId=found["id"])
            _done(opened, found["id"], f"The edge of {found['name']} is {kind}.")
            return
        made = opened.api.change("servers.bootstrap-proxy", {"reason": "repair"}, serverId=found["id"])
        text = (
            f"Bringing up the edge of {found['name']} ({made.get('attemptId', '')}). See: qd server show {quote(name)}"
        )
        _done(opened, found["id"], text)


def prune(
    name: str,
    /,
    *,
    days: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=3650))] = 14,
    category: list[Category] | None = None,
    remove: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Say what could be removed from a server: old, ours, and neither serving nor kept for a rollback.

    qd server prune berlin
    qd server prune berlin --days 30 --category unused-images --remove

    Parameters
    ----------
    name
        Its name or id.
    days
        Only what has not changed for so many days.
    category
        What to look for. Default: stopped-containers and source-workspaces. The build cache is the whole engine's.
    remove
        Remove it. Volumes are never touched.
    """
    before = SystemClock().now() - timedelta(days=days)
    body: dict[str, Any] = {"before": wire_time(before), "dryRun": not remove}
    body["categories"] = list(category or ("stopped-containers", "source-workspaces"))
    with session(changing) as opened:
        found = names.server(opened.api, name)
        if remove:
            opened.terminal.confirm(f"Remove what has been unused for {days} days from {found['name']}?")
        answer = opened.api.change("servers.capacity.prune", body, serverId=found["id"])
        opened.sent()
        rows = [
            [one["category"], one["target"], _size(one["size"] or 0), one["action"], one.get("skippedReason", "")]
            for one in answer["candidates"]
        ]
        opened.terminal.table(
            answer["candidates"],
            ["WHAT", "NAME", "SIZE", "ACTION", "WHY NOT"],
            rows,
            names=[one["id"] for one in answer["candidates"]],
            document=answer,
        )
        for warning in answer["warnings"]:
            opened.terminal.say(warning["message"])
        counts = answer["summary"]
        if remove:
            opened.terminal.say(f"Removed {counts['prunedCount']:g}, {_size(counts['reclaimedBytes'])}.")
        else:
            opened.terminal.say(f"{counts['matchedCount']:g} could be removed: add --remove.")


def _done(opened: Session, identifier: str, text: str) -> None:
    opened.done({"serverId": identifier}, name=identifier, text=text)


for command in (
    add,
    ls,
    show,
    rename,
    address,
    deactivate,
    rm,
    credential,
    trust,
    edge,
    prune,
    policy,
    policies,
    uninstall,
):
    server.command(command)
server.command(examine, name="test")
server.command(engine_of, name="engine")
