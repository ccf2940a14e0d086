"""A server that has one thing to do for an agent, and may die at a point of it: run as a process of its own, with
`QUARTERDECK_FAULTS`, by `python -m support.broker_dying`. What it is told comes as JSON on standard input.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from quarterdeck.broker.requests import effects
from quarterdeck.broker.work import effects as work_effects
from quarterdeck.broker.work import kind
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from support.broker_yard import BrokerYard, YardAgent


def main(told: dict[str, Any]) -> None:
    clock, vault = HeldClock(datetime.fromisoformat(told["now"])), Vault(LocalBackend(Path(told["key"])))
    address = told["address"] if "://" in told["address"] else Path(told["address"])
    database = open_database(address, clock=clock, vault=vault)
    vault.unlock(database)
    jobs.kinds.register(kind.kind())
    work_effects.register("requests", effects.job_ended)
    yard = BrokerYard.__new__(BrokerYard)
    yard.db, yard.clock = database, clock
    worker = database.read_sync(lambda tx: tx.get(Worker, told["worker"]))
    assert worker is not None
    agent = YardAgent(yard, worker, Secret(told["secret"]), bytes(range(1, 33)))
    acts = {
        "claim": agent.claim,
        "take": lambda: agent.take(told["wrap"]),
        "deliver": lambda: agent.deliver(told["request"], "DB_PASSWORD", b"found"),
        "complete": lambda: agent.complete(told["job"]),
    }
    acts[told["act"]]()
    database.close_sync()


if __name__ == "__main__":
    main(json.load(sys.stdin))
