"""One form for every refusal, whoever made it: a rule, the framework, a parser or a defect."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from litestar.exceptions import HTTPException, ValidationException

from quarterdeck.kernel.db.failures import of_duplicate
from quarterdeck.kernel.errors import Category, Conflict, Problem, RateLimited

log = structlog.get_logger("quarterdeck.http")

STATUS_BY_KIND = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "outdated": 426,
    "provider": 502,
    "unavailable": 503,
    "timeout": 504,
    "internal": 500,
}
CODE_BY_STATUS = {
    400: "validation_error",
    401: "product_auth_missing",
    403: "product_auth_forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    421: "host_not_allowed",
    429: "rate_limited",
    500: "unhandled_error",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One field that has the wrong shape. `path` starts below the source (`body`, `query`, `path`)."""

    code: str
    path: tuple[str | int, ...]
    message: str
    source: str = "body"
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    status: int
    code: str
    category: Category
    message: str
    hint: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str = "-"
    kind: str = "internal"  # the Problem's kind, or "framework"


class Malformed(Exception):
    """A body, query or path that does not have the documented shape."""

    def __init__(self, *issues: Issue, message: str = "Input validation failed") -> None:
        super().__init__(message)
        self.message = message
        self.issues = issues


class Refused(Exception):
    """What the frame refuses before any rule is asked: media type, size, origin, host."""

    def __init__(self, status: int, message: str, *, hint: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


PIECE = re.compile(r"\[(\d+|\.\.\.)\]|\.?([^.\[\]]+)")
EXPECTED = re.compile(r"^Expected `([^`]+)`")
MISSING = re.compile(r"^Object missing required field `([^`]+)`")


def msgspec_issue(text: str, source: str = "body") -> Issue:
    """What msgspec says about one value (`Expected `int`, got `str` - at `$.a[0].b``) as an issue."""
    message, _, place = text.partition(" - at `$")
    path: tuple[str | int, ...] = tuple(
        int(index) if index.isdigit() else index or name for index, name in PIECE.findall(place.rstrip("`"))
    )
    if missing := MISSING.match(message):
        return Issue("invalid_type", (*path, missing.group(1)), "Required", source, "present")
    if expected := EXPECTED.match(message):
        kind = "invalid_type" if ", got `" in message else "invalid_value"
        return Issue(kind, path, message, source, expected.group(1))
    return Issue("invalid_value", path, message, source)


def failure_of(error: BaseException, request_id: str) -> Failure:
    """Any exception as a failure. Defects are logged here and told to the caller by request id alone."""
    if of_duplicate(error):
        error = Conflict(
            "Somebody else has made the same thing at the same moment.",
            hint="Look at what is there now, then try again if it is still wanted.",
        )
    if isinstance(error, RateLimited):
        headers = {"retry-after": str(error.retry_after)}
        return Failure(429, error.code, "retryable", error.message, error.hint, error.details, (), headers, request_id)
    if isinstance(error, Problem) and error.kind != "internal":
        headers = {"www-authenticate": "Bearer"} if error.kind == "unauthenticated" else {}
        if error.kind == "unavailable" and "retryAfterSeconds" in error.details:
            headers = {"retry-after": str(error.details["retryAfterSeconds"])}
        status = STATUS_BY_KIND[error.kind]
        return Failure(
            status,
            error.code,
            error.category,
            error.message,
            error.hint,
            error.details,
            (),
            headers,
            request_id,
            error.kind,
        )
    if isinstance(error, Malformed):
        return Failure(400, "validation_error", "user", error.message, issues=error.issues, request_id=request_id)
    if isinstance(error, Refused):
        code = CODE_BY_STATUS.get(error.status, "invalid_request")
        headers = error.headers
        return Failure(error.status, code, "user", error.message, error.hint, {}, (), headers, request_id, "framework")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _of_framework(error, request_id)
    log.error("request_failed", request_id=request_id, exc_info=error)
    message = "The request failed because of a defect in this program."
    hint = f"Ask an administrator to look for the request id {request_id} in the server's log."
    return Failure(500, "unhandled_error", "infra", message, hint, {}, (), {}, request_id)


def _of_framework(error: HTTPException, request_id: str) -> Failure:
    status = error.status_code
    code = CODE_BY_STATUS.get(status, "invalid_request")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if isinstance(error, ValidationException):
        extra = error.extra if isinstance(error.extra, list) else []
        issues = tuple(_litestar_issue(entry) for entry in extra if isinstance(entry, dict))
        return Failure(400, code, "user", "Input validation failed", issues=issues, request_id=request_id)
    message = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "The request body is larger than this address takes.",
    }.get(status, HTTPStatus(status).phrase if status != 400 else "The request could not be read.")
    if status == 400 and "JSON" in error.detail.upper():
        issue = Issue("invalid_json", (), "The body is not valid JSON.")
        return Failure(400, code, "user", "invalid JSON body", issues=(issue,), request_id=request_id)
    return Failure(status, code, "user", message, None, {}, (), headers, request_id, "framework")


def _litestar_issue(entry: dict[str, Any]) -> Issue:
    source = str(getattr(entry.get("source"), "value", entry.get("source") or "body"))
    place = str(entry.get("key", ""))
    if source == "body" and place == "data":
        place = ""
    return msgspec_issue(f"{entry.get('message', '')} - at `$.{place}`" if place else str(entry.get("message")), source)
