"""The only way between the states of a task's tunnel, on the server's side."""

from __future__ import annotations

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.tunnels.model import Tunnel
from quarterdeck.tasks.tunnels.states import State, may_move
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.model import Task

WORDS: dict[State, str] = {
    "STARTING": "The tunnel is being started.",
    "CONNECTED": "The tunnel is there.",
    "EXPIRED": "The time of the tunnel is over.",
    "CLOSING": "The tunnel is being closed.",
    "CLOSED": "The tunnel is closed.",
    "FAILED": "The tunnel failed.",
}


def move(tx: Tx, task: Task, tunnel: Tunnel, state: State) -> bool:
    """Assign a state with its event. An illegal move changes nothing, and neither does staying: what a worker says may
    come late. Answers whether the tunnel is in that state now.
    """
    old: State = tunnel.state  # type: ignore[assignment]
    if old != state:
        if not may_move(old, state):
            return False
        tunnel.state = state
    tunnel.updated_at = tx.now
    tx.flush()
    happened(
        tx,
        task,
        "tunnel",
        tunnel.auth_prompt or WORDS[state],
        level="error" if state == "FAILED" else "info",
        state=state,
        kind=tunnel.kind,
        url=tunnel.url,
        authPrompt=tunnel.auth_prompt,
        error=tunnel.error,
    )
    return True
