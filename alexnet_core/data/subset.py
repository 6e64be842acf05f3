"""A prepared set of some classes of another one: the same pictures, the same colours, fewer names."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alexnet_core import places
from alexnet_core.data.prepared import FORMAT_VERSION, SPLITS, PreparedSet
from alexnet_core.data.shards import SHARD_BYTES, ShardWriter
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, move_folder, write_whole
from alexnet_core.limits import CLASSES
from alexnet_core.lock import alone

ROWS_AT_ONCE = 256


def of_classes(data: PreparedSet, classes: Sequence[int], name: str, most: int = 0) -> PreparedSet:
    """The pictures of these `classes` (positions in `data.classes`, in the order in which they will stand), at most
    `most` of each for training where that is not 0. It lies in the home folder, and is only opened if it is there.

    Mean and standard deviation stay those of `data`, so that networks of two such sets see pictures alike. Raises
    ExplorerError for fewer than two classes, for a class without a picture in every split, and when the disk is full.
    """
    classes = list(classes)
    if len(set(classes)) != len(classes) or len(classes) < CLASSES or not set(classes) <= set(range(len(data.classes))):
        raise ExplorerError(f"Choose at least {CLASSES} different classes of {data.title}.")
    chosen = {split: _rows(data.labels(split), classes, most if split == "train" else 0) for split in data.splits}
    if any(len(np.unique(data.labels(split)[rows])) < len(classes) for split, rows in chosen.items()):
        raise ExplorerError("A class you chose has no pictures in one of the splits; choose others.")
    content = f"{FORMAT_VERSION} {data.identity} {classes} {most}"
    identity = hashlib.sha256(content.encode()).hexdigest()
    place = places.data_home() / f"{name}-{data.image_size}-{identity[:12]}"
    if (place / "meta.json").exists():
        return PreparedSet.open(place)
    make_folder(place.parent)
    with alone(place.with_name(place.name + ".lock"), f"{name} is being prepared by another process; wait for it."):
        if not (place / "meta.json").exists():
            _write(data, chosen, classes, name, identity, place)
    return PreparedSet.open(place)


def _rows(labels: np.ndarray, classes: list[int], most: int) -> np.ndarray:
    """The positions of the pictures of these classes, in their order; of each class the first `most` (0: all)."""
    rows = [np.flatnonzero(labels == label) for label in classes]
    return np.sort(np.concatenate([some[:most] if most else some for some in rows]))


def _write(
    data: PreparedSet, chosen: dict[str, np.ndarray], classes: list[int], name: str, identity: str, place: Path
) -> None:
    partial = place.with_name(place.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial)
    new_label = {old: new for new, old in enumerate(classes)}
    rows_per_shard = max(1, SHARD_BYTES // (data.image_size**2 * 3))
    labels: list[int] = []
    files: list[str] = []
    splits: dict[str, tuple[int, int]] = {}
    shards = ShardWriter(partial, data.image_size, rows_per_shard, 0)
    try:
        for split in (split for split in SPLITS if split in chosen):
            rows, images, names, old = chosen[split], data.images(split), data.files(split), data.labels(split)
            for first in range(0, len(rows), ROWS_AT_ONCE):
                shards.append(images[rows[first : first + ROWS_AT_ONCE]].tobytes())
            splits[split] = (len(labels), len(labels) + len(rows))
            labels += [new_label[int(old[row])] for row in rows]
            files += [names[row] for row in rows]
        shards.finish()
        with (partial / "labels.npy").open("wb") as file:
            np.save(file, np.array(labels, np.int64))
    except OSError as error:
        raise ExplorerError(f"{name} could not be written: {error.strerror or error}. Free some space.") from error
    finally:
        shards.close()
    names_of = [data.classes[label] for label in classes]
    write_whole(partial / "files.json", json.dumps(files, ensure_ascii=False).encode())
    write_whole(partial / "report.json", json.dumps({"bad_files": [], "duplicates": []}).encode())
    meta = {
        "format": FORMAT_VERSION,
        "name": name,
        "title": f"{data.title}: {', '.join(names_of)}",
        "classes": names_of,
        "image_size": data.image_size,
        "rows_per_shard": rows_per_shard,
        "splits": splits,
        "mean": data.mean,
        "std": data.std,
        "rgb_covariance": data.rgb_covariance,
        "source": data.source,
        "licence": data.licence,
        "mirrors": data.mirrors,
        "identity": identity,
    }
    write_whole(partial / "meta.json", json.dumps(meta, indent=1, ensure_ascii=False).encode())
    move_folder(partial, place)
