"""What was found, as plain sentences with the pictures themselves, and what can be done about each."""

from collections.abc import Sequence

import streamlit as st

from alexnet_core.data.doctor import Findings, kept_together
from alexnet_core.data.doctor.examination import BLURRED, COPY, STRETCHED, TINY
from app.doctor import acting
from app.doctor.patients import Patient
from app.figures.mosaic import mosaic
from app.sentences import plain

GROUPS, BESIDE, PICTURES = 4, 3, 24
"""Groups, pictures of a group, and pictures shown of each kind; the rest comes up as these are dealt with."""
SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}
WORSE = {
    BLURRED: (
        "Blurred",
        "These have far less fine detail than the others. Blurred, enlarged, or smooth by nature like fog: only you "
        "can tell. A network can learn from blurred pictures, and then it expects them.",
    ),
    TINY: (
        "Smaller than what the network sees",
        "Their short side has fewer pixels than the squares made of them, so they are enlarged and stay soft.",
    ),
    STRETCHED: (
        "Very long or very high",
        "More than three times as long as wide: only the square in the middle, shown here, is used.",
    ),
}


def show(patient: Patient) -> None:
    """Every kind of finding that there is, the gravest first."""
    found = patient.findings
    # A group has its place under the gravest that is wrong with it; once that is mended, it may come up again.
    at_odds = found.at_odds
    apart = [group for group in found.apart if group not in at_odds]
    others = [group for group in found.groups if group not in (*at_odds, *apart)]
    if at_odds:
        _at_odds(patient, at_odds)
    if apart:
        _apart(patient, apart)
    if others:
        _copies(patient, others)
    for kind, places in ((BLURRED, found.blurred), (TINY, found.tiny), (STRETCHED, found.stretched)):
        if places:
            _worse(patient, kind, places)
    if found.broken:
        _broken(found)


def _at_odds(patient: Patient, at_odds: Sequence[tuple[int, ...]]) -> None:
    found = patient.findings
    st.subheader("The same picture in two classes", anchor=False)
    st.markdown(f"{_groups(len(at_odds))} said to show different things. At most one can be right.")
    for group in at_odds[:GROUPS]:
        _pictures(patient, group)
        key = _key(patient, group)
        with st.container(horizontal=True):
            for label in sorted({int(found.labels[place]) for place in group}):
                name = found.classes[label]
                wrong = {found.files[place]: name for place in group if found.labels[place] != label}
                acting.button(f"All are {plain(name)}", patient, "relabel", wrong, f"{key}-{label}")
            acting.button("Leave them all out", patient, "drop", _named(found, group), key)
            acting.button("Two different pictures", patient, "keep", _named(found, group, COPY), key)
    _more(len(at_odds), GROUPS)


def _apart(patient: Patient, apart: Sequence[tuple[int, ...]]) -> None:
    found = patient.findings
    st.subheader("The same picture in training and test", anchor=False)
    st.markdown(
        f"{_groups(len(apart))} both learned from and examined on. What a network knows by heart there counts "
        "as understood, so its score is too high."
    )
    _groups_of_copies(patient, apart)
    learned = {found.files[place]: "" for group in apart for place in group if found.splits[place] == "train"}
    moves = kept_together(found.files, found.labels.tolist(), found.splits, found.groups)
    with st.container(horizontal=True):
        acting.button(
            f"Leave out the {'one' if len(learned) == 1 else f'{len(learned):,}'} in training",
            patient,
            "drop",
            learned,
            "apart",
            help="The test stays what it was, so results can be compared with those of others.",
        )
        acting.button(
            f"Split them together ({len(moves):,} {'moves' if len(moves) == 1 else 'move'})",
            patient,
            "split",
            {found.files[place]: split for place, split in moves.items()},
            "apart",
            help="All copies go to where most of them are, and as many others back, so that every class keeps its "
            "shares of training, validation and test.",
        )


def _copies(patient: Patient, others: Sequence[tuple[int, ...]]) -> None:
    found = patient.findings
    st.subheader("The same picture more than once", anchor=False)
    st.markdown(
        f"{_groups(len(others))} resized, saved again or cut a little. In one class, and not both learned from and "
        "examined on, they do no harm but to count twice."
    )
    _groups_of_copies(patient, others)
    # The largest one stays: it has lost the least.
    spare = {
        found.files[place]: ""
        for group in others
        for place in sorted(group, key=lambda place: -int(found.sizes[place].prod()))[1:]
    }
    copies = "smaller copy" if len(spare) == 1 else f"{len(spare):,} smaller copies"
    acting.button(f"Leave out the {copies}", patient, "drop", spare, "copies")


def _groups_of_copies(patient: Patient, groups: Sequence[tuple[int, ...]]) -> None:
    """The first ones, two beside each other."""
    shown = groups[:GROUPS]
    for first in range(0, len(shown), 2):
        for column, group in zip(st.columns(2, gap="medium"), shown[first : first + 2], strict=False):
            with column:
                _pictures(patient, group)
                kept = _named(patient.findings, group, COPY)
                acting.button("Two different pictures", patient, "keep", kept, _key(patient, group))
    _more(len(groups), GROUPS)


def _worse(patient: Patient, kind: str, places: Sequence[int]) -> None:
    found = patient.findings
    title, about = WORSE[kind]
    st.subheader(f"{title} ({len(places):,})", anchor=False)
    st.markdown(about)
    shown = list(places[:PICTURES])
    st.image(
        mosaic(patient.pictures(shown), min(12, len(shown)), 96),
        width="stretch" if len(shown) >= 8 else "content",
        alt=f"{len(shown)} pictures: {title.lower()}.",
    )
    meant = [found.files[place] for place in places]
    if len(meant) == 1:
        st.caption(plain(meant[0]))
    else:
        chosen = st.multiselect(
            "Only these",
            meant,
            key=f"only-{kind}-{patient.prepared.identity[:8]}",
            placeholder="All of them",
            help="The names of the pictures above, in their order. Without a choice the buttons mean all.",
        )
        meant = chosen or meant
    with st.container(horizontal=True):
        count = "it" if len(meant) == 1 else f"these {len(meant):,}"
        acting.button(f"Leave {count} out", patient, "drop", dict.fromkeys(meant, ""), kind)
        acting.button(f"Keep {count}", patient, "keep", dict.fromkeys(meant, kind), kind)


def _broken(found: Findings) -> None:
    st.subheader(f"Files that could not be used ({len(found.broken):,})", anchor=False)
    st.markdown("They are left out by themselves. Mend or replace them at their source if you need them.")
    with st.expander("Names and reasons", icon=":material/broken_image:", expanded=len(found.broken) <= 8):
        st.markdown("\n".join(f"* {plain(file)}: {plain(reason)}" for file, reason in found.broken[:100]))
        _more(len(found.broken), 100)


def _pictures(patient: Patient, group: Sequence[int]) -> None:
    """A group side by side, also on a telephone, and where each belongs."""
    found, shown = patient.findings, list(group[:BESIDE])
    said = [
        f"**{plain(found.classes[int(found.labels[place])])}** · {SPLIT_NAMES[found.splits[place]]} · "
        f"{plain(found.files[place])}"
        for place in shown
    ]
    st.image(
        mosaic(patient.pictures(shown), len(shown), 150),
        width="content",
        alt=f"{len(shown)} pictures side by side that look the same.",
    )
    st.caption("  \n".join(said))
    if len(group) > len(shown):
        st.caption(f"And {len(group) - len(shown)} more copies.")


def _groups(count: int) -> str:
    return "One picture is" if count == 1 else f"{count:,} pictures are"


def _named(found: Findings, group: Sequence[int], value: str = "") -> dict[str, str]:
    return {found.files[place]: value for place in group}


def _key(patient: Patient, group: Sequence[int]) -> str:
    return f"{patient.prepared.identity[:8]}-{patient.findings.files[group[0]]}"


def _more(count: int, shown: int) -> None:
    if count > shown:
        st.caption(f"The first {shown} of {count:,}; the others come up as these are dealt with.")
