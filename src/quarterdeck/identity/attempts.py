"""How often a name may be tried at the door: held back for each name, whoever tries it and from wherever.

Names are counted as they are typed, known or not, so that being held back tells nobody which of them exist. Nobody is
locked out: buckets fill again while they are being emptied, and where somebody has signed in before, or on the machine
itself, the attempts of strangers elsewhere do not count.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from quarterdeck.kernel.clock import Clock
from quarterdeck.kernel.errors import RateLimited
from quarterdeck.kernel.limits import KEPT, Limiter, Rate, counted_as

HERE = Rate(20, 300)
"""Failures of one name from one address."""
EVERYWHERE = Rate(100, 3600)
"""Failures of one name from all addresses where nobody has signed in by it."""


PROOFS = Rate(20, 3600)
"""Wrong codes of one person, and wrong passwords of one who is signed in, from wherever they come."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, counted as a failure until it turns out to be `right`."""

    limiter: Limiter
    counted: tuple[tuple[str, Rate], ...]

    def right(self) -> None:
        for key, rate in self.counted:
            self.limiter.give_back(key, rate)


class Attempts:
    """One for each process. `begin` before a password is looked at, `begin_proof` before a code is."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._limiter = Limiter(clock)
        self._known: OrderedDict[str, None] = OrderedDict()

    def begin(self, name: str, address: str | None) -> Attempt:
        """Count an attempt at a name as a failure. Raises `RateLimited` when there were too many."""
        account, here = _account(name), _place(name, address)
        counted = [(here, HERE)]
        try:
            self._limiter.take(here, HERE)
            if not self._at_home(here, address):
                try:
                    self._limiter.take(account, EVERYWHERE)
                except RateLimited:
                    self._limiter.give_back(here, HERE)
                    raise
                counted.append((account, EVERYWHERE))
        except RateLimited as limited:
            raise RateLimited(
                "Too many failed sign-ins by this name.",
                retry_after=limited.retry_after,
                limit=limited.limit,
                hint="Wait, then try again. Where somebody has signed in by it before, and on the server's own "
                "machine, what others try elsewhere does not count.",
            ) from None
        return Attempt(self._limiter, tuple(counted))

    def begin_proof(self, what: Literal["code", "password"], uid: str) -> Attempt:
        """Count an attempt at what proves that somebody is the person `uid`: only who has their password or a session
        of theirs comes this far, so no stranger uses it up, and no address is exempt. Raises `RateLimited`.
        """
        key = f"{what} {uid}"
        try:
            self._limiter.take(key, PROOFS)
        except RateLimited as limited:
            raise RateLimited(
                f"Too many wrong {what}s.",
                retry_after=limited.retry_after,
                limit=limited.limit,
                hint="Wait, then try again. If it was not you, somebody has your password or a session of yours: set a "
                "new password by the link of a forgotten one, or ask an administrator to.",
            ) from None
        return Attempt(self._limiter, ((key, PROOFS),))

    def know(self, names: Iterable[str | None], address: str | None) -> None:
        """Somebody has shown from an address, with everything that is asked of them, that these names are theirs."""
        for name in filter(None, names):
            here = _place(name, address)
            self._known[here] = None
            self._known.move_to_end(here)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _at_home(self, here: str, address: str | None) -> bool:
        return here in self._known or _loopback(address)


def _account(name: str) -> str:
    """Of a bounded length, whatever was typed."""
    return hashlib.sha256(name.strip().lower().encode(errors="surrogatepass")).hexdigest()


def _place(name: str, address: str | None) -> str:
    return f"{_account(name)} {counted_as(address or '-')}"


def _loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
