"""A real browser before the console's pages, served over a real socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from console.conftest import build_app
from console.portside import Portside
from quarterdeck.console.ports import Update

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parents[2] / "console" / "vendor" / "axe-4.14.1.min.js"
expect.set_options(timeout=60_000)  # milliseconds: a busy machine draws late


@dataclass
class Deck:
    """The served console and the loop it runs on."""

    address: str
    ports: Portside
    loop: asyncio.AbstractEventLoop

    def send(self, update: Update | None) -> None:
        self.loop.call_soon_threadsafe(self.ports.updates.put_nowait, update)


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    ports = Portside()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(build_app(ports), log_level="error", timeout_graceful_shutdown=1, lifespan="off")
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve([listener]),))
    thread.start()
    yield Deck(f"http://127.0.0.1:{listener.getsockname()[1]}", ports, loop)
    loop.call_soon_threadsafe(ports.updates.put_nowait, None)
    server.should_exit = True
    thread.join(10)
    loop.close()
    listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


class Visit:
    """One reader's browser. `complaints` are console errors, policy violations and exceptions."""

    def __init__(self, browser: Browser, deck: Deck, **options: Any) -> None:
        settings: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
        self.context: BrowserContext = browser.new_context(**settings)
        self.context.add_cookies([{"name": "qd_session", "value": "mara", "url": deck.address}])
        self.context.set_default_timeout(60_000)
        self.page: Page = self.context.new_page()
        self.deck = deck
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def go(self, path: str) -> Page:
        self.page.goto(self.deck.address + path)
        return self.page

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def visit(browser: Browser, deck: Deck) -> Iterator[Visit]:
    deck.ports.deeds.clear()
    made = Visit(browser, deck)
    yield made
    made.close()
