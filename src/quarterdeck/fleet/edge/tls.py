"""Where the certificates of the secure routes come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarterdeck.fleet.edge.routes import Route

JsonObject = dict[str, Any]


def tls_applications(routes: Sequence[Route], email: str | None, directory: str | None) -> JsonObject:
    """The `tls` and `pki` applications of the configuration; empty when no route wants TLS."""
    if not routes:
        return {}
    internal = _hostnames(routes, "internal")
    automatic = _hostnames(routes, "auto")
    files = sorted(
        {
            (route.certificate_file, route.key_file)
            for route in routes
            if route.tls == "files" and route.certificate_file
        }
    )
    tls: JsonObject = {}
    applications: JsonObject = {"tls": tls}
    policies: list[JsonObject] = []
    if internal:
        policies.append({"subjects": internal, "issuers": [{"module": "internal"}]})
        # The authority's root is for this edge alone: the host's trust store is not ours to change.
        applications["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    if automatic:
        issuer: JsonObject = {"module": "acme"}
        if directory:
            issuer["ca"] = directory
        if email:
            issuer["email"] = email
        policies.append({"subjects": automatic, "issuers": [issuer]})
    if policies:
        tls["automation"] = {"policies": policies}
    if files:
        tls["certificates"] = {"load_files": [{"certificate": certificate, "key": key} for certificate, key in files]}
    return applications


def _hostnames(routes: Sequence[Route], mode: str) -> list[str]:
    return sorted({name for route in routes if route.tls == mode for name in route.hostnames})
