"""Where the links of our mails lead."""

from __future__ import annotations

from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.http.own_address import own_address


def base_if_sent(call: Call) -> str | None:
    """`base`, None where there is no mail server."""
    return base(call) if call.service("instance").settings.mail_server is not None else None


def base(call: Call) -> str:
    """The address of the control plane, without a slash at its end: see `own_address`."""
    settings = call.service("instance").settings
    return own_address(settings, call.request.scope["scheme"], call.headers.get("host", ""))
