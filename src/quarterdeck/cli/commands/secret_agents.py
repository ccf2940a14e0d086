"""`qd secret agent`: programs that fetch and change secrets where they are kept."""

from __future__ import annotations

from cyclopts import App

from quarterdeck.cli import secret_naming, secret_states
from quarterdeck.cli.commands.secret_places import pairs
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.secret_options import Pairs, seconds
from quarterdeck.cli.secret_session import about, session
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago

COMMON, CHANGING = Common(), Changing()
agent = App(name="agent", help="Let programs fetch and change secrets where they are kept.")


def ls(*, common: Common = COMMON) -> None:
    """List the agents, and when each was last seen.

    qd secret agent list
    """
    with session(common) as opened:
        found: list[Row] = opened.api.read("secret-agents.list")
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no agent yet; the server itself does what it keeps.")
            opened.terminal.say("Try:   qd secret agent mint NAME")
            return
        rows = [
            [
                str(row["name"]),
                opened.terminal.state(secret_states.agent(row)),
                ", ".join(f"{key}={value}" for key, value in (row.get("scope") or {}).items()),
                _seen(row),
                str(row["id"]),
            ]
            for row in found
        ]
        columns = ["AGENT", "STATE", "SCOPE", "SEEN", "ID"]
        opened.terminal.table(found, columns, rows, names=[str(row["id"]) for row in found])


def _seen(row: Row) -> str:
    return ago(row["last_seen_at"]) if row.get("last_seen_at") else "never"


def mint(
    name: str,
    /,
    *,
    scope: Pairs = None,
    public_key: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Make an agent. Its secret is the only thing on stdout, this once.

    qd secret agent mint eu-cluster --scope cluster=eu --scope environment=staging > agent.secret

    Parameters
    ----------
    name
        What it is called.
    scope
        Which jobs it takes, such as cluster=eu; may be given several times.
    public_key
        Its X25519 key in base64, where it has one already.
    """
    body: Row = {"name": name} | ({"scope": pairs(scope, "--scope")} if scope else {})
    body |= {"public_key": public_key, "public_key_algorithm": "x25519"} if public_key else {}
    with session(changing) as opened, about(conflict="qd secret agent list"):
        made: Row = opened.api.change("secret-agents.mint", body, what="agent")
        _told_once(opened, made, f"Made the agent {name}")


def rotate(agent: str, /, *, grace: str | None = None, changing: Changing = CHANGING) -> None:
    """Give an agent another secret, the only thing on stdout. The one of before counts for a while beside it.

    qd secret agent rotate eu-cluster > agent.secret
    qd secret agent rotate eu-cluster --grace 0 > agent.secret

    Parameters
    ----------
    agent
        Its name or id.
    grace
        How long the secret of before counts, at most 24h. Default: 5m.
    """
    body: Row = {"grace_seconds": seconds(grace, "--grace")} if grace is not None else {}
    with session(changing) as opened, about(not_found="qd secret agent list", conflict="qd secret agent list"):
        row = secret_naming.agent(opened, agent)
        made: Row = opened.api.change("secret-agents.rotate", body, agentId=str(row["id"]))
        _told_once(opened, made, f"The agent {row['name']} has another secret")


def _told_once(opened: Session, made: Row, text: str) -> None:
    opened.sent()
    opened.terminal.answer(made, name=str(made["id"]), text=str(made["agent_secret"]))
    opened.terminal.say(f"{text} ({made['id']}). The secret is shown this once.")


def revoke(agent: str, /, *, reason: str | None = None, changing: Changing = CHANGING) -> None:
    """End an agent at once. What it holds waits for another one.

    qd secret agent revoke eu-cluster --reason "the cluster is gone" --yes

    Parameters
    ----------
    agent
        Its name or id.
    reason
        Why; kept in the audit trail.
    """
    with session(changing) as opened, about(not_found="qd secret agent list"):
        row = secret_naming.agent(opened, agent)
        opened.terminal.confirm(f"Revoke the agent {row['name']}? It is refused from its next call on.")
        body: Row = {"reason": reason} if reason else {}
        answer = opened.api.change("secret-agents.revoke", body, agentId=str(row["id"]))
        opened.done(answer, name=str(row["id"]), text=f"Revoked the agent {row['name']}.")


for _command in (mint, rotate, revoke):
    agent.command(_command)
agent.command(ls, name="list")
