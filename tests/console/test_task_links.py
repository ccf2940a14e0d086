"""What a machine says of a merge request becomes a link only where it leads over http."""

from __future__ import annotations

import pytest

from quarterdeck.console.domain.tasks import link


@pytest.mark.parametrize("address", ["https://git.example.com/pulls/1", "HTTP://git.example.com/1"])
def test_addresses_of_forges_are_links(address):
    assert link(address) == address


@pytest.mark.parametrize("address", [None, "", "javascript:alert(1)", "data:text/html,x", " https://x", "//x", "/x"])
def test_nothing_else_is(address):
    assert link(address) == ""
