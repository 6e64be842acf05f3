from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.evaluation import Evaluation, read_evaluation

ANSWERS = Evaluation("test", np.array([0, 1]), np.array([1, 1]), np.array([0.5, 0.75]), ["a/1.png", "ü/2.png"])


def test_an_evaluation_comes_back(new_run: Callable[..., RunDirectory]) -> None:
    run = new_run()
    assert run.evaluation() is None
    run.write_evaluation(ANSWERS)
    back = run.evaluation()
    assert back is not None
    assert (back.split, back.labels.tolist(), back.predictions.tolist()) == ("test", [0, 1], [1, 1])
    assert (back.probabilities.tolist(), back.files) == ([0.5, 0.75], ["a/1.png", "ü/2.png"])


def test_a_damaged_one_is_a_sentence_wherever_it_is_damaged(tmp_path: Path) -> None:
    whole, path = ANSWERS.to_bytes(), tmp_path / "evaluation.npz"
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole[:place] + b"\xff\xff\xff" + whole[place + 3 :] for place in range(0, len(whole), 7)]
    read = 0
    for data in damaged:
        path.write_bytes(data)
        with suppress(ExplorerError):  # whatever else were raised would be a bug
            read_evaluation(path)
            read += 1
    assert read < 0.5 * len(damaged)  # some bytes, as the time of a file in the zip, mean nothing
    path.write_bytes(b"PK")
    with pytest.raises(ExplorerError, match="is damaged; resume or repeat the run"):
        read_evaluation(path)


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "evaluation.npz", split=np.array([print], dtype=object))
    with pytest.raises(ExplorerError, match="damaged"):
        read_evaluation(tmp_path / "evaluation.npz")
