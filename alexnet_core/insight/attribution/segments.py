"""Pieces of the picture switched on and off: which of them the score needs."""

from collections.abc import Callable

import torch
from sklearn.linear_model import Lasso, LinearRegression

from alexnet_core.insight.attribution.baselines import baselines
from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.precision import fastest
from alexnet_core.insight.superpixels import superpixels

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

PICTURES_AT_ONCE = 100
"""In one pass at 224 pixels; fewer of larger ones."""

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
    pieces = _pieces(task)
    count, samples = int(pieces.max()) + 1, task.number("samples")
    masks = coalitions(count, samples, task.chance())
    scores = _scores(task, masks, pieces, _kind(task))
    chosen = masks.sum(dim=1)
    weights = torch.where((chosen == 0) | (chosen == count), CERTAIN, 1.0)
    found = _fitted(LinearRegression(), masks, scores, weights)
    rise = float(scores[0] - scores[1])
    facts: Facts = {"segments": count, "samples": samples, "hidden_by": task.text("baseline"), "rise": rise}
    return _map(found, pieces, task), facts | {
        "convergence_delta": float(found.sum()) - rise,
        "precision": _named(_kind(task)),
    }


def lime(task: Task) -> tuple[torch.Tensor, Facts]:
    """A sparse linear model of the score near the picture: a Lasso over random sets of pieces, weighted by likeness."""
    pieces = _pieces(task)
    count, samples = int(pieces.max()) + 1, task.number("samples")
    chance = task.chance()
    half = torch.full((1, count), 0.5)
    masks = torch.cat([torch.bernoulli(half, generator=chance) for _ in range(samples)]).bool()
    likeness: list[torch.Tensor] = []
    whole = task.image.flatten()

    def look(pictures: torch.Tensor) -> None:
        likeness.append(torch.cosine_similarity(pictures.flatten(1), whole[None], dim=1))

    scores = _scores(task, masks, pieces, _kind(task), look)
    weights = torch.exp(-((1 - torch.cat(likeness)) ** 2) / (2 * KERNEL_WIDTH**2))
    found = _fitted(Lasso(alpha=task.real("alpha")), masks, scores, weights)
    facts: Facts = {"segments": count, "samples": samples, "hidden_by": task.text("baseline")}
    return _map(found, pieces, task), facts | {
        "pieces_that_count": int(found.count_nonzero()),
        "precision": _named(_kind(task)),
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
    model: LinearRegression | Lasso, masks: torch.Tensor, scores: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """The coefficient of each piece. Scores that are not finite, which scikit-learn refuses, make a map of NaN, which
    is named as such where all maps are."""
    if not bool(torch.isfinite(scores).all()):
        return torch.full((masks.shape[1],), torch.nan)
    known = (part.double().cpu().numpy() for part in (masks, scores, weights))
    return torch.from_numpy(model.fit(*known).coef_)


def _kind(task: Task) -> torch.dtype:
    return torch.float32 if task.text("precision") == "fp32" else fastest(task.image.device)


def _named(kind: torch.dtype) -> str:
    return "fp32" if kind == torch.float32 else "bf16"


def _scores(
    task: Task,
    masks: torch.Tensor,
    pieces: torch.Tensor,
    kind: torch.dtype,
    look: Callable[[torch.Tensor], None] | None = None,
) -> torch.Tensor:
    """The score of the picture with the pieces of each mask: bool (n, pieces) -> float32 (n,). `look` is shown the
    pictures, (m, 3, S, S) at a time."""
    hidden, image, score = baselines(task), task.image, task.score
    size = image.shape[-1]
    at_once = max(1, PICTURES_AT_ONCE * 224**2 // max(224**2, size**2))
    found = []
    with torch.no_grad(), torch.autocast(image.device.type, kind, enabled=kind != torch.float32):
        for start in range(0, len(masks), at_once):
            kept = masks[start : start + at_once].to(image.device)[:, pieces][:, None]  # (m, 1, S, S)
            pictures = torch.where(kept, image, hidden)
            if look is not None:
                look(pictures)
            found.append(score(pictures.contiguous(memory_format=torch.channels_last))[:, 0].float())
            task.progress(min(1.0, (start + at_once) / len(masks)))
    return torch.cat(found)


def _map(values: torch.Tensor, pieces: torch.Tensor, task: Task) -> torch.Tensor:
    """The value of each piece, drawn: (pieces,) -> (1, 1, S, S)."""
    return values.to(task.image.device, torch.float32)[pieces][None, None]
