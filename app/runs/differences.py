"""What differs between runs: their results, and those settings in which they are not all alike."""

from collections.abc import Sequence
from typing import Any

from alexnet_core.runs.listing import Summary
from alexnet_core.training.config import label
from app.sentences import plain
from app.words import duration, percent


def differences(summaries: Sequence[Summary]) -> dict[str, list[str]]:
    """The table's rows by their label, one text for each run, as Markdown."""
    rows = {
        "Validation top-1": [_share(one.val_top1) for one in summaries],
        "Test top-1": [_share(one.test_top1) for one in summaries],
        "Trained for": ["–" if one.seconds is None else duration(one.seconds) for one in summaries],
    }
    rows |= _unlike({"Data": [plain(one.config.data.title) for one in summaries]})
    settings = [one.config.settings.as_dict() for one in summaries]
    rows |= _unlike({label(name): [_text(each[name]) for each in settings] for name in settings[0]} if settings else {})
    return rows | _unlike(
        {
            "Processes": [str(one.config.processes) for one in summaries],
            "Program version": [plain(one.config.program) for one in summaries],
        }
    )


def _unlike(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else plain(str(value)) or "–"
