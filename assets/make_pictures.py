"""Draw the sample pictures in assets/pictures: `python assets/make_pictures.py`.

They are simple on purpose: a network trained on small photographs must recognise the thing by its outline and colours,
and they belong to us, so they may be shown and shared by anybody.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 384
FINE = 3  # drawn this many times larger, then made small: smooth edges
FOLDER = Path(__file__).resolve().parent / "pictures"


def gradient(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Image.Image:
    """A sky: one colour above, another below."""
    share = np.linspace(0, 1, SIDE * FINE)[:, None, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(np.broadcast_to(rows, (SIDE * FINE, SIDE * FINE, 3)).astype(np.uint8).copy())


def polygon(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: str) -> None:
    """A filled polygon in coordinates from 0 to 100."""
    unit = SIDE * FINE / 100
    draw.polygon([(x * unit, y * unit) for x, y in points], fill=colour)


def ellipse(draw: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, colour: str) -> None:
    """A filled ellipse round (x, y) in coordinates from 0 to 100."""
    unit = SIDE * FINE / 100
    box = ((x - wide) * unit, (y - high) * unit, (x + wide) * unit, (y + high) * unit)
    draw.ellipse(box, fill=colour)


def clouds(picture: Image.Image, places: list[tuple[float, float, float]]) -> Image.Image:
    """White heaps with soft edges at (x, y, size)."""
    mask = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(mask)
    for x, y, size in places:
        for dx, dy, part in ((-1.1, 0.2, 0.7), (0, 0, 1), (1.1, 0.15, 0.8), (0.4, 0.35, 0.9), (-0.5, 0.4, 0.8)):
            ellipse(draw, x + dx * size, y + dy * size, size * part, size * part * 0.6, "white")  # type: ignore[arg-type]
    mask = mask.filter(ImageFilter.GaussianBlur(SIDE * FINE / 70)).point(lambda value: int(value * 0.8))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, mask)


def finish(picture: Image.Image, grain: float = 5.0) -> Image.Image:
    """Small again, with a little grain as in a photograph."""
    small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)).astype(float)
    noise = np.random.default_rng(2012).normal(0, grain, small.shape[:2])[..., None]
    return Image.fromarray((small + noise).clip(0, 255).astype(np.uint8))


def ship() -> Image.Image:
    """A sailing ship on the sea, in the evening."""
    picture = clouds(gradient((86, 140, 200), (250, 214, 170)), [(22, 20, 8), (80, 14, 6)])
    draw = ImageDraw.Draw(picture)
    polygon(draw, [(0, 66), (100, 66), (100, 100), (0, 100)], "#23567f")
    for row in range(14):
        y = 68 + row * 2.4
        shift = (row * 37) % 23
        for column in range(-1, 6):
            x = column * 22 + shift
            polygon(draw, [(x, y), (x + 9, y - 0.5), (x + 13, y + 0.2), (x + 6, y + 0.7)], "#4d86ad")
    polygon(draw, [(47.4, 12), (48.8, 12), (49.2, 66), (47.2, 66)], "#3b2a20")
    polygon(draw, [(50, 14), (50, 60), (80, 60), (70, 36)], "#f7f3e8")
    polygon(draw, [(50, 14), (50, 60), (58, 60), (56, 36)], "#e3dccb")
    polygon(draw, [(46.5, 18), (46.5, 60), (20, 60)], "#efe8d8")
    polygon(draw, [(48.8, 9), (60, 12), (48.8, 15)], "#d0452f")
    polygon(draw, [(14, 63), (88, 63), (78, 77), (24, 77)], "#7c2f23")
    polygon(draw, [(14, 63), (88, 63), (86.5, 66), (15.5, 66)], "#f2ede0")
    polygon(draw, [(26, 77), (76, 77), (70, 84), (32, 84)], "#1c486b")
    return finish(picture)


def aeroplane() -> Image.Image:
    """An airliner in front of clouds."""
    picture = clouds(gradient((58, 118, 196), (176, 212, 240)), [(20, 78, 10), (70, 88, 13), (86, 20, 6)])
    draw = ImageDraw.Draw(picture)
    polygon(draw, [(45, 45), (60, 43), (30, 17), (23, 18)], "#b9c4ce")
    polygon(draw, [(11, 56), (20, 55), (13, 33), (6, 33)], "#c8372d")
    polygon(draw, [(10, 57), (20, 56), (7, 48), (2, 49)], "#aab6c1")
    polygon(draw, [(8, 54), (70, 41), (84, 40), (93, 45), (84, 51), (40, 60), (14, 62)], "#f4f6f8")
    polygon(draw, [(14, 62), (40, 60), (84, 51), (93, 45), (84, 48.5), (40, 57), (11, 59)], "#c3cdd6")
    polygon(draw, [(84, 41.3), (88.5, 43.2), (83.5, 44.2), (81.5, 42.4)], "#26323c")
    for window in range(13):
        x = 30 + window * 3.9
        ellipse(draw, x, 54.3 - window * 0.82, 0.8, 1.0, "#3d5468")
    polygon(draw, [(42, 56), (60, 52.5), (38, 86), (30, 87)], "#d5dde4")
    polygon(draw, [(42, 56), (48, 55), (34, 86.5), (30, 87)], "#b4c0ca")
    polygon(draw, [(44, 66), (56, 63.5), (56, 68), (45, 70.5)], "#8896a3")
    ellipse(draw, 56, 65.8, 1.6, 2.4, "#33414d")
    return finish(picture)


def lorry() -> Image.Image:
    """A red lorry on a road."""
    picture = clouds(gradient((150, 196, 226), (226, 236, 232)), [(24, 18, 7), (78, 24, 8)])
    draw = ImageDraw.Draw(picture)
    polygon(draw, [(0, 58), (18, 50), (44, 57), (70, 48), (100, 56), (100, 74), (0, 74)], "#6d9b63")
    polygon(draw, [(0, 72), (100, 72), (100, 100), (0, 100)], "#5b6167")
    for x in (2, 30, 58, 86):
        polygon(draw, [(x, 91), (x + 15, 91), (x + 14, 93), (x - 1, 93)], "#e8e6dc")
    polygon(draw, [(8, 32), (66, 32), (66, 76), (8, 76)], "#c23127")
    polygon(draw, [(8, 32), (66, 32), (66, 36), (8, 36)], "#8f211a")
    polygon(draw, [(12, 48), (62, 48), (62, 58), (12, 58)], "#f1ece0")
    polygon(draw, [(68, 44), (82, 44), (91, 59), (92, 76), (68, 76)], "#d8402f")
    polygon(draw, [(73, 48), (81, 48), (87, 59), (73, 59)], "#a9d3ea")
    polygon(draw, [(6, 74), (93, 74), (93, 79), (6, 79)], "#2d3238")
    ellipse(draw, 90.5, 68, 1.6, 2.2, "#ffe9a8")
    for x in (21, 36, 80):
        ellipse(draw, x, 80, 6.6, 6.6, "#17191c")
        ellipse(draw, x, 80, 3.0, 3.0, "#b9bfc4")
    return finish(picture)


def waves() -> Image.Image:
    """A zone plate in four colours: every direction and width of stripe once, so that each filter finds its own."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    stripes = 0.5 + 0.5 * np.cos((x**2 + y**2) * 60)
    hue = np.arctan2(y, x)
    colour = np.stack([0.5 + 0.5 * np.cos(hue - turn) for turn in (0.0, 2.1, 4.2)], axis=-1)
    values = stripes[..., None] * (0.25 + 0.75 * colour)
    return Image.fromarray((values * 255).astype(np.uint8))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for draw_one in (ship, aeroplane, lorry, waves):
        draw_one().save(FOLDER / f"{draw_one.__name__}.png", optimize=True)
