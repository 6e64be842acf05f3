"""How a training ends: told in state.json, whatever ends it; and the signals that ask it to."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from alexnet_core.distributed import World, is_loss_of_a_process
from alexnet_core.errors import ExplorerError
from alexnet_core.memory import is_lack_of_memory
from alexnet_core.runs.directory import RunConfig, RunDirectory
from alexnet_core.runs.states import RunState


@contextmanager
def telling_how_it_ends(run: RunDirectory, config: RunConfig, world: World) -> Iterator[None]:
    """Whatever ends the training within, state.json does not claim that it goes on. A bug keeps its traceback."""

    def say(state: RunState) -> None:
        if not world.is_main:
            world.leave_word(ExplorerError(state.message, state.remedy))
            return
        try:
            run.write_state(state)
        except ExplorerError:
            # On a full disk there is no room for a second state beside the first, only in its place. Where not even
            # that can be written, a dead process speaks for itself.
            with suppress(ExplorerError):
                run.write_state(state, in_place=True)

    try:
        yield
    except ExplorerError as error:
        say(RunState("failed", str(error), remedy=error.remedy))
        raise
    except GeneratorExit:
        say(RunState("interrupted", "Left before the end. Resume to go on."))
        raise
    except BaseException as error:
        if world.world_size > 1 and is_loss_of_a_process(error):
            raise _told_of_a_loss(run, world) from error
        if not is_lack_of_memory(error):
            say(RunState("failed", "The program met an error of its own; log.txt has the details."))
            raise
        refusal = too_large(config.settings.batch_size)
        say(RunState("failed", str(refusal), remedy=refusal.remedy))
        raise refusal from error


def _told_of_a_loss(run: RunDirectory, world: World) -> ExplorerError:
    """Another process has gone: state.json gets its last word, or that it was ended by force. Returns what to raise."""
    word = world.last_word()
    if world.is_main:
        said = word or ExplorerError(
            "Another process of the training was ended by force; nothing saved is lost. Resume to go on."
        )
        with suppress(ExplorerError):
            run.write_state(RunState("failed" if word else "interrupted", str(said), remedy=said.remedy))
        return said
    # Where the main process has gone itself, whoever has the directory before them says so in its place.
    with suppress(ExplorerError):
        until = time.monotonic() + GONE_WITHIN
        while (state := run.state()).status == "running" and time.monotonic() < until:
            time.sleep(0.02)
        if state.status == "interrupted":
            run.write_state(state)
        return ExplorerError(state.message)
    return word or ExplorerError("Another process of the training has gone.")


GONE_WITHIN = 1.0
"""Seconds: the connections of a process that is killed close a moment before the system says that it is gone."""


def too_large(batch_size: int) -> ExplorerError:
    """What to say where a step found too little memory."""
    half = batch_size // 2
    if half:
        return ExplorerError(
            f"There was not enough memory. Start again with a batch size of {half}.", remedy=("batch_size", half)
        )
    return ExplorerError(
        "There was not enough memory. Start again with smaller pictures or a smaller network: a batch is one picture "
        "already."
    )


@contextmanager
def noting_signals() -> Iterator[threading.Event]:
    """Within this context SIGTERM and Ctrl-C only set the event: the loop saves and leaves between two steps; of one
    process the test at the end is left between two batches, too."""
    signalled = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        signalled.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signalled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
