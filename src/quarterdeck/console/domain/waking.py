"""When an open page is read again: soon for what it shows, seldom for what is around that, never for others' things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quarterdeck.broker.requests.happenings import stream as stream_of_request
from quarterdeck.console.domain.places import deployment_at, resource_at
from quarterdeck.console.ports import Place
from quarterdeck.deploy.deployments import deployments
from quarterdeck.infra.specs import specs
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.happenings import stream as stream_of_infra_job
from quarterdeck.kernel.bus import Concern, Message
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

WAKE = ("events", "jobs")
SOON, REST, APART, POLL = 0.15, 1.0, 5.0, 10.0
"""Seconds between two looks: at what is shown itself, by a page of a whole organization, at what is around, and without
any wake-up.
"""
GATHER = 0.05
WHOLE = frozenset({"home", "fleet", "jobs", "project", "tasks", "infra", "infra-jobs", "secrets"})
OF_JOBS = frozenset({"home", "fleet", "jobs"})
"""Whose pages tell of jobs that nothing else tells of."""
NEWEST = 20


def subjects_of(tx: Tx, topics: Iterable[str]) -> dict[str, frozenset[str]]:
    """The streams of what a page shows, by topic; nothing where it is not there any more."""
    found: dict[str, frozenset[str]] = {}
    for topic in topics:
        kind, _, name = topic.partition(":")
        parts = name.split("/")
        try:
            if kind in {"task", "task-events"}:
                found[topic] = frozenset({f"task:{name}"})
            elif kind in {"infra-job", "infra-plan"}:
                found[topic] = frozenset({f"infra-job:{name}"})
            elif kind == "secret-request":
                found[topic] = frozenset({stream_of_request(name)})
            elif kind == "infra-spec":
                found[topic] = frozenset({f"infra-spec:{name}", *infra_jobs_of(tx, name)})
            elif kind == "resource" and len(parts) == 3:
                ref = resource_at(tx, Place(*parts)).resource.ref
                attempts = deployments.newest(tx, resource_ref=ref, limit=NEWEST)
                found[topic] = frozenset({f"resource:{ref}", *(f"deployment:{one.ref}" for one in attempts)})
            elif kind == "deployment" and len(parts) == 4 and parts[3].isdigit():
                place = resource_at(tx, Place(*parts[:3]))
                attempt = deployment_at(tx, place, int(parts[3]))
                found[topic] = frozenset({f"resource:{place.resource.ref}", f"deployment:{attempt.ref}"})
        except NotFound:
            continue
    return found


def infra_jobs_of(tx: Tx, spec: str) -> list[str]:
    """The streams of the newest jobs of a specification."""
    wanted = reading.Filter(spec_uid=specs.find(tx, spec).uid, limit=NEWEST)
    return [stream_of_infra_job(one.uid) for one in reading.page(tx, wanted)[0]]


class Pace:
    """When each topic of one page is due."""

    def __init__(self, organization_id: int | None, topics: Iterable[str], now: float) -> None:
        self._here = organization_id
        self._looked = dict.fromkeys(topics, now)
        self._due = dict.fromkeys(self._looked, now + POLL)
        self._subjects: Mapping[str, frozenset[str]] = {}
        self._known: set[str] = set()

    @property
    def soonest(self) -> float:
        return min(self._due.values())

    def strangers(self, messages: Iterable[Message]) -> set[str]:
        """Attempts that may be new ones of a resource that is shown."""
        if not any(topic.startswith("resource:") for topic in self._due):
            return set()
        said: Iterable[Concern] = (message.payload for message in messages if message.topic == "events")
        ours = {one.subject for one in said if one.organization_id == self._here and one.subject}
        return {subject for subject in ours - self._known if subject.startswith("deployment:")}

    def learn(self, subjects: Mapping[str, frozenset[str]], strangers: Iterable[str] = ()) -> None:
        self._subjects = subjects
        self._known.update(strangers, *subjects.values())

    def heard(self, message: Message) -> None:
        for topic in self._due:
            rest = self._rest(topic, message)
            if rest is not None:
                self._due[topic] = min(self._due[topic], self._looked[topic] + rest)

    def missed(self) -> None:
        """Wake-ups were lost: nobody knows which."""
        self._due = {topic: min(due, self._looked[topic] + REST) for topic, due in self._due.items()}

    def ripe(self, now: float) -> list[str]:
        """The topics to look at now, which are not due again before the next wake-up."""
        topics = [topic for topic, due in self._due.items() if due <= now]
        for topic in topics:
            self._looked[topic], self._due[topic] = now, now + POLL
        return topics

    def _rest(self, topic: str, message: Message) -> float | None:
        kind = topic.partition(":")[0]
        if message.topic == "jobs":
            return REST if kind in OF_JOBS and self._ours(message.payload) else None
        one: Concern = message.payload
        if one.organization_id != self._here:
            return REST if kind in OF_JOBS and one.organization_id is None else None
        if kind in WHOLE:
            return REST
        return SOON if one.subject in self._subjects.get(topic, ()) else APART

    def _ours(self, said: object) -> bool:
        """A wake-up that says nothing may be about anything."""
        if not isinstance(said, frozenset):
            return True
        return any(one.organization_id in {self._here, None} for one in said)
