"""Messages to a task: taken as long as its attempt asks for them, and refused from then on."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.work import messages


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def send(yard, task_id, text="One thing more."):
    return yard.act(messages.send, yard.access, task_id, text)


def asks(forge, job_id, after=0, **more):
    return [one["text"] for one in forge.say(job_id, "messages", {"after": after, **more})["messages"]]


def refused(yard, task_id):
    with pytest.raises(Conflict) as told:
        send(yard, task_id)
    return told.value.code


def test_the_last_asking_closes_where_there_is_nothing(yard, forge):
    task_id, job_id = yard.started(forge)
    assert asks(forge, job_id) == []
    first = send(yard, task_id, "First.")
    assert asks(forge, job_id, last=True) == ["First."]
    second = send(yard, task_id, "Second.")
    assert asks(forge, job_id, first.id, last=True) == ["Second."]
    assert asks(forge, job_id, second.id, last=True) == []
    assert refused(yard, task_id) == "task_delivering"


def test_delivery_closes_and_another_attempt_opens(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "deliver", {"branch": "b", "commit": "c" * 40})
    assert refused(yard, task_id) == "task_delivering"
    forge.end(job_id, "failed", error_code="git_push_failed", error_message="The remote is away.")
    assert refused(yard, task_id) == "task_ended"
    yard.retry(task_id)
    send(yard, task_id, "Now.")
    yard.dispatch()
    (second,) = forge.take()
    assert asks(forge, second) == ["Now."]
