"""Signing in and out, and the servers that are known."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from quarterdeck.cli import profiles
from quarterdeck.cli.browser_login import by_browser
from quarterdeck.cli.client import Api, authorities, loopback
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.profiles import Profile
from quarterdeck.cli.terminal import Terminal

FEW = 10


def login(
    url: str | None = None,
    /,
    *,
    username: Annotated[str | None, Parameter(name=["--username", "-u"])] = None,
    password: str | None = None,
    token: str | None = None,
    code: str | None = None,
    ca: str | None = None,
    common: Common = Common(),
) -> None:
    """Sign in to a server and remember it; later commands go there.

    Without a user name or a token it asks your browser to let it in, which needs no password here: look that the page
    shows the same code. On a machine without a browser open the address elsewhere.

    The credential is kept in ~/.config/quarterdeck/profiles.json, readable by you alone.
    QUARTERDECK_URL with QUARTERDECK_TOKEN is used instead of it where both are set. Where no terminal is, such as in a
    script, give --username with --password -, or --token -; nobody is asked there.

    qd login http://127.0.0.1:8700
    qd login https://deck.example.com --username ada
    qd login https://deck.example.com --username ada --password -   < password.txt
    qd login https://deck.example.com --token - --profile work
    qd login https://deck.example.com --ca root.crt

    Parameters
    ----------
    url
        The address of the server. Default: QUARTERDECK_URL, else the server of the profile.
    username
        Your user name or e-mail address, to sign in with your password instead.
    password
        Your password, or - to read it from stdin. Asked for on a terminal.
    token
        A token instead of a password, or - to read it from stdin: one of your own (POST /api/web/profile/tokens makes
        them), or the access_token that POST /api/auth/login answers.
    code
        The one-time code of your second factor.
    ca
        A PEM file with the certificate authority of the server, such as one that signs by itself (--tls internal). It
        is remembered. Default: SSL_CERT_FILE, else what was remembered.
    """
    terminal = Terminal(common)
    address, name = _where(url, common)
    if token is not None and (username is not None or password is not None):
        raise usage("Give either a token, or a user name and a password.", f"qd login {address}")
    if not address.startswith("https:") and not loopback(address):
        terminal.say(f"{address} is not encrypted: your credential travels in the clear.")
    believed = _authorities(ca, name, address)
    api = Api(Profile(address, authorities=believed))
    try:
        if token is not None:
            profile = _by_token(api.profile, _given(token, "token"))
        elif username is None and password is None and code is None and terminal.asks:
            _require_administrator(api)
            profile = by_browser(api, terminal)
            profile.user = _by_token(api.profile, profile.token or "").user
        else:
            profile = _by_password(api, terminal, username, password, code)
    finally:
        api.close()
    with profiles.changing() as store:
        before = store.profiles.get(name)
        if before is not None and before.url == profile.url:
            profile.default_project = before.default_project
            profile.git_tokens = before.git_tokens if before.user == profile.user else {}
        profile.authorities = believed
        store.profiles[name] = profile
        store.current = name
    facts = {"url": address, "user": profile.user, "profile": name}
    terminal.answer(facts, name=name, text=f"Signed in to {address} as {profile.user}.")


def _where(url: str | None, common: Common) -> tuple[str, str]:
    """The address and the profile to keep it in: the named one, the one of that address, else one named by the host."""
    store = profiles.load()
    if url is None:
        url = os.environ.get("QUARTERDECK_URL")
    if url is None:
        known = store.profiles.get(common.profile or store.current or "")
        if known is None:
            raise usage("Say which server to sign in to.", "qd login http://127.0.0.1:8700")
        url = known.url
    address = profiles.origin(url)
    if common.profile is not None:
        return address, common.profile
    same = next((name for name, profile in store.profiles.items() if profile.url == address), None)
    return address, same or address.split("://", 1)[1]


def _given(value: str, what: str) -> str:
    """A value given, or read from stdin for `-`."""
    text = sys.stdin.readline().rstrip("\r\n") if value == "-" else value
    if not text:
        raise usage(f"The {what} is empty.")
    return text


def _authorities(file: str | None, name: str, address: str) -> str | None:
    """Certificates to believe and to remember: of the file, else of SSL_CERT_FILE, else those of the profile. A file of
    many is what every program believes on this machine, and none of this server's own.
    """
    if file is not None:
        return authorities(file)
    named = os.environ.get("SSL_CERT_FILE")
    found = authorities(named) if named else ""
    if 0 < found.count("BEGIN CERTIFICATE") <= FEW and address.startswith("https:"):
        return found
    known = profiles.load().profiles.get(name)
    return known.authorities if known is not None and known.url == address else None


def _by_token(server: Profile, token: str) -> Profile:
    address = server.url
    api = Api(Profile(address, token, authorities=server.authorities))
    try:
        return Profile(address, token, None, _who(api.read("organizations.current-context")))
    finally:
        api.close()


def _who(context: dict[str, Any]) -> str:
    user = context.get("user") or {}
    return str(user.get("username") or user.get("email") or user.get("displayName") or user.get("userId"))


def _by_password(api: Api, terminal: Terminal, username: str | None, password: str | None, code: str | None) -> Profile:
    address = api.profile.url
    _require_administrator(api)
    if not terminal.asks and (username is None or password is None):
        raise usage(
            "There is no terminal here at which you could be asked who you are.",
            f"qd login {address} --username NAME --password - < FILE, or --token - < FILE. With "
            "QUARTERDECK_URL and QUARTERDECK_TOKEN in the environment no login is needed.",
            code="input_required",
        )
    way = "Give --username with --password - (read from stdin), or --token -."
    name = username or terminal.ask("User name", otherwise=way)
    secret = _given(password, "password") if password else terminal.ask("Password", secret=True, otherwise=way)
    body = {"username": name, "password": secret} | ({"totpCode": code} if code else {})
    answer = api.call("POST", "/api/auth/login", body=body)
    if answer.get("mfa_required"):
        body["totpCode"] = terminal.ask("One-time code", otherwise="Give the one-time code with --code.")
        answer = api.call("POST", "/api/auth/login", body=body)
    user = answer.get("user") or {}
    return Profile(address, answer["access_token"], answer.get("refreshToken"), user.get("username") or name)


def _require_administrator(api: Api) -> None:
    address = api.profile.url
    if _needs_administrator(api):
        raise Failure(
            f"{address} has no administrator yet.",
            exit=Exit.NOT_SIGNED_IN,
            code="first_admin_bootstrap_required",
            hint=f"Create the first one in a browser: {address}/console/",
        )


def _needs_administrator(api: Api) -> bool:
    try:
        return bool(api.call("GET", "/api/auth/status").get("setup_required"))
    except Failure as failure:
        if failure.exit is Exit.UNREACHABLE:
            raise
        return False


def logout(*, common: Common = Common()) -> None:
    """End the session at the server and forget the credential. The server's address stays known.

    qd logout
    qd logout --profile work
    """
    terminal = Terminal(common)
    store = profiles.load()
    name = common.profile or store.current
    if name is None or name not in store.profiles:
        raise usage("There is nothing to sign out of.", "qd profiles")
    profile = store.profiles[name]
    if profile.token:
        api = Api(profile, name=name)
        try:
            api.call("POST", "/api/auth/logout", body={})
        except Failure as failure:
            if failure.exit is not Exit.NOT_SIGNED_IN:
                terminal.say(f"The server could not be told: {failure.message}")
        finally:
            api.close()
    with profiles.changing() as changed:
        saved = changed.profiles.get(name)
        if saved is not None:
            saved.token = saved.refresh = saved.renewal = None
            saved.git_tokens = {}
    terminal.answer({"url": profile.url, "profile": name}, name=name, text=f"Signed out of {profile.url}.")


def list_profiles(use: str | None = None, /, *, common: Common = Common()) -> None:
    """List the servers you know; with a name, make that one the current one.

    qd profiles
    qd profiles work

    Parameters
    ----------
    use
        The profile to use from now on.
    """
    terminal = Terminal(common)
    store = profiles.load()
    if use is not None:
        if use not in store.profiles:
            raise Failure(f"There is no profile {use}.", exit=Exit.NOT_FOUND, code="not_found", hint="qd profiles")
        with profiles.changing() as changed:
            changed.current = use
        terminal.answer({"profile": use, "url": store.profiles[use].url}, name=use, text=f"Using {use}.")
        return
    items = [
        {
            "profile": name,
            "url": profile.url,
            "user": profile.user,
            "current": name == store.current,
            "signedIn": profile.token is not None,
        }
        for name, profile in sorted(store.profiles.items())
    ]
    rows = [
        [
            ("* " if item["current"] else "  ") + str(item["profile"]),
            str(item["url"]),
            str(item["user"] or ""),
            "signed in" if item["signedIn"] else "signed out",
        ]
        for item in items
    ]
    terminal.table(items, ["  PROFILE", "SERVER", "USER", ""], rows, names=[str(item["profile"]) for item in items])
