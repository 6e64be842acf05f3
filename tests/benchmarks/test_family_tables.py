"""The rows that the measurements of the family become."""

from benchmarks.table import SECTIONS, drawn
from benchmarks.tables.family import family_rows, staircase_rows

SPREAD = {"median": 2.0, "least": 1.0, "largest": 3.0, "rounds": 4}
ONE = {"title": "VGG-11", "image_size": 224, "latency_ms": SPREAD, "images_per_s": SPREAD}


def test_the_family_has_a_row_for_all_and_one_for_each() -> None:
    measured = {"networks": {"vgg11": ONE}, "asked_s": 60, "seconds": 61.0, "batch": 8}
    together, one = drawn({"A": family_rows(measured)})
    assert "61 s (missed)" in together
    assert "2.0 ms (1.0 to 3.0)" in one
    assert one.endswith("| 4 | A |  |")
    assert "not yet measured" in drawn({"": family_rows(None)})[0]


def test_a_stair_tells_accuracy_epochs_and_the_time_it_really_took() -> None:
    top1 = {"median": 0.7, "least": 0.68, "largest": 0.71, "runs": 3}
    minutes = {"median": 1.93, "least": 1.9, "largest": 1.95, "runs": 3}
    stairs = {"vgg": {"title": "VGG", "epochs": 9, "top1": top1, "minutes": minutes}}
    measured = {"minutes": 2.0, "data": "cifar10-jpeg.zip", "stairs": stairs}
    (row,) = drawn({"A": staircase_rows(measured)})
    assert "VGG after 2 min, or one epoch where that is longer, on cifar10-jpeg.zip" in row
    assert "70.0 % (68.0 to 71.0); 9 epochs in 1.93 min" in row
    assert "not yet measured" in drawn({"": staircase_rows(None)})[0]


def test_both_stand_in_the_table() -> None:
    assert [names for names, _ in SECTIONS["The family"]] == [("family",), ("staircase",)]
