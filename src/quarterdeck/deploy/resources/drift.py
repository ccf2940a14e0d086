"""Where the profiles of a resource have moved on since its newest deployment was admitted."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.resources.overview import Overview

SECTIONS = ("source", "runtime", "network", "access", "health")


def drift(view: Overview) -> list[dict[str, Any]]:
    """One diagnostic for each section whose present profile is not the one of the newest deployment's snapshot.

    Sections are named, values are not: they may hold commands or locators that are not for every reader.
    """
    if view.latest is None:
        return []
    snapshot = view.latest.snapshot
    found = []
    for section in SECTIONS:
        present = getattr(view.resource, section)
        if section == "runtime":
            present = present or {"strategy": "auto"}
        if present != snapshot.get(section):
            found.append(
                {
                    "code": f"resource_{section}_profile_drift",
                    "severity": "info",
                    "message": f"The {section} profile has changed since {view.latest.ref}: deploy to use it.",
                    "section": section,
                    "comparison": "resource-vs-latest-snapshot",
                    "latestDeploymentId": view.latest.ref,
                    "blocksDeploymentAdmission": False,
                    "suggestedCommand": f"resources.configure-{section}",
                }
            )
    return found
