"""What the kernel's log says of containers that have ended."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from quarterdeck.fleet.docker.dialing import LocalDialer
from quarterdeck.fleet.targets.host import Ran
from quarterdeck.fleet.targets.kernel_log import ran_out_of_memory
from quarterdeck.kernel.errors import Timeout

ENDED = "58958111649b575ea985f9aac8d56c984b1fb814d4129774c4beb34cfde6e37e"
OTHER = "ac76d257094ae528815e62e4aaede1c43374060cedf2f9591267753d0a6d2dac"
LOG = f"""[   12.1] device veth{ENDED[:12]} entered promiscuous mode
[16755.1] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/docker/{OTHER},task=python3,pid=8629,uid=0
[16755.2] Memory cgroup out of memory: Killed process 8629 (python3)
"""


class Told:
    """A host whose `dmesg` ends in one way."""

    dialer = LocalDialer()

    def __init__(self, outcome: Ran | Timeout) -> None:
        self._outcome = outcome

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 20.0) -> Ran:
        if isinstance(self._outcome, Timeout):
            raise self._outcome
        return self._outcome


@pytest.mark.parametrize(
    ("outcome", "container", "expected"),
    [
        (Ran(0, LOG.encode(), b""), OTHER, True),
        (Ran(0, LOG.encode(), b""), ENDED, False),  # named by the log, but not in a line of what was ended
        (Ran(0, LOG.replace(OTHER, f"system.slice/docker-{OTHER}.scope").encode(), b""), OTHER, True),
        (Ran(1, b"", b"dmesg: read kernel buffer failed: Operation not permitted"), OTHER, False),
        (Ran(127, b"", b"dmesg: not found"), OTHER, False),
        (Timeout("It took too long.", hint="Try again.", code="command_timeout"), OTHER, False),
    ],
)
async def test_only_a_line_of_what_was_ended_for_memory_counts(
    outcome: Ran | Timeout, container: str, expected: bool
) -> None:
    assert await ran_out_of_memory(Told(outcome), container) is expected
