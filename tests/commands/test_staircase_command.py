import pytest
from small_runs import printed, refusal

from alexnet_core.runs import staircase
from alexnet_core.runs.climbed import Climbed
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.staircase import Asked, Staircase
from alexnet_core.runs.stairs import Budget


def test_bad_input_is_one_sentence(capsys):
    assert "no staircase yet" in refusal(capsys, "staircase", "--resume", "last")
    assert "no staircase of that name" in refusal(capsys, "staircase", "--resume", "../runs")
    for flag in (["--minutes", "2"], ["--seeds", "1"], ["--threads", "0"]):
        assert f"leave out {flag[0]}" in refusal(capsys, "staircase", "--resume", "last", *flag)
    assert "minutes" in refusal(capsys, "staircase", "--data", "digits", "--minutes", "0")
    assert "no data set" in refusal(capsys, "staircase", "--data", "digitz")


def test_the_newest_goes_on_and_its_table_is_printed(capsys, home, monkeypatch: pytest.MonkeyPatch):
    made = Staircase(home / "staircases" / "20260101-000000-abcd")
    (made.path / "control").mkdir(parents=True)
    made._write(Asked(DataIdentity("gone", "toys", "Toys", "0"), Budget(minutes=1), 1, {}, "2026-01-01T00:00:00"))
    results = [Climbed("resnet", 0, "run-c", "finished", (0.5, 0.9), (0.5, 0.75), None)]
    monkeypatch.setattr(staircase.Staircase, "climb", lambda self: iter(["All runs are through."]))
    monkeypatch.setattr(staircase.Staircase, "results", lambda self: results)
    said = printed(capsys, "staircase", "--resume", "last")
    assert "6 runs, about 7 minutes" in said
    assert "All runs are through." in said
    assert "75.0% (75.0% to 75.0%)" in said
