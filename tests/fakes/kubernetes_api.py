"""The Kubernetes API for Secrets of one namespace, from the published OpenAPI document (readCoreV1NamespacedSecret,
createCoreV1NamespacedSecret, patchCoreV1NamespacedSecret, listCoreV1NamespacedSecret) and from what is published about
concurrency (`resourceVersion`), chunks (`limit`, `continue`) and lists without values (PartialObjectMetadataList).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

from fakes.loopback import Answer, Asked, Loopback

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
FIELDS = {"apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"}
META = {"name", "namespace", "labels", "annotations", "resourceVersion", "uid", "creationTimestamp"}
PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MERGE = "application/merge-patch+json"


class KubernetesApi(Loopback):
    """`denied` are verbs that the account's role does not have."""

    def __init__(self, token: str = "of-the-account", namespace: str = "shop") -> None:  # noqa: S107 - of a fake
        super().__init__()
        self.token = token
        self.namespace = namespace
        self.secrets: dict[str, dict[str, Any]] = {}
        self.denied: set[str] = set()
        self.version = 100

    def put(self, name: str, data: dict[str, str | bytes], **labels: str) -> str:
        """As somebody else who writes."""
        coded = {
            key: base64.b64encode(one.encode() if isinstance(one, str) else one).decode() for key, one in data.items()
        }
        before = self.secrets.get(name)
        meta = before["metadata"] if before else {"name": name, "namespace": self.namespace, "uid": f"u-{name}"}
        self.version += 1
        meta = {**meta, "resourceVersion": str(self.version), "labels": labels or meta.get("labels", {})}
        self.secrets[name] = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": coded}
        return str(self.version)

    def values(self, name: str) -> dict[str, bytes]:
        return {key: base64.b64decode(one) for key, one in self.secrets[name].get("data", {}).items()}

    def api(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized", "Unauthorized")
        found = re.fullmatch(r"/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?", asked.path)
        if found is None:
            self.refused.append(f"{asked.method} {asked.path}")
            return _status(404, "NotFound", "the server could not find the requested resource")
        name = unquote(found[2] or "")
        calls = {
            ("GET", True): ("get", self.read),
            ("PATCH", True): ("patch", self.patch),
            ("POST", False): ("create", self.create),
            ("GET", False): ("list", self.listed),
        }
        call = calls.get((asked.method, bool(name)))
        if call is None:
            self.refused.append(f"{asked.method} {asked.path}")
            return _status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        verb, run = call
        if verb in self.denied or unquote(found[1]) != self.namespace:
            told = f'secrets "{name}" is forbidden: User "agent" cannot {verb} resource "secrets" in API group ""'
            return _status(403, "Forbidden", told)
        if verb != "list" and asked.query:
            self.refused.append(f"{asked.method} {asked.path}: {sorted(asked.query)}")
            return _status(400, "BadRequest", "unknown parameter")
        return run(asked, name)

    def read(self, asked: Asked, name: str) -> Answer:
        found = self.secrets.get(name)
        return Answer(200, found) if found else _status(404, "NotFound", f'secrets "{name}" not found')

    def create(self, asked: Asked, _name: str) -> Answer:
        body, wrong = self.body(asked, "application/json")
        if wrong:
            return wrong
        name = body.get("metadata", {}).get("name", "")
        if body.get("kind") != "Secret" or body.get("apiVersion") != "v1" or not NAME.fullmatch(name):
            return _status(422, "Invalid", f'Secret "{name}" is invalid')
        if "resourceVersion" in body["metadata"]:
            return _status(422, "Invalid", "resourceVersion should not be set on objects to be created")
        if name in self.secrets:
            return _status(409, "AlreadyExists", f'secrets "{name}" already exists')
        self.version += 1
        meta = {
            **body["metadata"],
            "namespace": self.namespace,
            "uid": f"u-{name}",
            "resourceVersion": str(self.version),
        }
        self.secrets[name] = {"type": "Opaque", **body, "metadata": meta}
        return Answer(201, self.secrets[name])

    def patch(self, asked: Asked, name: str) -> Answer:
        body, wrong = self.body(asked, MERGE)
        if wrong:
            return wrong
        found = self.secrets.get(name)
        if found is None:
            return _status(404, "NotFound", f'secrets "{name}" not found')
        said = body.get("metadata", {}).get("resourceVersion")
        if said is not None and said != found["metadata"]["resourceVersion"]:
            told = f'Operation cannot be fulfilled on secrets "{name}": the object has been modified'
            return _status(409, "Conflict", told)
        if found.get("immutable"):
            return _status(422, "Invalid", f'Secret "{name}" is invalid: data: field is immutable')
        self.version += 1
        merged = _merged(deepcopy(found), body)
        merged["metadata"]["resourceVersion"] = str(self.version)
        self.secrets[name] = merged
        return Answer(200, merged)

    def body(self, asked: Asked, kind: str) -> tuple[dict[str, Any], Answer | None]:
        if asked.headers.get("Content-Type") != kind:
            self.refused.append(f"{asked.method} {asked.path}: {asked.headers.get('Content-Type')}")
            return {}, _status(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        body = json.loads(asked.content)
        strange = ({*body} - FIELDS) | ({*body.get("metadata", {})} - META)
        if strange:
            self.refused.append(f"{asked.method} {asked.path}: {sorted(strange)}")
            return {}, _status(400, "BadRequest", f"unknown field {sorted(strange)}")
        for key, one in body.get("data", {}).items():
            try:
                fine = KEY.fullmatch(key) and (one is None or base64.b64decode(one, validate=True) is not None)
            except (binascii.Error, TypeError):
                fine = False
            if not fine:
                return {}, _status(422, "Invalid", f"data[{key}]: a valid config key must consist of alphanumerics")
        return body, None

    def listed(self, asked: Asked, _name: str) -> Answer:
        if strange := {*asked.query} - {"labelSelector", "limit", "continue"}:
            self.refused.append(f"{asked.method} {asked.path}: {sorted(strange)}")
            return _status(400, "BadRequest", "unknown parameter")
        wanted = dict(one.split("=", 1) for one in asked.query.get("labelSelector", "").split(",") if one)
        here = [
            one
            for _, one in sorted(self.secrets.items())
            if wanted.items() <= one["metadata"].get("labels", {}).items()
        ]
        first = int(asked.query.get("continue") or 0)
        limit = int(asked.query.get("limit") or 500)
        meta = {"resourceVersion": str(self.version)}
        if first + limit < len(here):
            meta["continue"] = str(first + limit)
        partial = asked.headers.get("Accept") == PARTIAL
        some = here[first : first + limit]
        return Answer(
            200,
            {
                "kind": "PartialObjectMetadataList" if partial else "SecretList",
                "apiVersion": "meta.k8s.io/v1" if partial else "v1",
                "metadata": meta,
                "items": [{"metadata": one["metadata"]} for one in some] if partial else some,
            },
        )


def _merged(kept: Any, change: Any) -> Any:
    """RFC 7386."""
    if not isinstance(change, dict):
        return change
    found = kept if isinstance(kept, dict) else {}
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), value)
    return found


def _status(code: int, reason: str, message: str) -> Answer:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return Answer(code, {**body, "message": message, "reason": reason, "code": code})
