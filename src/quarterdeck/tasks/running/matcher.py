"""The program that matches a project's patterns: it stands alone on the standard library and does nothing else.

Each line of its stdin is a list of `[pattern, flags, anywhere, lines]`, each line of its stdout the list of what was
found in the first line that fits: null, or `{"reset": …}`. A question that costs more time of a processor than
`SECONDS` ends the program, by the kernel's hand: the matching itself lets nobody in between.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
from typing import Any

SECONDS = 2.0
MEMORY = 512 << 20


def look(pattern: re.Pattern[str], lines: list[str], *, anywhere: bool) -> dict[str, str | None] | None:
    """What is found in the first line that the pattern fits, at its beginning or `anywhere` in it."""
    fits = pattern.search if anywhere else pattern.match
    found = next((match for line in lines if line and (match := fits(line))), None)
    return None if found is None else {"reset": found.groupdict().get("reset")}


def answer(questions: list[Any]) -> list[dict[str, str | None] | None]:
    return [look(re.compile(pattern, flags), lines, anywhere=anywhere) for pattern, flags, anywhere, lines in questions]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        said = json.dumps(answer(json.loads(line)))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
