from __future__ import annotations

from pathlib import Path

import pytest

from real.git_server import commit, git, repository


class Example:
    """A repository `app.git` with a branch, tags, a sub-directory and a little history."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "app.git"
        self.first = repository(self.path, {"app.py": "print('one')\n", "apps/web/index.html": "<h1>one</h1>\n"})
        git(self.path, "tag", "--annotate", "v1", "--message", "one")
        self.second = commit(self.path, {"app.py": "print('two')\n"}, message="Second step")
        git(self.path, "branch", "feature/x")
        self.between = commit(self.path, {"app.py": "print('between')\n"}, message="Named by nothing")
        self.third = commit(self.path, {"app.py": "print('three')\n"}, message="Third step")


@pytest.fixture
def example(tmp_path) -> Example:
    return Example(tmp_path / "served")
