"""What stands side by side on the page Predict and explain: several methods; or one method for several classes, layers,
networks or moments of training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.models import Network
from alexnet_core.models.weights import load_network
from alexnet_core.runs.directory import RunDirectory
from app import answers, session
from app.answers import Asked
from app.explaining import method_settings
from app.sentences import plain
from app.session import IMAGENET, Picture, SharedNetwork

MOST = 6
"""Maps in one grid: more would be stamps."""
FIRST = 4
"""Maps before anybody chose some."""

WAYS = {
    "methods": ":material/grid_view: Methods",
    "classes": ":material/category: Classes",
    "layers": ":material/layers: Layers",
    "networks": ":material/neurology: Networks",
    "moments": ":material/timeline: Training",
}


@dataclass(frozen=True)
class Question:
    """One map of the grid."""

    label: str
    """What sets it apart from its neighbours; from strangers, so no Markdown."""
    choice: str
    """The network's name in the address."""
    asked: Asked
    step: int | None = None
    """The training step at which the network was taken; None for the one at the end."""

    def labelled(self, label: str, **changes: Any) -> "Question":
        """The same question but for `changes` in what is asked, under another label."""
        return replace(self, label=label, asked=replace(self.asked, **changes))

    @property
    def network(self) -> Network:
        """The network that is asked."""
        return self.asked.shared.network


def choose_class(shared: SharedNetwork, likely: Sequence[int]) -> tuple[int, int | None]:
    """The class to explain, the most probable ones first; and the class to tell it apart from, None for none."""
    network = shared.network
    left, right = st.columns(2)
    target = left.selectbox(
        "Explain the class",
        _likely_first(shared, likely),
        format_func=network.classes.__getitem__,
        help="Any class can be asked about, also why the network might say something else. Maps explain the class's "
        "logit: its score, before the scores of all classes become probabilities. The most probable classes come "
        "first.",
    )
    against = right.selectbox(
        "Rather than",
        [None, *(index for index in _likely_first(shared, likely) if index != target)],
        format_func=lambda index: "no class in particular" if index is None else network.classes[index],
        help="With a second class the maps explain the difference of the two logits: what speaks for the one and not "
        "just as much for the other.",
    )
    return target, against


def choose(choice: str, shared: SharedNetwork, picture: Picture, likely: Sequence[int]) -> tuple[str, list[Question]]:
    """What to compare, and the questions of the grid, at most six."""
    way = st.segmented_control(
        "Compare",
        list(WAYS),
        default="methods",
        required=True,
        format_func=WAYS.__getitem__,
        key="compare",
        help="Several methods; or one method for several classes, layers, networks, or moments of a training.",
        persist_state="session",
    )
    if way == "classes":
        return way, _classes(Question("", choice, Asked(shared, picture, _one_method(), likely[0])), likely)
    target, against = choose_class(shared, likely)
    if way == "methods":
        first = Question("", choice, Asked(shared, picture, "", target, against))
        return way, [first.labelled(ATTRIBUTIONS[name].title, method=name) for name in _methods()]
    first = Question("", choice, Asked(shared, picture, _one_method(layers=way == "layers"), target, against))
    if way == "layers":
        return way, _layers(first)
    first = first.labelled("", settings=_settings(first.asked))
    return way, _networks(first) if way == "networks" else _moments(first)


def methods_at_first() -> list[str]:
    """Four methods of as many groups: the first of each group that is fast, then the second of each, and so on."""
    by_group: dict[str, list[str]] = {}
    for name, method in sorted(ATTRIBUTIONS.items(), key=lambda item: item[1].slow):
        by_group.setdefault(method.group, []).append(name)
    in_turn = [name for rank in zip_longest(*by_group.values()) for name in rank if name is not None]
    return sorted(in_turn, key=lambda name: ATTRIBUTIONS[name].slow)[:FIRST]


def at_moment(choice: str, step: int) -> SharedNetwork:
    """The network of a run as it was after `step` steps, from its snapshots."""
    path = RunDirectory.find(choice).snapshots(whole=True)[step]
    return _of_moment(choice, step, path.stat().st_mtime_ns)


def spread(values: Sequence[Any], count: int = FIRST) -> list[Any]:
    """At most `count` of `values`, from the first to the last at even distances."""
    if len(values) <= count:
        return list(values)
    return [values[place * (len(values) - 1) // (count - 1)] for place in range(count)]


# Whole snapshots are kept of small networks only.
@st.cache_resource(max_entries=MOST, show_spinner=False)
def _of_moment(choice: str, step: int, changed: int) -> SharedNetwork:
    run = RunDirectory.find(choice)
    network = load_network(run.snapshots(whole=True)[step], source=f"{run.title()}, step {step:,}")
    return SharedNetwork(f"{choice}@{changed}/{step}", network, choice)


def _likely_first(shared: SharedNetwork, likely: Sequence[int]) -> list[int]:
    others = (index for index in range(len(shared.network.classes)) if index not in likely)
    return [*likely, *others]


def _several(label: str, key: str, options: Iterable[Any], default: Iterable[Any], **more: Any) -> list[Any]:
    """A list to choose up to six from; choices that are not offered any more are dropped."""
    options = list(options)
    st.session_state[key] = [value for value in st.session_state.get(key, default) if value in options]
    chosen = st.multiselect(label, options, key=key, max_selections=MOST, persist_state="session", **more)
    if not chosen:
        st.caption("Choose at least one to see a map.")
    return chosen


def _methods() -> list[str]:
    grouped = sorted(ATTRIBUTIONS, key=lambda name: list(_groups()).index(ATTRIBUTIONS[name].group))
    return _several(
        "Methods",
        "compared_methods",
        grouped,
        methods_at_first(),
        format_func=lambda name: f"{ATTRIBUTIONS[name].title} · {ATTRIBUTIONS[name].group}",
        help="Up to six. Methods of one group compute alike and tend to agree; agreement across groups says more.",
    )


def _groups() -> dict[str, None]:
    return dict.fromkeys(method.group for method in ATTRIBUTIONS.values())


def _one_method(layers: bool = False) -> str:
    """One method for all maps; with `layers` only such as can look at any layer."""
    fitting = [name for name in ATTRIBUTIONS if not layers or method_settings.by_layer(name) is not None]
    key = "method_of_layers" if layers else "method_of_all"
    return st.selectbox(
        "Method",
        fitting,
        format_func=lambda name: ATTRIBUTIONS[name].title,
        key=key,
        help="The same for all maps, so that their differences come from what you compare.",
        persist_state="session",
    )


def _settings(asked: Asked, without: str | None = None) -> tuple[tuple[str, Any], ...]:
    """The settings of the one method, folded away; none where it has none."""
    method = ATTRIBUTIONS[asked.method]
    if not [setting for setting in method.settings if setting.name != without]:
        return ()
    with st.expander(f"Settings of {method.title}", icon=":material/tune:"):
        return method_settings.ask(asked.shared, asked.method, without)


def _classes(first: Question, likely: Sequence[int]) -> list[Question]:
    classes = first.network.classes
    chosen = _several(
        "Classes",
        f"compared_classes-{first.choice}-{first.asked.picture.key}",  # another picture has other likely classes
        _likely_first(first.asked.shared, likely),
        likely[:FIRST],
        format_func=classes.__getitem__,
        help="Up to six; the most probable come first. Maps that hardly differ do not explain the answer.",
    )
    settings = _settings(first.asked)
    return [first.labelled(classes[index], target=index, settings=settings) for index in chosen]


def _layers(first: Question) -> list[Question]:
    asked = first.asked
    setting = method_settings.by_layer(asked.method)
    assert setting is not None
    names = answers.choices_of(asked.shared, asked.method, setting)
    labels, _ = answers.layers(asked.shared)
    chosen = _several(
        "Layers",
        f"compared_layers-{first.choice}",
        names,
        spread(names),
        format_func=lambda name: labels.get(name, name),
        help="Up to six, in the order in which a picture passes them. Early layers see fine detail, late ones know "
        "what belongs to the class.",
    )
    others = _settings(asked, without=setting.name)
    return [
        first.labelled(labels.get(name, name), settings=(*others, (setting.name, name)))
        for name in names
        if name in chosen
    ]


def _networks(first: Question) -> list[Question]:
    titles = {
        name: title
        for name, title in session.networks().items()
        if not name.startswith(IMAGENET) or name == first.choice or session.imagenet_is_here(name)
    }
    others = [name for name in titles if name != first.choice and not name.startswith(IMAGENET)]
    chosen = _several(
        "Networks",
        f"compared_networks-{first.choice}",
        titles,
        [first.choice, *others[:2]],
        format_func=titles.__getitem__,
        help="Up to six. A network that does not know the class explains what it says itself; one that does not know "
        "the second class, the first alone.",
    )
    questions = []
    for name in chosen:
        try:
            questions.append(_put_to(first, name, titles[name]))
        except ExplorerError as error:  # one damaged run does not hide the others
            st.warning(f"{plain(titles[name])}: {plain(str(error))}", icon=":material/broken_image:")
    return questions


def _put_to(first: Question, choice: str, title: str) -> Question:
    """The same question to another network: about its class of the same name, else about its own answer."""
    shared = session.load(choice)
    classes, names = shared.network.classes, first.network.classes
    wanted = names[first.asked.target]
    second = None if first.asked.against is None else names[first.asked.against]
    target = classes.index(wanted) if wanted in classes else answers.top(shared, first.asked.picture)[0].index
    against = classes.index(second) if wanted in classes and second in classes else None
    asked = replace(first.asked, shared=shared, target=target, against=against)
    return replace(first, label=f"{title}: {asked.target_name}", asked=asked, choice=choice)


def _moments(first: Question) -> list[Question]:
    steps = [] if first.choice.startswith(IMAGENET) else list(RunDirectory.find(first.choice).snapshots(whole=True))
    if not steps:
        st.info(
            "No whole network was kept from the training of this one: choose a run of a small network. (Of large ones "
            "only the first layer is kept.)",
            icon=":material/info:",
        )
        return []
    chosen = _several(
        "Steps of the training",
        f"compared_steps-{first.choice}",
        steps,
        spread(steps),
        format_func=lambda step: f"step {step:,}",
        help="Up to six of the moments at which the training kept the whole network.",
    )
    return [
        replace(first.labelled(f"Step {step:,}", shared=at_moment(first.choice, step)), step=step)
        for step in steps
        if step in chosen
    ]
