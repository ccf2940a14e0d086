"""What a visitor gets from the edge itself: directories, redirects, errors, headers, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import stat
from pathlib import Path

import httpx
import pytest

from quarterdeck.fleet.edge.configuration import EdgeOptions
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.routes import ProxyRoute, RedirectRoute, StaticRoute
from quarterdeck.kernel.errors import Invalid
from support.edge_traffic import application, until

pytestmark = pytest.mark.edge

WEB = ProxyRoute(id="web", hostnames=("web.localhost",))


def site(directory: Path, name: str) -> str:
    for path, content in {
        "index.html": f"home of {name}",
        "about.html": "about",
        "docs/index.html": "docs",
        "assets/index-BxA3k9Qz.js": "1",
        "assets/button-checkout.js": "2",
        "empty/.keep": "",
        ".env": "SECRET=1",
        ".git/config": "secret",
    }.items():
        file = directory / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return str(directory / name)


async def test_static_paths_are_files_pages_the_application_or_missing(edge: Edge, get, root: Path):
    await edge.put_route(StaticRoute(id="site", hostnames=("site.localhost",)))
    assert (await get("site.localhost/current.json")).status_code == 503
    await edge.switch("site", site(root, "one"))
    expected = {
        "": (200, "home of one"),
        "about": (200, "about"),
        "docs/": (200, "docs"),
        "users/7": (200, "home of one"),
        "empty": (200, "home of one"),
        "index.html": (200, "home of one"),
        "assets/gone.js": (404, None),
        "favicon.ico": (404, None),
        ".env": (404, None),
        ".git/config": (404, None),
        "../edge/current.json": (404, None),
        "%2e%2e/edge/current.json": (404, None),
    }
    for path, (status, body) in expected.items():
        answer = await get(f"site.localhost/{path}")
        assert answer.status_code == status, path
        if body is not None:
            assert answer.text == body, path
    moved = await get("site.localhost/docs?q=1")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/docs/?q=1")


async def test_only_hashed_assets_that_exist_are_kept_for_a_year(edge: Edge, get, root: Path):
    await edge.put_route(StaticRoute(id="site", hostnames=("site.localhost",)))
    await edge.switch("site", site(root, "one"))
    kept = {
        path: (await get(f"site.localhost/{path}")).headers.get("Cache-Control")
        for path in ("assets/index-BxA3k9Qz.js", "assets/button-checkout.js", "", "users/7", "assets/gone-BxA3k9Qz.js")
    }
    assert kept == {
        "assets/index-BxA3k9Qz.js": "public, max-age=31536000, immutable",
        "assets/button-checkout.js": "no-cache",
        "": "no-cache",
        "users/7": "no-cache",
        "assets/gone-BxA3k9Qz.js": "no-store",
    }


async def test_a_static_site_is_cut_over_and_shown_as_a_candidate_like_any_other(edge: Edge, get, root: Path):
    await edge.put_route(StaticRoute(id="site", hostnames=("site.localhost",), path_prefix="/shop", fallback=False))
    one, two = site(root, "one"), site(root, "two")
    await edge.switch("site", one)
    candidate = await edge.candidate("site", two)
    assert (await edge.probe(candidate, "/")).body == b"home of two"
    assert (await get("site.localhost/shop/")).text == "home of one"
    assert await edge.switch("site", two) == one
    assert (await get("site.localhost/shop/")).text == "home of two"
    assert (await get("site.localhost/shop/users")).status_code == 404
    assert (await get("site.localhost/shopping")).status_code == 404


async def test_a_directory_whose_links_lead_out_of_it_is_not_served(edge: Edge, get, root: Path):
    await edge.put_route(StaticRoute(id="site", hostnames=("site.localhost",)))
    published = Path(site(root, "one"))
    (published / "inner").symlink_to("docs")
    await edge.switch("site", str(published))
    assert (await get("site.localhost/inner/")).text == "docs"
    (published / "docs" / "key.txt").symlink_to("/etc/passwd")
    for show in (edge.switch, edge.candidate):
        with pytest.raises(Invalid) as refused:
            await show("site", str(published))
        assert refused.value.code == "edge_proxy_static_link_outside"
        assert "docs/key.txt" in refused.value.message
    with pytest.raises(Invalid):
        await edge.switch("site", str(root / "absent"))


async def test_an_unknown_host_is_told_so_in_its_own_language(edge: Edge, get):
    await edge.put_route(WEB)
    plain = await get("unknown.localhost/x?token=secret")
    assert plain.status_code == 404
    assert plain.json()["error"]["code"] == "edge_unknown_host"
    assert plain.json()["error"]["host"] == "unknown.localhost"
    assert plain.json()["error"]["requestId"] == plain.headers["X-Request-Id"]
    page = await get("unknown.localhost/", headers={"Accept": "text/html,*/*"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "unknown.localhost" in page.text
    assert page.headers["X-Request-Id"] in page.text
    assert "Server" not in page.headers


async def test_strangers_cannot_claim_whom_they_forward_for(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        claims = {
            "X-Forwarded-For": "6.6.6.6",
            "X-Forwarded-Proto": "https",
            "X-Request-Id": "mine",
            "Forwarded": "for=6.6.6.6",
            "X-Real-IP": "6.6.6.6",
            "X-Forwarded-Prefix": "/x",
        }
        answer = await get("web.localhost/", headers=claims)
        seen = here.requests[-1].lower()
    assert "6.6.6.6" not in seen
    assert "x-forwarded-for: 127.0.0.1" in seen
    assert "x-forwarded-proto: http\r\n" in seen
    assert "x-forwarded-prefix" not in seen
    assert "mine" not in seen
    assert f"x-request-id: {answer.headers['X-Request-Id']}" in seen
    assert {"Server", "Via"}.isdisjoint(answer.headers)


async def test_a_configured_proxy_is_believed(root: Path, edge: Edge, get):
    edge._given = EdgeOptions(trusted_proxies=("127.0.0.0/8",))
    await edge.put_route(WEB)
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Request-Id": "mine"}
        answer = await get("web.localhost/", headers=claims)
        seen = here.requests[-1].lower()
    assert "x-forwarded-for: 6.6.6.6, 127.0.0.1" in seen
    assert "x-forwarded-proto: https" in seen
    assert answer.headers["X-Request-Id"] == "mine"


async def test_the_access_log_has_requests_but_no_secrets(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        secret = {"Authorization": "Bearer hush-1", "Referer": "http://a/?hush-2", "Cookie": "a=hush-3"}
        await get("web.localhost/path?token=hush-4", headers=secret)
        for path in ("invite", "password-reset"):
            await get(f"web.localhost/api/auth/{path}/hush-{'a' * 59}?next=hush-6", headers=secret)
        await get(f"web.localhost/api/auth/invite/{'b' * 40}")
        await get(f"web.localhost/files/{'c' * 64}")
        await edge.take_down("web")
        await get("web.localhost/path?token=hush-5", headers=secret)
        await get(f"web.localhost/api/auth/invite/hush-{'d' * 59}")
    await asyncio.sleep(0.1)
    written = edge.layout.access_log.read_text()
    assert '"uri":"/path"' in written
    assert written.count('"uri":"/api/auth/invite/"') == 2
    assert '"uri":"/api/auth/password-reset/"' in written
    assert f'"uri":"/api/auth/invite/{"b" * 40}"' in written
    assert f'"uri":"/files/{"c" * 64}"' in written
    assert '"route":"web"' in written
    assert '"request_id":' in written
    for log in edge.layout.log.iterdir():
        assert "hush" not in log.read_text()


async def test_redirects_keep_the_path_when_asked(edge: Edge, get):
    await edge.change_routes(
        put=[
            RedirectRoute(id="www", hostnames=("www.localhost",), target="https://web.example/"),
            RedirectRoute(
                id="old", hostnames=("old.localhost",), target="https://web.example/new", status=302, keep_path=False
            ),
        ]
    )
    kept = await get("www.localhost/a/b?c=1")
    assert (kept.status_code, kept.headers["Location"]) == (308, "https://web.example/a/b?c=1")
    plain = await get("old.localhost/a/b?c=1")
    assert (plain.status_code, plain.headers["Location"]) == (302, "https://web.example/new")


async def test_the_longest_prefix_and_the_exact_name_win(edge: Edge, get):
    await edge.change_routes(
        put=[
            ProxyRoute(id="any", hostnames=("*.apps.localhost",)),
            ProxyRoute(id="exact", hostnames=("a.apps.localhost",)),
            ProxyRoute(id="inner", hostnames=("a.apps.localhost",), path_prefix="/api", strip_prefix=True),
        ]
    )
    async with application("any") as any_, application("exact") as exact, application("inner") as inner:
        for running in (any_, exact, inner):
            await edge.switch(running.name, running.upstream)
        assert (await get("b.apps.localhost/api")).text == "any"
        assert (await get("a.apps.localhost/apis")).text == "exact"
        assert (await get("a.apps.localhost/api/x")).text == "inner"
        assert inner.requests[-1].startswith("GET /x ")


async def test_a_route_with_its_own_authority_is_served_securely_and_the_plain_door_leads_there(edge: Edge, get):
    await edge.put_route(ProxyRoute(id="web", hostnames=("web.localhost",), tls="internal"))
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        moved = await get("web.localhost/a?b=1")
        assert (moved.status_code, moved.headers["Location"]) == (
            308,
            edge.url_for("web.localhost", tls=True) + "/a?b=1",
        )
        authority = edge.layout.data / "pki/authorities/local/root.crt"
        await until(authority.exists)
        trust = ssl.create_default_context(cafile=authority)
        answer = None
        async with httpx.AsyncClient(verify=trust) as client, asyncio.timeout(10):
            while answer is None:
                with contextlib.suppress(httpx.ConnectError):  # until the certificate is issued
                    answer = await client.get(
                        f"https://127.0.0.1:{edge.ports.https}/",
                        headers={"Host": "web.localhost"},
                        extensions={"sni_hostname": "web.localhost"},
                    )
                await asyncio.sleep(0.05)
        assert answer.text == "here"


async def test_the_admin_interface_and_metrics_are_on_a_private_socket_alone(edge: Edge, get):
    await edge.put_route(WEB)
    mode = edge.layout.admin_socket.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert mode & 0o007 == 0
    assert (await get("web.localhost/metrics")).status_code == 503
    assert "caddy_http_requests" in await edge.metrics()
