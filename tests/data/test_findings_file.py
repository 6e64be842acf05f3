"""What the doctor found comes back from the disk as it was, and only for the set that it was found in."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from alexnet_core.data.doctor import Findings, examine, findings_file
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from tests.pictures import class_files, make_folder


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedSet:
    files = class_files(images=6) | {"cats/again.png": class_files()["cats/0.png"], "dogs/broken.png": b"no picture"}
    return prepare(make_folder(tmp_path / "pets", files), image_size=32, out=tmp_path / "prepared")


def test_findings_come_back_as_they_were(prepared: PreparedSet) -> None:
    assert findings_file.read(prepared) is None
    found = examine(prepared)
    assert found.groups
    assert found.broken
    findings_file.write(prepared, found)
    read = findings_file.read(prepared)
    assert read is not None
    for field in fields(Findings):
        value, before = getattr(read, field.name), getattr(found, field.name)
        if isinstance(before, np.ndarray):
            assert value.dtype == before.dtype
            np.testing.assert_array_equal(value, before)
        else:
            assert value == before, field.name
    assert read.apart == found.apart
    # The set itself is as sound as before.
    assert PreparedSet.open(prepared.directory).identity == prepared.identity


def test_what_is_stale_or_damaged_is_not_read(prepared: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    findings_file.write(prepared, examine(prepared))
    assert findings_file.read(replace(prepared, identity="0" * 64)) is None
    with monkeypatch.context() as later:
        later.setattr(findings_file, "EXAMINATION", findings_file.EXAMINATION + 1)
        assert findings_file.read(prepared) is None
    assert findings_file.read(prepared) is not None

    path = prepared.directory / "findings.json"
    whole = json.loads(path.read_text())
    shorter = whole | {"findings": whole["findings"] | {"labels": whole["findings"]["labels"][:-1]}}
    for damaged in (path.read_text()[:-20], "[]", "{}", json.dumps(whole | {"findings": {}}), json.dumps(shorter)):
        path.write_text(damaged)
        assert findings_file.read(prepared) is None, damaged[:40]
