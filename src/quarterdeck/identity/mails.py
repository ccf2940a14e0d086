"""What we write to people: an invitation, a forgotten password. Plain text, and the same in HTML."""

from __future__ import annotations

from datetime import timedelta

from jinja2 import BaseLoader, Environment

from quarterdeck.kernel.mail import Letter
from quarterdeck.kernel.vault import Secret

_html = Environment(loader=BaseLoader(), autoescape=True).from_string(
    """<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto">
{% for line in lines %}<p>{{ line }}</p>
{% endfor %}<p><a href="{{ link }}">{{ button }}</a></p>
<p style="color:#555">If the link does not open, copy this address: {{ link }}</p>
{% for line in after %}<p style="color:#555">{{ line }}</p>
{% endfor %}</body></html>
"""
)


def invitation(to: str, base: str, token: Secret[str], organization: str, inviter: str, life: timedelta) -> Letter:
    """`base` is the public address of the control plane, without a slash at its end."""
    return _letter(
        to,
        f"You are invited to {organization} on Quarterdeck",
        (f"{inviter} invites you to {organization} on Quarterdeck.",),
        invitation_link(base, token),
        "Accept the invitation",
        (f"The link is good for {_said(life)} and once.", "If you expected no invitation, leave it alone."),
    )


def invitation_link(base: str, token: Secret[str]) -> str:
    """What accepts an invitation: the token stands where browsers keep it to themselves."""
    return f"{base}/console/accept-invitation#{token.reveal()}"


def forgotten_password(to: str, base: str, token: Secret[str], life: timedelta) -> Letter:
    return _letter(
        to,
        "Your password on Quarterdeck",
        ("Somebody, probably you, asked for a new password on Quarterdeck.",),
        f"{base}/console/reset-password#{token.reveal()}",
        "Choose a new password",
        (f"The link is good for {_said(life)} and once.", "If it was not you, nothing changes; leave it alone."),
    )


ADDRESS = "An address on Quarterdeck"
"""Of the letter to a new address, whether it is somebody's or not: subjects stand in lists of work."""


def address(to: str, base: str, token: Secret[str], life: timedelta) -> Letter:
    return _letter(
        to,
        ADDRESS,
        ("Somebody, probably you, wants this to be the address of their account on Quarterdeck.",),
        f"{base}/console/confirm-address#{token.reveal()}",
        "Confirm the address",
        (f"The link is good for {_said(life)} and once.", "If it was not you, nothing changes; leave it alone."),
    )


def address_taken(to: str, base: str) -> Letter:
    return _letter(
        to,
        ADDRESS,
        (
            "Somebody, probably you, wants this to be the address of another account on Quarterdeck.",
            "It is the address of your account already, so nothing changes.",
        ),
        f"{base}/console/sign-in",
        "Sign in",
        ("If it was not you, leave this alone.",),
    )


def address_asked(to: str, base: str) -> Letter:
    """For the address that somebody has until another one is confirmed."""
    return _letter(
        to,
        "Your address on Quarterdeck",
        ("Another address was given for your account on Quarterdeck. It counts once the link sent there is opened.",),
        f"{base}/console/me",
        "Look at your account",
        ("If it was not you: choose another password, which ends it, and tell an administrator.",),
    )


def _letter(to: str, subject: str, lines: tuple[str, ...], link: str, button: str, after: tuple[str, ...]) -> Letter:
    text = "\n\n".join([*lines, f"{button}: {link}", *after]) + "\n"
    return Letter(to, subject, text, _html.render(lines=lines, link=link, button=button, after=after))


def _said(life: timedelta) -> str:
    hours = round(life.total_seconds() / 3600)
    return "one hour" if hours == 1 else f"{hours} hours"
