"""What the edge itself says when no application does."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 "
    "1rem;color-scheme:light dark}}code{{overflow-wrap:anywhere}}</style><h1>{title}</h1><p>{text}</p>"
    "<p><small>Request <code>{{http.request.header.X-Request-Id}}</code></small></p></html>\n"
)


def answer(status: int | str, code: str, title: str, text: str) -> list[JsonObject]:
    """Two routes that answer alike: a page for whoever accepts HTML, JSON for everybody else.

    The texts may hold Caddy placeholders whose values cannot break out of HTML or JSON: a request's host is such a one
    (Go admits neither quotes nor angle brackets in it), a path is not.
    """
    body = (
        f'{{"error":{{"code":"{code}","message":"{text}","host":"{{http.request.host}}",'
        '"requestId":"{http.request.header.X-Request-Id}"}}\n'
    )
    # The access log tells an answer of the edge from one of an application by this field.
    named: JsonObject = {"handler": "log_append", "key": "edge_code", "value": code}
    return [
        {
            "match": [{"header": {"Accept": ["*text/html*"]}}],
            "handle": [named, _static(status, "text/html; charset=utf-8", _PAGE.format(title=title, text=text))],
            "terminal": True,
        },
        {"handle": [named, _static(status, "application/json", body)], "terminal": True},
    ]


def unknown_host() -> list[JsonObject]:
    """The last routes of every server: without them an unmatched host is answered 200 and empty."""
    return answer(
        404,
        "edge_unknown_host",
        "Nothing is served here",
        "No application is routed at {http.request.host} on this server. "
        "Check the address, or deploy an application with this domain and try again.",
    )


def failures() -> list[JsonObject]:
    """The error routes of a server: an application that cannot be reached, and whatever else went wrong."""
    unreachable = answer(
        "{http.error.status_code}",
        "edge_upstream_unavailable",
        "The application does not answer",
        "The application behind {http.request.host} cannot be reached at the moment. "
        "Look at its log and health; the request can be repeated.",
    )
    other = answer(
        "{http.error.status_code}",
        "edge_request_failed",
        "The request could not be served",
        "The request for {http.request.host} ended with status {http.error.status_code}.",
    )
    gateway = {"vars": {"{http.error.status_code}": ["502", "503", "504"]}}
    return [
        {"match": [gateway], "handle": [{"handler": "subroute", "routes": unreachable}], "terminal": True},
        *other,
    ]


def _static(status: int | str, content_type: str, body: str) -> JsonObject:
    return {
        "handler": "static_response",
        "status_code": status,
        "headers": {"Content-Type": [content_type], "Cache-Control": ["no-store"]},
        "body": body,
    }
