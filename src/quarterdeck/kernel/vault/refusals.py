"""What is said of key backends that are elsewhere. Nothing that was answered is repeated: it may name secrets."""

from __future__ import annotations

from quarterdeck.kernel.errors import Conflict, Unavailable


def away(backend: str, where: str, why: str) -> Unavailable:
    return Unavailable(
        f"The key backend {backend} at {where} does not answer as it should ({why}). No key was made or changed.",
        code="key_backend_unavailable",
        hint="See that it runs, is unsealed and is reached from this machine, then try again. Do not make another "
        "master key: it could not open what this one has sealed.",
        backend=backend,
    )


def refused(backend: str, what: str, hint: str) -> Conflict:
    return Conflict(
        f"The key backend {backend} does not let this installation {what}.",
        code="key_backend_refused",
        hint=hint,
        backend=backend,
    )


def key_missing(backend: str, key: str, hint: str) -> Conflict:
    return Conflict(
        f"The key backend {backend} has no key {key}. None was made.",
        code="key_backend_key_missing",
        hint=hint,
        backend=backend,
    )


def key_unsuitable(backend: str, key: str, why: str, hint: str) -> Conflict:
    return Conflict(
        f"The key {key} of the key backend {backend} cannot wrap data keys: {why}.",
        code="key_backend_key_unsuitable",
        hint=hint,
        backend=backend,
    )


def not_configured(backend: str, key_id: str) -> Conflict:
    return Conflict(
        f"The data key {key_id} is wrapped by the key backend {backend}, which is not configured.",
        code="key_backend_not_configured",
        hint=f"Give the settings of {backend} again, beside those of another one if you like; after "
        "`quarterdeck vault rotate` they are not needed any more.",
        backend=backend,
    )
