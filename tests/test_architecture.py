"""The rules of ARCHITECTURE.md about who may import whom, read from the code itself."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SLOW = ("captum", "sklearn")
"""What takes a second or two to import, and what the first page does not need."""
HEAVY = ("torch", "torchvision", "captum", "streamlit", "plotly", "sklearn")

FORBIDDEN: dict[str, tuple[str, ...]] = {
    "alexnet_core": ("app", "streamlit", "plotly", "tests", "benchmarks"),
    "alexnet_core/errors.py": ("alexnet_core", *HEAVY, "numpy"),
    "alexnet_core/limits.py": ("alexnet_core.models", *HEAVY, "numpy"),
    "alexnet_core/training/events.py": ("alexnet_core", *HEAVY, "numpy"),
    "alexnet_core/training/config.py": (
        "alexnet_core.models", "alexnet_core.data", "alexnet_core.runs", "alexnet_core.insight", *HEAVY, "numpy",
    ),
    "alexnet_core/models": ("alexnet_core.data", "alexnet_core.training", "alexnet_core.runs", "alexnet_core.insight"),
    "alexnet_core/data": ("alexnet_core.models", "alexnet_core.training", "alexnet_core.runs", "alexnet_core.insight"),
    "alexnet_core/training": ("alexnet_core.runs", "alexnet_core.insight", "alexnet_core.commands"),
    "alexnet_core/runs": ("alexnet_core.insight", "alexnet_core.commands"),
    "alexnet_core/insight": ("alexnet_core.training", "alexnet_core.runs", "alexnet_core.commands"),
    "app": ("tests", "benchmarks", "alexnet_core.commands"),
    "app/figures": ("streamlit", "torch", "alexnet_core"),
    "app/views": ("torch", "numpy", "pathlib", "os", "plotly"),
}  # fmt: skip


def modules(place: str) -> list[Path]:
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def imports(path: Path, at_once: bool = False) -> Iterator[str]:
    """The absolute name of everything a file imports, unless `at_once` also inside functions, but not for the type
    checker alone."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING")
        or (at_once and isinstance(node, ast.FunctionDef))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("place", FORBIDDEN)
def test_imports_point_one_way(place: str) -> None:
    assert modules(place), f"{place} is gone; bring this table up to date"
    for path in modules(place):
        for name in imports(path):
            for forbidden in FORBIDDEN[place]:
                wrong = name == forbidden or name.startswith(forbidden + ".")
                assert not wrong, f"{path.relative_to(ROOT)} may not import {name}"


@pytest.mark.parametrize("folder", ["alexnet_core", "app"])
def test_what_takes_seconds_to_import_waits_until_it_is_used(folder: str) -> None:
    for path in modules(folder):
        at_once = {name.split(".")[0] for name in imports(path, at_once=True)}
        assert not at_once & set(SLOW), f"{path.relative_to(ROOT)}: import it in the function that needs it"


def test_the_rules_would_notice(tmp_path: Path) -> None:
    wicked = tmp_path / "wicked.py"
    wicked.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
        "def f():\n    from alexnet_core import runs\n    import streamlit as st\n"
    )
    assert {"alexnet_core.runs", "streamlit"} <= set(imports(wicked))
    assert "torch" not in set(imports(wicked))
    assert "streamlit" not in set(imports(wicked, at_once=True))


def test_no_two_parts_of_the_app_need_each_other() -> None:
    parts = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    needs = {
        part: {name.split(".")[1] for path in modules(f"app/{part}") for name in imports(path) if name[:4] == "app."}
        & (parts - {part})
        for part in parts
    }
    assert "training" in needs["doctor"]
    TopologicalSorter(needs).prepare()  # a ring raises CycleError, which names it


@pytest.mark.parametrize("folder", ["alexnet_core", "app"])
def test_names_say_what_a_module_knows(folder: str) -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base", "core", "tools", "stuff"}
    assert not {path.stem for path in modules(folder)} & empty


def test_the_map_shows_every_module_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    shown = set(re.findall(r"\b\w+\.py\b", text[text.index("## The folders") : text.index("## Who may import whom")]))
    # Of these folders, and of the app's, the map tells what they are for as a whole.
    as_a_whole = {ROOT / "alexnet_core" / folder for folder in ("commands", "data/doctor", "insight/attribution")}
    core = {path.name for path in modules("alexnet_core") if path.parent not in as_a_whole}
    assert core | {path.name for path in (ROOT / "app").glob("*.py")} <= shown | {"__init__.py"}
    assert shown <= {path.name for folder in ("alexnet_core", "app", "assets") for path in modules(folder)}


@pytest.mark.parametrize("folder", ["alexnet_core", "app"])
def test_every_module_says_what_it_is_for(folder: str) -> None:
    silent = [
        path
        for path in modules(folder)
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_views_are_short_and_read_like_the_screen() -> None:
    for path in modules("app/views"):
        lines = path.read_text().splitlines()
        assert len(lines) <= 100, f"{path.name} has {len(lines)} lines; something in it belongs elsewhere"
        arithmetic = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.BinOp)]
        # `|` joins dictionaries, `+` joins texts and lists; neither is arithmetic.
        assert all(isinstance(node.op, ast.BitOr | ast.Add) for node in arithmetic), f"{path.name} computes"
