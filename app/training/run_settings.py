"""Recipe, network and settings of a new run: the recipe has a say in each, and the person the last word."""

from typing import Any

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.models import MODELS
from alexnet_core.runs import launcher
from alexnet_core.training.config import BOUNDS, CHOICES, TrainConfig, explanations, label
from alexnet_core.training.recipes import FIRST_WEIGHTS, PICTURE_CHANGES, RECIPES, TRANSFER, usual_views
from app import run_words, words

GROUPS: dict[str, tuple[str, ...]] = {
    "How it learns": (
        "epochs", "batch_size", "optimizer", "lr", "bias_lr", "momentum", "weight_decay", "schedule", "label_smoothing",
        "averaging", "balance", "layer_lr", "copy_layers", "seed",
    ),
    "The network": ("batch_norm", "whiten", "identity", "freeze_first", "dropout"),
    "How pictures are changed": (
        "translate", "scale", "rotate", "colour", "erase", "reflect", "views", "shuffle_labels",
    ),
    "How to compute": ("device", "precision", "memory_format", "threads", "compile"),
}  # fmt: skip
"""The settings in the folded part, what belongs together in one place."""


def choose(source: str) -> dict[str, Any]:
    """The recipe and the network; `source` is where the pictures come from, in case the recipe wants them smaller or
    larger."""
    st.session_state.setdefault("new_model", _network_of(TrainConfig.recipe) or TrainConfig.model)
    how, which = st.columns(2)
    recipe = how.selectbox(
        "Recipe",
        [name for name in RECIPES if name not in TRANSFER],
        format_func=lambda name: RECIPES[name].title,
        key="new_recipe",
        help="A named set of settings, some with the network they were made for. Each can be changed below.",
        on_change=_take_network_of_recipe,
        persist_state="session",
    )
    how.caption(RECIPES[recipe].about)
    model = which.selectbox(
        "Network",
        list(MODELS),
        format_func=lambda name: MODELS[name].title,
        key="new_model",
        help="AlexNet mini learns in minutes on a laptop; AlexNet itself wants larger pictures and a graphics card.",
        persist_state="session",
    )
    which.caption(MODELS[model].about)
    _say_size(recipe, source)
    return {"model": model, "recipe": recipe}


def _network_of(recipe: str) -> str | None:
    """The network that a recipe was made for, where it names one."""
    return RECIPES[recipe].settings.get("model")


def _take_network_of_recipe() -> None:
    """Another recipe brings its network, and takes back only the one that a recipe brought."""
    named = _network_of(st.session_state.new_recipe)
    if named is not None:
        st.session_state.new_model = named
    elif st.session_state.new_model == st.session_state.get("brought_by_recipe"):
        st.session_state.new_model = TrainConfig.model
    st.session_state.brought_by_recipe = named


def _say_size(recipe: str, source: str) -> None:
    """Where the recipe was made for pictures of another size: that, and a button that takes it."""
    network, key = _network_of(recipe), size_key(source)
    if network is None or MODELS[network].image_size == st.session_state[key]:
        return
    wanted = MODELS[network].image_size
    st.info(run_words.made_for(RECIPES[recipe].title, wanted, st.session_state[key]), icon=":material/aspect_ratio:")
    st.button(
        f"Take {words.pixels(wanted)}",
        icon=":material/photo_size_select_large:",
        help="Sets the side of the pictures to what the recipe was made for.",
        on_click=lambda: st.session_state.update({key: wanted}),
    )


def size_key(source: str) -> str:
    """The name of the field that holds the side of the pictures of `source`."""
    return f"new_size-{source}"


def change(given: dict[str, Any], prepared: PreparedSet | None) -> tuple[dict[str, Any], int]:
    """What the person changed (the recipe and the data decide the rest), and how many processes are to train."""
    recipe = RECIPES[given["recipe"]].settings
    usual = launcher.settled(given, prepared) if prepared is not None else TrainConfig(**(recipe | given))
    processes, most = 1, launcher.most_processes()
    changed: dict[str, Any] = {}
    with st.expander("Settings", icon=":material/tune:"):
        st.caption("As the recipe and the pictures have them. What you change here wins.")
        for title, names in GROUPS.items():
            st.markdown(f"**{title}**")
            columns = st.columns(2)
            for place, name in enumerate(filter(lambda name: has(given, name), names)):
                # With the usual value in its key, a field follows the recipe until a person changes it.
                value = getattr(usual, name)
                if name == "views" and name not in given:  # that of the recipe depends on a field above it
                    value = usual_views(given["recipe"], changed.get("reflect", usual.reflect))
                with columns[place % 2]:
                    wanted = field(name, value, field_key(name, given["recipe"], value))
                if wanted != value:
                    changed[name] = wanted
        st.caption(run_words.HOW_TO_COMPUTE)
        # A head learns in seconds, in one process (`runs/recording`).
        if most > 1 and given["recipe"] != "head" and changed.get("device", "auto") in ("auto", "cuda"):
            processes = st.number_input("Graphics cards", 1, most, 1, key="new_cards", help=run_words.CARDS)
    return changed, processes


def has(given: dict[str, Any], name: str) -> bool:
    """Whether a run of `given` has the setting `name`: not every network has dropout or can do without normalisation,
    and what another network has learned leaves less to choose."""
    begins = bool(given.get("start_from"))
    if name in ("layer_lr", "copy_layers"):
        return begins
    if begins and (name in (*FIRST_WEIGHTS, "batch_norm") or (given["recipe"] == "head" and name in PICTURE_CHANGES)):
        return False
    return name not in ("dropout", "batch_norm") or name in MODELS[given["model"]].settings


def field_key(name: str, recipe: str, value: Any) -> str:
    """The name of the field for a setting whose usual value, of this recipe, is `value`."""
    return f"set-{name}-{recipe}-{value}"


def field(name: str, value: Any, key: str) -> Any:
    """The widget for one setting, made from its kind, its bounds and its explanation."""
    about: dict[str, Any] = {"help": explanations()[name], "key": key, "persist_state": "session"}
    if name in CHOICES:
        return st.selectbox(label(name), CHOICES[name], index=CHOICES[name].index(value), **about)
    if isinstance(value, bool):
        return st.toggle(label(name), value=value, **about)
    low, high = (type(value)(bound) for bound in BOUNDS[name])
    step = 1 if isinstance(value, int) else words.step_of(value)
    shape = "%d" if isinstance(value, int) else "%.6g"
    return st.number_input(label(name), low, high, value, step, format=shape, **about)
