from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import png


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
