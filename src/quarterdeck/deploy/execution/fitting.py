"""Whether an image fits the processor that it is to run on. One that does not may run by emulation, so it is refused
only when it has ended.
"""

from __future__ import annotations

from quarterdeck.fleet.docker import images, system
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.targets.facts import ARCHITECTURES
from quarterdeck.kernel.errors import ProviderFailure


async def foreign(engine: Engine, image: str) -> tuple[str, str] | None:
    """What an image is made for and what the engine runs on, where both are told and differ."""
    found = await images.find(engine, image)
    made_for = _known(found.architecture) if found is not None else ""
    runs_on = _known((await system.version(engine)).arch)
    return (made_for, runs_on) if made_for and runs_on and made_for != runs_on else None


def _known(name: str) -> str:
    return ARCHITECTURES.get(name, name)


def only_emulated(reference: str, kinds: tuple[str, str]) -> str:
    made_for, runs_on = kinds
    return f"{reference} is made for {made_for}, and this server is {runs_on}: it runs only where that is emulated."


def does_not_fit(ended: str, kinds: tuple[str, str], serves: str) -> ProviderFailure:
    """`ended` says how it ended, `serves` what does meanwhile."""
    made_for, runs_on = kinds
    return ProviderFailure(
        f"The image is made for {made_for}, and the server is {runs_on}: the application {ended} before it answered."
        f"{serves}",
        code="image_architecture_differs",
        hint=f"Deploy an image for {runs_on} (or one for several kinds), or to a server that is {made_for}; a build "
        f"makes {runs_on} where its base image does.",
        phase="verify",
    )
