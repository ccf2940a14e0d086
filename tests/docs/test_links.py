"""Every page can be reached, and every link in it leads somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from docs import pages

EVERY = pytest.mark.parametrize("page", pages.documents(), ids=pages.name)


def broken(page: Path) -> list[str]:
    """Links of the page that lead nowhere; addresses of other hosts are left alone."""
    wrong = []
    for target in pages.links(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, fragment = unquote(target).partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists():
            wrong.append(f"{target}: there is no such file")
        elif fragment and fragment not in pages.anchors(place.read_text(encoding="utf-8")):
            wrong.append(f"{target}: {pages.name(place)} has no such heading")
    return wrong


@EVERY
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `thing`\n[good](#one-thing) [gone](other.md) [no heading](#two) `[code](nowhere.md)`\n")
    assert [wrong.split(":")[0] for wrong in _with_root(page, tmp_path)] == ["other.md", "#two"]


def _with_root(page: Path, root: Path) -> list[str]:
    before, pages.ROOT = pages.ROOT, root
    try:
        return broken(page)
    finally:
        pages.ROOT = before


def test_every_page_is_reached_from_the_readme() -> None:
    start = pages.ROOT / "README.md"
    reached, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        for target in pages.links(page.read_text(encoding="utf-8")):
            place = (page.parent / target.partition("#")[0]).resolve()
            if place.suffix == ".md" and place.exists() and place not in reached:
                reached.add(place)
                waiting.append(place)
    assert [pages.name(page) for page in pages.documents() if page not in reached] == []
