"""What a source tree is: language, framework, package manager, versions, containers; by reading alone."""

from __future__ import annotations

from quarterdeck.deploy.detection.detect import detect
from quarterdeck.deploy.detection.tree import DirectoryTree, MemoryTree, SourceTree
from quarterdeck.deploy.detection.values import Detection, Evidence, Found, Issue

__all__ = ["Detection", "DirectoryTree", "Evidence", "Found", "Issue", "MemoryTree", "SourceTree", "detect"]
