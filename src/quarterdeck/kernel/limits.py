"""Token buckets in memory: how often one credential or address may call."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass

from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import RateLimited

LOOPBACK = "127.0.0.1"
"""What every address is counted under that means this machine itself."""
KEPT = 20_000  # buckets remembered; the longest unused is forgotten first


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests per `seconds`, all of them at once if so wished."""

    count: int
    seconds: float

    def __str__(self) -> str:
        span = {1: "second", 60: "minute", 3600: "hour"}.get(int(self.seconds), f"{self.seconds:g} seconds")
        return f"{self.count} per 1 {span}" if span.isalpha() else f"{self.count} per {span}"


def counted_as(address: str) -> str:
    """What an address is counted under: an IPv6 customer holds a whole /64, and may call from each address of it. So
    may whatever runs on this machine, from each of the 16 million addresses of its loopback.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.is_loopback:
        return LOOPBACK
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Limiter:
    """Takes one token per request from the bucket of a key; an empty bucket raises `RateLimited`."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def give_back(self, key: str, rate: Rate) -> None:
        """What was taken for something that is not to be counted after all."""
        if key in self._buckets:
            left, since = self._buckets[key]
            self._buckets[key] = (min(float(rate.count), left + 1), since)

    def take(self, key: str, rate: Rate) -> None:
        now = self._clock.monotonic()
        left = self._left(key, rate, now)
        self._buckets.pop(key, None)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        _require(left, rate)

    def check(self, key: str, rate: Rate) -> None:
        """Raise as `take` would, and take nothing."""
        _require(self._left(key, rate, self._clock.monotonic()), rate)

    def _left(self, key: str, rate: Rate, now: float) -> float:
        left, since = self._buckets.get(key, (float(rate.count), now))
        return min(float(rate.count), left + (now - since) * rate.count / rate.seconds)


def _require(left: float, rate: Rate) -> None:
    if left < 1:
        wait = max(1, math.ceil((1 - left) * rate.seconds / rate.count))
        raise RateLimited(f"Too many requests ({rate}).", retry_after=wait, limit=str(rate))
