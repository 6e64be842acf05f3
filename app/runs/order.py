"""Which runs a search finds, and in which order they stand."""

from collections.abc import Callable, Sequence

from alexnet_core.models import MODELS
from alexnet_core.runs.listing import Summary

ORDERS: dict[str, tuple[str, Callable[[Summary], tuple[object, ...]], bool]] = {
    "newest": ("Newest first", lambda one: (one.config.created,), True),
    "accuracy": ("Most accurate first", lambda one: (one.top1 is not None, one.top1 or 0.0), True),
    "longest": ("Longest training first", lambda one: (one.seconds or 0.0,), True),
    "network": ("By network", lambda one: (network_title(one), one.config.created), False),
    "data": ("By data set", lambda one: (one.config.data.title.casefold(), one.config.created), False),
    "name": ("By name", lambda one: (one.title.casefold(),), False),
}
"""(title, what is compared, whether the largest comes first) by name."""


def ordered(summaries: Sequence[Summary], order: str) -> list[Summary]:
    """The runs in one of ORDERS; equals stay as they were."""
    _, key, largest_first = ORDERS[order]
    return sorted(summaries, key=key, reverse=largest_first)


def found(summaries: Sequence[Summary], text: str) -> list[Summary]:
    """The runs in which every word of `text` occurs: in name, note, network, data set, state or id."""
    wanted = text.casefold().split()
    return [one for one in summaries if all(word in _said(one) for word in wanted)]


def network_title(one: Summary) -> str:
    """The network's name for the screen; a run of a version with other networks keeps the name it was given."""
    name = one.config.settings.model
    return MODELS[name].title if name in MODELS else name


def _said(one: Summary) -> str:
    parts = (one.title, one.notes.note, network_title(one), one.config.settings.model, one.config.settings.recipe)
    return " ".join((*parts, one.config.data.title, one.config.data.name, one.state.status, one.id)).casefold()
