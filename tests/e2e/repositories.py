"""Git repositories of the sample applications, served over HTTP by a real git server."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real.git_server import commit, git, repository

APPS = Path(__file__).resolve().parents[1] / "apps"


@dataclass
class Repositories:
    """`directory` is served at `url`."""

    directory: Path
    url: str

    def sample(self, app: str, name: str | None = None) -> Repository:
        """A repository with the files of a sample application."""
        files = {
            str(path.relative_to(APPS / app)): path.read_text()
            for path in sorted((APPS / app).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
        return self.add(name or app, files)

    def add(self, name: str, files: dict[str, str]) -> Repository:
        repository(self.directory / name, files)
        return Repository(self.directory / name, f"{self.url}/{name}/.git")


@dataclass
class Repository:
    directory: Path
    url: str

    def source(self, **more: Any) -> dict[str, Any]:
        """As a resource names it."""
        return {"kind": "remote-git", "locator": self.url, "gitRef": "main", **more}

    def release(self, version: str) -> str:
        """Commit the next version: every sample says its version at `/`. Answers the commit."""
        changed: dict[str, str] = {}
        for path in self.directory.rglob("*"):
            if ".git" in path.parts or not path.is_file():
                continue
            text = path.read_text()
            new = _with_version(text, version)
            if new != text:
                changed[str(path.relative_to(self.directory))] = new
        assert changed, f"no version in {self.directory}"
        return commit(self.directory, changed, message=f"Version {version}")

    def change(self, files: dict[str, str]) -> str:
        return commit(self.directory, files, message="Change")

    def head(self) -> str:
        return git(self.directory, "rev-parse", "HEAD")

    def delete(self) -> None:
        shutil.rmtree(self.directory)


def _with_version(text: str, version: str) -> str:
    text = re.sub(r'^(const )?VERSION = "[^"]*"', rf'\1VERSION = "{version}"', text, flags=re.MULTILINE)
    return re.sub(r">(static|vite) [^<]*<", rf">\1 {version}<", text)
