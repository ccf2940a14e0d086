"""When a limit ends, as agent programs tell it: `3pm`, `15:30`, `in 2 hours 5 minutes`, `45s`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

CLOCK = re.compile(r"\b(\d{1,2})(?::(\d{2}))?\s*(am|pm)?\b", re.IGNORECASE)
SPAN = re.compile(r"(\d+)\s*(d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\b", re.IGNORECASE)
UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
DEFAULT = 60
"""Seconds: what a limit without a told end lasts (contract: tasks §4.4)."""
LONGEST = 8 * 86_400


def seconds_until(told: str | None, now: datetime) -> int:
    """Whole seconds from `now`, which is local to the machine: the programs tell the time of its zone."""
    if not told:
        return DEFAULT
    spans = SPAN.findall(told)
    if spans:
        return min(sum(int(count) * UNITS[unit[0].lower()] for count, unit in spans), LONGEST) or DEFAULT
    clock = CLOCK.search(told)
    if clock is None or not (clock.group(2) or clock.group(3)):
        return DEFAULT
    hour, minute, half = int(clock.group(1)), int(clock.group(2) or 0), (clock.group(3) or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        return DEFAULT
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if at <= now:
        at += timedelta(days=1)
    return int((at - now).total_seconds())
