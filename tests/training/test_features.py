"""Which features stay on the disk."""

import os

import pytest

from alexnet_core.lock import alone
from alexnet_core.places import features_home
from alexnet_core.training import features


def test_features_that_were_never_finished_do_not_stay_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "KEPT_BYTES", 100)
    kinds = (("used", "meta.json"), ("left", "answers.bin"), ("computed", "answers.bin"), ("old", "meta.json"))
    for age, (name, file) in enumerate(kinds):
        path = features_home() / name / file
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(80))
        os.utime(path, (10**9 - age, 10**9 - age))
    with alone(features_home() / "computed.lock", "wait"):
        features._forget_oldest(features_home() / "used")
    assert sorted(path.name for path in features_home().iterdir()) == ["computed", "used"]
