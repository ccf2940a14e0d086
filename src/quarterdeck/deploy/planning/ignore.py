"""What never goes into a build context of ours, nor out to visitors of a static site."""

from __future__ import annotations


def ignored() -> tuple[str, ...]:
    """Return .dockerignore patterns: history, private settings, and what the build makes anew."""
    return (
        ".git",
        ".gitignore",
        ".dockerignore",
        ".env",
        ".env.local",
        ".env.*.local",
        "**/.DS_Store",
        "**/node_modules",
        "**/__pycache__",
        "**/*.pyc",
        ".venv",
        "venv",
        "target",
        "Dockerfile",
        "docker-compose.yml",
        "compose.yml",
    )
