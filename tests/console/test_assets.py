from __future__ import annotations

import hashlib
import re

from litestar import Litestar
from litestar.testing import TestClient

from quarterdeck.console.assets import HOME, Assets


def test_vendored_files_are_those_whose_checksums_are_written_down() -> None:
    listed = dict(reversed(line.split("  ")) for line in (HOME / "vendor" / "CHECKSUMS").read_text().splitlines())
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (HOME / "vendor").iterdir()
        if path.suffix in {".js", ".css"}
    }
    assert listed == there
    assert (HOME / "vendor" / "LICENSE.htmx").read_text().startswith("Zero-Clause BSD")


def test_the_style_sheet_is_at_most_700_lines_and_sets_no_state_colour_outside_its_tokens() -> None:
    text = (HOME / "console.css").read_text()
    assert text.count("\n") <= 700
    assert "@layer base, shell, pieces, pages, widths;" in text
    assert not re.search(r"url\(|@import|@font-face", text)


def test_a_static_file_is_named_by_its_content_and_kept_for_ever(client: TestClient[Litestar]) -> None:
    url = Assets().url("console.css")
    digest = hashlib.sha256((HOME / "console.css").read_bytes()).hexdigest()
    assert url == f"/console/static/console.{digest[:12]}.css"
    answer = client.get(url)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == (HOME / "console.css").read_text()
    assert client.get(url, headers={"accept-encoding": "identity"}).content == (HOME / "console.css").read_bytes()


def test_nothing_outside_the_manifest_is_served(client: TestClient[Litestar]) -> None:
    for name in ("console.css", "console.0000.css", "..%2frender.py", "CHECKSUMS"):
        assert client.get(f"/console/static/{name}").status_code == 404
