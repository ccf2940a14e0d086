"""A server behind one SSH connection: commands, and streams to its unix sockets.

Nothing of the account that this process runs as is used: no configuration, no known hosts, no keys, and its agent only
where the login says so. asyncssh is imported at first need, because it would double the start-up of a command.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import socket
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from quarterdeck.fleet.docker.dialing import Reader, Stream, Writer
from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.host import COMMAND_SECONDS, Ran, too_slow
from quarterdeck.fleet.targets.login import HostKeyPin, Login
from quarterdeck.kernel.errors import Problem

if TYPE_CHECKING:
    import asyncssh

CONNECT_SECONDS = 6.0
SIGN_IN_SECONDS = 10.0
ANSWER_SECONDS = 10.0
KEEPALIVE_SECONDS, KEEPALIVE_TRIES = 10, 1
"""A connection that is silent is given up after twice so many seconds: before a server that was cut off lets go
of a turn (see `remote.TURN`), and seldom enough that fifty quiet connections cost next to nothing.
"""
CIPHERS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Tried first: sealed in one call, where the usual one takes five for each packet."""
MOST_COMMANDS, MOST_TURNS, MOST_LOCKS = 2, 3, 3
"""Sessions at a time: an SSH server allows ten on a connection by default, and one is for files, one to see whether the
connection lives. Each use has its own, because who has a turn waits for locks, and who has a lock for commands: if they
shared, all could wait for each other.
"""
AGAIN = (0.05, 0.1, 0.2, 0.4)
"""Seconds between tries for a session that the server refuses."""
MOST_OUTPUT = 16 << 20
"""Bytes of what a command may answer: a server that never stops must not take the memory of this process."""
Use = Literal["turn", "lock"]
TCP = "tcp://"
RSA = ("rsa-sha2-512", "rsa-sha2-256")
ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", *RSA)


class SshHost:
    """A signed-in connection. `host_key` is what the server showed; `timings` how long each stage took, in seconds."""

    def __init__(
        self, login: Login, connection: asyncssh.SSHClientConnection, host_key: HostKeyPin, timings: dict[str, float]
    ) -> None:
        self.login = login
        self.host_key = host_key
        self.timings = timings
        self._connection = connection
        self._commands, self._looks = asyncio.Semaphore(MOST_COMMANDS), asyncio.Semaphore(1)
        self._held = {"turn": asyncio.Semaphore(MOST_TURNS), "lock": asyncio.Semaphore(MOST_LOCKS)}
        self.dialer = SshDialer(connection)

    @classmethod
    async def connect(cls, login: Login) -> Self:
        """Sign in. Raises the problem of the stage that failed: see `refusals`."""
        async with client_keys(login) as keys:
            began = time.monotonic()
            link = await dial(login)
            reached = time.monotonic()
            try:
                connection, shown = await handshake(login, link, keys)
            except BaseException:
                link.close()
                raise
        timings = {"tcp": reached - began, "ssh-handshake": time.monotonic() - reached}
        return cls(login, connection, shown, timings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def closed(self) -> bool:
        return bool(self._connection.is_closed())

    @property
    def connection(self) -> asyncssh.SSHClientConnection:
        return self._connection

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = COMMAND_SECONDS) -> Ran:
        """Run one command to its end; its words arrive as they are, whatever is in them. Waiting for others counts."""
        return await self._run(self._commands, argv, stdin, seconds)

    async def _run(self, room: asyncio.Semaphore, argv: Sequence[str], stdin: bytes, seconds: float) -> Ran:
        import asyncssh

        try:
            async with asyncio.timeout(seconds), room:
                return await self._to_its_end(argv, stdin)
        except TimeoutError:
            raise too_slow(argv, seconds) from None
        except asyncssh.ChannelOpenError as error:
            if self.closed:
                raise refusals.cut(self.login) from error
            raise refusals.no_session(self.login, "it opens no session") from error
        except (asyncssh.Error, OSError) as error:
            raise refusals.cut(self.login) from error

    async def _opened(self, argv: Sequence[str]) -> asyncssh.SSHClientProcess[bytes]:
        """Start a command. A server counts a session that has just ended among its `MaxSessions` until it has buried
        the process: one that it refuses has run nothing, and is asked for again.
        """
        import asyncssh

        for pause in AGAIN:
            try:
                return await self._connection.create_process(shlex.join(argv), encoding=None)
            except asyncssh.ChannelOpenError:
                if self.closed:
                    raise
            await asyncio.sleep(pause)
        return await self._connection.create_process(shlex.join(argv), encoding=None)

    async def _to_its_end(self, argv: Sequence[str], stdin: bytes) -> Ran:
        import asyncssh

        process = await self._opened(argv)
        try:

            async def give() -> None:
                with contextlib.suppress(asyncssh.Error, OSError):  # it may have ended without reading all
                    process.stdin.write(stdin)
                    await process.stdin.drain()
                    process.stdin.write_eof()

            _, said, told = await asyncio.gather(give(), self._all(process.stdout), self._all(process.stderr))
            await process.wait_closed()
        finally:
            process.close()
        if process.exit_status is None and process.exit_signal is None:
            raise refusals.cut(self.login)
        status = process.exit_status if process.exit_status is not None and process.exit_status >= 0 else 255
        return Ran(status, said, told)

    async def _all(self, reader: asyncssh.SSHReader[bytes]) -> bytes:
        kept = bytearray()
        while chunk := await reader.read(65_536):
            kept += chunk
            if len(kept) > MOST_OUTPUT:
                raise refusals.too_much(self.login)
        return bytes(kept)

    @contextlib.asynccontextmanager
    async def held(self, argv: Sequence[str], use: Use) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """A command whose streams the block holds. It has to end with its input: leaving the block waits for it."""
        import asyncssh

        async with self._held[use]:
            try:
                process = await self._opened(argv)
            except asyncssh.ChannelOpenError as error:
                if self.closed:
                    raise refusals.cut(self.login) from error
                raise refusals.no_session(self.login, "it opens no session") from error
            except (asyncssh.Error, OSError) as error:
                raise refusals.cut(self.login) from error
            try:
                yield process
            finally:
                process.close()
                await process.wait_closed()

    async def lost(self) -> bool:
        """Whether the connection is gone: asked over it, since a silent one may not be known to be."""
        try:
            await self._run(self._looks, ["true"], b"", ANSWER_SECONDS)
        except Problem:
            return True
        return False

    async def close(self) -> None:
        self._connection.close()
        await self._connection.wait_closed()


async def dial(login: Login) -> socket.socket:
    """A TCP connection to the first address of the host that takes one."""
    loop = asyncio.get_running_loop()
    reason = "no address"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(login.host, login.port, type=socket.SOCK_STREAM)
            for family, kind, protocol, _, address in found:
                link = socket.socket(family, kind, protocol)
                link.setblocking(False)
                try:
                    await loop.sock_connect(link, address)
                except OSError as error:
                    link.close()
                    reason = (error.strerror or "no connection").lower()
                except BaseException:
                    link.close()
                    raise
                else:
                    return link
    except TimeoutError:
        reason = f"no answer within {CONNECT_SECONDS:g} seconds"
    except socket.gaierror:
        reason = "the name is not known"
    except (OSError, UnicodeError):
        reason = "the address cannot be used"
    raise refusals.unreachable(login, reason)


@contextlib.asynccontextmanager
async def client_keys(login: Login) -> AsyncIterator[list[Any]]:
    """The one key of the login, or those that the agent holds, which has to be there while they are used."""
    import asyncssh

    if login.key is not None:
        try:
            key = asyncssh.import_private_key(login.key.reveal())
        except (asyncssh.KeyImportError, ValueError):
            raise refusals.unusable_key(login) from None
        yield [key]
        return
    path = os.environ.get("SSH_AUTH_SOCK")
    if not path:
        raise refusals.no_agent("SSH_AUTH_SOCK is not set")
    try:
        agent = await asyncssh.connect_agent(path)
    except (OSError, asyncssh.Error):
        raise refusals.no_agent("it does not answer") from None
    try:
        try:
            keys = list(await agent.get_keys())
        except (OSError, ValueError, asyncssh.Error):
            raise refusals.no_agent("it does not answer") from None
        if not keys:
            raise refusals.no_agent("it holds no key")
        yield keys
    finally:
        agent.close()
        await agent.wait_closed()


async def handshake(
    login: Login, link: socket.socket, keys: list[Any]
) -> tuple[asyncssh.SSHClientConnection, HostKeyPin]:
    """Exchange keys, look at the host key, sign in."""
    import asyncssh

    client = _watching()(login.pin)
    try:
        async with asyncio.timeout(SIGN_IN_SECONDS):
            connection = await asyncssh.connect(
                login.host,
                login.port,
                sock=link,
                config=None,
                agent_path=None,
                known_hosts=([], [], []),  # the client is asked for every key
                client_factory=lambda: client,
                server_host_key_algs=list(algorithms(login.pin)),
                username=login.username,
                client_keys=keys,
                preferred_auth="publickey",
                encryption_algs=CIPHERS,
                login_timeout=SIGN_IN_SECONDS,
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVE_TRIES,
            )
    except asyncssh.HostKeyNotVerifiable:
        raise refusals.host_key_changed(login, client.shown) from None
    except asyncssh.PermissionDenied:
        raise refusals.not_let_in(login) from None
    except asyncssh.KeyExchangeFailed:
        raise refusals.no_handshake(login, "there is no method of encryption that both know") from None
    except TimeoutError:
        raise refusals.no_handshake(login, f"no answer within {SIGN_IN_SECONDS:g} seconds") from None
    except (asyncssh.Error, OSError, ValueError):
        if client.shown is not None:
            raise refusals.not_let_in(login) from None
        raise refusals.no_handshake(login, "it closed the connection") from None
    assert client.shown is not None  # noqa: S101 - no connection without a host key
    return connection, client.shown


def algorithms(pin: HostKeyPin | None) -> tuple[str, ...]:
    """The kinds of host key to ask for, the best first: of a pinned one its own, since a server with several would
    show another; then the others, so that a changed one is seen and can be named.
    """
    if pin is None or pin.algorithm is None:
        return ALGORITHMS
    pinned = RSA if pin.algorithm == "ssh-rsa" else (pin.algorithm,)
    return (*pinned, *(name for name in ALGORITHMS if name not in pinned))


def _watching() -> Any:
    import asyncssh

    class Watching(asyncssh.SSHClient):
        """Remembers the host key, and lets only the expected one pass."""

        def __init__(self, pin: HostKeyPin | None) -> None:
            self.pin = pin
            self.shown: HostKeyPin | None = None

        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            self.shown = HostKeyPin(key.get_fingerprint().rstrip("="), key.get_algorithm())
            return self.pin is None or self.pin.fingerprint == self.shown.fingerprint

    return Watching


class SshDialer:
    """Opens streams to sockets of the server, and to addresses (`tcp://host:port`) as seen from there. A missing socket
    and a refused one look the same from here.
    """

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection

    async def open(self, path: str) -> Stream:
        import asyncssh

        try:
            if path.startswith(TCP):
                host, _, port = path.removeprefix(TCP).rpartition(":")
                reader, writer = await self._connection.open_connection(host.strip("[]"), int(port), encoding=None)
            else:
                reader, writer = await self._connection.open_unix_connection(path, encoding=None)
        except asyncssh.Error as error:
            raise ConnectionError(f"{path} cannot be opened over SSH") from error
        return _Reading(reader), _Writing(writer)


class _Reading:
    """asyncssh's reader, with a cut connection told as every other stream tells it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(self, n: int = -1, /) -> bytes:
        import asyncssh

        try:
            return await self._reader.read(n)
        except asyncssh.Error as error:
            raise ConnectionError("the SSH connection was cut") from error

    def at_eof(self) -> bool:
        return self._reader.at_eof()


class _Writing:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, data: bytes, /) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        import asyncssh

        try:
            await self._writer.drain()
        except asyncssh.Error as error:
            raise ConnectionError("the SSH connection was cut") from error

    def can_write_eof(self) -> bool:
        return self._writer.can_write_eof()

    def write_eof(self) -> None:
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    async def wait_closed(self) -> None:
        await self._writer.wait_closed()
