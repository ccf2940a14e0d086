"""What the edge writes down: one JSON line per request, without query strings, headers, credentials or the secrets of
links.
"""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.edge.layout import Layout

JsonObject = dict[str, Any]

# A link of the control plane's mails may carry its secret in the path: a part that is longer than any id. A field has
# one filter, so this one also takes the query, where there is no first group.
_SECRETS = r"^(/api/auth/(?:[^/?]+/)+)[^/?]{41,}|\?.*$"
_FIELDS: JsonObject = {
    "request>uri": {"filter": "regexp", "regexp": _SECRETS, "value": "${1}"},
    "request>headers": {"filter": "delete"},
    "request>tls": {"filter": "delete"},
    "resp_headers": {"filter": "delete"},
}


def logging(layout: Layout) -> JsonObject:
    """Requests go to `log/access.json`; warnings and errors, which can name a request too, to `log/caddy.json`."""
    return {
        "logs": {
            "default": {
                "level": "WARN",
                "writer": _file(str(layout.caddy_log)),
                "encoder": _encoder(),
                "exclude": ["http.log.access"],
            },
            "access": {
                "level": "INFO",
                "writer": _file(str(layout.access_log)),
                "encoder": _encoder(),
                "include": ["http.log.access.access"],
            },
        }
    }


def _file(path: str) -> JsonObject:
    return {"output": "file", "filename": path, "mode": "0640", "roll_size_mb": 20, "roll_keep": 4}


def _encoder() -> JsonObject:
    return {"format": "filter", "wrap": {"format": "json", "time_format": "rfc3339_nano"}, "fields": _FIELDS}
