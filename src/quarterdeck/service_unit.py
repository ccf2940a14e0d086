"""The systemd unit that runs the server: a value first, shown by `install --print`.

What it may not do is bounded as far as that does not reach what it starts: applications that run as host processes and
the edge outlive it (`KillMode=process`), become users of their own, and keep control groups of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

NAME = "quarterdeck.service"
PLACE = Path("/etc/systemd/system")


@dataclass(frozen=True, slots=True)
class Unit:
    """`program` is the absolute path of `quarterdeck`, `arguments` are those of `serve`."""

    program: Path
    arguments: tuple[str, ...] = ()
    user: str | None = None
    data_dir: Path = Path("/var/lib/quarterdeck")


def quoted(word: str) -> str:
    """A word as systemd reads it back: specifiers, variables and quotes mean themselves."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$").replace("\n", "\\n")
    return plain if re.fullmatch(r"[A-Za-z0-9_./:=@,%+-]+", plain) else f'"{plain}"'


def rendered(unit: Unit) -> str:
    """The text of the unit file."""
    command = " ".join(quoted(word) for word in (str(unit.program), "serve", *unit.arguments))
    account = [f"User={unit.user}", "AmbientCapabilities=CAP_NET_BIND_SERVICE"] if unit.user else []
    return "\n".join(
        [
            "[Unit]",
            "Description=Quarterdeck, the control plane of this team's machines",
            "After=network-online.target docker.service postgresql.service",
            "Wants=network-online.target",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={command}",
            *account,
            "Restart=on-failure",
            "RestartSec=2",
            "TimeoutStopSec=90",
            "# Applications and the edge were started by the server and go on without it.",
            "KillMode=process",
            "Delegate=yes",
            "LimitNOFILE=65536",
            "TasksMax=infinity",
            "# Inherited by host processes and the edge too. So nothing stands here that would break them: no private",
            "# directories, devices or users, no umask, no filtered calls or addresses, no NoNewPrivileges (a host",
            "# process becomes a user of its own), no score that would spare them when memory ends.",
            "ProtectKernelModules=yes",
            "ProtectKernelLogs=yes",
            "LockPersonality=yes",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )
