"""Twelve people who explain pictures at once: `python -m benchmarks.twelve`.

Twelve threads, as twelve sessions of the app, ask one shared `alexnet` at 224 pixels (random weights; the numbers do
not change the time), each about a picture of its own: first the five classes, then the maps that the page shows
without a click, then one slow one. Every map must equal the one computed alone. Asked: at most 400 MB more at the
peak than the server holds once the network is loaded and used; the peak of one person alone is told, too. Then all
twelve ask one same question at once.
"""
# ruff: noqa: E402

import io
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from app.memory import share_heaps

share_heaps()  # as the app does: MKL asks once, when torch is loaded, whether it may keep buffers

import numpy as np
import psutil
import torch
from PIL import Image

from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from app import answers, session
from app.answers import Asked, Watching
from app.explaining.compare import methods_at_first
from app.session import Picture, SharedNetwork
from benchmarks.report import machine, spread, write

PEOPLE = 12
ASKED_MB = 400
SLOW_TARGET, TARGET = 3, 7
LOOK_SECONDS = 0.01
"""Between two looks at the memory."""


def main() -> None:
    """Serve one, then twelve, compare, print, keep the result as twelve.json."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["ALEXNET_HOME"] = home
        torch.manual_seed(0)
        model = frozen(build("alexnet", 1000))
        shared = SharedNetwork(
            "alexnet", Network("alexnet", model, tuple(map(str, range(1000))), Preprocessing(224, 256))
        )
        people = [brought(seed) for seed in range(PEOPLE)]
        fast = [name for name in methods_at_first() if not ATTRIBUTIONS[name].slow]
        slow = next(name for name in methods_at_first() + list(ATTRIBUTIONS) if ATTRIBUTIONS[name].slow)
        serve(shared, brought(PEOPLE), fast)
        before = memory()
        with Peak() as alone:
            serve(shared, brought(PEOPLE + 1), [*fast, slow])
        with Peak() as peak, ThreadPoolExecutor(PEOPLE) as pool:
            started = time.perf_counter()
            served = list(pool.map(lambda picture: serve(shared, picture, [*fast, slow]), people))
            seconds = time.perf_counter() - started
        wrong = sum(not right(shared, one) for person in served for one in person.asked)
        same = same_question(shared, brought(PEOPLE + 2), slow)
    waits = [person.seconds for person in served]
    result = {
        "command": "python -m benchmarks.twelve",
        "what": f"{PEOPLE} sessions, one alexnet at 224 pixels, one picture each: five classes, "
        f"{', '.join(fast)}, then {slow}",
        "machine": machine() | {"threads": torch.get_num_threads()},
        "maps": sum(len(person.asked) for person in served),
        "wrong_maps": wrong,
        "one_more_memory_mb": round(alone.mb - before, 1),
        "more_memory_mb": round(peak.mb - before, 1),
        "more_memory_than_one_mb": round(peak.mb - alone.mb, 1),
        "asked_mb": ASKED_MB,
        "all_served_s": round(seconds, 2),
        "first_map_s": spread([person.first for person in served], 2),
        "person_served_s": spread(waits, 2),
        "longest_line_told": max(person.longest_line for person in served),
        "same_question": same,
    }
    print(
        f"{result['maps']} maps, {wrong} wrong; memory: one person alone takes "
        f"{result['one_more_memory_mb']} MB, all {result['more_memory_mb']} MB (asked: at most {ASKED_MB})"
    )
    for title, values in (("First map", [person.first for person in served]), ("All maps", waits)):
        print(f"{title} after {statistics.median(values):.2f} s (median), {max(values):.2f} s (longest)")
    print(f"Longest line told: {result['longest_line_told']}; one same question: {same}")
    write("twelve", result)


class Served:
    """What one person asked and waited for."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.first = 0.0
        self.seconds = 0.0
        self.longest_line = 0


def serve(shared: SharedNetwork, picture: Picture, methods: list[str]) -> Served:
    """One session: the classes, then map after map, as the page asks for them."""
    served, started = Served(), time.perf_counter()

    def told(sentence: str) -> None:
        numbers = [int(word) for word in sentence.split() if word.isdigit()]
        served.longest_line = max(served.longest_line, *numbers, 0)

    answers.top(shared, picture)
    for method in methods:
        asked = Asked(shared, picture, method, TARGET)
        answers.explained(asked, Watching(lambda _: None, told))
        served.asked.append(asked)
        served.first = served.first or time.perf_counter() - started
    served.seconds = time.perf_counter() - started
    return served


def right(shared: SharedNetwork, asked: Asked) -> bool:
    """Whether what was computed among others is what comes out alone."""
    kept = answers.known(asked)
    alone = attribute(shared.network, asked.picture.image, asked.method, asked.target)
    return kept is not None and np.allclose(
        kept.values, alone.values, rtol=1e-3, atol=1e-3 * np.abs(alone.values).max()
    )


def same_question(shared: SharedNetwork, picture: Picture, method: str) -> dict[str, float | int]:
    """All ask for one same map at the same moment; how often it was computed."""
    asked = Asked(shared, picture, method, SLOW_TARGET)
    with ThreadPoolExecutor(PEOPLE) as pool:
        started = time.perf_counter()
        maps = list(pool.map(lambda _: answers.explained(asked), range(PEOPLE)))
        seconds = time.perf_counter() - started
    return {"computed": len({id(one) for one in maps}), "seconds": round(seconds, 2)}


def brought(seed: int) -> Picture:
    """A photograph of noise that a person uploaded."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return session.brought(file.getvalue(), f"person {seed}.jpg")


def memory() -> float:
    """What this process holds, in MB."""
    return psutil.Process().memory_info().rss / 1e6


class Peak:
    """The most memory that the process held while the block ran."""

    def __init__(self) -> None:
        self.mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.mb = max(self.mb, memory())

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()


if __name__ == "__main__":
    main()
