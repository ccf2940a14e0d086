"""What a provider or an agent says of a failure, without what looks like a secret, and bounded."""

from __future__ import annotations

import re

from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault.secret import MASK

LONGEST = 1000
PATTERNS = (
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}"),
    re.compile(r"\bAIza[0-9A-Za-z_\-]{20,}"),
    re.compile(r"\bya29\.[0-9A-Za-z_\-.]+"),
    re.compile(r"\b(?:hv[sbr]|[sb])\.[0-9A-Za-z_\-]{16,}"),
    re.compile(r"\beyJ[0-9A-Za-z_\-]+\.[0-9A-Za-z_\-]+(?:\.[0-9A-Za-z_\-]*)?"),
    re.compile(r"\bgh[pousr]_[0-9A-Za-z]{20,}|\bxox[abprs]-[0-9A-Za-z\-]{10,}|\bqd_[0-9A-Za-z_]{16,}"),
    re.compile(r"-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|\Z)"),
    re.compile(r"(?i)(?<=bearer )[^\s\"',;]+|(?<=basic )[0-9a-z+/=]{8,}"),
    re.compile(
        r"(?i)((?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|credential)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s\"',;&}]+"
    ),
    re.compile(r"\b[0-9a-fA-F]{32,}\b"),
    re.compile(r"[0-9A-Za-z+/_\-]{40,}={0,2}"),
)


def sanitised(text: str, longest: int = LONGEST) -> str:
    """One line of at most `longest` characters. What is masked is masked too often rather than too rarely."""
    told = str(storable(text[: longest * 4]))
    for pattern in PATTERNS:
        told = pattern.sub(lambda found: (found.group(1) if found.re.groups else "") + MASK, told)
    return shown(" ".join(told.split()), longest)
