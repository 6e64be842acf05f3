"""Named sets of settings, and the choice of what a person left open."""

import math
from dataclasses import dataclass
from typing import Any

from alexnet_core.errors import ExplorerError
from alexnet_core.models import check_image_size, find_model
from alexnet_core.training.config import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """A set of settings with a name."""

    title: str
    about: str
    settings: dict[str, Any]


QUICK = Recipe(
    "Quick",
    "Learns in a minute or two on a laptop: AdamW, a learning rate that rises and falls once, and pictures changed "
    "only a little, for in few passes there is little to learn by heart.",
    {
        "optimizer": "adamw",
        "lr": 3e-3,
        "weight_decay": 0.05,
        "schedule": "one_cycle",
        "dropout": 0.1,
        "translate": 0.05,
        "colour": 0.0,
    },
)
"""`alexnet train --data digits`: 98 to 99 % of the test images right, half a minute after pressing return on two cores
with 16-bit units, two and a half on two with AVX2 alone (benchmarks/train.py)."""

_RECORD = {
    "batch_size": 250,
    "optimizer": "muon",
    "momentum": 0.6,
    "schedule": "one_cycle",
    "label_smoothing": 0.1,
    "dropout": 0.0,
    "whiten": True,
    "freeze_first": True,
    "colour": 0.0,
}

SPRINT = Recipe(
    "Sprint",
    "For seconds, on photographs of 32 pixels such as CIFAR-10's: a small network, whitened first filters, two passes.",
    {
        **_RECORD,
        "model": "alexnet_sprint",
        "epochs": 2,
        "lr": 0.11,
        "label_smoothing": 0.05,
        "schedule": "triangle",
        "bias_lr": 16.0,
        "identity": True,
        "translate": 0.0,
    },
)
"""`alexnet train --data cifar10-jpeg.zip --size 32 --recipe sprint`: 24.4 % test error after 6 s of training on two
cores with 16-bit units of full width (AMD EPYC, Zen 5; see benchmarks/records.py). As it was before, 24.5 %, those of
half the width took twice as long; two with AVX2 alone took 44 s before it became narrower."""

LAP = Recipe(
    "Lap",
    "For a minute or two, on photographs of 32 pixels: a wider network, more passes, pictures that are shifted.",
    {
        **_RECORD,
        "model": "alexnet_lap",
        "epochs": 4,
        "views": "ten",
        "lr": 0.1,
        "schedule": "triangle",
        "bias_lr": 32.0,
        "identity": True,
        "translate": 0.03125,
    },
)
"""`alexnet train --data cifar10-jpeg.zip --size 32 --recipe lap`: 17.9 % test error after 28 s of training on two cores
with 16-bit units of full width (AMD EPYC, Zen 5; see benchmarks/records.py). As it was before, 18.1 %, those of half
the width took twice as long, and two with AVX2 alone three minutes."""

DISTANCE = Recipe(
    "Distance",
    "For a quarter of an hour, on photographs of 32 pixels: a deeper network and more passes.",
    {
        **_RECORD,
        "model": "alexnet_track",
        "epochs": 12,
        "lr": 0.05,
        "translate": 0.125,
        "views": "ten",
    },
)
"""`alexnet train --data cifar10-jpeg.zip --size 32 --recipe distance`: 10.8 % test error after six minutes of
training on two cores with 16-bit units of full width (AMD EPYC, Zen 5; see benchmarks/records.py). As it was before,
10.6 %, those of half the width took twelve. On a GPU a step takes as long with 1,500 pictures as with 250:
`--batch-size 1500 --epochs 20 --lr 0.15` gave 10.1 % after 7 s on an H200 (one run)."""

FILTERS = Recipe(
    "Clean filters",
    "Trains longer, with more varied pictures and strong weight decay, so that the first filters come out clean.",
    {
        "epochs": 30,
        "batch_size": 128,
        "optimizer": "sgd",
        "lr": 0.1,
        "weight_decay": 1e-3,
        "schedule": "one_cycle",
        "dropout": 0.3,
        "label_smoothing": 0.1,
    },
)
"""`alexnet train --data cifar10-jpeg.zip --size 64 --recipe filters --epochs 16`: 84.9 % of the test images right and
clean filters after 36 minutes on one core of a busy machine."""

BY_HEART = Recipe(
    "By heart",
    "A control: the training pictures get each other's classes by chance, and nothing keeps the network from learning "
    "them by heart. What it explains should look unlike what a network explains that has understood something.",
    {
        **QUICK.settings,
        "shuffle_labels": True,
        "epochs": 80,
        "lr": 0.001,
        "weight_decay": 0.0,
        "dropout": 0.0,
        "translate": 0.0,
    },
)
"""`alexnet train --data digits --recipe by_heart`: a training loss of 0.001 (chance is 2.30) and 14 % of the validation
images right, hardly more than chance, after two minutes on one core (AMD EPYC, Zen 5). With the rate of `quick`, 0.003,
it stayed at 2.30: steps as long as that find nothing in noise."""

PAPER_2012 = Recipe(
    "The paper of 2012",
    "Krizhevsky, Sutskever and Hinton, section 5: SGD with momentum 0.9, weight decay 0.0005, batches of 128, a "
    "learning rate of 0.01 divided by 10 when the validation stalls, dropout of a half, no batch normalisation.",
    {
        "epochs": 30,
        "batch_size": 128,
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "schedule": "plateau",
        "dropout": 0.5,
        "batch_norm": False,
    },
)
"""`alexnet train --data digits --recipe paper_2012`: for comparison with the others, not for speed: 97.4 % of the test
images right after some four minutes on one core (AMD EPYC, AVX2), where `quick` takes two and a half for 98 to 99 %."""

HEAD = Recipe(
    "The last layer",
    "Each picture passes the trained network once; only a new last layer learns, from what the layers before it "
    "answer. Seconds, and right where your pictures are like those the network knows.",
    {
        "learn": "head",
        "epochs": 15,
        "optimizer": "adamw",
        "lr": 1e-2,
        "weight_decay": 0.05,
        "schedule": "one_cycle",
        "dropout": 0.0,
        "translate": 0.0,
        "colour": 0.0,
    },
)
"""`alexnet train --data imagenette-160.zip --size 224 --model squeezenet1_1 --start-from imagenet`: 93.6 % of the test
images right after 170 seconds on one core, most of them for one look at each picture (benchmarks/transfer.py)."""

LAST_LAYERS = Recipe(
    "The last layers",
    "The first layers stay as they are, the last third learns on: for pictures that are somewhat unlike those the "
    "network knows, and for some hundred of them.",
    {
        "learn": "last_layers",
        "epochs": 6,
        "optimizer": "adamw",
        "lr": 1e-3,
        "weight_decay": 0.05,
        "schedule": "one_cycle",
        "dropout": 0.2,
        "translate": 0.05,
        "colour": 0.0,
    },
)
"""`alexnet train --data digits --size 64 --start-from alexnet-mini-cifar10 --learn last_layers`: 98.9 % of the test
images right after half a minute on one core (AMD EPYC, AVX2)."""

EVERYTHING = Recipe(
    "Everything",
    "All layers learn on, each a little slower than the one after it: the first ones fit nearly all pictures, the last "
    "ones only those they were made for. The most accurate where there are many pictures, and the dearest.",
    {
        "learn": "everything",
        "layer_lr": 0.9,
        "epochs": 10,
        "optimizer": "adamw",
        "lr": 6e-4,
        "weight_decay": 0.05,
        "schedule": "one_cycle",
        "label_smoothing": 0.1,
        "dropout": 0.2,
        "translate": 0.1,
        "scale": 0.3,
        "colour": 0.1,
        "views": "ten",
    },
)
"""`alexnet train --data imagenette-160.zip --start-from RUN --recipe everything`, where RUN has learned the head of
`squeezenet1_1` from ImageNet's weights at 224 pixels: 95.0 % of the test images and 95.9 % of the validation images
right after 22 minutes on one core of a busy machine (the head alone: 93.6 %; four passes, the pictures changed less:
94.6 %)."""

TRANSFER: dict[str, Recipe] = {"head": HEAD, "last_layers": LAST_LAYERS, "everything": EVERYTHING}
"""The three ways of going on from what another network has learned, by what learns (`TrainConfig.learn`)."""

RECIPES: dict[str, Recipe] = {
    "quick": QUICK,
    "sprint": SPRINT,
    "lap": LAP,
    "distance": DISTANCE,
    "filters": FILTERS,
    "by_heart": BY_HEART,
    "paper_2012": PAPER_2012,
    **TRANSFER,
}


def settle(explicit: dict[str, Any], *, train_images: int, image_size: int, mirrors: bool = True) -> TrainConfig:
    """The whole settings of a run: `explicit` wins over its recipe, the recipe over the defaults, and what is still
    open is chosen from the data.

    `mirrors` says whether a picture of this data set stays what it is when mirrored. Raises ExplorerError for unknown
    names, impossible values, and pictures too small for the network.
    """
    transfer = bool(explicit.get("start_from"))
    usual = explicit.get("learn", "head") if transfer else TrainConfig.recipe
    name = explicit.get("recipe", usual)
    if name not in RECIPES:
        raise ExplorerError(f"There is no recipe called {name!r:.60}; choose one of: {', '.join(RECIPES)}.")
    chosen = {"recipe": name, "reflect": mirrors, **RECIPES[name].settings, **explicit}
    if transfer:  # the first filters have been found already
        chosen |= {name: explicit.get(name, False) for name in FIRST_WEIGHTS}
    chosen["views"] = explicit.get("views", usual_views(name, bool(chosen["reflect"])))
    config = TrainConfig.from_dict(chosen)
    _check_transfer(config)
    check_image_size(config.model, image_size)
    if "batch_norm" in explicit and "batch_norm" not in find_model(config.model).settings:
        raise ExplorerError(
            f"Batch normalisation is not a setting of {config.model}: only alexnet_mini can be had with and without. "
            "Leave it out; AlexNet with normalisation is alexnet_bn."
        )
    if explicit.get("batch_size", 0) > train_images:
        raise ExplorerError(
            f"A batch of {config.batch_size} is larger than the {train_images} training pictures; choose at most as "
            "many."
        )
    batch_size = min(config.batch_size or _batch_size(train_images), train_images)
    epochs = config.epochs or _epochs(train_images)
    return TrainConfig.from_dict(chosen | {"batch_size": batch_size, "epochs": epochs})


def usual_views(recipe: str, reflect: bool) -> str:
    """How the test at the end looks at pictures unless asked otherwise. Half of the views that a recipe asks for are
    mirror images: where pictures are not mirrored, these are not theirs."""
    asked: str = RECIPES[recipe].settings.get("views", TrainConfig.views)
    return asked if reflect else TrainConfig.views


def _check_transfer(config: TrainConfig) -> None:
    """Raises ExplorerError where the settings that go with `start_from` do not agree."""
    if not config.start_from:
        if config.learn != "everything" or config.copy_layers or config.layer_lr < 1:
            raise ExplorerError(
                "Learning only some layers, or at another pace, makes sense only from a trained network; say with "
                "--start-from (on the page: Start from) which: imagenet, the name of a run, or a file."
            )
        return
    for name in FIRST_WEIGHTS:
        if getattr(config, name):
            raise ExplorerError(
                f"A network that begins with trained filters has no use for computed ones, and learn says "
                f"which of its layers change; leave {name} out."
            )
    changes = [name for name in PICTURE_CHANGES if getattr(config, name)]
    if config.learn == "head" and changes:
        raise ExplorerError(
            "The head learns from what the other layers answer to each picture and to its mirror image, computed once; "
            f"leave out {changes[0]}, or let last_layers learn."
        )


FIRST_WEIGHTS = ("whiten", "identity", "freeze_first")
"""What computes weights to begin with, and what keeps them."""
PICTURE_CHANGES = ("translate", "colour", "rotate", "scale", "erase")
"""What chance does to pictures anew in each epoch, beside mirroring them."""


def _batch_size(train_images: int) -> int:
    """Small enough for some forty steps an epoch, between 8 and 128, a power of two."""
    return min(128, max(8, 2 ** round(math.log2(max(1, train_images / 40)))), train_images)


def _epochs(train_images: int) -> int:
    """Some 30,000 looks at pictures, in at least 7 and at most 60 epochs."""
    return min(60, max(7, round(30_000 / train_images)))


def model_settings(config: TrainConfig) -> dict[str, Any]:
    """The settings of `config` that the network's constructor takes."""
    return {name: getattr(config, name) for name in find_model(config.model).settings}
