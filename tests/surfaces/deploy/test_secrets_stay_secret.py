"""A secret that was given is in no answer and in no file."""

from __future__ import annotations

import base64

from sqlalchemy import text

MARKS = ("pear-tree-4711", "plum-tree-4711", "fig-tree-4711", "nut-tree-4711", "quince-tree-4711")


async def test_a_secret_is_in_no_answer_and_in_no_file(deck, tmp_path):
    project, environment = await deck.place()
    resource = await deck.resource((project, environment))
    pear, plum, fig, nut, quince = MARKS
    await deck.do(
        "environments.set-variable",
        {"key": "PEAR", "value": pear, "kind": "secret", "exposure": "runtime"},
        environmentId=environment,
    )
    await deck.do(
        "resources.set-variable",
        {"key": "PLUM", "value": plum, "exposure": "runtime", "isSecret": True},
        resourceId=resource,
    )
    await deck.do("resources.secrets.create", {"key": "FIG", "value": fig}, resourceId=resource)
    await deck.do("resources.secrets.rotate", {"value": nut}, resourceId=resource, key="FIG")
    source = {"kind": "git-public", "locator": f"https://ada:{quince}@git.example.com/shop.git"}
    await deck.do("resources.configure-source", {"source": source}, resourceId=resource)
    for kind in ("compose", "git-github-app", "zip-artifact", "docker-compose-inline"):
        await deck.request("resources.configure-source", {"source": {**source, "kind": kind}}, resourceId=resource)
        await deck.do("resources.show", resourceId=resource)
    for kind in ("original", "metadata"):
        odd = {"originalLocator": source["locator"]} if kind == "original" else {"metadata": {"url": source["locator"]}}
        body = {"source": {"kind": "git-public", "locator": "https://git.example.com/shop.git", **odd}}
        await deck.request("resources.configure-source", body, resourceId=resource)
    await deck.do("resources.show", resourceId=resource)
    await deck.do("resources.effective-config", resourceId=resource)
    await deck.do("resources.secrets.list", resourceId=resource)
    await deck.do("resources.secrets.show", resourceId=resource, key="FIG")
    await deck.do("environments.show", environmentId=environment)
    await deck.do("environments.list")
    await deck.do("environments.effective-precedence", environmentId=environment)
    await deck.do("resources.health", resourceId=resource)
    # A refusal does not repeat what it was given either.
    await deck.request("resources.secrets.create", {"key": "FIG", "value": plum}, resourceId=resource)
    await deck.request("resources.secrets.create", {"key": "F G", "value": plum}, resourceId=resource)
    await deck.request("resources.secrets.create", {"key": "X", "value": [plum]}, resourceId=resource)

    everything = "\n".join(deck.heard)
    stored = await deck.instance.db.read(dump)
    files = b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
    for mark in MARKS:
        for form in (mark, base64.b64encode(mark.encode()).decode().rstrip("=")[:-1]):
            assert form not in everything
            assert form not in stored
            assert form.encode() not in files


def dump(tx) -> str:
    """Every row of every table, as text."""
    if tx.dialect == "sqlite":
        tables = tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    else:
        tables = tx.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").scalars()
    rows = [repr(tuple(row)) for name in list(tables) for row in tx.execute(text(f'SELECT * FROM "{name}"'))]
    return "\n".join(rows)
