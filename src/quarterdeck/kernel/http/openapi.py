"""The OpenAPI document, made from what the routes declare. Needs no data directory, database or network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler

from quarterdeck.kernel.http.dialects import Dialect
from quarterdeck.kernel.http.endpoint import Endpoint, path_names
from quarterdeck.kernel.http.guard import AUTHENTICATED, PEOPLE, PUBLIC

Json = dict[str, Any]
COOKIE = "qd_session"
REF = "#/components/schemas/{name}"
QUALIFIED = re.compile(r"^quarterdeck[._].*?surfaces[._](\w+?)[._]wire[._].*[._](\w+)$")


def document(app: Litestar, *, title: str, version: str, description: str = "", schemes: Json | None = None) -> Json:
    """The document of every route that was declared with an `Endpoint`, in a stable order. `schemes` are how those come
    in whom routes name as their `callers`.
    """
    declared = sorted(_endpoints(app), key=lambda pair: (pair[0].path, pair[0].method))
    sockets = sorted(_sockets(app), key=lambda socket: socket["path"])
    schemas, components = _schemas([endpoint for endpoint, _ in declared], sockets)
    paths: dict[str, Json] = {}
    for endpoint, dialect in declared:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, dialect, schemas, components
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version} | ({"description": description} if description else {}),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                **(schemes or {}),
            },
        },
        "x-websockets": [_socket(socket, schemas) for socket in sockets],
    }


def _endpoints(app: Litestar) -> Iterator[tuple[Endpoint, Dialect]]:
    dialects = app.state["frame"].dialects
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            endpoint = handler.opt.get("endpoint") if isinstance(handler, HTTPRouteHandler) else None
            if isinstance(endpoint, Endpoint):
                yield endpoint, endpoint.dialect or dialects.at(endpoint.path)


def _sockets(app: Litestar) -> Iterator[Json]:
    for route in app.routes:
        handler = getattr(route, "route_handler", None)
        if isinstance(handler, WebsocketRouteHandler):
            yield {"path": route.path_format, **handler.opt}


def _frames(socket: Json) -> Iterator[Any]:
    for side in socket.get("frames", {}).values():
        yield from side if isinstance(side, list | tuple) else [side]


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields with the same type objects at every call."""
    return msgspec.structs.fields(struct)


class _Types:
    """Schemas by type; types are not all hashable, so they are found by identity."""

    def __init__(self) -> None:
        self._found: dict[int, Json] = {}
        self._held: list[Any] = []

    def add(self, kind: Any, schema: Json) -> None:
        self._held.append(kind)
        self._found[id(kind)] = schema

    def __getitem__(self, kind: Any) -> Json:
        return self._found[id(kind)]


def _schemas(endpoints: Iterable[Endpoint], sockets: Iterable[Json]) -> tuple[_Types, Json]:
    wanted: list[Any] = []
    for endpoint in endpoints:
        parts = [endpoint.body, endpoint.response, endpoint.done]
        if endpoint.query is not None:
            parts += [entry.type for entry in _fields(endpoint.query)]
        wanted += [part for part in parts if part is not None]
    for socket in sockets:
        wanted += list(_frames(socket))
    wanted = [kind for kind in wanted if kind is not None]
    stripped = [_present(kind) for kind in wanted]
    made, components = msgspec.json.schema_components(stripped, ref_template=REF)
    names = {name: _stable(name, components) for name in components}
    types = _Types()
    for kind, schema in zip(wanted, made, strict=True):
        types.add(kind, _renamed(schema, names))
    return types, {names[name]: _renamed(_complete(schema), names) for name, schema in components.items()}


def _present(kind: Any) -> Any:
    """A query field's annotation without UnsetType: absence is what `required: false` says."""
    members = getattr(kind, "__args__", ())
    if msgspec.UnsetType in members and getattr(kind, "__metadata__", None) is None:
        left = [member for member in members if member is not msgspec.UnsetType]
        together = left[0]
        for member in left[1:]:
            together = together | member
        return together
    return kind


def _stable(name: str, components: Json) -> str:
    """Two wire structs of one name are told apart by their surface: `TasksProject`, never a mangled path."""
    if match := QUALIFIED.match(name):
        surface, own = match.groups()
        candidate = surface.title() + own
        if candidate not in components:
            return candidate
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _renamed(schema: Any, names: dict[str, str]) -> Any:
    if isinstance(schema, dict):
        out = {}
        for key, value in schema.items():
            if key == "$ref" or (key != "properties" and isinstance(value, str) and value.startswith("#/components/")):
                head, _, name = value.rpartition("/")
                out[key] = f"{head}/{names.get(name, name)}"
            else:
                out[key] = _renamed(value, names)
        return out
    if isinstance(schema, list):
        return [_renamed(value, names) for value in schema]
    return schema


def _complete(schema: Json) -> Json:
    """A constant that is filled in by itself is still always there."""
    for name, child in schema.get("properties", {}).items():
        if isinstance(child, dict) and len(child.get("enum", ())) == 1 and child.get("default") == child["enum"][0]:
            required = schema.setdefault("required", [])
            if name not in required:
                required.append(name)
    return schema


def _operation(endpoint: Endpoint, dialect: Dialect, schemas: _Types, components: Json) -> Json:
    told: Json = {"operationId": endpoint.key or _derived_id(endpoint), "x-permission": endpoint.permission}
    if endpoint.summary:
        told["summary"] = endpoint.summary
    if endpoint.tags:
        told["tags"] = list(endpoint.tags)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in path_names(endpoint.path)
    ]
    if endpoint.query is not None:
        parameters += [
            {
                "name": entry.encode_name,
                "in": "query",
                "required": entry.required,
                "schema": _with_default(schemas[entry.type], entry),
            }
            for entry in _fields(endpoint.query)
        ]
    parameters += [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in endpoint.headers.items()
    ]
    if parameters:
        told["parameters"] = parameters
    if endpoint.body is not None:
        content: Json = {"application/json": {"schema": schemas[endpoint.body]}}
        told["requestBody"] = {"required": endpoint.body_required, "content": content}
    elif endpoint.raw_body:
        told["requestBody"] = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
    told["responses"] = _responses(endpoint, dialect, schemas, components)
    people: list[Json] = [] if endpoint.permission == PUBLIC else [{"bearer": []}, {"session": []}]
    told["security"] = [one for name in endpoint.callers or (PEOPLE,) for one in _shown(name, people)]
    return told


def _shown(name: str, people: list[Json]) -> list[Json]:
    return people if name == PEOPLE else [{name: []}]


def _with_default(schema: Json, entry: msgspec.structs.FieldInfo) -> Json:
    if entry.default in {msgspec.NODEFAULT, msgspec.UNSET} or "$ref" in schema:
        return schema
    return {**schema, "default": entry.default}


def _derived_id(endpoint: Endpoint) -> str:
    words = [part for part in re.split(r"[^A-Za-z0-9]+", endpoint.path.removeprefix("/api")) if part]
    return ".".join([*words, endpoint.method.lower()])


def _responses(endpoint: Endpoint, dialect: Dialect, schemas: _Types, components: Json) -> Json:
    success: Json = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.status != 204:
        schema = schemas[endpoint.response] if endpoint.response is not None else {}
        media = "text/event-stream" if endpoint.stream else "application/json"
        success["content"] = {media: {"schema": schema}}
        if endpoint.stream and endpoint.done is not None:
            success["x-events"] = {"message": schema, "done": schemas[endpoint.done]}
    answers: dict[int, Json] = {endpoint.status: success}
    for status, text in endpoint.also.items():
        answers[status] = {"description": text}
    codes: dict[int, list[str]] = {}
    for status in _refusals(endpoint, dialect):
        codes.setdefault(status, [])
    for status, code in endpoint.errors:
        codes.setdefault(status, []).append(code)
    for status, listed in codes.items():
        name = f"{dialect.name.title()}Error{status}"
        components.setdefault(name, {"title": name, **dialect.schema(status)})
        answer: Json = {"description": HTTPStatus(status).phrase}
        if listed:
            answer["x-codes"] = sorted(set(listed))
        if status == 429:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
        media = dialect.media_type.partition(";")[0]
        answer["content"] = {media: {"schema": {"$ref": REF.format(name=name)}}}
        answers.setdefault(status, answer)
    return {str(status): answers[status] for status in sorted(answers)}


def _refusals(endpoint: Endpoint, dialect: Dialect) -> Iterator[int]:
    """The statuses with which the frame itself may answer."""
    yield 400
    if endpoint.body is not None or endpoint.query is not None:
        yield dialect.shape_status()
    if endpoint.permission != PUBLIC:
        yield 401
        yield 403
        if endpoint.permission not in {PUBLIC, AUTHENTICATED} and path_names(endpoint.path):
            yield 404
    if endpoint.body is not None or endpoint.raw_body:
        yield 413
        yield 415
    yield from (429, 500, 503)


def _socket(socket: Json, schemas: _Types) -> Json:
    frames = {
        side: [schemas[kind] for kind in (kinds if isinstance(kinds, list | tuple) else [kinds])]
        for side, kinds in socket.get("frames", {}).items()
    }
    told: Json = {"path": socket["path"], "x-permission": socket["permission"]}
    if socket.get("summary"):
        told["summary"] = socket["summary"]
    return told | {"frames": frames, "parameters": path_names(socket["path"])}
