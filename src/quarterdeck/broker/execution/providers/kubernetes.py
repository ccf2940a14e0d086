"""Secrets of one namespace of Kubernetes, over its published API. A change says which version it has seen
(`metadata.resourceVersion`) and touches nothing but keys of `data`; lists are asked for without values.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Self

from quarterdeck.broker.execution.providers.calling import Caller, header
from quarterdeck.broker.execution.providers.protocol import (
    Bundle,
    Found,
    changed_meanwhile,
    malformed,
    without_credential,
)
from quarterdeck.kernel.vault import Secret

NAME = "Kubernetes"
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"
AT_ONCE = 200
MERGE = {"Content-Type": "application/merge-patch+json"}
WITHOUT_VALUES = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}


class KubernetesProvider:
    """A `Provider`. `prefix` is what names begin with that references leave out."""

    def __init__(self, caller: Caller, namespace: str, prefix: str = "") -> None:
        self._caller = caller
        self._path = f"/api/v1/namespaces/{namespace}/secrets"
        self._prefix = prefix

    @classmethod
    def of(cls, config: Mapping[str, Any], credential: Secret[str] | None, environment: Mapping[str, str]) -> Self:
        """The token of the agent's own service account goes to its own cluster alone, which is the one without an
        address.
        """
        namespace = str(config["namespace"])
        if not SUBDOMAIN.fullmatch(namespace):
            raise malformed(namespace, "Correct the namespace of the connection.")
        address, ca_pem = config.get("address"), config.get("ca_pem")
        token: Secret[str] | str | None = credential
        if not address:
            address = _own_address(environment)
            ca_pem = ca_pem or _file("ca.crt")
            token = token or _file("token")
        if not address or token is None:
            raise without_credential(
                NAME, "Give the connection an address and a token, or let an agent inside of the cluster do it."
            )
        headers = {"Authorization": f"Bearer {header(NAME, token)}"}
        return cls(Caller(NAME, str(address), headers, ca_pem), namespace, str(config.get("prefix") or ""))

    async def read(self, ref: str) -> Bundle | None:
        status, found = await self._caller.call("GET", self._at(ref))
        if status == 404:
            return None
        if status != 200:
            raise self._caller.failed(status)
        version = _object(found.get("metadata")).get("resourceVersion")
        data = found.get("data") or {}
        if not isinstance(version, str) or not isinstance(data, dict):
            raise self._caller.garbage()
        try:
            return Bundle({key: _text(one) for key, one in data.items()}, version, data)
        except (binascii.Error, TypeError, ValueError):
            raise self._caller.garbage() from None

    async def write(self, ref: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        path = self._at(ref)
        if seen is None:
            new = {"metadata": {"name": self._name(ref)}, "type": "Opaque", "data": _coded(values)}
            status, _ = await self._caller.call("POST", self._path, {"apiVersion": "v1", "kind": "Secret", **new})
        else:
            fresh = {key: text for key, text in values.items() if seen.values.get(key) != text}
            data = {**_coded(fresh), **dict.fromkeys(seen.values.keys() - values.keys())}
            change = {"metadata": {"resourceVersion": seen.version}, "data": data}
            status, _ = await self._caller.call("PATCH", path, change, headers=MERGE)
        if status == 409 or (status == 404 and seen is not None):
            raise changed_meanwhile(ref)
        if status not in {200, 201}:
            raise self._caller.failed(status)

    async def find(self, labels: Mapping[str, str]) -> AsyncIterator[Found]:
        query = {"limit": str(AT_ONCE)}
        if labels:
            query["labelSelector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        while True:
            status, found = await self._caller.call("GET", self._path, query=query, headers=WITHOUT_VALUES)
            if status != 200:
                raise self._caller.failed(status)
            items = found.get("items") or []
            if not isinstance(items, list):
                raise self._caller.garbage()
            for one in items:
                meta = _object(_object(one).get("metadata"))
                name = meta.get("name")
                if isinstance(name, str) and name.startswith(self._prefix) and name != self._prefix:
                    own = {key: text for key, text in _object(meta.get("labels")).items() if isinstance(text, str)}
                    yield Found(name.removeprefix(self._prefix), own, meta.get("resourceVersion"))
            more = _object(found.get("metadata")).get("continue")
            if not more or not items:
                return
            query["continue"] = str(more)

    async def close(self) -> None:
        await self._caller.close()

    def _name(self, ref: str) -> str:
        name = f"{self._prefix}{ref}"
        if not ref or len(name) > 253 or not SUBDOMAIN.fullmatch(name):
            raise malformed(ref, "Give the name of a Secret: small letters, digits, '-' and '.'.")
        return name

    def _at(self, ref: str) -> str:
        return f"{self._path}/{self._name(ref)}"


def _own_address(environment: Mapping[str, str]) -> str | None:
    host, port = environment.get(HOST), environment.get(PORT, "443")
    if not host:
        return None
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _file(name: str) -> str | None:
    try:
        return (SERVICE_ACCOUNT / name).read_text(encoding="utf-8") or None
    except (OSError, UnicodeError):
        return None


def _text(coded: Any) -> str:
    """A value that is no text is given as it is kept, in base64."""
    plain = base64.b64decode(coded, validate=True)
    try:
        return plain.decode()
    except UnicodeDecodeError:
        return str(coded)


def _coded(values: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
