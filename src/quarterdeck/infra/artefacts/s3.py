"""Saved plans in a bucket of an object store that speaks S3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from quarterdeck.infra.artefacts.store import Lying, checked, is_key, unavailable
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

GONE = frozenset({"404", "NoSuchKey", "NotFound"})
SECONDS = 20
TRIES = 3


@dataclass(frozen=True)
class Bucket:
    """`prefix` is empty, or ends with a slash. Without `access_key` the library's own chain is asked: environment,
    profile, the role of the machine.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key: Secret[str] | None = None
    secret_key: Secret[str] | None = None

    @classmethod
    def at(cls, url: str, **given: Any) -> Bucket:
        """`s3://bucket/prefix`."""
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        return cls(parts.netloc, f"{prefix}/" if prefix else "", **given)


class S3Store:
    """A `Store`. Drafts lie in `scratch` until they are sent. Raises `Invalid` (`settings_invalid`) where the library
    is not installed.
    """

    def __init__(self, bucket: Bucket, scratch: Path) -> None:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise Invalid(
                "QUARTERDECK_ARTEFACTS names a bucket, and the library for it is not installed.",
                code="settings_invalid",
                hint="Install Quarterdeck with its extra: pip install 'quarterdeck[s3]'.",
            ) from None
        self._bucket = bucket
        self._scratch = scratch
        self._failures = (BotoCoreError, ClientError)
        keys: dict[str, Any] = {}
        if bucket.access_key is not None and bucket.secret_key is not None:
            keys = {
                "aws_access_key_id": bucket.access_key.reveal(),
                "aws_secret_access_key": bucket.secret_key.reveal(),
            }
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name=bucket.region or "us-east-1",
            config=Config(
                connect_timeout=SECONDS,
                read_timeout=SECONDS,
                retries={"max_attempts": TRIES, "mode": "standard"},
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            ),
            **keys,
        )

    @property
    def incoming(self) -> Path:
        try:
            self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unavailable(error.strerror or "no drafts can be written") from None
        return self._scratch

    def _name(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": f"{self._bucket.prefix}{checked(key)}"}

    def _said(self, error: Any) -> str:
        response = getattr(error, "response", None)
        return str(response["Error"]["Code"]) if response else type(error).__name__

    def put(self, key: str, draft: Path) -> None:
        try:
            with draft.open("rb") as body:
                self._client.put_object(**self._name(key), Body=body)
            draft.unlink()
        except OSError as error:
            raise unavailable(error.strerror or "a draft cannot be read") from None
        except self._failures as error:
            raise unavailable(self._said(error)) from None

    def open(self, key: str) -> BinaryIO | None:
        spool = tempfile.TemporaryFile(dir=self.incoming)  # noqa: SIM115 - whoever reads it closes it
        try:
            self._client.download_fileobj(self._bucket.name, self._name(key)["Key"], spool)
        except self._failures as error:
            spool.close()
            if self._said(error) in GONE:
                return None
            raise unavailable(self._said(error)) from None
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return cast("BinaryIO", spool)

    def there(self, key: str) -> bool | None:
        return None

    def delete(self, key: str) -> None:
        try:
            self._client.delete_object(**self._name(key))
        except self._failures as error:
            raise unavailable(self._said(error)) from None

    def listed(self) -> Iterator[Lying]:
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket.name, Prefix=self._bucket.prefix):
                for one in page.get("Contents", ()):
                    key = str(one["Key"]).removeprefix(self._bucket.prefix)
                    if is_key(key):
                        yield Lying(key, one["LastModified"])
        except self._failures as error:
            raise unavailable(self._said(error)) from None
