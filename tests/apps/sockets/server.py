"""Answers with its version and a word; over a WebSocket sends back what comes, behind its version."""

import asyncio
import base64
import hashlib
import os
import signal

VERSION = "1"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
sockets = set()


def frame(code, data):
    return bytes([0x80 | code, len(data)]) + data


async def speak(reader, writer):
    """Frames of up to 125 bytes."""
    sockets.add(writer)
    try:
        while True:
            first, length = await reader.readexactly(2)
            mask = await reader.readexactly(4)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(length & 127)))
            if first & 15 == 8:
                writer.write(frame(8, data))
                return
            writer.write(frame(first & 15, VERSION.encode() + b" " + data))
            await writer.drain()
    finally:
        sockets.discard(writer)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            keys = [line.split(b":", 1)[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key:")]
            if keys:
                accepted = base64.b64encode(hashlib.sha1(keys[0] + MAGIC).digest())  # noqa: S324 - as the protocol has it
                writer.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: %b\r\n\r\n" % accepted
                )
                await speak(reader, writer)
                return
            body = f"{VERSION} {os.environ.get('WORD', '')}\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", int(os.environ.get("PORT", "3000")))  # noqa: S104
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()
    for writer in list(sockets):
        writer.write(frame(8, (1001).to_bytes(2, "big")))
    await asyncio.sleep(0.2)


asyncio.run(main())
