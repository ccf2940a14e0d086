"""The agent programs that are known by name. Their flags drift: a worker's `agents.toml` changes any of them.

Sources: the programs' own command references (Claude Code, Codex, Cursor CLI, Gemini CLI) and contract: tasks §9.
"""

from __future__ import annotations

import re

from quarterdeck.tasks.agents.adapter import Adapter, auth, limited, trusting

RESET = r"(?:.*?\b(?:resets?|try again|retry|available again)\b(?: (?:at|in|after|on))? ?(?P<reset>[^.·|()]{2,40}))?"

CLAUDE = Adapter(
    type="claude",
    programs=("claude",),
    argv=("claude", "--session-id", "{session}", "--settings", "{settings}", "--permission-mode", "acceptEdits"),
    resume=("claude", "--resume", "{session}", "--settings", "{settings}", "--permission-mode", "acceptEdits"),
    names_session=True,
    environment=(
        "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX",
    ),
    hook="claude-settings",
    ready=re.compile(r"\? for shortcuts|^[>\u276f](?:\s|$)"),
    signs=(
        *trusting(r"do you trust the files in this folder", r"quick safety check"),
        *auth(
            r"invalid api key", r"please run /login", r"not logged in(?: ·|\.|$)", r"oauth token (?:has )?expired",
            r"select login method", r"credit balance is too low", r"choose the text style",
            r"unable to connect to anthropic services",
        ),
        *limited(
            r"(?:claude )?(?:ai )?usage limit reached" + RESET, r"you'?ve (?:hit|reached) your .{0,30}limit" + RESET,
            r"api error: .{0,20}(?:429|rate.?limit)" + RESET,
        ),
    ),
    extra_environment={"DISABLE_AUTOUPDATER": "1"},
)  # fmt: skip

CODEX = Adapter(
    type="codex",
    programs=("codex",),
    argv=(
        "codex", "-c", "notify={notify}", "--sandbox", "workspace-write", "--ask-for-approval", "on-request",
    ),
    resume=(
        "codex", "resume", "{session}", "-c", "notify={notify}", "--sandbox", "workspace-write",
        "--ask-for-approval", "on-request",
    ),
    environment=("OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME"),
    hook="codex-notify",
    ready=re.compile(r"^[\u203a>▌\u276f](?:\s|$)|send a message|ctrl\+j newline", re.IGNORECASE),
    signs=(
        *trusting(
            r"trust this folder\?", r"do you trust the contents of this directory",
            r"since this folder is version controlled, you may wish to allow codex",
        ),
        *auth(
            r"sign in with chatgpt", r"finish signing in via your browser", r"welcome to codex.*sign in",
            r"(?:you are )?not logged in(?:\.|$)", r"unexpected status 401", r"incorrect api key",
            r"missing environment variable",
        ),
        *limited(
            r"you'?ve (?:hit|reached) your usage limit" + RESET, r"rate limit (?:reached|exceeded)" + RESET,
            r"unexpected status 429" + RESET,
        ),
    ),
)  # fmt: skip

CURSOR = Adapter(
    type="cursor",
    programs=("agent", "cursor-agent"),
    argv=("agent",),
    resume=("agent", "--resume", "{session}"),
    version=re.compile(r"\d{4}\.\d{2}\.\d{2}[-\w]*|\d+(?:\.\d+)+"),
    environment=("CURSOR_API_KEY", "CURSOR_API_ENDPOINT"),
    ready=re.compile(r"plan, search, build|add a follow-up|^[→>\u276f](?:\s|$)", re.IGNORECASE),
    signs=(
        *auth(
            r"please (?:log|sign) in", r"press any key to (?:log|sign) in", r"authentication required",
            r"workspace trust required", r"do you trust (?:this|the contents of this) (?:workspace|directory|folder)",
            r"invalid api key",
        ),
        *limited(
            r"you'?ve (?:hit|reached) your usage limit" + RESET, r"rate limit (?:reached|exceeded)" + RESET,
            r"too many requests[.,:]" + RESET,
        ),
    ),
)  # fmt: skip

GEMINI = Adapter(
    type="gemini",
    programs=("gemini",),
    argv=("gemini", "--approval-mode", "auto_edit"),
    environment=(
        "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_APPLICATION_CREDENTIALS",
    ),
    ready=re.compile(r"type your message", re.IGNORECASE),
    signs=(
        *trusting(r"do you trust (?:this|the files in this) folder"),
        *auth(
            r"how would you like to authenticate", r"waiting for auth", r"login with google", r"sign in with google",
            r"failed to login", r"api key not valid",
        ),
        *limited(
            r"(?:you have )?(?:exhausted|exceeded) (?:your|the) .{0,40}(?:capacity|quota)" + RESET,
            r"quota exceeded" + RESET, r"usage limit reached" + RESET, r"rate limit exceeded" + RESET,
        ),
    ),
)  # fmt: skip

ADAPTERS: dict[str, Adapter] = {one.type: one for one in (CLAUDE, CODEX, CURSOR, GEMINI)}
