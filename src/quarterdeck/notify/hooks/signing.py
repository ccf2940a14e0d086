"""The signature of what is sent: whoever knows the secret can tell that it is ours, and when it was made."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from quarterdeck.kernel.vault import Secret

SIGNATURE = "X-Quarterdeck-Signature"
EVENT = "X-Quarterdeck-Event"
DELIVERY = "X-Quarterdeck-Delivery"
ATTEMPT = "X-Quarterdeck-Attempt"


def signed(secret: Secret[str], body: bytes, at: datetime) -> str:
    """The value of the header: `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>", hexadecimal>`."""
    stamp = int(at.timestamp())
    digest = hmac.new(secret.reveal().encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"
