"""`qd credential`: the SSH keys that servers are reached with."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from quarterdeck.cli import names
from quarterdeck.cli.failure import usage
from quarterdeck.cli.keys import private_key
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import Session, session

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
KIND = "ssh-private-key"
credential = App(name="credential", help="Keep the SSH keys that servers are reached with.")


def add(
    name: str,
    /,
    *,
    key: str | None = None,
    generate: bool = False,
    user: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Store a private key under a name. It is kept sealed and never shown again.

    qd credential add deploy --generate
    qd credential add deploy --key ~/.ssh/quarterdeck --user deploy

    Parameters
    ----------
    name
        What it is called.
    key
        The file of the private key, without passphrase; - reads stdin.
    generate
        Make a new Ed25519 key, and print the line that belongs into authorized_keys on the servers.
    user
        Whom to sign in as; a server may say otherwise. Default: root.
    """
    text, public = _key(key, generate=generate)
    body: dict[str, Any] = {"name": name, "kind": KIND, "privateKey": text}
    if user:
        body["username"] = user
    with session(changing) as opened:
        made = opened.api.change("credentials.create-ssh", body)
        _answer(opened, made["id"], public, f"Stored {name}.")


def _key(key: str | None, *, generate: bool) -> tuple[str, str | None]:
    if generate == (key is not None):
        raise usage("Say where the key comes from.", "--generate, or --key FILE")
    if not generate:
        return private_key(key or "-"), None
    from quarterdeck.fleet.credentials.keys import new_pair  # takes a while to load, and is rarely needed

    made = new_pair()
    return made.private.reveal(), made.public


def _answer(opened: Session, identifier: str, public: str | None, text: str) -> None:
    opened.sent()
    facts = {"id": identifier, **({"publicKey": public} if public else {})}
    opened.terminal.answer(facts, name=identifier, text=f"{text}\n{public}" if public else text)
    if public:
        opened.terminal.say("Add that line to ~/.ssh/authorized_keys of the account on each server.")


def ls(*, common: Common = COMMON) -> None:
    """List the stored credentials.

    qd credential ls
    """
    with session(common) as opened:
        rows = opened.api.items("credentials.list-ssh")
        cells = [[row["name"], row.get("username") or "root", row.get("rotatedAt") or row["createdAt"]] for row in rows]
        opened.terminal.table(rows, ["CREDENTIAL", "USER", "KEY SINCE"], cells, names=[row["id"] for row in rows])


def show(name: str, /, *, common: Common = COMMON) -> None:
    """Show a credential, and which servers it is used by.

    qd credential show deploy

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(common) as opened:
        found = names.credential(opened.api, name)
        shown = opened.api.read("credentials.show", credentialId=found["id"])
        if opened.terminal.structured:
            opened.terminal.document(shown)
            return
        lines = [f"{found['name']}   {found['id']}", f"  user     {found.get('username') or 'root'}"]
        lines += [f"  used by  {use['serverName']} ({use['lifecycleStatus']})" for use in shown["usage"]["servers"]]
        opened.terminal.answer(shown, name=found["id"], text="\n".join(lines))


def rotate(
    name: str,
    /,
    *,
    key: str | None = None,
    generate: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Replace the key of a credential, for every server that uses it. Nothing is contacted.

    qd credential rotate deploy --key ./next

    Parameters
    ----------
    name
        Its name or id.
    key
        The file of the new private key; - reads stdin.
    generate
        Make a new Ed25519 key, and print the line that belongs into authorized_keys on the servers.
    """
    text, public = _key(key, generate=generate)
    with session(changing) as opened:
        found = names.credential(opened.api, name)
        usage_of = opened.api.read("credentials.show", credentialId=found["id"])["usage"]
        confirmation: dict[str, Any] = {"credentialId": found["id"]}
        if usage_of["totalServers"]:
            used = ", ".join(str(use["serverName"]) for use in usage_of["servers"])
            opened.terminal.confirm(f"{used} will be reached with the new key only. Replace it?")
            confirmation["acknowledgeServerUsage"] = True
        opened.api.change(
            "credentials.rotate-ssh", {"privateKey": text, "confirmation": confirmation}, credentialId=found["id"]
        )
        _answer(opened, found["id"], public, f"Replaced the key of {found['name']}.")


def rm(name: str, /, *, destroying: Destroying = DESTROYING) -> None:
    """Delete a credential that no server uses.

    qd credential rm deploy
    qd credential rm deploy --confirm deploy

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(destroying) as opened:
        found = names.credential(opened.api, name)
        lost = f"The key {found['name']} is lost. This cannot be undone."
        opened.terminal.confirm_typed(lost, found["name"], destroying.confirm)
        body = {"confirmation": {"credentialId": found["id"]}}
        opened.api.change("credentials.delete-ssh", body, credentialId=found["id"])
        _answer(opened, found["id"], None, f"Deleted {found['name']}.")


for command in (add, ls, show, rotate, rm):
    credential.command(command)
