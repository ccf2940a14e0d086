"""Declares a handler for a documented deploy operation: everything but the function comes from the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

from litestar.handlers import HTTPRouteHandler

from quarterdeck.kernel.http.endpoint import Endpoint, Handler, declare, documented
from quarterdeck.surfaces.deploy.contract import Operation, operation_named

# Where a literal of another route stands beside a parameter whose values people choose: the literal is a value too.
SHADOWED = {"resources.unset-variable": {"key": "import"}}


def operation(
    key: str, *, permission: str | None = None, further: tuple[tuple[int, str], ...] = (), **options: Any
) -> Callable[[Handler], HTTPRouteHandler]:
    """A route under /api for the operation `key` (`projects.create`; streaming twins are `key/stream`).

    Method, path, status, summary, types and documented errors come from the contract. The permission is `deploy:`
    and the key, or "public" where the contract says so. `further` are errors (status and code) that its rules give but
    its row of the contract leaves out. `options` are further fields of `Endpoint`. Raises TypeError
    at import when the function's annotations disagree with the contract.
    """
    contract = operation_named(key)

    def bind(handler: Handler) -> HTTPRouteHandler:
        check(contract, handler)
        open_door = contract.auth in {"public", "webhook"}
        endpoint = Endpoint(
            contract.method,
            contract.path,
            permission or ("public" if open_door else "deploy:" + key.removesuffix("/stream")),
            contract.summary,
            **{
                "key": key,
                "status": contract.status,
                "body": contract.type("body"),
                "query": contract.type("query"),
                "response": contract.type("response"),
                "done": contract.type("done"),
                "stream": contract.stream,
                "errors": (*contract.errors, *further, *_once(contract)),
                "body_required": contract.body_required,
                "shadowed": SHADOWED.get(key, {}),
                "tags": (contract.path.split("/")[2],),
                **options,
            },
        )
        return declare(endpoint, handler)

    return bind


def _once(contract: Operation) -> tuple[tuple[int, str], ...]:
    """What a key of idempotency brings with it, which no row of the contract says: it may have been used before."""
    keyed = "idempotency_key" in getattr(contract.type("body"), "__struct_fields__", ())
    return ((409, "conflict"),) if keyed and (409, "conflict") not in contract.errors else ()


def check(contract: Operation, handler: Handler) -> None:
    """The annotations of `body`, `query` and the return value have to be the contract's types, where given."""
    hints = get_type_hints(handler, include_extras=True)
    for part, name in (("body", "body"), ("query", "query"), ("response", "return")):
        annotation = documented(hints.get(name)) if name == "return" else hints.get(name)
        wanted = contract.type(part)
        if annotation is None or annotation is dict or getattr(annotation, "__origin__", None) is dict:
            continue
        if annotation is bytes and part == "body":
            continue
        if annotation != wanted:
            raise TypeError(f"{handler.__qualname__}: `{name}` is {annotation}, {contract.key} says {wanted}")
