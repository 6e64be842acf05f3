"""What every benchmark says beside its numbers: the machine, the versions, the spread; and where results are kept, one
folder a kind of machine."""

import json
import os
import platform
import re
import statistics
import subprocess
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
        "instructions": instructions(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": _commit(),
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "date": date.today().isoformat(),
    }


def kind() -> str:
    """The name of this kind of machine, and of the folder with its results: where figures may be compared."""
    about = machine()
    words = [about["processor"], about["instructions"], f"{about['cores']} cores", about["gpu"] or ""]
    return re.sub("[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")


def instructions() -> str:
    """What of the processor's arithmetic matters here: one name can stand for processors with and without it."""
    capability = torch.backends.cpu.get_cpu_capability()
    flags = _of_processor("flags").split()
    names = {"avx512_bf16": "bf16", "amx_bf16": "bf16 tiles"}
    # Before its family 26 (Zen 5) AMD computes 512 bits in two halves, at half the pace.
    wide = [", full width"] if _of_processor("vendor_id") == "AuthenticAMD" and _family() >= 26 else []
    return " with ".join([capability, *[name for flag, name in names.items() if flag in flags][-1:]]) + "".join(wide)


def peak_mb() -> float:
    """The most memory this process has held. Not as getrusage says: Linux hands its ru_maxrss on to whoever a process
    starts, so that it is never less than the starter's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1.024e-3, 1)


def write(name: str, result: dict[str, Any], missing: Sequence[str] = ()) -> None:
    """Keep a result as results/<kind of machine>/<name>.json, with the parts that are `missing` in it until now."""
    folder = RESULTS / kind()
    folder.mkdir(parents=True, exist_ok=True)
    said = result | ({"missing": sorted(missing)} if missing else {})
    (folder / f"{name}.json").write_text(json.dumps(said, indent=2) + "\n")


def result(name: str, kind: str) -> dict[str, Any] | None:
    """What was measured under this name on that kind of machine; None where nothing was."""
    path = RESULTS / kind / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def missing(result: dict[str, Any]) -> list[str]:
    """The parts of a result that are not measured yet (the long ones keep each part as soon as it is measured), or were
    measured with a recipe that has changed since: these are marked by hand, as `earlier_recipe`."""
    parts = result | result.get("records", {})
    changed = {name for name, part in parts.items() if isinstance(part, dict) and part.get("earlier_recipe")}
    return sorted({*result.get("missing", []), *changed})


def earlier(name: str, part: str) -> dict[str, Any]:
    """This part of a result that was measured on this kind of machine before, else nothing."""
    return (result(name, kind()) or {}).get(part, {})


def results_of(kind: str) -> list[dict[str, Any]]:
    """All that was measured on that kind of machine."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((RESULTS / kind).glob("*.json"))]


def kinds_with_results() -> list[str]:
    """The kinds of machines, the one with most results first; results in which parts are missing, or of an earlier
    recipe, do not count."""
    kinds = {path.parent.name for path in RESULTS.glob("*/*.json")}
    whole = {kind: sum(not missing(found) for found in results_of(kind)) for kind in kinds}
    return sorted(kinds, key=lambda kind: (-whole[kind], kind))


def _processor() -> str:
    return _of_processor("model name") or platform.processor() or platform.machine()


def _family() -> int:
    """Of the processor, as its maker counts; 0 where nothing says."""
    return int(_of_processor("cpu family") or 0)


def _of_processor(field: str) -> str:
    """What Linux says of the first core; nothing elsewhere."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")


def _commit() -> str | None:
    """The code that was measured; None where this is no checkout."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=RESULTS.parent, capture_output=True, text=True
    )
    return said.stdout.strip() or None
