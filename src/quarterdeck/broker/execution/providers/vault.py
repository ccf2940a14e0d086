"""Vault and OpenBao: the key/value engine of version 2, over its published HTTP API. A change says which version it has
seen (`cas`), so that nobody's write is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

from quarterdeck.broker.execution.providers import objects
from quarterdeck.broker.execution.providers.calling import Caller, header
from quarterdeck.broker.execution.providers.protocol import (
    Bundle,
    Found,
    changed_meanwhile,
    malformed,
    refused,
    without_credential,
)
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.vault import Secret

NAME = "Vault"
MOUNT = "kv"
MISMATCH = "check-and-set parameter did not match"
AT_ONCE = 16
MOST_FOLDERS, DEEPEST = 2000, 32
TOKEN, ADDRESS = "VAULT_TOKEN", "VAULT_ADDR"


class VaultProvider:
    """A `Provider`. `prefix` is the folder that references are below."""

    def __init__(self, caller: Caller, mount: str = MOUNT, prefix: str = "", clock: Clock | None = None) -> None:
        self._caller = caller
        self._mount = mount.strip("/")
        self._prefix = prefix.strip("/")
        self._clock = clock or SystemClock()
        self._gone: dict[str, int] = {}
        """Versions of secrets whose last one was deleted: what is written then has to name it."""

    @classmethod
    def of(cls, config: Mapping[str, Any], credential: Secret[str] | None, environment: Mapping[str, str]) -> Self:
        """The agent's own token goes to no other address than the agent's own (`VAULT_ADDR`): whoever defines
        connections would learn it otherwise.
        """
        address = str(config["address"]).rstrip("/")
        token: Secret[str] | str | None = credential
        if token is None and environment.get(ADDRESS, "").rstrip("/") == address:
            token = environment.get(TOKEN) or None
        if token is None:
            raise without_credential(
                NAME, f"Give the connection a token, or set {TOKEN} and {ADDRESS} (the connection's) for the agent."
            )
        headers = {"X-Vault-Token": header(NAME, token), "X-Vault-Request": "true"}
        if config.get("namespace"):
            headers["X-Vault-Namespace"] = str(config["namespace"])
        caller = Caller(NAME, address, headers, config.get("ca_pem"))
        return cls(caller, str(config.get("mount") or MOUNT), str(config.get("prefix") or ""))

    async def read(self, ref: str) -> Bundle | None:
        status, found = await self._caller.call("GET", self._path("data", ref))
        data = _object(found.get("data"))
        version = _object(data.get("metadata")).get("version")
        if status == 404:
            self._gone[ref] = version if isinstance(version, int) else 0
            return None
        if status != 200:
            raise self._caller.failed(status)
        raw = data.get("data")
        if not isinstance(raw, dict) or not isinstance(version, int):
            raise self._caller.garbage()
        try:
            return Bundle(objects.texts(raw), str(version), raw)
        except ValueError:
            raise self._caller.garbage() from None

    async def write(self, ref: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        known = int(seen.version or 0) if seen is not None else self._gone.get(ref, 0)
        data = objects.written(values, seen.raw if seen is not None else {})
        body = {"options": {"cas": known}, "data": data}
        status, found = await self._caller.call("POST", self._path("data", ref), body)
        if status == 400 and MISMATCH in str(found.get("errors"))[:2000]:
            raise changed_meanwhile(ref)
        if status != 200:
            raise self._caller.failed(status)

    async def find(self, labels: Mapping[str, str]) -> AsyncIterator[Found]:
        folders, seen = [""], 0
        while folders:
            seen += 1
            if seen > MOST_FOLDERS:
                raise refused(NAME, f"has more than {MOST_FOLDERS} folders below this connection")
            folder = folders.pop(0)
            keys = await self._keys(folder)
            below = [f"{folder}{key}" for key in keys if key.endswith("/")]
            folders += [one for one in below if one.count("/") <= DEEPEST]
            refs = [f"{folder}{key}" for key in keys if not key.endswith("/")]
            for first in range(0, len(refs), AT_ONCE):
                for one in await asyncio.gather(*map(self._about, refs[first : first + AT_ONCE])):
                    if one is not None and labels.items() <= one.labels.items():
                        yield one

    async def close(self) -> None:
        await self._caller.close()

    async def _keys(self, folder: str) -> list[str]:
        status, found = await self._caller.call("LIST", self._path("metadata", folder, folder=True))
        if status == 404:
            return []
        if status != 200:
            raise self._caller.failed(status)
        keys = _object(found.get("data")).get("keys")
        if not isinstance(keys, list):
            raise self._caller.garbage()
        return [key for key in keys if isinstance(key, str) and key.strip("/") not in {"", ".", ".."}]

    async def _about(self, ref: str) -> Found | None:
        """None for a secret that is gone, or whose last version is deleted; without labels where only its name may be
        seen.
        """
        status, found = await self._caller.call("GET", self._path("metadata", ref))
        if status == 404:
            return None
        if status == 403:
            return Found(ref)
        if status != 200:
            raise self._caller.failed(status)
        data = _object(found.get("data"))
        version, custom = data.get("current_version"), _object(data.get("custom_metadata"))
        last = _object(_object(data.get("versions")).get(str(version)))
        if not isinstance(version, int) or not version or last.get("destroyed") or self._over(last):
            return None
        return Found(ref, {key: text for key, text in custom.items() if isinstance(text, str)}, str(version))

    def _over(self, version: Mapping[str, Any]) -> bool:
        """Whether it is deleted: the time may be one to come."""
        said = version.get("deletion_time")
        try:
            return bool(said) and datetime.fromisoformat(str(said)) <= self._clock.now()
        except (ValueError, TypeError):
            return True

    def _path(self, kind: str, ref: str, *, folder: bool = False) -> str:
        parts = ref.rstrip("/").split("/") if folder else ref.split("/")
        if not (folder and not ref) and any(one in {"", ".", ".."} for one in parts):
            raise malformed(ref, "Give a path below the connection's, such as apps/shop/db.")
        whole = [part for one in (self._mount, kind, self._prefix, *parts) for part in one.split("/") if part]
        return "/v1/" + "/".join(quote(part, safe="") for part in whole)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
