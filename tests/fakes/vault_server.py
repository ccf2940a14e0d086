"""Vault and OpenBao: the key/value engine of version 2, from the published HTTP API (Read Secret Version, Create/Update
Secret with `options.cas`, List Secrets, Read Secret Metadata), with its errors as that documents them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fakes.loopback import Answer, Asked, Loopback

AT = "2026-03-22T02:24:06.945319214Z"
TOKEN = "hvs.of-the-connection-0123456789"
MISMATCH = "check-and-set parameter did not match the current version"


@dataclass
class Kept:
    """`versions` are the data of each, None for one that was deleted."""

    versions: list[dict[str, Any] | None] = field(default_factory=list)
    custom: dict[str, str] | None = None
    cas_required: bool = False


class VaultServer(Loopback):
    """`denied` are paths of the policy's `deny`."""

    def __init__(self, token: str = TOKEN, mount: str = "kv", namespace: str | None = None) -> None:
        super().__init__()
        self.token = token
        self.mount = mount
        self.namespace = namespace
        self.kept: dict[str, Kept] = {}
        self.denied: set[str] = set()
        self.sealed = False

    def put(self, path: str, data: dict[str, Any] | None, **custom: str) -> int:
        """As somebody else who writes."""
        kept = self.kept.setdefault(path, Kept())
        kept.versions.append(data)
        kept.custom = custom or kept.custom
        return len(kept.versions)

    def values(self, path: str) -> dict[str, Any] | None:
        return self.kept[path].versions[-1]

    def api(self, asked: Asked) -> Answer:
        if self.sealed:
            return Answer(503, {"errors": ["Vault is sealed"]})
        if not asked.path.startswith("/v1/"):
            return self.unknown(asked, "no handler for route")
        if asked.headers.get("X-Vault-Namespace") != self.namespace:
            return Answer(404, {"errors": ["no handler for route"]})
        if asked.headers.get("X-Vault-Token") != self.token:
            return Answer(403, {"errors": ["permission denied"]})
        rest = asked.path.removeprefix(f"/v1/{self.mount}/")
        kind, _, raw = rest.partition("/")
        path = unquote(raw)
        if rest == asked.path or kind not in {"data", "metadata"} or "//" in path or {"..", "."} & {*path.split("/")}:
            return self.unknown(asked, "no handler for route")
        if path in self.denied:
            return Answer(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
        if asked.query and not (kind == "data" and {*asked.query} <= {"version"}):
            return self.unknown(asked, f"unknown parameters {sorted(asked.query)}")
        if kind == "data" and path:
            if asked.method == "GET":
                return self.read(path)
            if asked.method in {"POST", "PUT"}:
                return self.write(asked, path)
        if kind == "metadata":
            if asked.method == "LIST":
                return self.listed(path)
            if asked.method == "GET" and path:
                return self.metadata(path)
        return self.unknown(asked, "unsupported operation")

    def read(self, path: str) -> Answer:
        kept = self.kept.get(path)
        if kept is None or not kept.versions:
            return Answer(404, {"errors": []})
        data = kept.versions[-1]
        found = {"data": data, "metadata": self.about(kept, len(kept.versions))}
        return _enclosed(found, 404 if data is None else 200)

    def write(self, asked: Asked, path: str) -> Answer:
        try:
            body = json.loads(asked.content)
        except ValueError:
            return Answer(400, {"errors": ["failed to parse JSON input"]})
        if strange := {*body} - {"data", "options"}:
            return self.unknown(asked, f"unknown fields {sorted(strange)}")
        options = body.get("options") or {}
        if not isinstance(body.get("data"), dict) or {*options} - {"cas"}:
            return Answer(400, {"errors": ["no data provided"]})
        kept = self.kept.get(path) or Kept()
        if "cas" not in options and kept.cas_required:
            return Answer(400, {"errors": ["check-and-set parameter required for this call"]})
        if "cas" in options and options["cas"] != len(kept.versions):
            return Answer(400, {"errors": [MISMATCH]})
        kept.versions.append(body["data"])
        self.kept[path] = kept
        return _enclosed(self.about(kept, len(kept.versions)))

    def listed(self, path: str) -> Answer:
        folder = f"{path.strip('/')}/" if path.strip("/") else ""
        keys = set()
        for one in self.kept:
            if one.startswith(folder):
                head, mark, _ = one.removeprefix(folder).partition("/")
                keys.add(head + mark)
        return _enclosed({"keys": sorted(keys)}) if keys else Answer(404, {"errors": []})

    def metadata(self, path: str) -> Answer:
        kept = self.kept.get(path)
        if kept is None:
            return Answer(404, {"errors": []})
        versions = {
            str(number): {"created_time": AT, "deletion_time": "" if data is not None else AT, "destroyed": False}
            for number, data in enumerate(kept.versions, 1)
        }
        found = {
            "cas_required": kept.cas_required,
            "created_time": AT,
            "current_version": len(kept.versions),
            "custom_metadata": kept.custom,
            "delete_version_after": "0s",
            "max_versions": 0,
            "oldest_version": 0,
            "updated_time": AT,
            "versions": versions,
        }
        return _enclosed(found)

    @staticmethod
    def about(kept: Kept, version: int) -> dict[str, Any]:
        gone = kept.versions[version - 1] is None
        return {
            "created_time": AT,
            "custom_metadata": kept.custom,
            "deletion_time": AT if gone else "",
            "destroyed": False,
            "version": version,
        }


def _enclosed(data: dict[str, Any], status: int = 200) -> Answer:
    around = {"request_id": "4b8c0a9e", "lease_id": "", "renewable": False, "lease_duration": 0}
    return Answer(status, {**around, "data": data, "wrap_info": None, "warnings": None, "auth": None})
