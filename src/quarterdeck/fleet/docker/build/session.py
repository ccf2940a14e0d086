"""BuildKit's way back to us: while a build runs, the engine asks over HTTP/2 for the secrets that its steps mount.

A secret is answered from memory when asked for by name. It is never part of the context, a build argument, the
history or a layer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import httpcore

from quarterdeck.fleet.docker.build import protobuf
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.images import RegistryAuth
from quarterdeck.kernel.vault import Secret

GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"  # noqa: S105 - the name of a remote method
CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
HEALTH = "/grpc.health.v1.Health/Check"
SERVING = protobuf.write(1, 1)
NOT_FOUND = 5
UNIMPLEMENTED = 12
Method = Callable[[bytes], bytes | None]


def methods(secrets: Mapping[str, Secret[str]], registries: Sequence[RegistryAuth]) -> dict[str, Method]:
    """What this side answers; a method gives None for what does not exist."""

    def secret(request: bytes) -> bytes | None:
        found = secrets.get(protobuf.text(protobuf.message(request), 1))
        return protobuf.write(1, found.reveal()) if found is not None else None

    def credentials(request: bytes) -> bytes:
        host = protobuf.text(protobuf.message(request), 1)
        host = "docker.io" if host.endswith("docker.io") else host
        found = next((auth for auth in registries if auth.server == host), None)
        return protobuf.write(1, found.username) + protobuf.write(2, found.password.reveal()) if found else b""

    offered: dict[str, Method] = {HEALTH: lambda _request: SERVING, GET_SECRET: secret}
    return offered | {CREDENTIALS: credentials} if registries else offered


def session_headers(ident: str, offered: Mapping[str, Method]) -> list[tuple[str, str]]:
    named = [("X-Docker-Expose-Session-Uuid", ident), ("X-Docker-Expose-Session-Name", "quarterdeck")]
    return named + [("X-Docker-Expose-Session-Grpc-Method", path) for path in sorted(offered) if path != HEALTH]


class Server:
    """gRPC over one HTTP/2 connection, with this side as the server: unary calls only."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, offered: Mapping[str, Method]) -> None:
        self._stream = stream
        self._offered = offered
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self._paths: dict[int, str] = {}
        self._requests: dict[int, bytearray] = {}
        self._answers: dict[int, bytearray] = {}

    async def serve(self) -> None:
        """Answer until the engine closes the connection."""
        self._h2.initiate_connection()
        with contextlib.suppress(httpcore.NetworkError, h2.exceptions.ProtocolError):
            while True:
                await self._stream.write(self._h2.data_to_send())
                data = await self._stream.read(64 * 1024)
                if not data:
                    return
                for event in self._h2.receive_data(data):
                    self._take(event)
                self._flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = dict(event.headers or [])
            self._paths[event.stream_id] = headers.get(b":path", b"").decode()
            self._requests[event.stream_id] = bytearray()
        elif isinstance(event, h2.events.DataReceived):
            self._requests[event.stream_id] += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._answer(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            for store in (self._paths, self._requests, self._answers):
                store.pop(event.stream_id, None)

    def _answer(self, stream: int) -> None:
        method = self._offered.get(self._paths.pop(stream, ""))
        request = bytes(self._requests.pop(stream, b"")[5:])  # one byte of compression, four of length
        result = method(request) if method else None
        headers = [(":status", "200"), ("content-type", "application/grpc")]
        if result is None:
            status = NOT_FOUND if method else UNIMPLEMENTED
            self._h2.send_headers(stream, [*headers, ("grpc-status", str(status))], end_stream=True)
            return
        self._h2.send_headers(stream, headers)
        self._answers[stream] = bytearray(b"\0" + len(result).to_bytes(4, "big") + result)

    def _flush(self) -> None:
        """Send as much as the engine's windows allow; the rest goes when they open."""
        for stream, rest in list(self._answers.items()):
            while rest:
                room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
                if room <= 0:
                    break
                self._h2.send_data(stream, bytes(rest[:room]))
                del rest[:room]
            if not rest:
                self._h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
                del self._answers[stream]


@contextlib.asynccontextmanager
async def session(
    engine: Engine, ident: str, secrets: Mapping[str, Secret[str]], registries: Sequence[RegistryAuth] = ()
) -> AsyncIterator[None]:
    """Answer the engine's questions for the build session `ident` while the block runs."""
    offered = methods(secrets, registries)
    async with engine.upgrade("/session", "h2c", headers=session_headers(ident, offered)) as stream:
        serving = asyncio.create_task(Server(stream, offered).serve())
        try:
            yield
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
