"""The experiment of Yosinski et al. 2014 on the page: what it is, how it stands, and what it found."""

import streamlit as st

from alexnet_core.data.sources import available, prepare
from alexnet_core.models import MODELS
from alexnet_core.runs import transferability
from alexnet_core.runs.transferability import BASE, DEEPEST, KINDS, Experiment
from app import words
from app.choices import choose_in_address
from app.datasets import offers, size_for
from app.figures.palette import NO_TOOLBAR
from app.figures.transferability import accuracy, plan
from app.sentences import plain, sentences_for_people

TICK = 3.0
"""Seconds between two looks at an experiment that goes on."""
SIDE = 32
"""Pixels: thirty networks in minutes."""
MODEL = "alexnet_mini"
FEW = 50
"""Training pictures of each class unless asked otherwise: where there are many, nothing that is copied makes a
difference."""
EPOCHS = 12
ADDRESS = "experiment"
NEW = "new"


def choose() -> Experiment | None:
    """An experiment of this computer; None for a new one."""
    known = {one.key: one for one in transferability.experiments()}
    if not known:
        return None
    key = choose_in_address(
        "Experiment",
        ADDRESS,
        words.distinct({key: _title(one) for key, one in known.items()}) | {NEW: "A new one"},
        next(iter(known)),
        "Each is kept with its runs; what is not finished can go on at any time.",
        announce=True,
    )
    return known.get(key)


def _title(asked: Experiment) -> str:
    """What sets it apart; network and seed are only others where it was begun in a terminal."""
    network = f", {asked.model}" if asked.model != MODEL else ""
    most = f", {asked.most} pictures of each class" if asked.most else ""
    seed = f", seed {asked.seed}" if asked.seed else ""
    return f"{asked.title}{network}, {asked.epochs} epochs{most}{seed}"


def show_plan() -> None:
    """The idea as a drawing: which layers come from where."""
    st.plotly_chart(
        plan(
            DEEPEST + 1,
            3,
            [("a", "A: learns half the classes"), ("b", "B: learns the other half"), *KINDS.items()],
        ),
        key="plan",
        config=NO_TOOLBAR,
        alt="Six networks of eight layers as rows of boxes: A, B, and four for B whose first three layers are copied.",
    )
    st.caption(
        "Here for three layers. Blue was learned on B, orange on A; filled boxes stay as they are, pale ones learn on, "
        "empty ones begin anew. After Yosinski et al. 2014, “How transferable are features in deep neural networks?”."
    )


def ask() -> None:
    """The form for a new experiment."""
    sets = offers(available())
    left, right = st.columns(2, gap="large")
    source = left.selectbox(
        "Pictures",
        list(sets),
        format_func=sets.__getitem__,
        key="transfer_data",
        help="A data set with at least four classes; they are divided into two halves by lot.",
        persist_state="session",
    )
    epochs = left.number_input(
        "Epochs",
        1,
        200,
        EPOCHS,
        key="transfer_epochs",
        help="Passes of each network over its pictures.",
        persist_state="session",
    )
    most = right.number_input(
        "Training pictures of each class",
        0,
        100_000,
        FEW,
        50,
        key="transfer_most",
        help="0 takes all. With fewer pictures, what was copied is worth more.",
        persist_state="session",
    )
    layers = right.multiselect(
        "Layers copied",
        list(range(1, DEEPEST + 1)),
        list(range(1, DEEPEST + 1)),
        key="transfer_layers",
        help="For each number four networks are trained. Fewer are sooner done; the others can be added later.",
        persist_state="session",
    )
    count, side = 2 + len(KINDS) * len(layers), size_for(source, SIDE)
    if st.button(
        f"Train {count} networks",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not layers,
        help="One after the other, in a process that goes on without this page. It can be stopped and goes on later.",
    ):
        with sentences_for_people():
            bar = st.progress(0.0, "Preparing the pictures")
            data = prepare(source, image_size=side, progress=lambda *at: bar.progress(*words.progress(*at)))
            asked = transferability.experiment(data, MODEL, layers, int(epochs), int(most))
            transferability.start(asked)
            st.query_params[ADDRESS] = asked.key
            st.rerun()
    st.caption(f"{MODELS[MODEL].title}, pictures of {words.pixels(side)}: a few seconds a network for the digits.")


def show(asked: Experiment) -> None:
    """How it stands and what it found, looked at again while it goes on."""
    live = transferability.is_going_on(asked)
    st.fragment(_standing, run_every=TICK if live else None)(asked, live)


def _standing(asked: Experiment, was_live: bool) -> None:
    with sentences_for_people():
        live = transferability.is_going_on(asked)
        if live != was_live:
            st.rerun()
        run = transferability.going_on(asked)
        _chart(asked)
        total = len(transferability.parts(asked))
        done = transferability.finished(asked)
        st.progress(done / total, text=f"{done} of {total} networks trained")
        if run is not None:
            st.caption(f"Now: {plain(run.title())}. {plain(run.state().message)}")
            if st.button("Stop", icon=":material/stop:", help="Save and end; the experiment can go on later."):
                run.ask("STOP")
                st.rerun()
        elif live:
            st.caption("The next network begins in a few seconds.")
        elif done < total:
            if st.button(
                "Go on", type="primary", icon=":material/play_arrow:", help="Trains what is not finished yet."
            ):
                transferability.start(asked)
                st.rerun()
            if transferability.last_words(asked):
                st.caption(plain(transferability.last_words(asked)))


def _chart(asked: Experiment) -> None:
    points = transferability.points(asked)
    base = next((point.top1 for point in points if point.kind == BASE), None)
    by_kind = {kind: {point.layers: point.top1 for point in points if point.kind == kind} for kind in KINDS}
    st.plotly_chart(
        accuracy(by_kind, KINDS, base, DEEPEST),
        key="accuracy",
        config=NO_TOOLBAR,
        alt="Accuracy on half B over the number of copied layers, for four kinds of networks.",
    )
    st.caption(
        "Each point is a network, right on this share of half B's test pictures. Orange below blue: the copied layers "
        "are made for A's classes. Dotted blue below the dashed line: layers that had learned together were torn "
        "apart, though they come from B itself. Solid above the dashed line: a trained beginning helps, even one from "
        "other classes. Points a percent or two apart may be chance: each network was trained once."
    )
