"""The one budget of everything large that is sent to this surface: states, saved plans, reports."""

from __future__ import annotations

from quarterdeck.kernel.http.bodies import Bodies

BODIES = Bodies(total=176 << 20, per_key=2)
"""Three of the largest at once; each is in memory about three times while it is checked and sealed."""
