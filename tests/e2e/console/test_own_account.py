"""A second factor from the QR code to the door, and a command line that the browser lets in, as people do both."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.server import Deck, environment
from quarterdeck.kernel.clock import SystemClock

pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "ada@example.test", "correct horse battery staple"
SLOW = 60_000
PROGRAM = [sys.executable, "-m", "quarterdeck.cli.main"]


def code(secret: str, later: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(SystemClock().now().timestamp()) + 30 * later)


def sign_in(page: Page, bare: Deck) -> None:
    page.goto(f"{bare.url}/console/sign-in")
    page.get_by_label("E-mail or username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


class AtATerminal:
    """`qd` with a terminal of its own. `said` is all that it has shown."""

    def __init__(self, home: Path, *words: str) -> None:
        there, here = pty.openpty()
        self.said = ""
        self.process = subprocess.Popen(
            [*PROGRAM, *words],
            stdin=here,
            stdout=here,
            stderr=here,
            env=environment(None, HOME=str(home), XDG_CONFIG_HOME=str(home), DISPLAY="", WAYLAND_DISPLAY=""),
        )
        os.close(here)
        self._known = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(there,), daemon=True)
        self._reader.start()

    def _read(self, there: int) -> None:
        while True:
            try:
                part = os.read(there, 4096)
            except OSError:  # how Linux says that nobody holds the other end
                part = b""
            with self._known:
                self.said += part.decode(errors="replace")
                self._known.notify_all()
            if not part:
                os.close(there)
                return

    def wait_for(self, pattern: str) -> str:
        """The first group of what it says."""
        with self._known:
            self._known.wait_for(lambda: re.search(pattern, self.said), timeout=120)
        found = re.search(pattern, self.said)
        assert found is not None, self.said
        return found[1]

    def end(self) -> int:
        status = self.process.wait(120)
        self._reader.join(10)
        return status


def test_a_second_factor_is_set_up_and_asked_for_and_a_terminal_is_let_in(
    browser: Browser, bare: Deck, tmp_path: Path
) -> None:
    first = {"email": EMAIL, "password": PASSWORD, "displayName": "Ada"}
    made = httpx.post(f"{bare.url}/api/bootstrap/auth/first-admin", json=first, trust_env=False)
    assert made.status_code == 201, made.text
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    context.set_default_timeout(SLOW)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    sign_in(page, bare)
    expect(page.get_by_role("heading", name="Nothing is deployed yet")).to_be_visible(timeout=SLOW)
    page.goto(f"{bare.url}/console/me/second-factor")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code of the secret below")).to_be_visible(timeout=SLOW)
    shown = page.locator(".qr + .code code").inner_text()
    secret = shown.replace(" ", "")
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Switch it on").click()
    field = page.get_by_label("Code", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true", timeout=SLOW)
    expect(field).to_be_focused()
    field.fill(code(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible(timeout=SLOW)
    recovery = page.locator(".note + .code code").inner_text().split()
    assert len(recovery) == 10
    page.get_by_role("link", name="I have stored them").click()
    expect(page.locator("main")).to_contain_text("10 left")
    assert recovery[0] not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    context.clear_cookies()
    sign_in(page, bare)
    asked = page.get_by_label("One-time code")
    expect(asked).to_be_focused(timeout=SLOW)
    expect(page.get_by_label("Password")).to_have_count(0)
    asked.fill(recovery[0])
    asked.press("Enter")
    expect(page.get_by_role("heading", name="Nothing is deployed yet")).to_be_visible(timeout=SLOW)

    terminal = AtATerminal(tmp_path, "login", bare.url)
    page.goto(terminal.wait_for(r"(http://\S+/cli/login\?device_code=\w+)"))
    expect(page.get_by_role("heading", name="Let a program in?")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("heading", name="The program is let in")).to_be_visible(timeout=SLOW)
    assert terminal.end() == 0, terminal.said
    assert f"Signed in to {bare.url} as {EMAIL}." in terminal.said
    again = AtATerminal(tmp_path, "second-factor", "show")
    assert again.end() == 0, again.said
    assert "9 recovery codes left" in again.said

    (saved,) = json.loads((tmp_path / "quarterdeck" / "profiles.json").read_text())["profiles"].values()
    bearer = {"authorization": f"Bearer {saved['token']}"}
    assert httpx.get(f"{bare.url}/api/account/profile", headers=bearer, trust_env=False).status_code == 200
    page.goto(f"{bare.url}/console/me")
    page.get_by_role("link", name="Sign out everywhere else").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere else").click()
    expect(page.locator(".toast")).to_have_text("Signed out everywhere else", timeout=SLOW)
    refused = httpx.get(f"{bare.url}/api/account/profile", headers=bearer, trust_env=False)
    assert refused.status_code == 401, refused.text
    assert complaints == []
    context.close()
