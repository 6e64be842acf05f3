"""What every benchmark says beside its numbers: the machine, the versions, the spread."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def spread(values: Sequence[float], digits: int = 1) -> dict[str, float | int]:
    """Median, least and largest of several runs."""
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "largest": round(max(values), digits),
        "runs": len(values),
    }


def machine() -> dict[str, Any]:
    """The hardware, the versions, and how busy the machine was with other work."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "date": date.today().isoformat(),
    }


def write(name: str, result: dict[str, Any]) -> None:
    """Keep a result as results/<name>.json."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def earlier(name: str, part: str) -> dict[str, Any]:
    """This part of results/<name>.json where it was measured on a machine of this kind, else nothing."""
    path = RESULTS / f"{name}.json"
    result = json.loads(path.read_text("utf-8")) if path.exists() else {"machine": {}}
    here = machine()
    same = all(result["machine"].get(key) == here[key] for key in ("processor", "cores", "gpu", "torch"))
    return result[part] if same else {}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
