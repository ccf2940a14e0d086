"""What never goes into a build context of ours, nor out to visitors of a static site."""

from __future__ import annotations

_ALWAYS = (
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
    "Dockerfile",
    "docker-compose.yml",
    "compose.yml",
)
_BUILT_ANEW = {
    "rust": ("target",),
    "java": ("target", "build", ".gradle"),
    "elixir": ("_build", "deps"),
    "dotnet": ("**/bin", "**/obj", "out"),
    "node": (".next", ".nuxt", ".output", ".svelte-kit"),
}


def ignored(family: str = "static", *, builds: bool = False) -> tuple[str, ...]:
    """Return .dockerignore patterns: history, private settings and, where there is a build, what it makes anew."""
    return _ALWAYS + (_BUILT_ANEW.get(family, ()) if builds else ())
