"""The admin interface of a running Caddy, over its unix socket."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from quarterdeck.kernel.errors import ProviderFailure, Unavailable
from quarterdeck.kernel.unreadable import UNREADABLE

JsonObject = dict[str, Any]
MOST_ANSWER = 16 << 20
"""Bytes: a configuration of hundreds of routes has hundreds of kilobytes."""


class ConfigurationRefused(ProviderFailure):
    """Caddy did not take a configuration and goes on with the one before. `__notes__` hold its own words for a log."""

    default_code = "edge_proxy_configuration_refused"


class ConfigurationChanged(ProviderFailure):
    """Somebody else loaded a configuration between our reading and our loading."""

    default_code = "edge_proxy_configuration_changed"


class _Upstream(msgspec.Struct):
    address: str
    num_requests: int


class AdminClient:
    """`transport` leads to the admin socket, on this host or another one."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url="http://edge",
            timeout=httpx.Timeout(30, connect=5),
            headers={"Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def answers(self) -> bool:
        """Whether a Caddy listens and has a configuration."""
        try:
            # A small part of it, which every configuration of ours has: it is asked for often.
            answer = await self._request("GET", "/config/admin/listen")
        except Unavailable:
            return False
        return answer.is_success and _read(answer, str | None) is not None

    async def configuration(self) -> tuple[JsonObject | None, str]:
        """What is loaded, and the tag that `load` wants back."""
        answer = await self._request("GET", "/config/")
        return _read(answer, JsonObject | None), answer.headers.get("etag", "")

    async def load(self, configuration: JsonObject, tag: str) -> None:
        """Replaces the whole configuration if it is still the one that `tag` names. One that is the same is loaded
        too, with the files that it names.

        Raises `ConfigurationRefused` when Caddy cannot run it and `ConfigurationChanged` when the tag is old; what
        served before goes on serving in both cases.
        """
        answer = await self._request(
            "POST",
            "/config/",
            content=msgspec.json.encode(configuration),
            headers={"Content-Type": "application/json", "If-Match": tag, "Cache-Control": "must-revalidate"},
        )
        if answer.status_code == httpx.codes.PRECONDITION_FAILED:
            raise ConfigurationChanged(
                "Another program changed the edge's configuration at the same moment.",
                hint="Try again; nothing but Quarterdeck should speak to the edge's admin socket.",
                phase="proxy-reload",
            )
        if answer.is_error:
            refused = ConfigurationRefused(
                f"The edge refused the new routes (status {answer.status_code}) and goes on serving those before.",
                hint="Look at log/caddy.json in the edge directory, mend the route that changed, and try again.",
                phase="proxy-reload",
            )
            refused.add_note(answer.text[:2000])
            raise refused

    async def in_flight(self) -> dict[str, int]:
        """Requests being answered at this moment by resolved upstream address, open WebSockets included."""
        answer = await self._request("GET", "/reverse_proxy/upstreams")
        if answer.is_error:
            raise ProviderFailure(f"The edge did not tell its upstreams (status {answer.status_code}).")
        counts: dict[str, int] = {}
        upstreams: list[_Upstream] | None = _read(answer, list[_Upstream] | None)
        for upstream in upstreams or []:
            counts[upstream.address] = counts.get(upstream.address, 0) + upstream.num_requests
        return counts

    async def metrics(self) -> str:
        """Prometheus text; the admin socket is the only place where it can be had."""
        return (await self._request("GET", "/metrics")).text

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One that ends unanswered is asked again over a new connection: loading a configuration ends those that were
        open. Whether a load had its effect is told by its tag then.
        """
        try:
            try:
                return await self._sent(method, path, **options)
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                return await self._sent(method, path, **options)
        except httpx.TransportError as error:
            raise Unavailable(
                "The edge proxy does not answer on its admin socket.",
                code="edge_proxy_unavailable",
                hint="Quarterdeck starts it again by itself; if this lasts, look at log/start.log of the edge.",
                phase="proxy-reload",
            ) from error

    async def _sent(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with self._client.stream(method, path, **options) as answer:
            kept = bytearray()
            async for chunk in answer.aiter_raw():
                kept += chunk
                if len(kept) > MOST_ANSWER:
                    raise _unreadable()
        return httpx.Response(answer.status_code, headers={"etag": answer.headers.get("etag", "")}, content=bytes(kept))


def _read(answer: httpx.Response, kind: Any) -> Any:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except UNREADABLE:
        raise _unreadable() from None


def _unreadable() -> ProviderFailure:
    return ProviderFailure(
        "What the edge proxy answers on its admin socket cannot be read.",
        code="edge_proxy_unreadable",
        hint="Look at what listens at that socket: nothing but the edge should.",
        phase="proxy-reload",
    )
