"""A project's own command before the agent begins, in the attempt's terminal."""

from __future__ import annotations

from quarterdeck.tasks.agents.custom import BARE
from quarterdeck.tasks.orders import TaskOrder
from quarterdeck.tasks.running.agent import Place
from quarterdeck.tasks.running.ears import Ears
from quarterdeck.tasks.running.environment import environment
from quarterdeck.tasks.running.failures import failed
from quarterdeck.tasks.running.machine import Machine
from quarterdeck.tasks.running.program import NotStarted
from quarterdeck.tasks.running.stopwatch import Stopwatch
from quarterdeck.tasks.running.terminal import Terminal

HINT = "Look at its output in the log, then change the project's set-up command and retry the task."


async def set_up(
    machine: Machine, order: TaskOrder, place: Place, terminal: Terminal, ears: Ears, watch: Stopwatch
) -> None:
    """Run the order's `setup_command` to its end. Raises `workspace_error` when it fails or takes too long."""
    if not order.setup_command:
        return
    given = environment(machine.environment, place.account, BARE, order.environment, order.developer, {})
    argv = ["/bin/sh", "-c", order.setup_command]
    terminal.say("Running the project's set-up command.")
    try:
        program = await terminal.open(place.start(argv, given, terminal.screen.columns, terminal.screen.rows))
    except NotStarted as error:
        why = f"The project's set-up command could not be started ({error.message})."
        raise failed("workspace_error", why, HINT) from None
    while not program.exited.is_set():
        if terminal.held:
            watch.hold("held")
        else:
            watch.release("held")
        left = order.stage_seconds - watch.seconds
        if left <= 0:
            await terminal.stop(place.run.stop_seconds)
            why = f"The project's set-up command was not done in {order.stage_seconds} seconds."
            raise failed("workspace_error", why, HINT)
        await ears.wait(None if watch.held else left)
    await terminal.finish()
    if terminal.last != 0:
        raise failed("workspace_error", f"The project's set-up command ended with {terminal.last}.", HINT)
