"""A program logs in by the browser: it asks, a person signs in, looks, presses, and the program goes on."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest
from playwright.sync_api import Browser, expect

from e2e.server import Deck

pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "ada@example.test", "correct horse battery staple"


def test_a_program_is_let_in_by_somebody_who_signs_in_for_it(browser: Browser, bare: Deck) -> None:
    with httpx.Client(base_url=bare.url, headers={"user-agent": "alethia/0.4.0"}, trust_env=False) as program:
        made = program.post(
            "/api/bootstrap/auth/first-admin", json={"email": EMAIL, "password": PASSWORD, "displayName": "Ada"}
        )
        assert made.status_code == 201, made.text
        body = {"device_code": str(uuid.uuid4())}
        context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{bare.url}/cli/login?device_code={body['device_code']}")
        page.get_by_label("E-mail or username").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="No program asks with this code yet")).to_be_visible()
        assert program.post("/api/auth/cli/exchange", json=body).status_code == 404
        expect(page.get_by_role("heading", name="Let a program in?")).to_be_visible(timeout=20_000)
        expect(page.locator("main")).to_contain_text(body["device_code"])
        expect(page.locator("main")).to_contain_text("alethia/0.4.0")
        assert program.post("/api/auth/cli/exchange", json=body).status_code == 404
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Let it in")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="The program is let in")).to_be_visible()
        told = program.post("/api/auth/cli/exchange", json=body)
        assert told.status_code == 200, told.text
        bearer = {"authorization": f"Bearer {told.json()['access_token']}"}
        assert program.get("/api/web/profile", headers=bearer).json()["name"] == "ada"
        page.goto(f"{bare.url}/console/me")
        ours = page.locator("li[data-row]", has_text="alethia/0.4.0")
        ours.get_by_role("button", name=re.compile("^End it")).click()
        expect(ours).to_have_count(0)
        assert program.get("/api/web/profile", headers=bearer).status_code == 401
        renewal = {"refresh_token": told.json()["refresh_token"]}
        assert program.post("/api/auth/cli/refresh", json=renewal).status_code == 401
        context.close()
