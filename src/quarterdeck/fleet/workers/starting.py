"""The command that starts a worker for agent tasks on its machine, as the guide has it."""

from __future__ import annotations

import shlex

PLACE = "/var/lib/quarterdeck-worker"


def line(address: str) -> str:
    """`address` is the server's. The token lies in a file there, because anybody can read command lines."""
    where = shlex.quote(address)
    return f"qd worker --server {where} --token @worker.token --capability tasks --slots 2 --data-dir {PLACE}"
