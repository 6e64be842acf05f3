"""Pieces of the picture switched on and off: which of them the score needs."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch

from alexnet_core.insight.attribution.baselines import baselines
from alexnet_core.insight.attribution.behind_first import BehindFirst, behind_first
from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.superpixels import superpixels
from alexnet_core.precision import name_of

if TYPE_CHECKING:
    from sklearn.linear_model import Lasso, LinearRegression

PIECES = Setting(
    "segments", "Pieces", "Into about how many pieces of like colour the picture is cut. More show finer detail and "
    "need more samples.", 50, least=4, most=300,
)  # fmt: skip
HIDDEN = Setting(
    "baseline", "Hidden by", "What stands where a piece is switched off: the picture's average colour, the picture "
    "blurred, black or white.", "average", choices=("average", "blurred", "black", "white"),
)  # fmt: skip
MASKS = Setting(
    "samples", "Samples", "How many pictures with pieces switched off at random the network is shown.", 500,
    least=20, most=5000,
)  # fmt: skip
PRECISION = Setting(
    "precision", "Precision", "Fastest: half precision where this machine multiplies faster in it, which changes the "
    "map by little. fp32: as exact as Captum.", "fastest", choices=("fastest", "fp32"),
)  # fmt: skip
STRICTNESS = Setting(
    "alpha", "Strictness", "How much a piece must contribute to count at all (the Lasso's alpha); 0.01 is Captum's.",
    0.01, least=0.0001, most=1.0,
)  # fmt: skip

PICTURES_AT_ONCE = 50
"""In one pass at 224 pixels in 16 bits, half as many in 32; fewer of larger ones. Twice as many were no faster, and
took memory anew at each pass."""

PIECES_AT_ONCE = 25
"""In one pass of the first convolution."""

MOST_BEHIND = 128 * 2**20
"""Bytes that what all pieces give behind the first convolution may take: 50 of alexnet at 224 pixels take 20 or 39 MB.
Where they would take more, whole pictures pass."""

CERTAIN = 1e6
"""The weight of the whole picture and of the empty one, in place of infinity: Captum's."""

KERNEL_WIDTH = 1.0
"""Of LIME's weight of a sample by its likeness to the picture: Captum's."""


def feature_ablation(task: Task) -> tuple[torch.Tensor, Facts]:
    """How far the score falls when one piece is switched off."""
    pieces = _pieces(task)
    count = int(pieces.max()) + 1
    masks = torch.cat([torch.ones(1, count), 1 - torch.eye(count)])
    scores = _scores(task, masks.bool(), pieces, torch.float32)
    return _map(scores[0] - scores[1:], pieces, task), {"segments": count, "hidden_by": task.text("baseline")}


def kernel_shap(task: Task) -> tuple[torch.Tensor, Facts]:
    """Shapley values of the pieces by weighted least squares over random sets of them, as Captum draws them."""
    from sklearn.linear_model import LinearRegression  # takes two seconds to import

    pieces = _pieces(task)
    count, samples = int(pieces.max()) + 1, task.number("samples")
    masks = coalitions(count, samples, task.chance())
    scores = _scores(task, masks, pieces, task.kind)
    chosen = masks.sum(dim=1)
    weights = torch.where((chosen == 0) | (chosen == count), CERTAIN, 1.0)
    found = _fitted(LinearRegression(), masks, scores, weights)
    rise = float(scores[0] - scores[1])
    facts: Facts = {"segments": count, "samples": samples, "hidden_by": task.text("baseline"), "rise": rise}
    return _map(found, pieces, task), facts | {
        "convergence_delta": float(found.sum()) - rise,
        "precision": name_of(task.kind),
    }


def lime(task: Task) -> tuple[torch.Tensor, Facts]:
    """A sparse linear model of the score near the picture: a Lasso over random sets of pieces, weighted by likeness."""
    from sklearn.linear_model import Lasso  # takes two seconds to import

    pieces = _pieces(task)
    count, samples = int(pieces.max()) + 1, task.number("samples")
    chance = task.chance()
    half = torch.full((1, count), 0.5)
    masks = torch.cat([torch.bernoulli(half, generator=chance) for _ in range(samples)]).bool()
    scores = _scores(task, masks, pieces, task.kind)
    weights = torch.exp(-((1 - likeness(task, masks, pieces)) ** 2) / (2 * KERNEL_WIDTH**2))
    found = _fitted(Lasso(alpha=task.real("alpha")), masks, scores, weights)
    facts: Facts = {"segments": count, "samples": samples, "hidden_by": task.text("baseline")}
    return _map(found, pieces, task), facts | {
        "pieces_that_count": int(found.count_nonzero()),
        "precision": name_of(task.kind),
    }


def coalitions(count: int, samples: int, chance: torch.Generator) -> torch.Tensor:
    """The sets of pieces that are shown: bool (samples, count). First all and none, then sets whose size has the odds
    of the Shapley kernel (Lundberg and Lee 2017, theorem 2), drawn one by one in Captum's order."""
    sizes = torch.arange(count, dtype=torch.float)
    odds = (count - 1) / (sizes * (count - sizes))
    odds[0] = 0.0
    rows = [torch.ones(1, count, dtype=torch.bool), torch.zeros(1, count, dtype=torch.bool)]
    while len(rows) < samples:
        size = int(torch.multinomial(odds, 1, replacement=True, generator=chance))
        values = torch.randn(1, count, generator=chance)
        rows.append(values > torch.kthvalue(values, count - size).values)
    return torch.cat(rows[:samples])


def pieces_of(task: Task, wanted: int) -> torch.Tensor:
    """The piece of each pixel, int64 (S, S), on the picture's device."""
    pixels = task.network.preprocessing.denormalise(task.image.detach())[0].cpu().numpy()
    return torch.from_numpy(superpixels(pixels, wanted)).to(task.image.device)


def _pieces(task: Task) -> torch.Tensor:
    return pieces_of(task, task.number("segments"))


def _fitted(
    model: "LinearRegression | Lasso", masks: torch.Tensor, scores: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """The coefficient of each piece. Scores that are not finite, which scikit-learn refuses, make a map of NaN, which
    is named as such where all maps are."""
    if not bool(torch.isfinite(scores).all()):
        return torch.full((masks.shape[1],), torch.nan)
    known = (part.double().cpu().numpy() for part in (masks, scores, weights))
    return torch.from_numpy(model.fit(*known).coef_)


def likeness(task: Task, masks: torch.Tensor, pieces: torch.Tensor) -> torch.Tensor:
    """The cosine of the angle between the picture and each one with pieces hidden: bool (n, pieces) -> float64 (n,),
    on the processor. Products of pictures are sums over pieces, so no picture has to be made."""
    shown, hidden = (picture[0].cpu().double() for picture in (task.image, baselines(task)))
    places = pieces.flatten().cpu()

    def product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.bincount(places, (one * other).sum(dim=0).flatten(), masks.shape[1])

    kept = masks.double()
    own, covered, mixed = product(shown, shown), product(hidden, hidden), product(hidden, shown)
    lengths = (kept @ own + (1 - kept) @ covered).sqrt() * own.sum().sqrt()
    return (kept @ own + (1 - kept) @ mixed) / lengths.clamp(min=1e-12)


def _scores(task: Task, masks: torch.Tensor, pieces: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """The score of the picture with the pieces of each mask: bool (n, pieces) -> float32 (n,)."""
    size = task.image.shape[-1]
    at_once = max(1, PICTURES_AT_ONCE * 2 * 224**2 // (kind.itemsize * max(224**2, size**2)))
    found = []
    with torch.no_grad():
        scored = _scored(task, pieces, masks.shape[1], kind)
        for start in range(0, len(masks), at_once):
            found.append(scored(masks[start : start + at_once].to(task.image.device)))
            task.progress(min(1.0, (start + at_once) / len(masks)))
    return torch.cat(found)


def _scored(task: Task, pieces: torch.Tensor, count: int, kind: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
    """What gives the scores of masks, bool (n, count) -> float32 (n,)."""
    parts = behind_first(task)
    if parts is not None:
        bare = parts.value(baselines(task))
        if count * bare.numel() * kind.itemsize <= MOST_BEHIND:
            return _scored_behind(task, parts, bare, pieces, count, kind)
    return partial(_scored_whole, task, pieces, kind)


def _scored_behind(
    task: Task, parts: BehindFirst, bare: torch.Tensor, pieces: torch.Tensor, count: int, kind: torch.dtype
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Each mask is a sum of what the pieces it keeps add to `bare`, (1, C, H, W), what the hidden picture gives behind
    the first convolution."""
    change = task.image - baselines(task)
    numbers = torch.arange(count, device=pieces.device)[:, None, None, None]
    added = torch.empty(count, bare[0].numel(), dtype=kind, device=bare.device)
    # Each part into its place: joined at the end they would lie in memory twice.
    for some, place in zip(numbers.split(PIECES_AT_ONCE), added.split(PIECES_AT_ONCE), strict=True):
        place.copy_(_rows(parts.change(change * (pieces == some)), kind))
    start, rest = _rows(bare, kind), parts.rest_in(kind)
    _, channels, high, wide = bare.shape

    def scored(masks: torch.Tensor) -> torch.Tensor:
        value = torch.addmm(start, masks.to(kind), added)  # (n, H * W * C)
        answers = rest(value.view(-1, high, wide, channels).permute(0, 3, 1, 2))
        return task.score.of(answers)[:, 0].float()

    return scored


def _rows(maps: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """(n, C, H, W) -> (n, H * W * C)."""
    return maps.permute(0, 2, 3, 1).flatten(1).to(kind)


def _scored_whole(task: Task, pieces: torch.Tensor, kind: torch.dtype, masks: torch.Tensor) -> torch.Tensor:
    """Each picture passes as a whole."""
    kept = masks[:, pieces][:, None]  # (n, 1, S, S)
    pictures = torch.where(kept, task.image, baselines(task)).contiguous(memory_format=torch.channels_last)
    with torch.autocast(pictures.device.type, kind, enabled=kind != torch.float32):
        return task.score(pictures)[:, 0].float()


def _map(values: torch.Tensor, pieces: torch.Tensor, task: Task) -> torch.Tensor:
    """The value of each piece, drawn: (pieces,) -> (1, 1, S, S)."""
    return values.to(task.image.device, torch.float32)[pieces][None, None]
