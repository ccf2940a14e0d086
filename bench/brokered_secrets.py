"""How long a secret takes from the approval of its request until it lies ready, on a server that does it itself.

    python bench/brokered_secrets.py [--requests 60]

A server with its own worker, a connection of a Vault that answers at once, and nothing else to do: a request to read is
made, and measured is from sending its approval until whoever asked is told that its value lies ready.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from e2e.client import signed_in  # noqa: E402 - the paths come first
from e2e.secret_people import approver, ok  # noqa: E402
from e2e.server import deck  # noqa: E402
from fakes.loopback import serving  # noqa: E402
from fakes.vault_server import TOKEN, VaultServer  # noqa: E402

BUDGET = 150.0
PAUSE = 0.2
"""Seconds between two requests: each is alone."""


def delivered(ada: httpx.Client, paul: httpx.Client) -> float:
    """Milliseconds from sending the approval until the value can be fetched."""
    body = {"target_provider_type": "vault", "target_secret_ref": "apps/db", "justification": "measured"}
    at = f"/api/v1/requests/{ok(ada.post('/api/v1/requests/read', json=body))['id']}"
    time.sleep(PAUSE)
    began = time.perf_counter()
    ok(paul.post(f"{at}/approve", json={}))
    found: Any = None
    while (found := ok(ada.get(at)))["status"] == "approved":
        time.sleep(0.002)
    took = (time.perf_counter() - began) * 1000
    assert found["status"] == "executed", found
    assert [one["key_name"] for one in ok(ada.get(f"{at}/wraps"))] == ["PASSWORD"]
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=60)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="qd-bench-") as home,
        serving(VaultServer()) as vault,
        deck(Path(home) / "deck") as made,
        signed_in(made) as client,
        approver(made, client._http) as paul,  # noqa: SLF001 - tests' own hands
    ):
        ada = client._http  # noqa: SLF001 - likewise
        vault.put("apps/db", {"PASSWORD": "measured"})
        config = {"address": vault.url, "allow_server": True}
        body = {"name": "own", "provider_type": "vault", "config": config, "credential": TOKEN}
        ok(ada.post("/api/v1/provider-connections", json=body))
        for _ in range(5):
            delivered(ada, paul)
        taken = sorted(delivered(ada, paul) for _ in range(arguments.requests))
    fastest, late, slowest = taken[0], taken[int(len(taken) * 0.95)], taken[-1]
    print(f"from approval to delivery: fastest {fastest:.0f} ms, p95 {late:.0f} ms, slowest {slowest:.0f} ms")
    good = record("broker.approval_to_delivered_p50", statistics.median(taken), "ms", BUDGET)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
