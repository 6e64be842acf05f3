"""Each way to change pictures by chance, on one's own pictures, with its strength and what it teaches."""

from dataclasses import dataclass

import streamlit as st

from alexnet_core.data.augment import Augmentation
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.training.config import TrainConfig
from app.figures.colour_cloud import colour_cloud
from app.figures.mosaic import mosaic
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain
from app.training import previews
from app.training.previews import PASSES, ColourCloud


@dataclass(frozen=True)
class Change:
    """One way to change pictures."""

    title: str
    about: str
    largest: float = 0.0
    """The largest strength to try; 0 for what is only on or off."""
    first: float = 0.0
    """The strength to begin with."""
    unit: str = ""


CHANGES: dict[str, Change] = {
    "translate": Change(
        "Shift",
        "The picture is moved by up to this share of its side, its border mirrored. The network learns that a thing is "
        "the same wherever it stands. The paper cut squares of 224 out of 256 pixels, a shift of 6 %.",
        0.5, 0.125, "share of the side",
    ),
    "reflect": Change(
        "Mirror",
        "Every second picture is mirrored. The network learns that left and right do not matter, which is right for "
        "cats and wrong for digits and letters.",
    ),
    "colour": Change(
        "Colour",
        "A whole picture gets brighter or darker, warmer or colder, in the ways in which the colours of your pictures "
        "differ anyway (section 4.1 of the paper). The network learns not to rely on the light.",
        1.0, 0.5, "standard deviations",
    ),
    "rotate": Change(
        "Turn",
        "The picture is turned by up to this angle. The network learns that things need not stand upright; too much, "
        "and a 6 becomes a 9.",
        180.0, 20.0, "degrees",
    ),
    "scale": Change(
        "Scale",
        "The picture is enlarged or made smaller by up to this share. The network learns that near and far things are "
        "the same.",
        0.5, 0.25, "share of the size",
    ),
    "erase": Change(
        "Erase",
        "In this share of the pictures a rectangle is covered with the mean colour (Zhong et al. 2020). The network "
        "learns not to rely on a single part.",
        1.0, 0.7, "share of the pictures",
    ),
}  # fmt: skip


def show(prepared: PreparedSet) -> None:
    """One change at a time, as strong as one likes."""
    st.subheader("What chance does to your pictures", anchor=False)
    st.markdown(
        "A network that sees every picture anew in each pass learns what stays. Here are the pictures it would get, "
        "made by the code that trains."
    )
    name = st.segmented_control(
        "Change",
        list(CHANGES),
        default="translate",
        required=True,
        format_func=lambda name: CHANGES[name].title,
        key="doctor_change",
        help="Each is a setting of its own on the page Train, where they act together.",
        persist_state="session",
    )
    change = CHANGES[name]
    st.markdown(change.about)
    strength: bool | float = True
    if change.largest:
        strength = st.slider(
            f"Strength, {change.unit}",
            0.0,
            change.largest,
            change.first,
            key=f"doctor_strength-{name}",  # the page Break it has strengths of its own, in steps
            help=f"A new training uses {getattr(TrainConfig, name):g} unless its recipe or you say otherwise.",
            persist_state="session",
        )
    _sheet(prepared, Augmentation(**{name: strength}), change.title)
    if name == "colour":
        _cloud(prepared, float(strength))


def show_for(settings: TrainConfig, prepared: PreparedSet) -> None:
    """All changes of a run together, folded away, for the page Train."""
    folded = st.expander("What chance does to these pictures", icon=":material/shuffle:", on_change="rerun")
    if folded.open:
        with folded:
            _sheet(prepared, previews.of_settings(settings), "All changes of the settings together", settings.seed)


def _sheet(prepared: PreparedSet, augmentation: Augmentation, title: str, seed: int = 0) -> None:
    st.image(
        mosaic(previews.changed(prepared.identity, augmentation, prepared, seed), 1 + PASSES, 96),
        width="stretch",
        caption=f"Left the picture as it is, then what the network gets in the first {PASSES} passes",
        alt=f"{title}: pictures of {prepared.title} as they are, and changed by chance in {PASSES} ways each.",
    )


def _cloud(prepared: PreparedSet, strength: float) -> None:
    cloud = previews.colour_cloud(prepared.identity, prepared)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.plotly_chart(
            colour_cloud(cloud.places, cloud.colours, (_axis(cloud, 0), _axis(cloud, 1)), max(strength, 0.02)),
            key="colour_cloud",
            config=NO_TOOLBAR,
            alt=f"{len(cloud.colours):,} pixels in their own colours along the two directions in which they vary most.",
        )
    first, second, third = (f"{100 * share:.0f} %" for share in cloud.shares)
    with right:
        st.markdown(
            f"**The colour cloud of {plain(prepared.title)}.** Each dot is a pixel in its own colour. The first axis "
            f"holds {first} of how they differ, the second {second}, the third {third}. The arrows show how far a "
            "picture moves as a whole, in two of three cases."
        )
        for number in range(3):
            red, green, blue = cloud.axes[number]
            st.caption(f"Axis {number + 1}: red {red:+.0f}, green {green:+.0f}, blue {blue:+.0f} of 255")


def _axis(cloud: ColourCloud, number: int) -> str:
    return f"axis {number + 1}, standard deviations ({100 * cloud.shares[number]:.0f} %)"
