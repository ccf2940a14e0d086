"""What Terraform keeps as its state: what must be in it, and how much of it is looked at.

The form is Terraform's own, version 4 (its package `statefile`). What is not looked at here is kept as it came.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault.vault import Vault

LARGEST = 50 << 20
"""Bytes of a state at most (contract: infra §3.3)."""
FORM = 4
LEVEL = 3
MOST_ADDRESSES, LONGEST_ADDRESS = 500, 500
TABLE, FIELD = "infra_state_versions", "sealed"
_LINEAGE = re.compile(r"[\x21-\x7e]{1,100}")
Word = Annotated[str, Meta(min_length=1, max_length=1000)]


class _Counted(Struct, gc=False):
    """An instance of a resource: the field that each has in every state is asked for, so that a body made of nothing
    but brackets costs no more memory than it is long. Nothing that is read from JSON leads back to itself, so the
    collector, which would look through a million of them again and again, leaves them alone.
    """

    schema_version: Annotated[int, Meta(ge=0)]
    index_key: int | Annotated[str, Meta(max_length=1000)] | None = None


class _Resource(Struct, gc=False):
    mode: Word
    type: Word
    name: Word
    instances: list[_Counted]
    module: Annotated[str, Meta(max_length=1000)] = ""


class _State(Struct):
    version: int
    serial: Annotated[int, Meta(ge=0, le=2**63 - 2)]
    lineage: str
    terraform_version: Annotated[str, Meta(max_length=100)] = ""
    resources: list[_Resource] | None = None
    outputs: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Contents:
    """A state that may be kept. `resources` counts what Terraform manages, data sources left out; `addresses` are the
    first of them, in order.
    """

    data: bytes
    serial: int
    lineage: str
    resources: int
    sha256: str
    addresses: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is sealed for the row of that uid before the row is made: sealing takes time, units have none."""

    uid: str
    contents: Contents
    sealed: str


def read(data: bytes) -> Contents:
    """Raises `Invalid` (`state_too_large`, `state_invalid`), which names what is missing and repeats no value."""
    if len(data) > LARGEST:
        raise Invalid(
            f"A state of {len(data)} bytes is larger than {LARGEST >> 20} MiB.",
            code="state_too_large",
            hint="Split the configuration into smaller ones.",
        )
    try:
        data.decode()
        found = msgspec.json.decode(data, type=_State)
    except msgspec.ValidationError as error:
        raise _invalid(f"{error}") from None
    except UNREADABLE:
        raise _invalid("it is not JSON") from None
    if found.version != FORM:
        raise _invalid(f"its form has the version {found.version}, not {FORM}")
    if not bytes(found.outputs).startswith((b"{", b"null")):
        raise _invalid("its outputs are no object")
    if not _LINEAGE.fullmatch(found.lineage):
        raise _invalid("its lineage is not a word of at most 100 characters")
    managed = [one for one in found.resources or () if one.mode == "managed"]
    number = sum(len(one.instances) for one in managed)
    addresses = tuple(sorted(islice(_addresses(managed), MOST_ADDRESSES)))
    return Contents(data, found.serial, found.lineage, number, hashlib.sha256(data).hexdigest(), addresses)


def _addresses(managed: list[_Resource]) -> Iterator[str]:
    for one in managed:
        base = f"{one.module}.{one.type}.{one.name}" if one.module else f"{one.type}.{one.name}"
        for item in one.instances:
            key = "" if item.index_key is None else f"[{msgspec.json.encode(item.index_key).decode()}]"
            yield str(storable(shown(f"{base}{key}", LONGEST_ADDRESS)))


def _invalid(why: str) -> Invalid:
    return Invalid(
        f"This is not a state of Terraform: {why}.",
        code="state_invalid",
        hint="Send what `terraform state pull` writes: a JSON object with version 4, a serial and a lineage. "
        "An encrypted state cannot be kept here; it is sealed by the server.",
    )


def numbered(data: bytes, serial: int) -> bytes:
    """The same state under another serial, everything else to the byte."""
    fields: dict[str, Any] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(fields | {"serial": serial})


def sealed(vault: Vault, uid: str, contents: Contents) -> Draft:
    """Takes its time: call it outside of units where the state may be large."""
    packed = base64.b64encode(zlib.compress(contents.data, LEVEL)).decode()
    return Draft(uid, contents, vault.seal(TABLE, uid, FIELD, packed))


def opened(vault: Vault, uid: str, text: str) -> bytes:
    """What was sealed for the row of that uid. Raises `Unreadable`."""
    return zlib.decompress(base64.b64decode(vault.open(TABLE, uid, FIELD, text).reveal()))
