"""Whoever guesses credentials is sent away without a look at the database."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
from collections import OrderedDict

from quarterdeck.kernel.errors import RateLimited
from quarterdeck.kernel.limits import KEPT, Limiter, Rate

FAILURES = Rate(30, 60)
"""Bearers of one address that name nobody."""


class Strangers:
    """`check` before a bearer is looked up, then `failed` or `proved`. `address` as `counted_as` gives it.

    A bearer that was proved before is always looked up, so that a guesser does not shut out who shares its address.
    On the machine itself nobody is a stranger.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._known: OrderedDict[str, None] = OrderedDict()

    def check(self, address: str, bearer: str) -> None:
        """Raises `RateLimited`."""
        if _digest(bearer) not in self._known and not _here(address):
            self._limiter.check(f"stranger {address}", FAILURES)

    def failed(self, address: str, bearer: str) -> None:
        self._known.pop(_digest(bearer), None)
        with contextlib.suppress(RateLimited):
            self._limiter.take(f"stranger {address}", FAILURES)

    def proved(self, bearer: str) -> None:
        digest = _digest(bearer)
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)


def _digest(bearer: str) -> str:
    return hashlib.sha256(bearer.encode(errors="surrogatepass")).hexdigest()


def _here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
