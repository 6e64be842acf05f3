"""The second half of the page Break it: a change that nobody sees, calculated to change the answer."""

from functools import partial

import streamlit as st

from alexnet_core.insight.adversarial import EPSILONS, Adversary, Attack
from alexnet_core.insight.gallery import Gallery
from app import answers, words
from app.doubting import breaking
from app.doubting.broken_picture import choose_method, first, says, show_accuracy
from app.figures.against_strength import Shares, against_strength
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain
from app.session import Picture, SharedNetwork

KINDS: dict[Attack, str] = {"fgsm": "One step (FGSM)", "pgd": "Ten steps (PGD)"}
UNSEEN = 8
"""Of 255: up to here hardly anybody sees a change in a photograph."""
AT_FIRST = EPSILONS.index(UNSEEN)


def show(shared: SharedNetwork, picture: Picture) -> None:
    """Choices on top, then the picture, the change and the changed picture, then the curve."""
    classes = shared.network.classes
    said = answers.top(shared, picture)[0].index
    left, middle, right = st.columns([2, 3, 2], gap="large")
    with left:
        kind = st.segmented_control(
            "Attack",
            list(KINDS),
            default="fgsm",
            required=True,
            format_func=KINDS.__getitem__,
            key="attack",
            help="FGSM moves every colour value by the same amount, up or down, as the gradient says (Goodfellow et "
            "al. 2014). PGD takes ten smaller steps and looks again after each (Madry et al. 2017): stronger, slower.",
            persist_state="session",
        )
        aim = st.selectbox(
            "Make it say",
            [None, *(index for index in range(len(classes)) if index != said)],
            format_func=lambda index: "anything else" if index is None else classes[index],
            help="A chosen class is harder to reach than any other than the present one.",
        )
    with middle:
        place = st.select_slider(
            "Each colour value may move by at most",
            range(len(EPSILONS)),
            value=AT_FIRST,
            format_func=lambda place: f"{EPSILONS[place]} of 255",
            key="epsilon",
            help=f"Epsilon in the papers. Up to about {UNSEEN} of 255 hardly anybody sees it in a photograph.",
            persist_state="session",
        )
    with right:
        method = choose_method(shared)
    bar = st.empty()
    found = breaking.attacks(shared, picture, kind, aim, lambda share: bar.progress(share, "Attacking"))
    bar.empty()
    one, before = found[place], first(found[0].probabilities)
    _pictures(shared, picture, found[0], one, method, before)
    _curves(shared, found, place, before)
    st.download_button(
        "Download the attacked picture",
        partial(answers.png, breaking.whole_file(shared, one.pixels)),
        file_name="attacked.png",
        mime="image/png",
        icon=":material/download:",
        help="A PNG with whole pixel values: upload it on the page Predict and explain, and this network is fooled "
        "again.",
        on_click="ignore",
    )


def _pictures(
    shared: SharedNetwork, picture: Picture, untouched: Adversary, one: Adversary, method: str, before: int
) -> None:
    classes = shared.network.classes
    columns = st.columns(4, gap="medium")
    with columns[0]:
        st.image(breaking.shown(untouched.pixels), caption="Untouched", width="stretch", alt="The picture as it was.")
        says(classes, untouched.probabilities)
    with columns[1]:
        change, factor = breaking.change_shown(one)
        st.image(
            change,
            caption=f"What is added, {factor} times as strong" if one.epsilon else "Nothing is added",
            width="stretch",
            alt=f"The change of every pixel on grey, {factor} times as strong as it is.",
        )
    with columns[2]:
        st.image(
            breaking.shown(one.pixels),
            caption=f"Attacked, at most {one.epsilon} of 255",
            width="stretch",
            alt="The attacked picture.",
        )
        says(classes, one.probabilities)
    with columns[3]:
        key = (picture.key, one.attack, one.target, one.epsilon)
        explained = breaking.explained(shared, one.pixels, key, method, before)
        st.image(
            breaking.laid_over(one.pixels, explained),
            caption=f"Where it now finds {plain(classes[before])}",
            width="stretch",
            alt=f"The attacked picture, coloured by how its places speak for {classes[before]}.",
        )
    _verdict(classes, one, before)


def _verdict(classes: tuple[str, ...], one: Adversary, before: int) -> None:
    now = first(one.probabilities)
    said = f"says {plain(classes[now])}, with {plain(words.percent(float(one.probabilities[now])))}"
    if not one.epsilon:
        st.info(f"Untouched, it {said}.", icon=":material/info:")
    elif now == before or (one.target is not None and now != one.target):
        more = "Allow more." if one.attack == "pgd" else "Allow more, or take ten steps (PGD)."
        st.info(f"The attack failed: the network {said}. {more}", icon=":material/shield:")
    else:
        st.warning(
            f"To a person it is {'the same picture' if one.epsilon <= UNSEEN else 'still the same thing'}. The network "
            f"{said}. The change is no noise: each value is moved in "
            "the very direction that the network minds most, and thousands of small moves add up.",
            icon=":material/warning:",
        )


def _curves(shared: SharedNetwork, found: list[Adversary], place: int, before: int) -> None:
    one, many = st.columns(2, gap="large")
    with one:
        st.markdown("**This picture**")
        _curve(shared, found, place, before)
    with many:
        st.markdown("**Many pictures**")
        _accuracy(shared, found[place].attack, place)


def _curve(shared: SharedNetwork, found: list[Adversary], place: int, before: int) -> None:
    classes, one = shared.network.classes, found[place]
    other = one.target if one.target is not None else first(one.probabilities)
    lines = [
        Shares(classes[index], [float(adversary.probabilities[index]) for adversary in found])
        for index in dict.fromkeys((before, other))
    ]
    st.plotly_chart(
        against_strength(BOUNDS, lines, "probability", place, ACROSS),
        config=NO_TOOLBAR,
        key="attack_curve",
        alt=f"The probability of {classes[before]} against the bound; at the chosen one it is "
        f"{words.percent(float(one.probabilities[before]))}.",
    )


def _accuracy(shared: SharedNetwork, kind: Attack, place: int) -> None:
    def measure(gallery: Gallery, progress: breaking.Progress, count: int) -> list[float]:
        return breaking.attacked_accuracies(shared, gallery, kind, progress, count)

    def draw(shares: list[float]) -> None:
        st.plotly_chart(
            against_strength(BOUNDS, [Shares("right answers", shares)], "right answers", place, ACROSS),
            config=NO_TOOLBAR,
            key="attacked_accuracy",
            alt=f"The share of right answers against the bound; at this one it is {words.percent(shares[place])}.",
        )

    explanation = (
        "Each is attacked within all eleven bounds, always away from its own class. One step takes some seconds for a "
        "small network, ten steps five times as long; large networks take minutes. What was measured is kept."
    )
    show_accuracy(shared, ("attack", kind), explanation, measure, draw)


BOUNDS = [str(epsilon) for epsilon in EPSILONS]
ACROSS = "how far a colour value may move, of 255"
