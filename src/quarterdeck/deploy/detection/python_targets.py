"""Application objects in Python sources, found by reading lines; nothing is imported or run."""

from __future__ import annotations

import re
from typing import NamedTuple

from quarterdeck.deploy.detection.manifests import Manifests

MAX_SOURCES = 400
SOURCE_LIMIT = 262_144
_IGNORED = re.compile(r"(?:^|/)(?:tests?|testing|examples?|docs?|scripts?|migrations|build|dist|site-packages)/")
_IGNORED_NAMES = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|setup|noxfile|fabfile)\.py$")
# Every repetition is bounded, so that no hostile line can make the search slow.
_ASSIGNED = re.compile(
    r"^(?P<name>[A-Za-z_]\w{0,60})(?:[ \t]{0,4}:[ \t]{0,4}[\w.\[\]\"',]{1,80})?[ \t]{0,4}=[ \t]{0,4}"
    r"(?:(?P<module>[A-Za-z_][\w.]{0,80})\.)?(?P<call>\w{1,60})\(",
    re.MULTILINE,
)
_ASGI_CALLS = frozenset(
    {"FastAPI", "Starlette", "Litestar", "Quart", "Sanic", "get_asgi_application", "ProtocolTypeRouter"}
)
_WSGI_CALLS = frozenset({"Flask", "Bottle", "get_wsgi_application", "make_wsgi_app"})
_ASGI_FUNCTION = re.compile(r"^async def (\w{1,60})\(scope\b.{0,120}?\breceive\b.{0,120}?\bsend\b", re.MULTILINE)
_WSGI_FUNCTION = re.compile(r"^def (\w{1,60})\(environ\b.{0,120}?\bstart_response\b", re.MULTILINE)


class Targets(NamedTuple):
    asgi: tuple[str, ...]
    wsgi: tuple[str, ...]
    python_path: str | None


def application_targets(manifests: Manifests) -> Targets:
    """Find `module:object` names. A `src` directory that is no package is left out of the module's name."""
    asgi: set[str] = set()
    wsgi: set[str] = set()
    python_path = None
    for path in _sources(manifests):
        text = manifests.text(path, SOURCE_LIMIT)
        if text is None:
            manifests.unreadable.pop(path, None)
            continue
        here_asgi, here_wsgi = _objects(text)
        if not here_asgi and not here_wsgi:
            continue
        module_path = path
        if path.startswith("src/") and not manifests.has("src/__init__.py"):
            module_path, python_path = path.removeprefix("src/"), "src"
        module = module_path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        asgi.update(f"{module}:{name}" for name in here_asgi)
        wsgi.update(f"{module}:{name}" for name in here_wsgi)
    return Targets(tuple(sorted(asgi)), tuple(sorted(wsgi)), python_path)


def _sources(manifests: Manifests) -> list[str]:
    paths = [
        path
        for path in manifests.matching(r"(?:[A-Za-z_]\w*/){0,3}[A-Za-z_]\w*\.py")
        if not _IGNORED.search(path) and not _IGNORED_NAMES.search(path)
    ]
    return sorted(paths, key=lambda path: (path.count("/"), path))[:MAX_SOURCES]


def _objects(text: str) -> tuple[set[str], set[str]]:
    asgi = set(_ASGI_FUNCTION.findall(text))
    wsgi = set(_WSGI_FUNCTION.findall(text))
    for match in _ASSIGNED.finditer(text):
        call, module = match["call"], match["module"] or ""
        if call in _ASGI_CALLS or (call == "App" and module == "falcon.asgi"):
            asgi.add(match["name"])
        elif call in _WSGI_CALLS or (call == "App" and module == "falcon"):
            wsgi.add(match["name"])
    return asgi, wsgi
