"""Cursors come back as they went out, or not at all."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.http.failures import Malformed
from quarterdeck.kernel.http.pagination import Cursors, page

CURSORS = Cursors(b"instance secret", "members newest first")


def test_a_cursor_gives_back_its_key() -> None:
    assert CURSORS.read(CURSORS.make([1_700_000_000_000_000, "abc", None])) == [1_700_000_000_000_000, "abc", None]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "A" * 5000, CURSORS.make([1])[:-1] + "A"])
def test_a_cursor_that_was_made_up_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed) as refused:
        CURSORS.read(cursor)
    assert refused.value.issues[0].path == ("cursor",)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Malformed):
        CURSORS.read(Cursors(b"instance secret", "invitations newest first").make([1]))


def test_a_page_knows_whether_more_rows_follow() -> None:
    assert page([1, 2, 3], 2) == ([1, 2], True)
    assert page([1, 2], 2) == ([1, 2], False)
