"""How the edge serves a directory: which paths are files, which are the application's own, what may be cached."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

HIDDEN = [".git", ".hg", ".svn", ".env*", ".htaccess", ".htpasswd", ".DS_Store"]
_ASSETS = r"(?:js|mjs|css|map|json|wasm|woff2?|ttf|otf|svg|png|jpe?g|gif|webp|avif|ico|mp4|webm)"
# A bundler's hash stands right before the extension: eight characters of base64url or eight and more hexadecimal
# digits. Letters alone are rather a word (`button-checkout.js`), digits alone rather a date: those are not trusted.
_HASHED = rf"[.-](?:[A-Za-z0-9_-]{{8}}|[0-9a-f]{{8,64}})\.{_ASSETS}$"
_WORD_OR_DATE = rf"[.-](?:[A-Za-z_-]+|[0-9_-]+)\.{_ASSETS}$"
IMMUTABLE_DIRECTORIES = ["*/_next/static/*", "*/_app/immutable/*", "*/_astro/*", "*/_nuxt/*"]
_PAGE_OR_FALLBACK = r"/[^./]*$"

_IMMUTABLE = {"Cache-Control": ["public, max-age=31536000, immutable"]}
_REVALIDATE = {"Cache-Control": ["no-cache"]}


def static_routes(root: str, prefix: str, *, fallback: bool) -> list[JsonObject]:
    """The inner routes of a static route; `root` is the placeholder that names the directory, read once per request.

    A path is answered by the file of that name, the index of that directory, or the page `<path>.html`; with
    `fallback` an extensionless path answers the top `index.html`; everything else is 404.
    """
    routes: list[JsonObject] = [{"handle": [{"handler": "vars", "root": root}]}]
    # Without a directory the file handler would serve the working directory of the proxy.
    nowhere = {"not": [{"vars_regexp": {"{http.vars.root}": {"pattern": "^/."}}}]}
    routes.append({"match": [nowhere], "handle": [{"handler": "error", "status_code": 503}], "terminal": True})
    other_methods = {"not": [{"method": ["GET", "HEAD"]}]}
    routes.append({"match": [other_methods], "handle": [{"handler": "error", "status_code": 405}], "terminal": True})
    if prefix:
        routes.append({"handle": [{"handler": "rewrite", "strip_path_prefix": prefix}]})
    routes += [
        {"handle": [{"handler": "headers", "response": {"set": {"X-Content-Type-Options": ["nosniff"]}}}]},
        # The first of these to stand in the list is the last to touch the answer.
        {
            "match": [
                {
                    "path_regexp": {"pattern": _HASHED},
                    "not": [{"path_regexp": {"pattern": _WORD_OR_DATE}}],
                },
                {"path": IMMUTABLE_DIRECTORIES},
            ],
            "handle": [_cached(_IMMUTABLE)],
        },
        {"handle": [_cached(_REVALIDATE)]},
        {"handle": [{"handler": "encode", "encodings": {"zstd": {}, "gzip": {}}, "prefer": ["zstd", "gzip"]}]},
        _found("{http.request.uri.path}", rewrite=False),
        _found("{http.request.uri.path}/index.html", rewrite=False),
        _found("{http.request.uri.path}.html", rewrite=True),
    ]
    if fallback:
        page = {"path_regexp": {"pattern": _PAGE_OR_FALLBACK}, "file": {"try_files": ["/index.html"]}}
        routes.append(
            {
                "match": [page],
                "handle": [{"handler": "rewrite", "uri": "/index.html"}, _file_server()],
                "terminal": True,
            }
        )
    routes.append({"handle": [{"handler": "error", "status_code": 404}], "terminal": True})
    return routes


def _found(path: str, *, rewrite: bool) -> JsonObject:
    to_it = [{"handler": "rewrite", "uri": "{http.matchers.file.relative}"}] if rewrite else []
    return {
        "match": [{"file": {"try_files": [path]}}],
        "handle": [*to_it, _file_server()],
        "terminal": True,
    }


def _file_server() -> JsonObject:
    return {"handler": "file_server", "hide": HIDDEN}


def _cached(headers: JsonObject) -> JsonObject:
    """Only what was found may be kept: a missing asset of a half-copied page must not be remembered for a year."""
    return {"handler": "headers", "response": {"set": headers, "require": {"status_code": [2, 304]}}}
