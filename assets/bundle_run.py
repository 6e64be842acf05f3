"""Turn a finished run into one that comes with the program: `python assets/bundle_run.py RUN_DIR ID --title TITLE`.

Kept: settings, curves, timing, the answers on the test images, the network in half precision, some whole snapshots
(`--whole`), and of the others the first layer. Left behind: checkpoints, the log, and where the data lay on the machine
that trained.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np

from alexnet_core.models.weights import load_network, network_bytes, read_tensors, save_network
from alexnet_core.places import bundled_runs
from alexnet_core.runs.directory import RunDirectory


def main() -> None:
    """Bundle one run, replacing an older one of the same name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("id", help="the name of its folder under assets/runs")
    parser.add_argument("--title", required=True)
    parser.add_argument("--data-title", required=True, help="the data set's name for people")
    parser.add_argument("--whole", type=int, default=0, help="snapshots kept whole, for the time machine")
    asked = parser.parse_args()
    run = RunDirectory.open(asked.run)
    assert run.state().status == "finished", "only a finished run can be bundled"
    place = bundled_runs() / asked.id
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in ("metrics.jsonl", "timing.jsonl", "state.json", "evaluation.npz"):
        shutil.copyfile(run.path / name, place / name)
    config = json.loads((run.path / "config.json").read_text("utf-8"))
    config["title"] = asked.title
    config["data"] |= {"directory": "", "title": asked.data_title}
    (place / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    network = load_network(run.network_path, source=asked.title)
    save_network(place / "network.safetensors", network, half=True)
    bundled = RunDirectory.open(place)
    (place / "snapshots").mkdir()
    steps = list(run.snapshots())
    # Evenly among snapshots that are log-spaced: close together where the network changes most. First and last among
    # them.
    whole = {steps[round(place)] for place in np.linspace(0, len(steps) - 1, asked.whole)}
    for step, path in run.snapshots().items():
        weights, _ = read_tensors(path)
        if step not in whole:
            weights = {name: value for name, value in weights.items() if name == "features.0.weight"}
        place_of = bundled.snapshot_path(step, whole=step in whole)
        place_of.write_bytes(network_bytes(network, half=True, weights=weights))
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    print(f"{place.name}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
