"""Where the links of our mails lead."""

from __future__ import annotations

from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.http.guard import names_this_machine

ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what a listener on all addresses is reached by here


def base(call: Call) -> str:
    """The address of the control plane, without a slash at its end: the public one; without one the name of this
    machine by which it was called, never another that a stranger's request claims, else where it listens.
    """
    public: str | None = call.service("public_url")
    if public:
        return public
    host = call.headers.get("host", "")
    if names_this_machine(host):
        return f"{call.request.scope['scheme']}://{host}"
    settings = call.service("instance").settings
    return f"http://{ANY.get(settings.host, settings.host)}:{settings.port}"
