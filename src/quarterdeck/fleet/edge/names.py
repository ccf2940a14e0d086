"""The hostnames that an application gets before anybody binds a domain to it."""

from __future__ import annotations

import ipaddress
import re

from quarterdeck.kernel.errors import ProviderFailure

LABEL_LIMIT = 63
ZONE = "sslip.io"


def access_label(slug: str, resource_id: str) -> str:
    """`<slug cut to fit>-<last ten characters of the resource id>`, one DNS label of at most 63 characters."""
    tail = re.sub(r"[^a-z0-9]+", "", resource_id.lower())[-10:]
    head = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-") or "app"
    return f"{head[: LABEL_LIMIT - len(tail) - 1].rstrip('-')}-{tail}"


def sslip_hostname(slug: str, resource_id: str, server_address: str) -> str:
    """The public name of a resource on a server with an IPv4 address: `web-fzweik7akm.127.0.0.1.sslip.io`.

    Raises `ProviderFailure` for any other address, because the zone answers for dotted IPv4 names.
    """
    try:
        address = ipaddress.IPv4Address(server_address)
    except ValueError as error:
        raise ProviderFailure(
            f"No access domain can be generated for {resource_id}: {server_address!r} is not an IPv4 address.",
            code="default_access_domain_unavailable",
            hint="Register the server with its IPv4 address, or bind a domain of your own to the resource.",
            phase="route-resolution",
        ) from error
    return f"{access_label(slug, resource_id)}.{address}.{ZONE}"


def localhost_hostname(slug: str, resource_id: str) -> str:
    """The name by which a browser on the same machine reaches a resource without any DNS."""
    return f"{access_label(slug, resource_id)}.localhost"
