"""What the doctor found, kept beside the prepared set: some 200 bytes a picture, so that nothing is examined twice."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from alexnet_core.data.doctor.examination import Findings
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.files import write_whole

EXAMINATION = 1
"""To be counted up whenever `examine` finds something else than before: what it found until then is not read again."""


def read(prepared: PreparedSet) -> Findings | None:
    """What was found in this set; None where nothing is kept, or where it is damaged, of another set or of an earlier
    way to examine."""
    try:
        said = json.loads(_path(prepared).read_text("utf-8"))
        if (said["examination"], said["identity"]) != (EXAMINATION, prepared.identity):
            return None
        return _findings(said["findings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(prepared: PreparedSet, findings: Findings) -> None:
    """Keep what was found in this set. Raises ExplorerError where its folder cannot be written."""
    found = {
        name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(findings).items()
    }
    said = {"examination": EXAMINATION, "identity": prepared.identity, "findings": found}
    write_whole(_path(prepared), (json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n").encode())


def _findings(found: dict[str, Any]) -> Findings:
    """As `write` took it apart. Raises KeyError, TypeError or ValueError for anything else."""
    count = len(found["files"])
    values: dict[str, Any] = {
        "places": np.array(found["places"], np.int64).reshape(count),
        "labels": np.array(found["labels"], np.int64).reshape(count),
        "sizes": np.array(found["sizes"], np.int64).reshape(count, 2),
        "sharpness": np.array(found["sharpness"], np.float64).reshape(count),
    }
    values |= {field.name: _tuples(found[field.name]) for field in fields(Findings) if field.name not in values}
    return Findings(**values)


def _tuples(value: Any) -> Any:
    """JSON has only lists where Findings has tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _path(prepared: PreparedSet) -> Path:
    return prepared.directory / "findings.json"
