"""Operations below /api/terminal-sessions. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "terminal-sessions.list",
        "GET",
        "/api/terminal-sessions",
        "List live terminals",
        auth="session:member",
        status=200,
        errors=(),
        query="terminal_sessions:TerminalSessionsListQuery",
        response="terminal_sessions:TerminalSessionsListResponse",
    ),
    Operation(
        "terminal-sessions.open",
        "POST",
        "/api/terminal-sessions",
        "Open a terminal on a server or resource",
        auth="session:admin",
        status=201,
        errors=(
            (400, "validation_error"),
            (400, "terminal_session_context_mismatch"),
            (400, "terminal_session_policy_denied"),
            (400, "terminal_session_workspace_unavailable"),
            (404, "not_found"),
            (502, "terminal_session_not_configured"),
            (502, "terminal_session_unsupported"),
        ),
        body="terminal_sessions:TerminalSessionsOpenBody",
        response="terminal_sessions:TerminalSessionsOpenResponse",
        body_required=True,
    ),
    Operation(
        "terminal-sessions.show",
        "GET",
        "/api/terminal-sessions/{sessionId}",
        "Read a live terminal",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (400, "terminal_session_not_found")),
        response="terminal_sessions:TerminalSessionsShowResponse",
    ),
    Operation(
        "terminal-sessions.close",
        "POST",
        "/api/terminal-sessions/{sessionId}/close",
        "Close a terminal",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (400, "terminal_session_not_found")),
        response="terminal_sessions:TerminalSessionsCloseResponse",
    ),
    Operation(
        "terminal-sessions.expire",
        "POST",
        "/api/terminal-sessions/expire",
        "Close stale terminals",
        auth="session:admin",
        status=200,
        errors=(),
        body="terminal_sessions:TerminalSessionsExpireBody",
        response="terminal_sessions:TerminalSessionsExpireResponse",
        body_required=True,
    ),
)
