"""A notification as a mail."""

from __future__ import annotations

from jinja2 import BaseLoader, Environment

from quarterdeck.kernel.mail import Letter

_html = Environment(loader=BaseLoader(), autoescape=True).from_string(
    """<!doctype html><html lang="en">
<body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto">
<p><strong>{{ title }}</strong></p>
{% for line in lines %}<p>{{ line }}</p>
{% endfor %}{% if link %}<p><a href="{{ link }}">Open it in Quarterdeck</a></p>
{% endif %}<p style="color:#555">{{ why }}</p>
</body></html>
"""
)
WHY = "You get this mail because you chose it. Choose differently under your notifications."


def notification(to: str, title: str, body: str, link: str | None) -> Letter:
    """`link` is a whole address."""
    lines = [line for line in body.splitlines() if line.strip()]
    said = [title, *lines, *([f"Open it in Quarterdeck: {link}"] if link else []), WHY]
    html = _html.render(title=title, lines=lines, link=link, why=WHY)
    return Letter(to, f"Quarterdeck: {title}", "\n\n".join(said) + "\n", html)
