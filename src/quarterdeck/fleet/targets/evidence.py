"""What the access log of the edge of a server behind SSH says about one failed request."""

from __future__ import annotations

import re
from datetime import datetime

from quarterdeck.fleet.edge import evidence
from quarterdeck.fleet.edge.evidence import Entry
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.targets.host import Host

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,80}")
"""What the edge and we make as ids. Nothing else is looked for over there."""
SECONDS = 10.0
# Newest first. A line that is rolled away while it is read is in none of the files: it is asked for again by a person.
SEARCH = (
    'cd "$1" 2>/dev/null || exit 0; for file in $(ls -t access*.json*); do case $file in *.gz) gzip -dc "$file";; '
    '*) cat "$file";; esac; done 2>/dev/null | grep -F -m 20 -e "$2"; true'
)


def command(layout: Layout, request_id: str) -> list[str]:
    """Prints the lines of the log that name the id, at most twenty."""
    return ["sh", "-c", SEARCH, "search", str(layout.log), request_id]


async def find(host: Host, layout: Layout, request_id: str, now: datetime) -> Entry | None:
    """As `fleet.edge.evidence.find`, over there. Raises the problem of a host that cannot be asked."""
    if not REQUEST_ID.fullmatch(request_id):
        return None
    ran = await host.run(command(layout, request_id), seconds=SECONDS)
    return evidence.kept(evidence.among(ran.stdout.splitlines(), request_id), now)
