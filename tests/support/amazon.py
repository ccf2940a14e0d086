"""AWS as moto imitates it, on this machine, with a trust policy that asks for the external id."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import boto3

EXTERNAL_ID = "c0ffee" * 5
ROLE = "arn:aws:iam::123456789012:role/quarterdeck"
DENIED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/runner is not authorized to perform: %b
</Message></Error><RequestId>1</RequestId></ErrorResponse>"""
DENIED_EC2 = b"""<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized: %b
</Message></Error></Errors><RequestID>1</RequestID></Response>"""


@dataclass
class Amazon:
    """`assumed` are the calls of `AssumeRole`; `forbidden` are actions that nobody may do."""

    url: str = ""
    assumed: list[dict[str, str]] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """As the owner of the account."""
        return boto3.session.Session().client(
            service, region_name=region, endpoint_url=self.url, aws_access_key_id="root", aws_secret_access_key="root"
        )

    def answer(self, environ: dict[str, Any], start: Any) -> list[bytes] | None:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        said = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
        action = said.get("Action") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if action == "AssumeRole":
            self.assumed.append(said)
        untrusted = action == "AssumeRole" and said.get("ExternalId") != EXTERNAL_ID
        if not untrusted and action not in self.forbidden:
            return None
        ec2 = "/ec2/" in environ.get("HTTP_AUTHORIZATION", "")
        start("403 Forbidden", [("content-type", "text/xml")])
        return [(DENIED_EC2 if ec2 else DENIED) % action.encode()]


@contextlib.contextmanager
def amazon() -> Iterator[Amazon]:
    from moto.backends import get_backend
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    for name in ("ec2", "iam", "route53", "sts"):
        get_backend(name).reset()
    found = Amazon()
    imitation = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start: Any) -> Any:
        answered = found.answer(environ, start)
        return imitation(environ, start) if answered is None else answered

    server = make_server("127.0.0.1", 0, app, threaded=True)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
