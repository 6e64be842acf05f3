"""The project's own files agree with each other and with what they promise."""

import re
import tomllib
from pathlib import Path

import pytest
import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".toml", ".txt"} and ".venv" not in p.parts]


def requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_requirements_are_those_of_the_package_and_end_with_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    *direct, last = requirements()
    assert last == "-e ."
    assert direct == project["dependencies"]


def test_torch_is_new_enough_to_load_torchvision() -> None:
    assert "torch>=2.14" in requirements()


def test_the_version_is_the_same_everywhere() -> None:
    from alexnet_core import __version__

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_streamlits_settings_are_in_force() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["runner"]["postScriptGC"] is False
    assert config["server"]["address"] == "127.0.0.1"
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False
    # A hidden option may vanish in a release; then the setting above would do nothing.
    assert st.get_option("runner.postScriptGC") is not None


@pytest.mark.parametrize("path", [path for path in TEXTS if path.suffix == ".md"], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_readme_names_only_flags_and_verbs_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    from alexnet_core.__main__ import main

    text = (ROOT / "README.md").read_text()
    for line in re.findall(r"^(?:python -m alexnet_core|alexnet) (.+)$", text, re.MULTILINE):
        verb = line.split()[0]
        with pytest.raises(SystemExit):
            main([*line.split()[: 2 if verb == "data" else 1], "--help"])  # only data has actions below it
        said = capsys.readouterr().out
        for flag in re.findall(r"--[a-z-]+", line):
            assert flag in said, f"{verb} has no {flag}"


def test_the_readmes_numbers_are_those_of_the_benchmarks() -> None:
    from benchmarks.table import table

    assert table() in (ROOT / "README.md").read_text("utf-8")


def test_no_machine_path_is_written_into_the_project() -> None:
    private = re.compile(r"/(?:work|root|home/[a-z]+)/[a-z.]")
    for path in TEXTS:
        assert not private.search(path.read_text("utf-8")), path
