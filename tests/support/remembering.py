"""What Litestar works out of a handler is the same in each application of a run: thousands of tests make one of their
own, and two thirds of the time of most went there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from litestar._kwargs import KwargsModel
from litestar._signature import SignatureModel
from litestar.utils.signature import ParsedSignature

OPTIONS = "HTTPRoute.create_options_handler.<locals>.options_handler"


def remember(patch: pytest.MonkeyPatch) -> None:
    """Ask Litestar once for each function, signature and path. What depends on more than these is asked anew."""
    _once(patch, ParsedSignature, "from_fn", lambda given: (_of(given["fn"]),))
    _once(
        patch, SignatureModel, "create",
        lambda given: None if given["data_dto"] else (_of(given["fn"]), *sorted(given["dependency_name_set"])),
    )  # fmt: skip
    _once(
        patch, KwargsModel, "create_for_signature_model",
        lambda given: None if given["dependencies"] or given["layered_parameters"]
        else (given["signature_model"], *sorted(given["path_parameters"])),
    )  # fmt: skip


def _of(function: Any) -> Any:
    """Litestar makes a function that answers OPTIONS for each path; they are all alike."""
    return OPTIONS if getattr(function, "__qualname__", "") == OPTIONS else function


def _once(patch: pytest.MonkeyPatch, owner: type, name: str, key: Callable[[dict[str, Any]], Any]) -> None:
    make = getattr(owner, name)
    signature = inspect.signature(make)
    known: dict[Any, Any] = {}

    def remembered(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        found = key(bound.arguments)
        if found is None:
            return make(*given, **named)
        if found not in known:
            known[found] = make(*given, **named)
        return known[found]

    patch.setattr(owner, name, staticmethod(remembered))
