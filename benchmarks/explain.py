"""How long a person waits for an explanation: `python -m benchmarks.explain`.

Predictions and all maps of `alexnet` at 224 pixels with random weights (the numbers do not change the time), one
picture at a time, as the app asks for them. What Captum can be asked for as well is asked of it in turns, with the
settings that were fastest for it here: how many pictures it takes in one pass. Integrated gradients are timed with 50
steps by mean slopes, as the app takes them, and once more at 50 points, as Captum does. How complete their shares are,
and how far their map is from that of 500 points, is that of two bundled trained networks on photographs: the worst of
four. Asked of two cores: a prediction within 50 ms, every gradient method within 100 ms (of one pass: SmoothGrad and
its relatives are twenty), integrated gradients with 50 steps within 0.5 s and complete to 1 %, the first coarse
occlusion map after 0.2 s and the whole within 1.2 s and at least four times as fast as Captum's, KernelSHAP and LIME
with 500 samples within 2 s.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients, KernelShap, Lime, Occlusion
from PIL import Image
from sklearn.datasets import load_sample_image

from alexnet_core.insight.attribution import ATTRIBUTIONS, Value, attribute, refine_occlusion
from alexnet_core.insight.prediction import predict
from alexnet_core.insight.superpixels import superpixels
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from benchmarks.report import machine, spread, write

TARGET = 3
RUNS, SLOW_RUNS = 20, 5
SAMPLES = 500
IN_ONE_PASS = (25, 64, 112)
"""What is tried for Captum."""

ASKED_MS = {
    "prediction": 50,
    **dict.fromkeys(
        ("saliency", "input_x_gradient", "guided_backprop", "deconvolution", "grad_cam", "guided_grad_cam",
         "deep_lift", "lrp"), 100,
    ),
    "integrated_gradients": 500,
    "occlusion_first": 200,
    "occlusion": 1200,
    "kernel_shap": 2000,
    "lime": 2000,
}  # fmt: skip
ASKED = {"occlusion_times_captum": 4, "occlusion_fp32_difference": 1e-4, "integrated_gradients_missing": 0.01}

EXACT: dict[str, dict[str, Value]] = {
    "integrated_gradients": {"precision": "fp32"},
    "occlusion": {"precision": "fp32"},
}
"""What is timed in 32 bits, too."""

POINTS: dict[str, Value] = {"quadrature": "riemann_middle", "more": "off"}
"""Fifty points, as other programs take them, whatever they miss."""

FINE: dict[str, Value] = POINTS | {"steps": 500, "precision": "fp32"}
"""What is taken for the exact map."""

Work = Callable[[], object]


def main() -> None:
    """Time everything, print the table, keep the result as explain.json."""
    torch.manual_seed(0)
    network = Network("alexnet", frozen(build("alexnet", 1000)), tuple(map(str, range(1000))), Preprocessing(224, 256))
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    result: dict[str, Any] = {
        "command": "python -m benchmarks.explain",
        "what": "alexnet, 1000 classes, one picture of 640 x 480 prepared to 224 pixels",
        "machine": machine() | {"threads": torch.get_num_threads()},
        "asked_ms": ASKED_MS,
        "asked": ASKED,
    }
    rows = {"prediction": timed(lambda: predict(network, [picture]), RUNS)}
    peers = captums(network, picture)
    beside: dict[str, Any] = {}
    for name, method in ATTRIBUTIONS.items():
        ours = partial(attribute, network, picture, name, TARGET)
        if name in peers:
            best = fastest(peers[name])
            times = in_turns([ours, peers[name][best]], SLOW_RUNS)
            rows[name] = spread(times[0])
            ratios = [theirs / own for own, theirs in zip(*times, strict=True)]
            beside[name] = {"in_one_pass": best, "ms": spread(times[1]), "times_as_fast": spread(ratios)}
        else:
            rows[name] = timed(ours, SLOW_RUNS if method.slow else RUNS)
    at_points = partial(attribute, network, picture, "integrated_gradients", TARGET, settings=POINTS)
    rows["integrated_gradients_at_points"] = timed(at_points, SLOW_RUNS)
    rows["occlusion_first"] = timed(lambda: next(refine_occlusion(network, picture, TARGET)), RUNS)
    for name, settings in EXACT.items():
        rows[f"{name}_fp32"] = timed(partial(attribute, network, picture, name, TARGET, settings=settings), SLOW_RUNS)
    result |= {"ms": rows, "captum": beside, "found": exactness(network, picture)}
    show(result)
    write("explain", result)


def captums(network: Network, picture: Image.Image) -> dict[str, dict[int, Work]]:
    """What Captum is asked for, by how many pictures it takes in one pass."""
    image = network.preprocessing.tensor(picture)
    black = network.preprocessing.normalise(torch.zeros(1, 224, 224, 3, dtype=torch.uint8))
    pieces = torch.from_numpy(superpixels(np.asarray(network.preprocessing.crop(picture)), 50))[None, None]
    average = image.mean(dim=(2, 3), keepdim=True).expand_as(image)
    known = {"target": TARGET, "n_samples": SAMPLES, "baselines": average, "feature_mask": pieces.expand_as(image)}
    model = network.model
    way: dict[str, Any] = {"target": TARGET, "n_steps": 50, "method": "riemann_middle"}
    window: dict[str, Any] = {"sliding_window_shapes": (3, 15, 15), "strides": (3, 8, 8), "target": TARGET}
    asks: dict[str, Callable[[int], Work]] = {
        "integrated_gradients": lambda count: partial(
            IntegratedGradients(model).attribute, image, black, **way, internal_batch_size=count
        ),
        "occlusion": lambda count: partial(Occlusion(model).attribute, image, **window, perturbations_per_eval=count),
        "kernel_shap": lambda count: partial(KernelShap(model).attribute, image, **known, perturbations_per_eval=count),
        "lime": lambda count: partial(Lime(model).attribute, image, **known, perturbations_per_eval=count),
    }
    return {name: {count: ask(count) for count in IN_ONE_PASS} for name, ask in asks.items()}


def fastest(ways: dict[int, Work]) -> int:
    """The fastest of several ways, each tried once."""
    return min(ways, key=lambda count: in_turns([ways[count]], 1)[0][0])


def exactness(network: Network, picture: Image.Image) -> dict[str, float]:
    """How near to Captum the quick occlusion is, in both precisions, and how complete integrated gradients are."""
    image = network.preprocessing.tensor(picture)
    theirs = (
        Occlusion(network.model)
        .attribute(image, (3, 15, 15), strides=(3, 8, 8), target=TARGET, perturbations_per_eval=64)[0, :1]
        .numpy()
    )
    found = {"occlusion_largest": float(np.abs(theirs).max())}
    for precision in ("fp32", "fastest"):
        ours = attribute(network, picture, "occlusion", TARGET, settings={"precision": precision}).values
        found[f"occlusion_{precision}_difference"] = float(np.abs(ours - theirs).max())
    return found | completeness()


def completeness() -> dict[str, float]:
    """Of two photographs and the trained networks that come with the program, the most that integrated gradients'
    shares miss of the rise, and how far the map is from that of 500 points at most, as a share of that one's length;
    both by mean slopes and at points; and how far the fastest precision is from 32 bits, as a share of the largest
    value."""
    found: dict[str, float] = {}
    for run in ("alexnet-mini-cifar10", "alexnet-narrow-imagenette"):
        network = RunDirectory.find(run).network()
        for name in ("china.jpg", "flower.jpg"):
            photograph = Image.fromarray(load_sample_image(name))
            ask = partial(attribute, network, photograph, "integrated_gradients")
            exact, slopes = ask(settings=FINE).values, ask()
            for key, one in (("missing", slopes), ("points_missing", ask(settings=POINTS))):
                missing = abs(float(one.facts["convergence_delta"]) / float(one.facts["rise"]))
                away = float(np.linalg.norm(one.values - exact) / np.linalg.norm(exact))
                for fact, value in ((key, missing), (key.replace("missing", "away"), away)):
                    found[fact] = max(found.get(fact, 0.0), value)
            in_32_bits = ask(settings=EXACT["integrated_gradients"]).values
            difference = float(np.abs(slopes.values - in_32_bits).max() / np.abs(in_32_bits).max())
            found["fastest_difference"] = max(found.get("fastest_difference", 0.0), difference)
    return {f"integrated_gradients_{key}": value for key, value in found.items()}


def show(result: dict[str, Any]) -> None:
    """Print what was asked beside what was measured."""
    print(f"{'ms':<32}{'median':>9}{'least':>10}{'largest':>10}{'runs':>6}{'asked':>10}{'Captum':>10}{'times':>8}")
    for name, row in result["ms"].items():
        asked = f"{ASKED_MS[name]:,}" if name in ASKED_MS else ""
        text = (
            f"{name:<32}{row['median']:>9,.1f}{row['least']:>10,.1f}{row['largest']:>10,.1f}{row['runs']:>6}{asked:>10}"
        )
        if name in result["captum"]:
            peer = result["captum"][name]
            text += f"{peer['ms']['median']:>10,.0f}{peer['times_as_fast']['median']:>8.1f}"
        print(text)
    for name, value in result["found"].items():
        print(f"{name.replace('_', ' ')}: {value:.2g}" + (f", asked {ASKED[name]:g}" if name in ASKED else ""))


def timed(work: Work, runs: int) -> dict[str, float | int]:
    """The spread of `runs` calls in ms, after one that is not counted."""
    work()
    return spread(in_turns([work], runs)[0])


def in_turns(works: Sequence[Work], runs: int) -> list[list[float]]:
    """The time of each work in ms, `runs` times, one after the other in turns, so that all meet the same machine."""
    times: list[list[float]] = [[] for _ in works]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum's remarks
        for _ in range(runs):
            for work, taken in zip(works, times, strict=True):
                started = time.perf_counter()
                work()
                taken.append(1000 * (time.perf_counter() - started))
    return times


if __name__ == "__main__":
    main()
