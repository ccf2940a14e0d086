"""Words of the console: numbers with units, times as a person says them, counts with their nouns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SPELT = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def took(seconds: float | None) -> str:
    """A duration: `0.3 s`, `48.0 s`, `1 m 11 s`, `2 h 05 m`, `3 d 4 h`; nothing for none."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def running(seconds: float) -> str:
    """A duration that still grows, as the page's own clock will count it on: whole seconds."""
    whole = max(int(seconds), 0)
    return f"{whole} s" if whole < 60 else took(float(whole))


def ago(moment: datetime, now: datetime) -> str:
    """How long since `moment`: `just now`, `18 min ago`, `yesterday`, `12 May 2026`; also ahead: `in 24 min`."""
    gap = now - moment
    if gap < timedelta(seconds=-45):
        return "in " + _span(-gap)
    if gap < timedelta(seconds=45):
        return "just now"
    if gap < timedelta(hours=24):
        return _span(gap) + " ago"
    if gap < timedelta(hours=48):
        return "yesterday"
    if gap < timedelta(days=14):
        return f"{gap.days} days ago"
    return f"{moment.day} {moment:%b %Y}"


def exact(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """To the second, in the reader's zone where it is known."""
    local = moment.astimezone(zone or UTC)
    return f"{local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"


def clock(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """Time of day to the second, for log lines."""
    return f"{moment.astimezone(zone or UTC):%H:%M:%S}"


def machine(moment: datetime) -> str:
    """For the `datetime` attribute of `<time>`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def size(count: int | None) -> str:
    """Bytes as a person reads them, decimal units: `212 MB`."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit in {"bytes", "kB", "MB"} else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def dollars(amount: float | None) -> str:
    """`$1,412.60`; nothing for none."""
    return "" if amount is None else f"${amount:,.2f}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 server`, `3 servers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def spelt(number: int, one: str, many: str | None = None) -> str:
    """As `counted`, with small numbers spelt and a capital: `Five things`."""
    figure = SPELT[number] if 0 <= number < len(SPELT) else f"{number:,}"
    return f"{figure} {one if number == 1 else many or one + 's'}"


def host(address: str) -> str:
    """An address as it is read aloud: without scheme and trailing slash."""
    return address.partition("://")[2].rstrip("/") or address


def initials(name: str) -> str:
    """Two letters for a face: of the first and last word, or the first two of a single one."""
    parts = [part for part in name.replace("@", " ").replace("_", " ").split() if part]
    if not parts:
        return "?"
    return (parts[0][0] + parts[-1][0] if len(parts) > 1 else parts[0][:2]).upper()


def today(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """`Sunday 22 November, 9:54 UTC`: under the first page's heading."""
    local = moment.astimezone(zone or UTC)
    return f"{local:%A} {local.day} {local:%B}, {local.hour}:{local:%M} {local.tzname()}"


def _span(gap: timedelta) -> str:
    minutes = round(gap.total_seconds() / 60)
    if minutes < 60:
        return f"{max(minutes, 1)} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 24 else counted(round(hours / 24), "day")
