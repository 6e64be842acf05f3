"""Pictures to begin with: drawn by us (assets/make_pictures.py), or scikit-learn's, which come with its
installation."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from alexnet_core.places import ASSETS


@dataclass(frozen=True)
class Sample:
    """One picture to begin with."""

    title: str
    load: Callable[[], Image.Image]
    credit: str


def _drawn(name: str) -> Callable[[], Image.Image]:
    return lambda: Image.open(ASSETS / "pictures" / f"{name}.png").convert("RGB")


def _photograph(name: str) -> Callable[[], Image.Image]:
    def load() -> Image.Image:
        from sklearn.datasets import load_sample_image

        return Image.fromarray(load_sample_image(name))

    return load


def _digit(index: int) -> Callable[[], Image.Image]:
    def load() -> Image.Image:
        from sklearn.datasets import load_digits

        grey = load_digits().images[index] * (255 / 16)  # 8 x 8, values 0 to 16
        return Image.fromarray(grey.astype("uint8")).resize((256, 256), Image.Resampling.BICUBIC).convert("RGB")

    return load


_SKLEARN = "photograph that comes with scikit-learn"
_OURS = "drawn for this program"
SAMPLES: dict[str, Sample] = {
    "ship": Sample("A sailing ship", _drawn("ship"), _OURS),
    "aeroplane": Sample("An aeroplane", _drawn("aeroplane"), _OURS),
    "lorry": Sample("A lorry", _drawn("lorry"), _OURS),
    "flower": Sample("A dahlia", _photograph("flower.jpg"), _SKLEARN),
    "china": Sample("A Chinese palace", _photograph("china.jpg"), _SKLEARN),
    "digit": Sample("A handwritten 3", _digit(3), "from scikit-learn's handwritten digits"),
    "waves": Sample("Test pattern: stripes in all directions", _drawn("waves"), _OURS),
}
