"""By which address people reach this control plane."""

from __future__ import annotations

from quarterdeck.kernel.http.guard import names_this_machine
from quarterdeck.kernel.settings import Settings

ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what a listener on all addresses is reached by here


def own_address(settings: Settings, scheme: str, host: str) -> str:
    """Without a slash at its end: the public one; without one the name of this machine by which a request called it
    (`host`), never another that a stranger's request claims, else where it listens.
    """
    if settings.public_url:
        return settings.public_url
    if names_this_machine(host):
        return f"{scheme}://{host}"
    return f"http://{ANY.get(settings.host, settings.host)}:{settings.port}"
