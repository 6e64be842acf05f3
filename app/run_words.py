"""What the app says about runs: how they stand, what they will cost, what they reached, what to do when one failed."""

from collections.abc import Sequence
from typing import Literal

from alexnet_core.runs.evaluation import Evaluation
from alexnet_core.runs.recording import CHECKPOINT_SECONDS
from alexnet_core.runs.states import LIVE
from alexnet_core.training.config import TrainConfig, label
from app.sentences import plain
from app.words import amount, duration, pixels

STANDING: dict[str, tuple[str, str, Literal["blue", "green", "orange", "red", "gray"]]] = {
    "queued": ("Queued", ":material/hourglass_top:", "gray"),
    "running": ("Training", ":material/play_arrow:", "blue"),
    "paused": ("Paused", ":material/pause:", "orange"),
    "stopped": ("Stopped", ":material/stop:", "gray"),
    "finished": ("Finished", ":material/check:", "green"),
    "failed": ("Failed", ":material/error:", "red"),
    "interrupted": ("Interrupted", ":material/power_off:", "orange"),
}
"""Word, sign and colour for each state of a run."""


def run_title(title: str, status: str) -> str:
    """A run in a list."""
    # The list is not looked at again while a run goes on: it says no more than that.
    return f"{title} · {'going on' if status in LIVE else STANDING[status][0].lower()}"


def matrix_caption(evaluation: Evaluation) -> str:
    """What the confusion matrix counts."""
    right = int((evaluation.labels == evaluation.predictions).sum())
    total = len(evaluation.labels)
    return (
        f"{total:,} pictures of the {evaluation.split} split, {right:,} of them right. A row is a true class, its "
        "colour the share of the row. Click a number, or choose a pair beside it."
    )


def cell(count: int, true: str, predicted: str) -> str:
    """What a cell of the confusion matrix says."""
    pictures = "No picture" if count == 0 else "1 picture" if count == 1 else f"{count:,} pictures"
    verb = "was" if count <= 1 else "were"
    return f"{pictures} of **{plain(true)}** {verb} taken for **{plain(predicted)}**."


def plan(config: TrainConfig, train_images: int) -> str:
    """What Start will do, in a sentence."""
    steps = config.epochs * config.steps_per_epoch(train_images)
    return (
        f"{config.epochs} {'epoch' if config.epochs == 1 else 'epochs'}, each a pass over {train_images:,} pictures in "
        f"batches of {config.batch_size}: "
        f"{amount(steps)} steps."
    )


def estimate(seconds: float, processes: int = 1) -> str:
    """How long it will take, no more exactly than can be known."""
    if processes > 1:
        return f"About {duration(seconds)} on one graphics card of this computer; on {processes} it takes less."
    return f"About {duration(seconds)} on this computer, as busy as it is now."


def made_for(recipe: str, wanted: int, side: int) -> str:
    """That a recipe was made for pictures of another size than the chosen one."""
    return (
        f"The recipe {recipe} was made and measured for pictures of {pixels(wanted)}; yours are prepared in "
        f"{pixels(side)}. It works with these, too, but what it promises holds for its own size."
    )


HOW_TO_COMPUTE = (
    "What stands on auto (threads: 0) is chosen at the start of the run: a few real steps are timed, and the fastest "
    "way is remembered for this computer."
)
"""What to know about the settings above it."""
CARDS = (
    "How many of this computer's graphics cards train the network together, each with its share of every batch. The "
    "curve stays the same within rounding."
)
"""What the number of graphics cards means."""


MEASURED = "A few real training steps are timed, each way of computing in turns: seconds that the run gets back."
"""While the way to compute is measured."""
MEASURED_HELP = (
    "Precision (numbers in 32 or 16 bits), memory format and threads are tried where they were left open. What was "
    "fastest is remembered in fastest.json in the program's home folder (ALEXNET_HOME), so later runs like this one "
    "begin at once and compute alike. To choose by hand: a new run, Settings, How to compute. To measure again: "
    "delete the file."
)
"""What was measured, and how to have it otherwise."""


def way_of_computing(settings: TrainConfig) -> str:
    """Where a run's way to compute comes from."""
    if settings.precision != "auto" and settings.memory_format != "auto" and settings.threads:
        return "This way to compute was set by hand."
    return (
        "What was left open of this was chosen by timing real steps, as many as the length of the run allows, and is "
        "remembered for this computer."
    )


def lost_at_most(runs: int = 1) -> str:
    """What an interruption costs."""
    each = " of each" if runs > 1 else ""
    return (
        f"At most the last {duration(CHECKPOINT_SECONDS)} of training{each} are computed again; the result is the same "
        "as without the interruption."
    )


GO_ON = "From the last saved steps; a run waits until the one before it has ended."
"""What going on with interrupted runs means."""


def go_on(runs: int) -> str:
    """The button that lets so many interrupted runs go on."""
    return "Go on" + (" with both" if runs == 2 else f" with all {runs}" if runs > 2 else "")


def interrupted(titles: Sequence[str]) -> str:
    """Which runs were interrupted, as Markdown."""
    if len(titles) == 1:
        return f"The run **{plain(titles[0])}** was interrupted. {lost_at_most()}"
    first = ", ".join(f"**{plain(title)}**" for title in titles[:3])
    more = f" and {len(titles) - 3} more" if len(titles) > 3 else ""
    return (
        f"{len(titles)} runs were interrupted: {first}{more}. {lost_at_most(len(titles))} They go on one after "
        "the other."
    )


def try_instead(setting: str, value: float) -> str:
    """The button that starts a failed run again with another value."""
    return f"Start again with a {label(setting).lower()} of {value:g}"
