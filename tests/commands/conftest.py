from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from small_runs import small_run

from alexnet_core.runs.directory import RunDirectory
from tests.pictures import png


@pytest.fixture
def run(home: Path) -> RunDirectory:
    """A small run with a network, in the test's own home."""
    return small_run(home / "runs" / "pets-1")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture file."""
    path = tmp_path / "photo.png"
    Image.effect_noise((50, 40), 90).convert("RGB").save(path)
    return path


@pytest.fixture
def write_pictures() -> Callable[[Path], Path]:
    """A function that fills a folder with class folders of small pictures."""

    def write(folder: Path) -> Path:
        for label, name in enumerate(["cat", "dog"]):
            (folder / name).mkdir(parents=True)
            for number in range(12):
                (folder / name / f"{number}.png").write_bytes(png(label * 100 + number, (40, 40)))
        return folder

    return write
