"""Master keys in AWS Key Management Service, which wraps and unwraps and never shows them.

https://docs.aws.amazon.com/kms/latest/APIReference: `DescribeKey`, `Encrypt`, `Decrypt`. boto3 is an extra
(`quarterdeck[aws]`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.vault import refusals
from quarterdeck.kernel.vault.backend import Wrapped
from quarterdeck.kernel.vault.secret import Secret

NAME = "aws-kms"
CONNECT_SECONDS, SECONDS, TRIES = 5, 10, 2
ARN = re.compile(r"arn:[\w-]{1,20}:kms:[\w-]{1,30}:\d{12}:key/([\w-]{1,40})", re.ASCII)
ALTERED = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
DENIED = frozenset({
    "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException",
    "InvalidClientTokenId", "IncompleteSignature", "MissingAuthenticationTokenException", "SignatureDoesNotMatch",
})  # fmt: skip
MISSING = frozenset({"NotFoundException", "InvalidArnException"})
UNUSABLE = frozenset({"DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"})
NEEDS = "It needs kms:DescribeKey, kms:Encrypt and kms:Decrypt of this key; see aws_kms_access_key, or the machine's "
NEEDS += "role, and the key's own policy."


@dataclass(frozen=True)
class Key:
    """`key` is the id, ARN or alias of a symmetric key. Without `access_key` the library's own chain is asked:
    environment, profile, the role of the machine.
    """

    key: str
    region: str
    endpoint: str | None = None
    access_key: Secret[str] | None = None
    secret_key: Secret[str] | None = None


class AwsKmsBackend:
    """A master key id is that of the key; a wrapped text is its ARN and what KMS has made of the data key.

    KMS keeps the older material of a key that it rotates, and wraps with the newest.
    """

    name = NAME
    here = False

    def __init__(self, key: Key) -> None:
        """Raises `Invalid` (`settings_invalid`) where the library is not installed."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise Invalid(
                "The key backend aws-kms is configured, and the library for it is not installed.",
                code="settings_invalid",
                hint="Install Quarterdeck with its extra: pip install 'quarterdeck[aws]'.",
            ) from None
        self._key = key
        self._arn = ""
        self._failures = (BotoCoreError, ClientError)
        keys: dict[str, Any] = {}
        if key.access_key is not None and key.secret_key is not None:
            keys = {"aws_access_key_id": key.access_key.reveal(), "aws_secret_access_key": key.secret_key.reveal()}
        # Addresses that files or variables name are not believed: data keys go to AWS alone, or where we were told.
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            ignore_configured_endpoint_urls=True,
        )
        self._make: Callable[[], Any] = lambda: boto3.session.Session().client(
            "kms", endpoint_url=key.endpoint, region_name=key.region, config=config, **keys
        )
        self._client: Any = None

    def open(self, *, create: bool) -> None:
        """Ask which key is meant: an alias may be given to another one. It is the operator's to make, with `create`
        too.
        """
        told = self._ask("describe_key", "describe its key", KeyId=self._key.key).get("KeyMetadata", {})
        wrong = _unsuitable(told)
        if wrong is not None:
            raise self._unusable(wrong)
        self._arn = str(told["Arn"])

    @property
    def current(self) -> str:
        return self._arn.rpartition("/")[2]

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        answer = self._ask(
            "encrypt", "encrypt with its key", KeyId=self._arn, Plaintext=data_key, EncryptionContext=_bound(associated)
        )
        return Wrapped(self.current, f"{self._arn} {base64.b64encode(answer['CiphertextBlob']).decode()}")

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        arn, _, encoded = wrapped.text.partition(" ")
        named = ARN.fullmatch(arn)
        if named is None or named[1] != wrapped.master_key_id:
            raise ValueError("altered")
        try:
            blob = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError("altered") from None
        if not blob:
            raise ValueError("altered")
        answer = self._ask(
            "decrypt", "decrypt with its key", KeyId=arn, CiphertextBlob=blob, EncryptionContext=_bound(associated)
        )
        return bytes(answer["Plaintext"])

    def keeps(self, master_key_id: str) -> bool:
        return True

    def stage(self) -> str:
        """Nothing is made: KMS rotates the material of a key itself, and an alias is given to another one there."""
        self.open(create=False)
        return self.current

    def retire(self) -> list[str]:
        """Nothing: disabling and deleting keys is for the operator."""
        return []

    def _ask(self, operation: str, what: str, **given: Any) -> Any:
        """What was answered. Raises a `Problem`, and `ValueError` for what does not open."""
        where = self._key.endpoint or f"kms.{self._key.region}"
        try:
            if self._client is None:
                self._client = self._make()
            return getattr(self._client, operation)(**given)
        except self._failures as error:
            code = _code(error)
        except ValueError:  # a region or an address that is none
            code = "no such address"
        if code in ALTERED:
            raise ValueError("altered")
        if code in MISSING:
            raise refusals.key_missing(NAME, self._key.key, "See aws_kms_key and aws_kms_region.")
        if code in UNUSABLE:
            raise self._unusable("it is disabled, waits for its deletion, or is for something else")
        if code in DENIED:
            raise refusals.refused(NAME, what, NEEDS)
        if code in {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"}:
            raise refusals.refused(NAME, "sign in: there are no credentials", NEEDS)
        raise refusals.away(NAME, where, code)

    def _unusable(self, why: str) -> Conflict:
        return refusals.key_unsuitable(
            NAME, self._key.key, why, "Name an enabled symmetric key for encryption (SYMMETRIC_DEFAULT) in aws_kms_key."
        )


def _code(error: Any) -> str:
    """AWS's word for what went wrong, or the library's; the text beside it is not repeated."""
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"])[:80] if response else type(error).__name__


def _unsuitable(told: dict[str, Any]) -> str | None:
    if ARN.fullmatch(str(told.get("Arn"))) is None:
        return "its ARN is none that is known here"
    if told.get("KeyUsage") != "ENCRYPT_DECRYPT" or told.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return "it is not a symmetric key for encryption"
    return None if told.get("KeyState") == "Enabled" else f"it is {str(told.get('KeyState'))[:40]}"


def _bound(associated: bytes) -> dict[str, str]:
    """The encryption context: what decrypts only under the same one, and stands in the trail of AWS."""
    return {"quarterdeck": associated.decode()}
