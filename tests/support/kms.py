"""AWS KMS as moto imitates it, on this machine: three operations, and any other one is answered as unknown and kept."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

SESSION = boto3.session.Session()
"""One, because the description of the service takes long to read."""
KNOWN = {"DescribeKey", "Encrypt", "Decrypt"}


@dataclass
class Kms:
    """`refusing` answers an operation with an error of AWS's; `own` calls are those of the tests' owner of the keys."""

    url: str = ""
    calls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refusing: dict[str, tuple[int, str]] = field(default_factory=dict)
    _owner: Any = None

    def owner(self) -> Any:
        if self._owner is None:
            who = {"aws_access_key_id": "owner", "aws_secret_access_key": "owner"}
            self._owner = SESSION.client("kms", region_name="eu-central-1", endpoint_url=self.url, **who)
        return self._owner

    def key(self, **given: Any) -> str:
        """The ARN of a new key."""
        return str(self.owner().create_key(**{"KeyUsage": "ENCRYPT_DECRYPT", **given})["KeyMetadata"]["Arn"])

    def answer(self, environ: dict[str, Any], start: Any) -> list[bytes] | None:
        if "Credential=owner/" in environ.get("HTTP_AUTHORIZATION", ""):
            return None
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        self.calls.append(operation)
        status, code = self.refusing.get(operation, (0, ""))
        if operation not in KNOWN:
            self.unknown.append(operation)
            status, code = 400, "UnknownOperationException"
        if not code:
            return None
        start(f"{status} refused", [("content-type", "application/x-amz-json-1.1")])
        return [json.dumps({"__type": code, "message": "arn:aws:iam::123456789012:user/told-by-aws may not"}).encode()]


@contextlib.contextmanager
def kms() -> Iterator[Kms]:
    from moto.backends import get_backend
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    get_backend("kms").reset()
    found = Kms()
    imitation = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start: Any) -> Any:
        answered = found.answer(environ, start)
        return imitation(environ, start) if answered is None else answered

    server = make_server("127.0.0.1", 0, app, threaded=True)
    found.url = f"http://127.0.0.1:{server.server_port}"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
