"""Pictures drawn on the spot: a silhouette with a texture in a colour on a background, each known for every picture.

The class is the silhouette. The other three are drawn by lot and independent of it, so that a network can only learn
the outline; lessons on texture and shortcuts tie them together instead.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from alexnet_core.data.collection import Collection, Entry

IMAGES = 4_000
FINER = 4
"""The outline is drawn this many times finer and made small again: smooth edges."""


def _turns(n: int, offset: float = 0.0) -> np.ndarray:
    """n points on the unit circle, (n, 2), the first one `offset` of a step after the top."""
    angles = 2 * np.pi * (np.arange(n) + offset) / n
    return np.stack([np.sin(angles), -np.cos(angles)], axis=1)


def _star(points: int, inner: float) -> np.ndarray:
    corners = _turns(2 * points)
    corners[1::2] *= inner
    return corners


def _cross(arm: float) -> np.ndarray:
    quarter = np.array([(-arm, -1), (arm, -1), (arm, -arm)])
    turn = np.array([(0, 1), (-1, 0)])  # row vectors: a quarter turn
    cross = np.concatenate([quarter @ np.linalg.matrix_power(turn, k) for k in range(4)])
    return cross / np.hypot(arm, 1)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    across = 16 * np.sin(t) ** 3
    down = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    heart = np.stack([across, down - 2.5], axis=1)
    return heart / np.linalg.norm(heart, axis=1).max()


def _crescent() -> np.ndarray:
    tip = np.radians(50)  # above and below the opening to the right
    shift = 0.45  # of the circle that is cut out
    outer = np.linspace(tip, 2 * np.pi - tip, 60)
    at_tip = np.array([np.cos(tip) - shift, np.sin(tip)])
    start = np.arctan2(at_tip[1], at_tip[0])
    inner = np.linspace(2 * np.pi - start, start, 60)
    cut = np.linalg.norm(at_tip) * np.stack([np.cos(inner), np.sin(inner)], axis=1) + np.array([shift, 0])
    return np.concatenate([np.stack([np.cos(outer), np.sin(outer)], axis=1), cut])


# Polygons inside the unit circle, (points, 2), x to the right and y down; a second one is cut out.
SILHOUETTES: dict[str, tuple[np.ndarray, ...]] = {
    "circle": (_turns(80) * 0.88,),
    "square": (_turns(4, 0.5),),
    "triangle": (_turns(3),),
    "star": (_star(5, 0.42),),
    "cross": (_cross(0.33),),
    "ring": (_turns(80) * 0.94, _turns(80) * 0.55),
    "heart": (_heart(),),
    "crescent": (_crescent(),),
}

# From coordinates u, v (in units of the silhouette's radius, turned with it) to 0 (first tone) .. 1 (second tone).
TEXTURES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "plain": lambda u, v: np.zeros_like(u),
    "stripes": lambda u, v: _edge(np.sin(9 * u)),
    "checks": lambda u, v: _edge(np.sin(8 * u) * np.sin(8 * v)),
    "dots": lambda u, v: _edge(np.cos(9 * u) + np.cos(9 * v) - 0.8),
    "waves": lambda u, v: _edge(np.sin(9 * u + 1.6 * np.sin(4 * v))),
}

# Okabe and Ito's colours: people who see colours differently can tell them apart, too.
COLOURS: dict[str, tuple[int, int, int]] = {
    "orange": (230, 159, 0),
    "sky": (86, 180, 233),
    "green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermilion": (213, 94, 0),
    "purple": (204, 121, 167),
}

# Two tones each; how they are mixed is what `_background` knows.
BACKGROUNDS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "paper": ((246, 243, 236), (236, 231, 220)),
    "night": ((24, 30, 48), (44, 54, 82)),
    "dusk": ((120, 98, 138), (238, 190, 160)),
    "clouds": ((150, 176, 200), (228, 234, 240)),
    "meadow": ((96, 128, 84), (170, 190, 120)),
}

FACTS = ("silhouette", "texture", "colour", "background")


def _edge(values: np.ndarray) -> np.ndarray:
    """A soft step at zero."""
    return (0.5 + 3 * values).clip(0, 1)


def facts_of(index: int, seed: int) -> dict[str, str]:
    """What picture `index` shows. The silhouettes take turns, so that the classes are equally large."""
    by_lot = np.random.default_rng([seed, index, 1])
    chosen = {"silhouette": list(SILHOUETTES)[index % len(SILHOUETTES)]}
    for fact, names in (("texture", TEXTURES), ("colour", COLOURS), ("background", BACKGROUNDS)):
        chosen[fact] = list(names)[by_lot.integers(len(names))]
    return chosen


def draw(
    size: int, by_lot: np.random.Generator, *, silhouette: str, texture: str, colour: str, background: str
) -> Image.Image:
    """One picture, `size` x `size` RGB, at a place, in a size and at an angle drawn by lot."""
    radius = by_lot.uniform(0.27, 0.44)  # of the picture's side
    centre = by_lot.uniform(radius * 0.95, 1 - radius * 0.95, 2)
    # Not all the way round: a square on its tip is still a square, but a star should be seen from many sides.
    angle = by_lot.uniform(-np.pi, np.pi)
    u, v = _turned(size, centre, radius, angle)  # (size, size) each
    light = 1 + by_lot.uniform(-0.12, 0.12)
    first = np.array(COLOURS[colour]) * light
    second = first * 0.45 if by_lot.random() < 0.5 else first * 0.35 + 255 * 0.65
    mix = TEXTURES[texture](u, v)[..., None]
    figure = first * (1 - mix) + second * mix  # (size, size, 3)
    mask = _outline(size, SILHOUETTES[silhouette], centre, radius, angle)[..., None]
    pixels = _background(size, background, by_lot) * (1 - mask) + figure * mask
    pixels += by_lot.normal(0, 4, pixels.shape)  # the grain of a photograph
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def _turned(size: int, centre: np.ndarray, radius: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of every pixel in the silhouette's own frame."""
    place = (np.arange(size) + 0.5) / size
    x, y = (place - centre[0])[None, :] / radius, (place - centre[1])[:, None] / radius
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _outline(
    size: int, polygons: tuple[np.ndarray, ...], centre: np.ndarray, radius: float, angle: float
) -> np.ndarray:
    """(size, size), 1 inside, 0 outside, smooth between."""
    canvas = Image.new("L", (size * FINER, size * FINER))
    pen = ImageDraw.Draw(canvas)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    for polygon, fill in zip(polygons, (255, 0), strict=False):
        points = (polygon @ turn * radius + centre) * size * FINER
        pen.polygon([tuple(point) for point in points.tolist()], fill=fill)
    return np.asarray(canvas.reduce(FINER), dtype=np.float32) / 255


def _background(size: int, name: str, by_lot: np.random.Generator) -> np.ndarray:
    """(size, size, 3): two tones, mixed along a direction or in soft patches."""
    first, second = np.array(BACKGROUNDS[name], dtype=np.float32)
    if name in ("clouds", "meadow"):
        patches = by_lot.integers(0, 256, (5, 5) if name == "clouds" else (11, 11)).astype(np.uint8)
        grown = Image.fromarray(patches).resize((size, size), Image.Resampling.BICUBIC)
        mix = np.asarray(grown, dtype=np.float32) / 255
    else:
        angle = by_lot.uniform(-np.pi, np.pi)
        place = np.linspace(-0.5, 0.5, size)
        mix = (0.5 + place[None, :] * np.cos(angle) + place[:, None] * np.sin(angle)).clip(0, 1)
    return first * (1 - mix[..., None]) + second * mix[..., None]


def shapes(size: int, images: int = IMAGES, seed: int = 0) -> Collection:
    """A collection of `images` pictures of `size` pixels; the same seed gives the same pictures."""
    facts = [facts_of(index, seed) for index in range(images)]
    names = list(SILHOUETTES)

    def read(position: int) -> Image.Image:
        return draw(size, np.random.default_rng([seed, position, 2]), **facts[position])

    return Collection(
        name="shapes",
        title="Shapes",
        classes=tuple(names),
        source=f"drawn by this program, seed {seed}",
        licence="free to use",
        entries=tuple(
            Entry(f"{fact['silhouette']}/{index:05d}", names.index(fact["silhouette"]))
            for index, fact in enumerate(facts)
        ),
        read=read,
        facts={fact: [known[fact] for known in facts] for fact in FACTS},
    )
