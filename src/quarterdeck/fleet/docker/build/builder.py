"""Builds an image on an engine and tells its progress."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from quarterdeck.fleet.docker.build.context import pack_stream, survey
from quarterdeck.fleet.docker.build.limits import bounded, disk_probe, limit_parent, new_layers, watch_disk
from quarterdeck.fleet.docker.build.request import Builder, BuildSpec, build_query, registries_header
from quarterdeck.fleet.docker.build.session import session
from quarterdeck.fleet.docker.build.trace import BuildEvent, StepEnded, StepLog, StepStarted, Trace
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.messages import Message, messages
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Invalid, ProviderFailure
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import MASK

KEPT_LINES = 20
OnEvent = Callable[[BuildEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """`image_id` is what to run. `unenforced` names limits that this engine could not be held to."""

    image_id: str
    builder: Builder
    seconds: float
    steps: int
    cached_steps: int
    context_bytes: int
    unenforced: tuple[str, ...] = ()


class Progress(Protocol):
    """One builder's way of telling its progress."""

    steps: int
    cached: int
    image_id: str | None

    def feed(self, message: Message) -> list[BuildEvent]: ...

    def end(self) -> list[BuildEvent]: ...


class BuildKitProgress(Trace):
    image_id: str | None = None

    def feed(self, message: Message) -> list[BuildEvent]:  # type: ignore[override]
        if message.id == "moby.buildkit.trace":
            return super().feed(message.aux)
        if message.id == "moby.image.id":
            self.image_id = image_id(message.aux) or self.image_id
        return []


class ClassicProgress:
    """The classic builder writes text: `Step 2/5 : RUN …`, then that step's output."""

    STEP = re.compile(r"Step (\d+)/\d+ : (.*)")

    def __init__(self, clock: Clock) -> None:
        self.steps = 0
        self.cached = 0
        self.image_id: str | None = None
        self._clock = clock
        self._step: StepStarted | None = None
        self._began = 0.0
        self._from_cache = False
        self._rest = ""
        self._error: str | None = None

    def feed(self, message: Message) -> list[BuildEvent]:
        self.image_id = image_id(message.aux) or self.image_id
        if message.error:
            self._error = message.error
        *whole, self._rest = (self._rest + message.stream).split("\n")
        return [event for text in whole for event in self._line(text.rstrip("\r"))]

    def end(self) -> list[BuildEvent]:
        rest, self._rest = self._rest, ""
        return (self._line(rest) if rest else []) + self._close()

    def _line(self, text: str) -> list[BuildEvent]:
        found = self.STEP.fullmatch(text)
        if found:
            ended = self._close()
            self._step, self._began, self._from_cache = StepStarted(found[1], found[2]), self._clock.monotonic(), False
            self.steps += 1
            return [*ended, self._step]
        if text.strip() == "---> Using cache" and not self._from_cache:
            self._from_cache = True
            self.cached += 1
            return []
        if not text.strip() or text.startswith((" ---> ", "Removing intermediate container")):
            return []
        return [StepLog(self._step.step if self._step else "", "stdout", text)]

    def _close(self) -> list[BuildEvent]:
        step, self._step = self._step, None
        if step is None:
            return []
        return [StepEnded(step.step, step.name, self._clock.monotonic() - self._began, self._from_cache, self._error)]


def image_id(aux: Any) -> str | None:
    found = aux.get("ID") if isinstance(aux, dict) else None
    return found if isinstance(found, str) else None


async def build(
    engine: Engine,
    spec: BuildSpec,
    *,
    on_event: OnEvent | None = None,
    build_id: str | None = None,
    clock: Clock | None = None,
) -> BuildResult:
    """Build one image. Canceling the task ends the build; so do its limits. A failed step is a ProviderFailure whose
    `details["lastLines"]` are the last lines of output, with build secrets masked.
    """
    clock = clock or SystemClock()
    builder: Builder = spec.builder or ("buildkit" if engine.pong.buildkit else "classic")
    if builder == "classic" and spec.secrets:
        raise Invalid(
            "Build secrets need BuildKit, which this engine does not have",
            code="build_secrets_unsupported",
            hint="Upgrade Docker on that host, or take the secrets out of the build.",
        )
    began = clock.monotonic()
    entries = await asyncio.to_thread(survey, spec.context)
    unenforced: tuple[str, ...] = ()
    if builder == "buildkit" and spec.limits.by_group:
        here = engine.local
        unenforced = await asyncio.to_thread(limit_parent, spec.limits) if here else tuple(sorted(spec.limits.by_group))
    elif spec.limits.tasks:
        unenforced = ("tasks",)
    progress: Progress = BuildKitProgress() if builder == "buildkit" else ClassicProgress(clock)
    content = pack_stream(spec.context.directory, entries)
    work = follow(engine, spec, builder, build_id or Ids().uid(), content, progress, on_event)
    watch = None
    if spec.limits.disk_bytes:
        written = await new_layers(engine)
        watch = watch_disk(await disk_probe(engine), spec.limits.disk_bytes, written)
    made = await bounded(work, watch, spec.limits.seconds)
    sent = sum(entry.size for entry in entries)
    return BuildResult(made, builder, clock.monotonic() - began, progress.steps, progress.cached, sent, unenforced)


async def follow(
    engine: Engine,
    spec: BuildSpec,
    builder: Builder,
    ident: str,
    content: AsyncIterator[bytes],
    progress: Progress,
    on_event: OnEvent | None,
) -> str:
    """Send the context, read the progress, and return the id of the image."""
    hidden = [secret.reveal() for secret in spec.secrets.values() if secret.reveal()]
    last: deque[str] = deque(maxlen=KEPT_LINES)

    async def tell(events: list[BuildEvent]) -> None:
        for event in (masked(event, hidden) for event in events):
            if isinstance(event, StepLog):
                last.append(event.text)
            if on_event:
                await on_event(event)

    async with contextlib.AsyncExitStack() as stack:
        if builder == "buildkit":
            await stack.enter_async_context(session(engine, ident, spec.secrets, spec.registries))
        headers = {"Content-Type": "application/x-tar"}
        if builder == "classic":
            headers |= registries_header(spec.registries)
        query = build_query(spec, builder, ident)
        answer = await stack.enter_async_context(
            engine.stream("POST", "/build", query=query, content=content, headers=headers)
        )
        async for message in messages(answer.aiter_bytes()):
            await tell(progress.feed(message))
            if message.error:
                await tell(progress.end())
                raise failed(mask(message.error, hidden), list(last))
        await tell(progress.end())
    if progress.image_id is None:
        raise ProviderFailure("The build ended without an image", code="image_build_failed", lastLines=list(last))
    return progress.image_id


def failed(error: str, lines: list[str]) -> ProviderFailure:
    first = (error.splitlines() or ["unknown error"])[0][:300]
    return ProviderFailure(
        f"The image could not be built: {first}",
        code="image_build_failed",
        hint="Read the last lines of the build's log; build the same source locally to compare.",
        lastLines=lines,
    )


def mask(text: str, hidden: list[str]) -> str:
    for value in hidden:
        text = text.replace(value, MASK)
    return text


def masked(event: BuildEvent, hidden: list[str]) -> BuildEvent:
    if not hidden:
        return event
    if isinstance(event, StepLog):
        return replace(event, text=mask(event.text, hidden))
    if isinstance(event, StepEnded) and event.error:
        return replace(event, error=mask(event.error, hidden))
    return event
