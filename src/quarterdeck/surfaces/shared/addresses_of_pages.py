"""Where people find this control plane, for links in mails."""

from __future__ import annotations

from quarterdeck.kernel.http.endpoint import Call


def base_of(call: Call) -> str:
    """The public address without a slash at its end; where none is set, the one that the request came to."""
    public: str | None = call.service("public_url")
    if public:
        return public.rstrip("/")
    return f"{call.request.scope['scheme']}://{call.headers.get('host', 'localhost')}"
