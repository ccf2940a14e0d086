"""What an agent program calls when it has something to say: hands it to the worker over a local socket.

It stands alone on the standard library, because it is copied beside the socket and run as the agent's user, who may
read nothing of the worker's. Claude Code gives its event on stdin; Codex as the last argument; any other program says
`hook.py EVENT`, or `hook.py '{"event": "usage", "usage": {"inputTokens": 10}}'`.

Whatever happens, it ends quietly and with success: a hook that fails would stop the agent.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from typing import Any, TextIO

COMMAND = "QUARTERDECK_HOOK"
"""How a program that knows this hook by itself calls it, as a line of a shell."""
SOCKET, TOKEN = "QUARTERDECK_HOOK_SOCKET", "QUARTERDECK_HOOK_TOKEN"
MOST = 1 << 20
TEXT = 20_000
CLAUDE = {"Stop": "turn-ended", "UserPromptSubmit": "prompt", "SessionStart": "session", "Notification": "notification"}


def usage_of(path: str) -> dict[str, int]:
    """What a transcript of Claude Code has used so far: each message is written with its last figures, maybe twice."""
    counted: dict[Any, dict[str, Any]] = {}
    with open(path, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - alone, and quick
        for line in lines:
            if '"usage"' not in line:
                continue
            try:
                message = json.loads(line).get("message") or {}
                used = message.get("usage")
            except (ValueError, AttributeError):
                continue
            if isinstance(used, dict):
                counted[message.get("id") or len(counted)] = used
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return {
        "inputTokens": sum(int(used.get(name) or 0) for used in counted.values() for name in names),
        "outputTokens": sum(int(used.get("output_tokens") or 0) for used in counted.values()),
    }


def told(arguments: list[str], stdin: TextIO) -> dict[str, Any]:
    """The event as it is sent: `event`, and what is known of `session`, `text`, `kind`, `usage`."""
    given = arguments[-1] if arguments else ""
    if given.startswith("{"):
        about: dict[str, Any] = json.loads(given)
        if about.get("type") == "agent-turn-complete":  # Codex
            return {
                "event": "turn-ended",
                "session": about.get("thread-id") or about.get("session-id"),
                "text": about.get("last-assistant-message") or "",
            }
        return about
    if given and given != "claude":
        return {"event": given}
    about = json.loads(stdin.read(MOST) or "{}")
    name = about.get("hook_event_name") or ""
    event: dict[str, Any] = {"event": CLAUDE.get(name, ""), "session": about.get("session_id")}
    if name == "Notification":
        event["text"], event["kind"] = about.get("message") or "", about.get("notification_type")
    if name == "Stop":
        event["text"] = about.get("last_assistant_message") or ""
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
            event["usage"] = usage_of(about["transcript_path"])
    return event


def main() -> None:
    with contextlib.suppress(OSError, KeyError, ValueError, AttributeError):
        event = told(sys.argv[1:], sys.stdin)
        for name in ("text", "kind", "session"):
            if isinstance(event.get(name), str):
                event[name] = event[name][-TEXT:]
        event["token"] = os.environ[TOKEN]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            line.connect(os.environ[SOCKET])
            line.sendall(json.dumps(event).encode() + b"\n")
            line.recv(16)


if __name__ == "__main__":
    main()
