"""From scratch beside transfer: two runs of one network on the same pictures, with equally many epochs or equal time,
and the page that lays their curves over each other."""

from dataclasses import replace

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.runs import launcher
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.estimate import MANY
from app.training import estimates

EQUAL = {"epochs": "Equally many epochs", "time": "Equal time"}


def from_scratch(settings: TrainConfig, prepared: PreparedSet, equal: str) -> TrainConfig:
    """Settings for the same network that begins with nothing: by the recipe “Quick”, for as many epochs as `settings`
    (settled ones) or, with `equal` being "time", for as many as take as long."""
    plain = launcher.settled(
        {
            "model": settings.model,
            "recipe": TrainConfig.recipe,
            "epochs": settings.epochs,
            "batch_size": settings.batch_size,
            "seed": settings.seed,
            "device": settings.device,
        },
        prepared,
    )
    if equal != "time":
        return plain
    # Of many: a run of one is too short to look for the fastest way to compute, and its test counts for much.
    many = estimates.seconds(replace(plain, epochs=MANY), prepared.identity, prepared)
    whole = estimates.seconds(settings, prepared.identity, prepared)
    return replace(plain, epochs=max(1, round(whole / many * MANY)))


def start_both(settings: TrainConfig, prepared: PreparedSet, equal: str, begin: str) -> None:
    """Start the run that `settings` (settled ones) ask for, and one from scratch behind it in the queue; then show
    both. `begin` says what the first one begins with."""
    scratch = from_scratch(settings, prepared, equal)
    runs = [
        launcher.start(settings, prepared, f"{prepared.title}, from {begin}"),
        launcher.start(scratch, prepared, f"{prepared.title}, from scratch"),
    ]
    st.switch_page("views/runs.py", query_params={"compare": ",".join(run.id for run in runs)})


def ask() -> str | None:
    """The button that starts both, with its one choice; what is to be equal, once it was pressed."""
    with st.expander("From scratch beside it", icon=":material/compare_arrows:"):
        st.caption(
            "What is the trained beginning worth? Two runs of the same network on the same pictures: one begins with "
            "what was learned, one with nothing. The page Runs then lays their curves over each other."
        )
        equal = st.segmented_control(
            "What is equal",
            list(EQUAL),
            default="epochs",
            required=True,
            format_func=EQUAL.__getitem__,
            key="beside_equal",
            help="As many epochs, which are passes over the pictures; or as many from scratch as take as long.",
        )
        pressed = st.button(
            "Start both",
            key="start_both",
            icon=":material/compare_arrows:",
            width="stretch",
            help="The second run waits until the first has ended.",
        )
    return equal if pressed else None
