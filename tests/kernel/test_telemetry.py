from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.kernel.telemetry import Metrics, configure
from quarterdeck.kernel.vault import Secret


@pytest.fixture
def written():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("info", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_record_is_one_line_of_json_with_the_ids_of_its_request(written):
    ada = Principal(kind="user", id=1, uid="u-1", label="ada")
    token = current.set(Context(principal=ada, request_id="req_1", correlation_id="cor_1"))
    structlog.get_logger("quarterdeck.test").info("thing_made", thing="thg_1")
    current.reset(token)
    logging.getLogger("library").warning("from %s", "elsewhere")
    ours, theirs = written()
    assert ours["event"] == "thing_made"
    assert (ours["request_id"], ours["correlation_id"], ours["actor"]) == ("req_1", "cor_1", "user:u-1")
    assert (ours["level"], ours["logger"], ours["thing"]) == ("info", "quarterdeck.test", "thg_1")
    assert theirs["event"] == "from elsewhere"
    assert "request_id" not in theirs


def test_secrets_do_not_reach_the_log(written):
    log = structlog.get_logger("quarterdeck.test")
    log.info("seen", value=Secret("hunter2"), password="hunter2", nested={"apiKey": "hunter2"}, token_id="tok_1")
    (record,) = written()
    assert "hunter2" not in json.dumps(record)
    assert record["token_id"] == "tok_1"


def test_a_traceback_is_written_without_the_values_of_variables(written):
    def fail(password: str) -> None:
        raise RuntimeError("broken")

    try:
        fail("hunter" + "2")
    except RuntimeError:
        structlog.get_logger("quarterdeck.test").exception("failed")
    (record,) = written()
    assert "RuntimeError: broken" in record["exception"]
    assert "hunter2" not in record["exception"]


def test_figures_are_made_once_and_rendered():
    metrics = Metrics()
    metrics.counter("jobs_total", "Jobs that ended.", ["state"]).labels("succeeded").inc()
    metrics.counter("jobs_total", "Jobs that ended.", ["state"]).labels("succeeded").inc()
    kind, text = metrics.render()
    assert kind.startswith("text/plain")
    assert b'quarterdeck_jobs_total{state="succeeded"} 2.0' in text
    with pytest.raises(TypeError):
        metrics.gauge("jobs_total", "Something else.")
