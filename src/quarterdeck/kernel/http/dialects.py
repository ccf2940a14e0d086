"""How each surface says no: one envelope per documented API, chosen by address."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from quarterdeck.kernel.http.failures import Failure, Issue

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}


def listed(path: tuple[str | int, ...]) -> str:
    """A path for people: `items[0].name`."""
    text = ""
    for piece in path:
        text += f"[{piece}]" if isinstance(piece, int) else f".{piece}" if text else str(piece)
    return text


def sentence(failure: Failure) -> str:
    """The failure in one line, for envelopes that have room for no more."""
    if not failure.issues:
        return failure.message
    told = [f"{listed(issue.path)}: {issue.message}" if issue.path else issue.message for issue in failure.issues]
    return "; ".join(told)


def advised(failure: Failure) -> str:
    """The failure and what to do next, for envelopes that have no room for a hint of its own."""
    told = sentence(failure)
    return f"{told} {failure.hint}" if failure.hint else told


def told_of(failure: Failure) -> str:
    """The failure in one line; a defect with the request id to look for, which is all that is told of it."""
    return advised(failure) if failure.status == 500 else sentence(failure)


class Dialect(ABC):
    name: ClassVar[str]
    media_type: ClassVar[str] = "application/json"

    def status(self, failure: Failure) -> int:
        return failure.status

    @abstractmethod
    def body(self, failure: Failure, status: int) -> Any:
        """The envelope, ready to encode."""

    @abstractmethod
    def schema(self, status: int) -> Schema:
        """The JSON schema of what `body` makes."""

    def shape_status(self) -> int:
        """The status of a body or query without the documented shape."""
        return 400


def _object(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": required}


class Deploy(Dialect):
    """The envelope of typed operations together with the `error` object that published clients read."""

    name = "deploy"
    codes: ClassVar[dict[int, str]] = {
        400: "BAD_REQUEST",
        401: "UNAUTHORIZED",
        403: "FORBIDDEN",
        404: "NOT_FOUND",
        405: "METHOD_NOT_SUPPORTED",
        409: "CONFLICT",
        413: "PAYLOAD_TOO_LARGE",
        415: "UNSUPPORTED_MEDIA_TYPE",
        421: "MISDIRECTED_REQUEST",
        429: "TOO_MANY_REQUESTS",
        500: "INTERNAL_SERVER_ERROR",
        502: "BAD_GATEWAY",
        503: "SERVICE_UNAVAILABLE",
        504: "GATEWAY_TIMEOUT",
    }

    def __init__(self, statuses: Mapping[str, int] | None = None) -> None:
        self.statuses = dict(statuses or {})

    def status(self, failure: Failure) -> int:
        if failure.issues or failure.kind == "framework" or failure.status in {429, 500}:
            return failure.status
        if failure.code in self.statuses:
            return self.statuses[failure.code]
        return by_ending(failure.code) or failure.status

    def body(self, failure: Failure, status: int) -> Any:
        details: dict[str, Any] = dict(failure.details)
        if failure.hint:
            details["hint"] = failure.hint
        if failure.status == 500:
            details["requestId"] = failure.request_id
        data: dict[str, Any]
        if failure.issues:
            data = {"issues": [self.issue(issue) for issue in failure.issues]}
            details["issues"] = data["issues"]
        else:
            data = {"domainCode": failure.code, "locale": "en-US"}
            if details:
                data["details"] = details
        error: dict[str, Any] = {
            "code": failure.code,
            "category": failure.category,
            "message": failure.message,
            "retryable": failure.category in {"retryable", "timeout"},
        }
        if details:
            error["details"] = details
        code = self.codes.get(status, "BAD_REQUEST")
        return {
            "defined": False,
            "code": code,
            "status": status,
            "message": failure.message,
            "data": data,
            "error": error,
        }

    @staticmethod
    def issue(issue: Issue) -> dict[str, Any]:
        told: dict[str, Any] = {"code": issue.code, "path": list(issue.path), "message": issue.message}
        return told | ({"expected": issue.expected} if issue.expected else {})

    def schema(self, status: int) -> Schema:
        steps = {"type": "array", "items": {"anyOf": [TEXT, {"type": "integer"}]}}
        issue = _object({"code": TEXT, "path": steps, "message": TEXT, "expected": TEXT}, ["code", "path", "message"])
        details = {"type": "object", "additionalProperties": True}
        data = {"domainCode": TEXT, "locale": TEXT, "details": details, "issues": {"type": "array", "items": issue}}
        category = {"enum": ["user", "infra", "provider", "retryable", "timeout"]}
        error = {"code": TEXT, "category": category, "message": TEXT, "retryable": {"type": "boolean"}}
        return _object(
            {
                "defined": {"type": "boolean"},
                "code": {"enum": [self.codes.get(status, "BAD_REQUEST")]},
                "status": {"type": "integer", "const": status},
                "message": TEXT,
                "data": _object(data, []),
                "error": _object(error | {"details": details}, ["code", "category", "message", "retryable"]),
            },
            ["defined", "code", "status", "message", "data", "error"],
        )


def by_ending(code: str) -> int | None:
    """The status of a code that no table lists, from how it ends (contract §1.1, recommendation)."""
    if code.endswith("_not_found"):
        return 404
    if code.endswith(("_blocked", "_not_allowed", "_conflict", "_stale", "_not_retryable", "_not_ready")):
        return 409
    if code.endswith(("_scope_required", "_mismatch", "_malformed", "_expired")):
        return 400
    return None


class Tasks(Dialect):
    name = "tasks"

    def body(self, failure: Failure, status: int) -> Any:
        message: Any = told_of(failure)
        if failure.issues:
            message = [f"{listed(issue.path)}: {issue.message}" for issue in failure.issues]
        told = {"statusCode": status, "message": message, "error": HTTPStatus(status).phrase}
        return told | {"code": failure.code.upper()}

    def schema(self, status: int) -> Schema:
        message = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
        number: Schema = {"type": "integer", "const": status}
        fields: dict[str, Schema] = {"statusCode": number, "message": message, "error": TEXT, "code": TEXT}
        return _object(fields, ["statusCode", "message", "error"])


class Runbooks(Dialect):
    """`statuses` are those that the surface documents for a code where the kind of the refusal says another."""

    name = "runbooks"

    def __init__(self, statuses: Mapping[str, int] | None = None) -> None:
        self.statuses = dict(statuses or {})

    def status(self, failure: Failure) -> int:
        if failure.kind == "framework" or failure.status in {429, 500}:
            return failure.status
        return 422 if failure.issues else self.statuses.get(failure.code, failure.status)

    def shape_status(self) -> int:
        return 422

    def body(self, failure: Failure, status: int) -> Any:
        if status == 429:
            return {"error": f"Rate limit exceeded: {failure.details.get('limit', failure.message)}"}
        if not failure.issues:
            lacking = str(failure.details.get("permission", "")).partition(":")[2]
            denied = f"Permission denied: {lacking}. " if status == 403 and lacking else ""
            return {"detail": denied + advised(failure)}
        return {
            "detail": [
                {"type": issue.code, "loc": [issue.source, *issue.path], "msg": issue.message, "input": None}
                for issue in failure.issues
            ]
        }

    def schema(self, status: int) -> Schema:
        if status == 429:
            return _object({"error": TEXT}, ["error"])
        if status != 422:
            return _object({"detail": TEXT}, ["detail"])
        place = {"type": "array", "items": {"anyOf": [TEXT, {"type": "integer"}]}}
        entry = _object({"type": TEXT, "loc": place, "msg": TEXT, "input": {}}, ["type", "loc", "msg"])
        return _object({"detail": {"type": "array", "items": entry}}, ["detail"])


class Infra(Dialect):
    """`error` is what published programs print, the documented text where there is one (`phrases`, by code); `code` and
    `hint` stand beside it for those that read more.
    """

    name = "infra"

    def __init__(self, phrases: Mapping[str, str] | None = None) -> None:
        self.phrases = dict(phrases or {})

    def body(self, failure: Failure, status: int) -> Any:
        told = {"error": self.phrases.get(failure.code) or told_of(failure), "code": failure.code}
        return told | ({"hint": failure.hint} if failure.hint and failure.status != 500 else {})

    def schema(self, status: int) -> Schema:
        return _object({"error": TEXT, "code": TEXT, "hint": TEXT}, ["error", "code"])


class Broker(Dialect):
    """`error` is the documented phrase where there is one (`phrases`, by code), `message` what people read. `statuses`
    are those that the surface documents for a code where the kind of the refusal says another.
    """

    name = "broker"

    def __init__(self, phrases: Mapping[str, str] | None = None, statuses: Mapping[str, int] | None = None) -> None:
        self.phrases, self.statuses = dict(phrases or {}), dict(statuses or {})

    def status(self, failure: Failure) -> int:
        return self.statuses.get(failure.code, failure.status)

    def body(self, failure: Failure, status: int) -> Any:
        if status >= 500:
            return {"error": "internal server error", "correlation_id": failure.request_id}
        return {"error": self._phrase(failure, status), "message": advised(failure)}

    def _phrase(self, failure: Failure, status: int) -> str:
        lacking = str(failure.details.get("permission", "")).partition(":")[2]
        if status == 403 and lacking:
            return f'missing permission "{lacking}" (global scope)'
        if failure.issues and failure.issues[0].code == "invalid_json":
            return failure.message
        return self.phrases.get(failure.code) or sentence(failure)

    def schema(self, status: int) -> Schema:
        if status >= 500:
            return _object({"error": TEXT, "correlation_id": TEXT}, ["error", "correlation_id"])
        return _object({"error": TEXT, "message": TEXT}, ["error"])


class Shared(Dialect):
    """Routes that two surfaces share: every key that either reads."""

    name = "shared"

    def body(self, failure: Failure, status: int) -> Any:
        told = told_of(failure)
        phrase = HTTPStatus(status).phrase
        return {
            "detail": told,
            "statusCode": status,
            "message": told,
            "error": told if status == 429 else phrase,
            "code": failure.code.upper(),
        }

    def schema(self, status: int) -> Schema:
        number = {"type": "integer", "const": status}
        fields = {"detail": TEXT, "statusCode": number, "message": TEXT, "error": TEXT, "code": TEXT}
        return _object(fields, list(fields))


class Jobs(Infra):
    """`GET /api/jobs`, which runbooks and infrastructure share: each reads its own keys."""

    name = "jobs"

    def body(self, failure: Failure, status: int) -> Any:
        return super().body(failure, status) | {"detail": told_of(failure)}

    def schema(self, status: int) -> Schema:
        return _object({"detail": TEXT, "error": TEXT, "code": TEXT, "hint": TEXT}, ["detail", "error", "code"])


class Plain(Dialect):
    """Pages for people render their own errors; this is what is left when nothing rendered one."""

    name = "console"
    media_type = "text/plain; charset=utf-8"

    def body(self, failure: Failure, status: int) -> Any:
        told = sentence(failure)
        return f"{told}\n{failure.hint}\n" if failure.hint else f"{told}\n"

    def schema(self, status: int) -> Schema:
        return TEXT


class Dialects:
    """Which dialect speaks at an address: the longest matching prefix, segment by segment.

    An entry may be a function of the path, where the form of an id decides. Unknown addresses get `default`.
    """

    def __init__(self, table: Mapping[str, Dialect | Callable[[str], Dialect]], default: Dialect) -> None:
        self.table = {prefix.rstrip("/"): dialect for prefix, dialect in table.items()}
        self.default = default

    def at(self, path: str) -> Dialect:
        prefix = path.rstrip("/")
        while True:
            found = self.table.get(prefix)
            if found is not None:
                return found if isinstance(found, Dialect) else found(path)
            if not prefix:
                return self.default
            prefix = prefix.rpartition("/")[0]
