"""Questions to people: the three forms of an answer, who may give it, the one that counts, and time that runs out."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import select

from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from quarterdeck.kernel.jobs import Canceled
from quarterdeck.kernel.principal import current
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work import answering
from support.taskyard import gate


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def test_a_confirm_gate_before_the_first_stage(yard, forge):
    task_id = yard.create()
    yard.dispatch()
    (job_id,) = forge.take()
    assert forge.say(job_id, "gate", gate()) == {"state": "open", "result": None, "by": None}
    task = yard.task(task_id)
    assert (task.status, task.suspend_reason, task.current_stage) == ("suspended", "stage_gate", 0)
    assert yard.stages(task_id)[0].status == "waiting"
    assert forge.say(job_id, "gate-check", gate())["state"] == "open"
    yard.answer(task_id, index=0, result="confirm")
    assert yard.task(task_id).status == "running"
    assert forge.say(job_id, "gate-check", gate()) == {"state": "answered", "result": "confirm", "by": "ada"}
    assert yard.words(task_id)[-3:] == ["confirm_resolved", "stage_change", "status_change"]


@pytest.mark.parametrize(
    "given",
    [
        {"index": 0, "result": "confirm"},
        {"index": 0, "result": "Confirm"},
        {"name": "plan", "approved": True},
        {"approved": True},
        {"result": "yes"},
    ],
)
def test_every_form_that_confirms(yard, forge, given):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate())
    assert yard.answer(task_id, **given).status == "running"


@pytest.mark.parametrize("given", [{"index": 0, "result": "reject"}, {"name": "plan", "approved": False}])
def test_a_rejection_cancels_the_task(yard, forge, given):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate())
    yard.answer(task_id, **given)
    task = yard.task(task_id)
    assert (task.status, task.error_code) == ("cancelled", "rejected")
    assert forge.beat() == (set(), {job_id})
    forge.end(job_id, "canceled")
    assert yard.task(task_id).error_code == "rejected"


def test_a_choice_and_an_input(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(0, "choice", choices=["red", "blue"]))
    for wrong in ("green", "confirm", "", None):
        with pytest.raises(Invalid) as refused:
            yard.answer(task_id, result=wrong)
        assert refused.value.code == "answer_invalid"
    yard.answer(task_id, result="blue")
    assert forge.say(job_id, "gate-check", gate(0, "choice", choices=["red", "blue"]))["result"] == "blue"
    forge.say(job_id, "stage", {"index": 0, "status": "completed"})
    forge.say(job_id, "gate", gate(1, "input"))
    yard.answer(task_id, index=1, result="line one\nline two")
    assert yard.stages(task_id)[1].result == "line one\nline two"
    forge.say(job_id, "stage", {"index": 1, "status": "running"})
    forge.say(job_id, "gate", gate(1, "input"))  # the agent asks something by itself
    assert yard.task(task_id).status == "suspended"
    yard.answer(task_id, index=1, result="yes, do")
    assert len(yard.gates(task_id)) == 3


def test_answers_to_nothing_and_to_another_stage(yard, forge):
    task_id, job_id = yard.started(forge)
    with pytest.raises(Conflict) as nothing:
        yard.answer(task_id, index=0, result="confirm")
    assert nothing.value.code == "gate_not_open"
    forge.say(job_id, "gate", gate(1))
    with pytest.raises(Conflict) as other:
        yard.answer(task_id, index=0, result="confirm")
    assert other.value.code == "gate_not_open"
    yard.answer(task_id, index=1, result="confirm")
    with pytest.raises(Conflict) as late:
        yard.answer(task_id, index=1, result="confirm")
    assert late.value.code == "gate_answered"
    assert "answered by ada" in late.value.message
    forge.say(job_id, "gate", gate(0))
    yard.answer(task_id, index=0, result="confirm")
    with pytest.raises(Conflict) as earlier:
        yard.answer(task_id, name="build", approved=True)
    assert earlier.value.code == "gate_answered"
    assert late.value.details["answeredBy"] == "ada"


def test_who_may_answer(yard, forge):
    project = yard.db.read_sync(lambda tx: tx.first(select(TaskProject)))
    owner = yard.person("owner", project=project)
    member = yard.person("member", project=project)
    keeper = yard.person("keeper", project=project, role="tasks:maintainer")
    stranger = yard.person("stranger")
    for answerer, refusal in ((member, Forbidden), (stranger, NotFound), (owner, None), (keeper, None)):
        task_id, job_id = yard.started(forge, by=owner)
        forge.say(job_id, "gate", gate())
        if refusal is None:
            assert yard.answer(task_id, by=answerer, result="confirm").status == "running"
        else:
            with pytest.raises(refusal):
                yard.answer(task_id, by=answerer, result="confirm")
        yard.cancel(task_id)
        forge.end(job_id, "canceled")


async def test_of_twenty_answers_at_once_exactly_one_counts(yard, forge):
    people = [yard.person(f"p{number}", "tasks:admin") for number in range(20)]
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(0, "choice", choices=[one.username for one in people]))

    async def one(person):
        token = current.set(yard.context(person))
        try:
            given = answering.Answer(index=0, result=person.username)
            await yard.db.write(answering.answer, yard.access, task_id, given)
        except Conflict as refused:
            return refused.code, refused.details.get("answeredBy")
        finally:
            current.reset(token)
        return "won", person.username

    found = await asyncio.gather(*(one(person) for person in people))
    assert Counter(word for word, _ in found) == {"won": 1, "gate_answered": 19}
    (winner,) = {name for word, name in found if word == "won"}
    assert {name for word, name in found if word != "won"} == {winner}
    assert forge.say(job_id, "gate-check", gate())["result"] == winner
    assert yard.words(task_id).count("confirm_resolved") == 1


def test_a_question_that_was_dealt_with_at_the_terminal(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(0, "input"))
    forge.say(job_id, "stage", {"index": 0, "status": "running", "message": "Dealt with at the terminal."})
    task = yard.task(task_id)
    assert (task.status, task.suspend_reason) == ("running", None)
    assert yard.stages(task_id)[0].status == "running"
    yard.clock.advance(601)
    forge.beat()
    yard.look()
    assert yard.task(task_id).status == "running", "no time runs any more"


@pytest.mark.parametrize("status", ["failed", "completed"])
def test_a_question_whose_stage_ends_is_answered_by_nobody(yard, forge, status):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(0, "input"))
    forge.say(job_id, "stage", {"index": 0, "status": status, "message": "The agent died."})
    (asked,) = yard.gates(task_id)
    assert (asked.closed_at is not None, asked.outcome, asked.answered_by) == (True, None, None)
    assert (yard.task(task_id).status, yard.stages(task_id)[0].status) == ("running", status)
    (told,) = [one for one in yard.events(task_id) if one.type == "confirm_resolved"]
    assert "without an answer" in told.data["message"]
    assert "outcome" not in told.data
    with pytest.raises(Conflict) as late:
        yard.answer(task_id, index=0, result="yes")
    assert late.value.code == "gate_not_open"
    forge.say(job_id, "gate", gate(1, "input"))
    assert yard.task(task_id).suspend_reason == "stage_gate", "the attempt goes on, and asks again"


def test_another_stage_that_begins_answers_no_question(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(0, "input"))
    forge.say(job_id, "stage", {"index": 1, "status": "running"})
    assert [one.outcome for one in yard.gates(task_id)] == [None]


def test_an_answer_after_the_question_was_dealt_with_at_the_terminal(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(0, "input"))
    forge.say(job_id, "stage", {"index": 0, "status": "running"})
    with pytest.raises(Conflict) as late:
        yard.answer(task_id, index=0, result="yes")
    assert "was dealt with at the terminal already" in late.value.message


def test_nobody_answers_in_time(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(seconds=60))
    yard.clock.advance(59)
    forge.beat()
    yard.look()
    assert yard.task(task_id).status == "suspended"
    yard.clock.advance(2)
    yard.look()
    task = yard.task(task_id)
    assert (task.status, task.error_code) == ("failed", "gate_timeout")
    assert forge.beat() == (set(), {job_id}), "what is left of the attempt is stopped"
    with pytest.raises(Canceled):
        forge.say(job_id, "gate-check", gate())
    with pytest.raises(Conflict) as late:
        yard.answer(task_id, index=0, result="confirm")
    assert "its time was over" in late.value.message


def test_the_fallback_goes_on(yard, forge):
    task_id, job_id = yard.started(forge)
    asked = gate(0, "choice", choices=["red", "blue"], seconds=60, on_timeout="fallback", fallback="red")
    forge.say(job_id, "gate", asked)
    yard.clock.advance(61)
    forge.beat()
    yard.look()
    assert yard.task(task_id).status == "running"
    assert forge.say(job_id, "gate-check", asked) == {"state": "answered", "result": "red", "by": None}


@pytest.mark.parametrize(
    ("fallback", "ends"),
    [
        ("reject", ("cancelled", "rejected")),
        ("No", ("cancelled", "rejected")),
        ("confirm", ("running", None)),
        (None, ("running", None)),
        ("perhaps", ("failed", "gate_timeout")),
    ],
)
def test_the_fallback_of_a_confirm_gate_is_read_as_an_answer_is(yard, forge, fallback, ends):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(seconds=60, on_timeout="fallback", fallback=fallback))
    yard.clock.advance(61)
    forge.beat()
    yard.look()
    task = yard.task(task_id)
    assert (task.status, task.error_code) == ends
    if ends[0] == "running":
        answer = {"state": "answered", "result": "confirm", "by": None}
        assert forge.say(job_id, "gate-check", gate()) == answer
    else:
        assert forge.beat() == (set(), {job_id}), "its machine hears that it is to stop"
