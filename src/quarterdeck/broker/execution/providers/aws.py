"""AWS Secrets Manager. boto3 is an extra (`quarterdeck[aws]`); its calls block, and run on a thread.

A change puts its version beside the current one, under a staging label of its own, and then moves `AWSCURRENT` from the
version that was seen: the service refuses that when somebody else has moved it meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from quarterdeck.broker.execution.providers import objects, protocol
from quarterdeck.broker.execution.providers.aws_client import answered, client, session
from quarterdeck.broker.execution.providers.protocol import (
    Bundle,
    Found,
    changed_meanwhile,
    malformed,
    refused,
    unreachable,
)
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret

T = TypeVar("T")
NAME = "AWS Secrets Manager"
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
CURRENT, OURS = "AWSCURRENT", "QUARTERDECK"
SESSION, SESSION_SECONDS = "quarterdeck-secrets", 900
AT_ONCE = 100
OF_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass
class AwsProvider:
    """A `Provider`. `prefix` is the folder that references are below. `endpoint`: another address than the region's."""

    region: str
    prefix: str = ""
    endpoint: str | None = None
    role_arn: str | None = None
    keys: tuple[str, Secret[str]] | None = None
    ids: Ids = field(default_factory=Ids)
    _client: Any = None
    _binary: set[str] = field(default_factory=set)
    _empty: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, config: Mapping[str, Any], credential: Secret[str] | None) -> Self:
        """Without a credential the library's own chain is asked: environment, profile, the role of the machine."""
        keys = None
        if credential is not None:
            access, mark, secret = credential.reveal().strip().partition(":")
            if not mark or not access.isalnum() or not secret:
                raise refused(NAME, "cannot be asked: the credential is not ACCESS_KEY_ID:SECRET_ACCESS_KEY")
            keys = (access, Secret(secret))
        prefix = str(config.get("prefix") or "").strip("/")
        return cls(
            str(config["region"]),
            f"{prefix}/" if prefix else "",
            config.get("endpoint") or None,
            config.get("role_arn") or None,
            keys,
        )

    async def read(self, ref: str) -> Bundle | None:
        return await self._run(partial(self._read, ref, self._name(ref)))

    async def write(self, ref: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        await self._run(partial(self._write, ref, self._name(ref), dict(values), seen))

    async def find(self, labels: Mapping[str, str]) -> AsyncIterator[Found]:
        pages = self._pages()
        while (page := await self._run(partial(next, pages, None))) is not None:
            for one in page:
                if labels.items() <= one.labels.items():
                    yield one

    async def close(self) -> None:
        if self._client is not None:
            await asyncio.to_thread(self._client.close)

    # -- on threads

    def _asked(self, operation: str, absent: tuple[str, ...] = (), **given: Any) -> Any:
        """The answer; None for a refusal with a code of `absent`."""
        if self._client is None:
            self._client = self._opened()
        return answered(NAME, partial(getattr(self._client, operation), **given), absent)

    def _opened(self) -> Any:
        made = session(NAME)
        if self.keys is not None:
            made.set_credentials(self.keys[0], self.keys[1].reveal())
        if self.role_arn:
            # An endpoint that is none of AWS stands for all of it.
            host = urlsplit(self.endpoint or "").hostname or ""
            there = self.endpoint if host and not host.endswith(OF_AWS) else None
            sts = client(NAME, made, "sts", self.region, there)
            role = {"RoleArn": self.role_arn, "RoleSessionName": SESSION, "DurationSeconds": SESSION_SECONDS}
            taken: Any = answered(NAME, lambda: sts.assume_role(**role)["Credentials"])
            made = session(NAME)
            made.set_credentials(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
        return client(NAME, made, "secretsmanager", self.region, self.endpoint)

    def _read(self, ref: str, name: str) -> Bundle | None:
        found = self._asked("get_secret_value", ("ResourceNotFoundException",), SecretId=name, VersionStage=CURRENT)
        if found is None:
            if self._asked("describe_secret", ("ResourceNotFoundException",), SecretId=name) is not None:
                self._empty.add(ref)
            return None
        text = found.get("SecretString")
        if text is None:
            self._binary.add(ref)
            text = found["SecretBinary"]
        version = str(found["VersionId"])
        try:
            raw = objects.parsed(text)
            if isinstance(raw, dict):
                return Bundle(objects.texts(raw), version, raw)
        except ValueError:
            pass
        return Bundle({objects.ONLY: _plain(text)}, version, writable=False)

    def _write(self, ref: str, name: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        told = objects.encoded(objects.written(values, seen.raw if seen is not None else {}))
        content = {"SecretBinary": told.encode()} if ref in self._binary else {"SecretString": told}
        token = self.ids.uid()
        if seen is None and ref not in self._empty:
            made = self._asked(
                "create_secret", ("ResourceExistsException",), Name=name, ClientRequestToken=token, **content
            )
            if made is None:
                raise changed_meanwhile(ref)
            return
        if seen is not None and self._current(name) != seen.version:
            raise changed_meanwhile(ref)
        put = self._asked("put_secret_value", SecretId=name, ClientRequestToken=token, VersionStages=[OURS], **content)
        try:
            if CURRENT not in put.get("VersionStages", ()):
                self._move(ref, name, put["VersionId"], seen)
        finally:  # what bears no label is forgotten by the service
            label = {"VersionStage": OURS, "RemoveFromVersionId": put["VersionId"]}
            with contextlib.suppress(Problem):
                self._asked("update_secret_version_stage", SecretId=name, **label)

    def _move(self, ref: str, name: str, version: str, seen: Bundle | None) -> None:
        """Make a version the current one, unless another has become it since."""
        was = {"RemoveFromVersionId": seen.version} if seen is not None else {}
        moved = self._asked(
            "update_secret_version_stage",
            ("InvalidParameterException",),
            SecretId=name,
            VersionStage=CURRENT,
            MoveToVersionId=version,
            **was,
        )
        if moved is None:
            raise changed_meanwhile(ref)

    def _current(self, name: str) -> str | None:
        found = self._asked("describe_secret", ("ResourceNotFoundException",), SecretId=name) or {}
        return _version(found.get("VersionIdsToStages"))

    def _pages(self) -> Iterator[list[Found]]:
        asked: dict[str, Any] = {"MaxResults": AT_ONCE}
        if self.prefix:
            asked["Filters"] = [{"Key": "name", "Values": [self.prefix]}]
        while True:
            page = self._asked("list_secrets", **asked)
            yield [
                Found(
                    str(one["Name"]).removeprefix(self.prefix),
                    {str(tag["Key"]): str(tag.get("Value", "")) for tag in one.get("Tags", ())},
                    _version(one.get("SecretVersionsToStages")),
                )
                for one in page.get("SecretList", ())
                if str(one["Name"]).startswith(self.prefix)
            ]
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(protocol.SECONDS):
                return await asyncio.to_thread(work)
        except TimeoutError as error:
            raise unreachable(NAME, error) from None
        except (KeyError, TypeError, AttributeError):
            raise refused(NAME, "answers in a way that cannot be understood") from None

    def _name(self, ref: str) -> str:
        name = f"{self.prefix}{ref}"
        if not ref or not SECRET_NAME.fullmatch(name):
            raise malformed(ref, "Give the name of a secret below the connection's prefix: letters, digits and /_+=.@-")
        return name


def _plain(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError:
        return base64.b64encode(text).decode()


def _version(stages: Any) -> str | None:
    """The version that bears the label of the current one."""
    return next((str(one) for one, labels in (stages or {}).items() if CURRENT in labels), None)
