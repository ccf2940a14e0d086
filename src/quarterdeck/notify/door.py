"""Where links of what we send lead: given to the rules by the composition (`tx.part(Door)`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Door:
    """`base` is the address of the control plane, without a slash at its end."""

    base: str = "http://127.0.0.1:8700"

    def link(self, path: str | None) -> str | None:
        """A path of the console as a whole address; what is one already stays."""
        if path is None or path.startswith(("http://", "https://")):
            return path
        return f"{self.base}/{path.lstrip('/')}"
