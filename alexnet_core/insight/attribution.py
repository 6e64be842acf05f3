"""Which pixels speak for a class: attribution maps, every number computed by Captum.

`ATTRIBUTIONS` is the table of methods, each with what its map can and cannot say; `attribute` computes one of them.
All methods explain the logit of the target class, not its probability, which also falls when another class rises.
"""

import difflib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion, Saliency
from PIL import Image
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.prediction import logits
from alexnet_core.models import Network

Facts = dict[str, float | int | str]
Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""


@dataclass(frozen=True)
class Task:
    """What a method is asked to explain."""

    network: Network
    image: torch.Tensor
    """The preprocessed picture, (1, 3, S, S), on the network's device; its own copy, which a method may change."""
    target: int
    progress: Progress

    def black(self) -> torch.Tensor:
        """The black picture, preprocessed, (1, 3, S, S): zeros here would be the mean colour, a grey."""
        size = self.network.preprocessing.size
        pixels = torch.zeros(1, size, size, 3, dtype=torch.uint8, device=self.image.device)
        return self.network.preprocessing.normalise(pixels)

    def counting(
        self, model: Callable[[torch.Tensor], torch.Tensor], images: int
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """`model`, reporting how many of `images` pictures have passed."""
        passed = 0

        def forward(batch: torch.Tensor) -> torch.Tensor:
            nonlocal passed
            answers = model(batch)
            passed += len(batch)
            self.progress(min(1.0, passed / images))
            return answers

        return forward


@dataclass(frozen=True)
class Method:
    """One line of the table of attribution methods."""

    title: str
    computes: str
    """One sentence: what is computed."""
    says: str
    """What the map can say."""
    silent_on: str
    """What the map cannot say."""
    paper: str
    signed: bool
    """Whether the sign of a value means for (+) and against (-) the class. Where it does not, the map is drawn as
    magnitudes."""
    compute: Callable[[Task], tuple[torch.Tensor, Facts]]
    """Task -> values (1, 3 or 1, S, S) and what is worth knowing about them."""


@dataclass(frozen=True)
class Attribution:
    """A map in the coordinates of the preprocessed picture."""

    method: str
    target: int
    target_name: str
    values: np.ndarray
    """float32 (3, S, S), one value a colour value, or (1, S, S), one a pixel. Units: logits per normalised colour step
    for saliency, logits for integrated gradients and occlusion, Grad-CAM's own for Grad-CAM."""
    facts: Facts = field(default_factory=dict)
    """`seconds`, and by method `convergence_delta`, `layer`, `window`, ..."""


def attribute(
    network: Network,
    picture: Image.Image,
    method: str,
    target: int | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """Explain by `method` what speaks for the class `target` in `picture`; without one, for the class predicted.

    Leaves no hook, gradient or changed mode on the network, also when it fails. Not safe for two threads at once on
    one network: Captum hooks it. Raises ExplorerError for an unknown method or class and for a map that is not finite.
    """
    entry = find_method(method)
    if target is None:
        target = int(logits(network, [picture]).argmax())
    elif not 0 <= target < len(network.classes):
        raise ExplorerError(f"There is no class number {target}; this network has 0 to {len(network.classes) - 1}.")
    device = next(network.model.parameters()).device
    image = network.preprocessing.tensor(picture).to(device)
    started = time.perf_counter()
    with evaluating(network.model):
        values, facts = entry.compute(Task(network, image, target, progress or _unheard))
    facts["seconds"] = time.perf_counter() - started
    if not bool(torch.isfinite(values).all()):
        raise ExplorerError(
            f"The {entry.title} map holds values that are not numbers: the network's answers grow beyond what can be "
            "computed. Choose another network."
        )
    return Attribution(method, target, network.classes[target], values[0].detach().float().cpu().numpy(), facts)


def find_method(name: str) -> Method:
    """The method called `name`. Raises ExplorerError, naming the ones there are."""
    if name not in ATTRIBUTIONS:
        raise ExplorerError(f"There is no method called {name!r:.80}. Choose one of: {', '.join(ATTRIBUTIONS)}.")
    return ATTRIBUTIONS[name]


def find_class(network: Network, text: str) -> int:
    """The number of the class that `text` names: its exact name, its name in other letters' case, or its number.

    A class called "7" wins over the class with number 7. Raises ExplorerError for a class that does not exist, with a
    few near names, and for a name that two classes share, with their numbers.
    """
    wanted = text.strip()
    folded = [name.casefold() for name in network.classes]
    for names, key in ((list(network.classes), wanted), (folded, wanted.casefold())):
        found = [index for index, name in enumerate(names) if name == key]
        if len(found) > 1:
            raise ExplorerError(
                f"{len(found)} classes are called {wanted!r:.80}; give the number of one: {', '.join(map(str, found))}."
            )
        if found:
            return found[0]
    if wanted.isascii() and wanted.isdigit() and int(wanted[:9]) < len(network.classes):
        return int(wanted)
    near = difflib.get_close_matches(wanted.casefold(), folded, n=4, cutoff=0.5)
    known = [network.classes[folded.index(name)] for name in near] or list(network.classes[:4])
    raise ExplorerError(
        f"This network has no class {wanted!r:.80}. {'Near names' if near else 'Some it has'}: {', '.join(known)}. "
        f"A number from 0 to {len(network.classes) - 1} works, too."
    )


def saliency(task: Task) -> tuple[torch.Tensor, Facts]:
    """The gradient itself, sign and all: a linear model's map is its weights. Drawn, it becomes a magnitude."""
    image = task.image.requires_grad_()  # else Captum warns and sets it
    return Saliency(task.network.model).attribute(image, target=task.target, abs=False), {}


STEPS = 50
"""Points on the way from black to the picture, Captum's default; the convergence delta tells whether it was enough."""

STEPS_AT_ONCE = 25
"""In one pass: all 50 at once are no faster on a processor and take twice the memory."""


def integrated_gradients(task: Task) -> tuple[torch.Tensor, Facts]:
    """From black to the picture; the values add up to the logit's rise, but for the convergence delta."""
    model = task.counting(task.network.model, STEPS + 2)
    values, delta = IntegratedGradients(model).attribute(
        task.image,
        baselines=task.black(),
        target=task.target,
        n_steps=STEPS,
        internal_batch_size=STEPS_AT_ONCE,
        return_convergence_delta=True,
    )
    return values, {"baseline": "black", "n_steps": STEPS, "convergence_delta": float(delta)}


def grad_cam(task: Task) -> tuple[torch.Tensor, Facts]:
    """On the last convolution's map after its ReLU, enlarged to the picture bilinearly."""
    name, layer = last_map(task.network.model, task.image)
    image = task.image.requires_grad_()  # frozen weights: without it nothing would have a gradient
    small = LayerGradCam(task.network.model, layer).attribute(image, target=task.target, relu_attributions=True)
    assert isinstance(small, torch.Tensor)
    height, width = small.shape[-2:]
    size = task.network.preprocessing.size
    values = LayerAttribution.interpolate(small, (size, size), interpolate_mode="bilinear")
    return values, {"layer": name, "map": f"{height} x {width}"}


def last_map(model: nn.Module, image: torch.Tensor) -> tuple[str, nn.Module]:
    """The layer that puts out the last convolution's map after all that follows without changing height and width:
    `features.11`, the ReLU, in AlexNet; the end of the last block in networks with shortcuts or branches.

    Raises ExplorerError when no convolution puts out a map larger than 1 x 1.
    """
    seen: list[tuple[str, nn.Module, tuple[int, ...]]] = []

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            seen.append((name, module, tuple(output.shape[2:])))

        return module.register_forward_hook(hook)

    handles = [watch(name, module) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    # Squeeze-and-excitation computes its weights with convolutions on 1 x 1 maps; they say nothing about places.
    sizes = [shape for _, module, shape in seen if isinstance(module, nn.Conv2d) and max(shape) > 1]
    if not sizes:
        raise ExplorerError("This network has no map with places in it; Grad-CAM needs one larger than 1 x 1.")
    *_, (name, layer, _) = (step for step in seen if step[2] == sizes[-1])
    return name, layer


def occlusion(task: Task) -> tuple[torch.Tensor, Facts]:
    """How far the logit falls when a square is covered with the mean colour; 15 x 15 in steps of 8 at 224 pixels.

    Captum moves the window over a mask of one channel that is multiplied with the picture (whose mean colour is 0): the
    same differences as with a window through all three colours, at a third of its cost. Channels last, and many windows
    in one pass, make the rest: one by one, 28 x 28 windows take a minute or more.
    """
    size = task.network.preprocessing.size
    window, stride = max(2, round(size * 15 / 224)), max(1, round(size * 8 / 224))
    windows = (-(-(size - window) // stride) + 1) ** 2
    at_once = max(1, min(WINDOWS_AT_ONCE, PIXELS_AT_ONCE // size**2))

    def covered(mask: torch.Tensor) -> torch.Tensor:
        return task.network.model((task.image * mask).contiguous(memory_format=torch.channels_last))

    values = Occlusion(task.counting(covered, windows + 1)).attribute(
        torch.ones_like(task.image[:, :1]),  # (1, 1, S, S)
        sliding_window_shapes=(1, window, window),
        strides=(1, stride, stride),
        target=task.target,
        perturbations_per_eval=at_once,
    )
    return values, {"window": window, "stride": stride, "windows": windows, "cover": "mean colour"}


WINDOWS_AT_ONCE = 112
"""In one pass: where it was fastest on two cores, with progress to show after each."""

PIXELS_AT_ONCE = WINDOWS_AT_ONCE * 224**2
"""The same limit for larger pictures, so that their maps take no more memory than those of 112 at 224 pixels."""


def _unheard(share: float) -> None:
    """Progress that nobody listens to."""


ATTRIBUTIONS: dict[str, Method] = {
    "saliency": Method(
        title="Saliency",
        computes="The gradient of the class's logit with respect to every colour value of the picture.",
        says="Where a tiny change of colour would move the answer most.",
        silent_on="What in the picture made the answer: pixels can matter although changing them slightly does not. "
        "The map is noisy, and partly an edge detector.",
        paper="Simonyan, Vedaldi, Zisserman 2013, arXiv:1312.6034, section 3",
        signed=False,
        compute=saliency,
    ),
    "integrated_gradients": Method(
        title="Integrated gradients",
        computes="The picture minus black, times the gradient averaged over 50 steps from black to the picture.",
        says="How the rise of the logit from a black picture to this one is shared out over the pixels; "
        "the shares add up.",
        silent_on="What black parts contribute: they equal the baseline and get nothing. "
        "Another baseline gives another map.",
        paper="Sundararajan, Taly, Yan 2017, arXiv:1703.01365, section 3",
        signed=True,
        compute=integrated_gradients,
    ),
    "grad_cam": Method(
        title="Grad-CAM",
        computes="The last convolution's maps, weighted by their mean gradients, added up, and cut off below zero.",
        says="In which region the last convolution found what speaks for the class.",
        silent_on="Fine detail, for the map has only a few rows and columns; "
        "and what speaks against the class, which is cut off.",
        paper="Selvaraju et al. 2017, arXiv:1610.02391, section 3",
        signed=False,
        compute=grad_cam,
    ),
    "occlusion": Method(
        title="Occlusion",
        computes="How far the class's logit falls when a small grey square covers that place.",
        says="What really happens to the answer when a part is hidden; below zero, hiding it helps the class.",
        silent_on="Parts that can stand in for each other: hiding one of two eyes may change nothing. "
        "The square itself is a shape the network never saw.",
        paper="Zeiler, Fergus 2013, arXiv:1311.2901, section 4.2",
        signed=True,
        compute=occlusion,
    ),
}
"""The methods by the names that commands, addresses and caches use."""
