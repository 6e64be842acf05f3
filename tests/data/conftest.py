from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Path]:
    """A room with a canary in it; afterwards nothing else may lie there but what the test names by `room.mine`."""
    room = tmp_path / "room"
    room.mkdir()
    (room / "canary").write_text("alive")
    (tmp_path / "canary").write_text("alive")
    yield room
    assert (room / "canary").read_text() == "alive"
    assert (tmp_path / "canary").read_text() == "alive"
    strange = {file.name for file in room.iterdir()} - {"canary", "in.zip", "in", "out", "out.partial", "out.lock"}
    assert not strange
    assert {file.name for file in tmp_path.iterdir()} == {"canary", "room"}
