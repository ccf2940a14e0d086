"""How often a name may be tried at the door: held back for each name, whoever tries it and from wherever.

Names are counted as they are typed, known or not, so that being held back tells nobody which of them exist; the two
names of one person are counted apart, or one would betray the other.

Who tries a name from an address where its owner has never been is told from a stranger by nothing but how often they
fail. So the failures of all such addresses are bounded together, and each of them has a small share of that bound:

- Attacked from a few addresses, the owner is let in at once at a new one: its first tries count against a bound of
  their own, which takes 20 addresses to use up.
- Attacked from 20 or more for as long as it lasts, the owner may be refused at a new address. Nothing changes where
  they are known: where they have signed in before, where they set a password by the link of a mail, and on the machine
  itself. The link is the way in from a new address then.

On the machine itself, where agents and applications of others may run, `HERE` is the bound: all of its own addresses
are counted as one. So whatever runs there judges 20 passwords of a name an hour and no more, and the owner of the
machine is not kept out of it by who tries from elsewhere. By what runs on it they are, for as long as that goes on
trying: nothing tells the two apart. Sessions that are open stay so, other addresses are counted apart, and a start of
the server counts anew.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select

from quarterdeck.identity.model import User, UserSession
from quarterdeck.kernel.clock import Clock
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import RateLimited
from quarterdeck.kernel.limits import KEPT, LOOPBACK, Limiter, Rate, counted_as

HERE = Rate(20, 3600)
"""Failures of one name from one address."""
FIRST_HERE = Rate(3, 3600)
"""Those of them that count against `FIRST`; what is beyond counts against `MORE`."""
FIRST = Rate(60, 3600)
"""First failures of one name, from all addresses together that nobody is known at by it."""
MORE = Rate(40, 3600)
"""Further failures of one name, from these addresses together. `FIRST` and `MORE` are 100 an hour."""
PROOFS = Rate(20, 3600)
"""Wrong codes of one person, and wrong passwords of one who is signed in, from wherever they come."""

ELSEWHERE = (
    "Wait, then try again. What others try elsewhere does not count where somebody has signed in by it before, where "
    "its password was set by the link of a mail, and on the server's own machine."
)
ON_THE_MACHINE = (
    "Wait, then try again. Whatever runs on the server's own machine is counted as one, so a program there may be what "
    "tries: end it. A session that is open stays so, and sign-ins from other machines are counted apart. With the "
    "server stopped, `quarterdeck admin reset-password` sets another password; its next start counts anew."
)
RECALLED = 20_000
"""Sessions that are read at a start, the newest ones; more would be felt where programs sign in all the time."""


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
        here = _place(name, address)
        counted = [(here, HERE)]
        if not self._at_home(here, address):
            counted += self._elsewhere(_account(name), here)
        try:
            for key, rate in counted:
                self._limiter.take(key, rate)
        except RateLimited as limited:
            # What an address has taken is not given back, or one that is refused could ask until it is the first to
            # come when there is room again, always before everybody else.
            raise RateLimited(
                "Too many failed sign-ins by this name.",
                retry_after=limited.retry_after,
                limit=limited.limit,
                hint=ON_THE_MACHINE if _on_the_machine(address) else ELSEWHERE,
            ) from None
        return Attempt(self._limiter, tuple(counted))

    def _elsewhere(self, account: str, here: str) -> list[tuple[str, Rate]]:
        first = f"first {here}"
        try:
            self._limiter.check(first, FIRST_HERE)
        except RateLimited:
            return [(f"more {account}", MORE)]
        return [(first, FIRST_HERE), (f"first {account}", FIRST)]

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

    def recall(self, tx: Tx) -> None:
        """Know the places where the newest sessions were opened: a restart makes nobody a stranger."""
        last: int = tx.execute(select(func.max(UserSession.id))).scalar() or 0
        newest = func.max(UserSession.id).label("newest")
        places = (
            select(UserSession.user_id, UserSession.address, newest)
            .where(UserSession.id > last - RECALLED, UserSession.address.is_not(None))
            .group_by(UserSession.user_id, UserSession.address)
            .order_by(newest.desc())
            .limit(KEPT // 2)  # everybody has two names
            .subquery()
        )
        found = select(User.username, User.email, places.c.address).join(places, places.c.user_id == User.id)
        for username, email, address in tx.execute(found.order_by(places.c.newest)):
            self.know((username, email), address)

    def _at_home(self, here: str, address: str | None) -> bool:
        return here in self._known or _on_the_machine(address)


def _on_the_machine(address: str | None) -> bool:
    return counted_as(address or "-") == LOOPBACK


def _account(name: str) -> str:
    """Of a bounded length, whatever was typed."""
    return hashlib.sha256(name.strip().lower().encode(errors="surrogatepass")).hexdigest()


def _place(name: str, address: str | None) -> str:
    return f"{_account(name)} {counted_as(address or '-')}"
