"""Static files: named by what they hold, so that a browser keeps them for ever and never holds a stale one."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parent / "static"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its public name, its media type, its bytes and the same compressed once."""

    name: str
    media_type: str
    body: bytes
    packed: bytes


class Assets:
    """The manifest, computed when the program starts: there is no build step."""

    def __init__(self, home: Path = HOME) -> None:
        self._by_name: dict[str, Asset] = {}
        self._by_source: dict[str, str] = {}
        for path in sorted(home.rglob("*")):
            if path.suffix not in KINDS:
                continue
            body = path.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:12]
            source = path.relative_to(home).as_posix()
            name = f"{path.stem}.{digest}{path.suffix}"
            self._by_name[name] = Asset(name, KINDS[path.suffix], body, gzip.compress(body, 9, mtime=0))
            self._by_source[source] = name

    def url(self, source: str) -> str:
        """The address of `console.css` or `vendor/htmx-4.0.1.min.js`; a name that is not there raises KeyError."""
        return f"/console/static/{self._by_source[source]}"

    def find(self, name: str) -> Asset | None:
        return self._by_name.get(name)
