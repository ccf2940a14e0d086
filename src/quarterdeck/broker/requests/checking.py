"""What a wish may look like, before anything is looked up."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING

from quarterdeck.broker.requests.transitions import KINDS, PATCH, READ, ROTATE, UPDATE
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import lines, one_line

if TYPE_CHECKING:
    from quarterdeck.broker.requests.asking import Wish

PROVIDERS = ("vault", "aws-sm", "kubernetes", "file", "quarterdeck", "gcp-sm", "azure-kv")
MOST_KEYS, LONGEST_KEY, LONGEST_VALUE, LONGEST_REF = 100, 400, 65_536, 1000
LONGEST_JUSTIFICATION = 4000
SHORTEST_MADE, LONGEST_MADE = 16, 512
ALPHABETS = ("letters-digits", "hex", "digits", "printable")


def check(wish: Wish) -> Wish:
    """The wish with its texts trimmed. Raises `Invalid`, which names the field and never a value."""
    if wish.kind not in KINDS:
        raise Invalid(f"Nothing asks to {wish.kind[:40]!r} a secret.", code="kind_unknown", field="type")
    if wish.provider_type not in PROVIDERS:
        raise Invalid(
            f"There is no provider {wish.provider_type[:40]!r}.",
            code="provider_unknown",
            hint=f"One of {', '.join(PROVIDERS)}.",
            field="target_provider_type",
        )
    ref = one_line(wish.secret_ref, "target_secret_ref", LONGEST_REF)
    if ref.startswith("/") or ".." in ref.split("/") or "\\" in ref:
        raise Invalid(
            "target_secret_ref leaves the place where secrets are kept.",
            code="secret_ref_malformed",
            hint="Write it without a leading slash and without '..'.",
            field="target_secret_ref",
        )
    keys = tuple(dict.fromkeys(_key(key) for key in wish.keys))
    if wish.kind in {PATCH, UPDATE}:
        _values(wish)
    elif wish.values:
        raise Invalid("Only a change brings values.", code="values_unexpected", field="key_values")
    if wish.kind == ROTATE and not keys:
        raise Invalid("Nothing says which keys are made anew.", code="keys_missing", field="target_keys")
    if len(keys) > MOST_KEYS:
        raise Invalid(f"More than {MOST_KEYS} keys are named.", code="keys_too_many", field="target_keys")
    if wish.recipient_key is not None:
        if wish.kind != READ:
            raise Invalid("Only reads are sealed to somebody.", code="recipient_unexpected", field="recipient_key")
        public_key(wish.recipient_key, "recipient_key")
    return replace(
        wish,
        secret_ref=ref,
        keys=keys,
        justification=lines(wish.justification, "justification", LONGEST_JUSTIFICATION),
        rotation=_rotation(wish) if wish.kind == ROTATE else None,
    )


def justified(wish: Wish, workflow: Workflow) -> None:
    """Raises `Invalid` (`justification_required`) for a wish that says nothing of why, where that is asked."""
    if workflow.require_justification and not wish.justification:
        raise Invalid(
            "The request does not say why.", code="justification_required", hint="Give a justification.",
            field="justification",
        )  # fmt: skip


def public_key(text: str, field: str) -> bytes:
    """The 32 bytes of an X25519 public key in base64. Raises `Invalid` (`public_key_malformed`)."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise Invalid(
            f"{field} is not the base64 of 32 bytes.",
            code="public_key_malformed",
            hint="Give the raw X25519 public key in standard base64.",
            field=field,
        )
    return raw


def _values(wish: Wish) -> None:
    if not wish.values:
        raise Invalid("No keys and values are given.", code="keys_missing", field="key_values")
    if len(wish.values) > MOST_KEYS:
        raise Invalid(f"More than {MOST_KEYS} keys are given.", code="keys_too_many", field="key_values")
    for key, value in wish.values.items():
        _key(key)
        text = value.reveal()
        if not text:
            raise Invalid(f"The value of {key[:60]!r} is empty.", code="value_empty", field="key_values")
        if len(text.encode()) > LONGEST_VALUE:
            raise Invalid(
                f"The value of {key[:60]!r} has more than {LONGEST_VALUE} bytes.",
                code="value_too_long",
                field="key_values",
            )


def _key(text: str) -> str:
    key = one_line(text, "key", LONGEST_KEY)
    if key != text:
        raise Invalid(f"The key {key[:60]!r} has spaces around it.", code="key_malformed", field="target_keys")
    return key


def _rotation(wish: Wish) -> dict[str, object]:
    said = wish.rotation or {}
    length, alphabet = said.get("length", 32), said.get("alphabet", ALPHABETS[0])
    if not isinstance(length, int) or isinstance(length, bool) or not SHORTEST_MADE <= length <= LONGEST_MADE:
        raise Invalid(
            f"A value is made of {SHORTEST_MADE} to {LONGEST_MADE} characters.", code="rotation_malformed",
            field="rotation.length",
        )  # fmt: skip
    if alphabet not in ALPHABETS:
        raise Invalid(
            f"A value is made of {', '.join(ALPHABETS)}.", code="rotation_malformed", field="rotation.alphabet"
        )
    return {"length": length, "alphabet": alphabet}
