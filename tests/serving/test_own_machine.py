"""The server's own machine, when it is to run agents: a machine like any other, through memory."""

import asyncio
import os
from pathlib import Path

import pytest

from quarterdeck.kernel.errors import Invalid
from support.deck import opened, running, signed_in

MACHINES = "/api/admin/machines?includeDecommissioned=true"


async def machine(deck, *statuses):
    """The one machine, once it stands so."""
    async with asyncio.timeout(90):
        while True:
            found = (await deck.send("GET", MACHINES)).json()["items"]
            if found and found[0]["status"] in statuses:
                assert len(found) == 1
                return found[0]
            await asyncio.sleep(0.05)


@pytest.mark.root
async def test_it_is_listed_drained_and_comes_back_as_itself(tmp_path, database_address):
    async with running(tmp_path, database_address, agents=True) as fresh:
        deck = await signed_in(fresh)
        found = await machine(deck, "online")
        assert found["hardware"]["cpuCores"] == os.cpu_count()
        assert [one["type"] for one in found["agents"]][-1] == "custom"
        drained = await deck.send("POST", f"/api/web/machines/{found['id']}/drain", {"reason": "full"})
        assert drained.json()["status"] == "draining"
        await machine(deck, "draining")
        token = deck.token
    again = Path(database_address) if not isinstance(database_address, str) else database_address
    if isinstance(again, Path):
        (tmp_path / "data" / "quarterdeck.db").rename(again)
    async with running(tmp_path, again, agents=True) as deck:
        deck.token = token
        back = await machine(deck, "draining")
        assert back["id"] == found["id"]
        await deck.send("POST", f"/api/web/machines/{found['id']}/undrain")
        await machine(deck, "online")
        assert (await deck.send("DELETE", f"/api/admin/machines/{found['id']}")).status_code == 200
        await machine(deck, "decommissioned")
        async with asyncio.timeout(90):
            while deck.instance.workers.count:
                await asyncio.sleep(0.05)
        acts = [one["action"] for one in (await deck.send("GET", "/api/admin/audit-logs?limit=100")).json()["items"]]
        assert acts.count("worker.enrolled") == 1


@pytest.mark.root
def test_it_runs_agents_only_as_root(tmp_path, database_address, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Invalid, match="read its master key"):
        opened(tmp_path, database_address, agents=True)
