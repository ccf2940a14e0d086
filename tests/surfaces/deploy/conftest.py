"""A real SSH server for routes that reach one, and a key that it lets in."""

from __future__ import annotations

import pytest

from real.sshd import new_key, sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """The private key, and the public line."""
    path = tmp_path_factory.mktemp("keys") / "key"
    public = new_key(path)
    return path.read_text(), public


@pytest.fixture
def there(keys):
    with sshd(authorized=[keys[1]]) as server:
        yield server
