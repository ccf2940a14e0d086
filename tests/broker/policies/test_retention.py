"""What is kept of what happened to rules."""

from __future__ import annotations

from quarterdeck.broker.policies import retention
from quarterdeck.kernel.retention.categories import over
from support import broker_rows as rows


async def test_streams_of_things_that_are_there_are_not_forgotten(database):
    def verb(tx):
        flow = rows.workflow(tx, "flow")
        things = (rows.project(tx), flow, rows.policy(tx, "rule", {}, flow))
        streams = [f"{prefix}{one.uid}" for prefix, one in zip(retention.STREAMS, things, strict=True)]
        gone = [f"{prefix}{tx.ids.uid()}" for prefix in retention.STREAMS]
        return over(tx, [*streams, *gone]), gone

    left, gone = await database.write(verb)
    assert left == gone
