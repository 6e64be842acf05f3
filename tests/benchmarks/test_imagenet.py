"""The calculation for ImageNet: its laws, and that the document holds what the program calculates."""

import pytest

from benchmarks import imagenet
from benchmarks.imagenet import Plan


def test_the_document_agrees_with_the_calculation() -> None:
    text = imagenet.DOCUMENT.read_text("utf-8")
    assert text.split(imagenet.BEGIN)[1].split(imagenet.END)[0] == "\n" + imagenet.section()


def test_what_a_picture_costs_is_what_is_known_of_alexnet() -> None:
    assert imagenet.parameters() == 61_100_840
    first_layer = 64 * 55 * 55 * 3 * 11 * 11  # its inputs need no gradient
    assert imagenet.operations() == 2 * (3 * 714_188_480 - first_layer)


def test_a_ring_passes_everything_on_twice_but_for_ones_own_share() -> None:
    assert Plan(1, 1e12).traffic == 0
    assert Plan(2, 1e12).traffic == 4 * imagenet.parameters()
    assert Plan(64, 1e12).traffic == pytest.approx(2 * 63 / 64 * 4 * imagenet.parameters())


def test_more_gpus_share_the_work_and_machines_their_disks() -> None:
    one, eight, many = (Plan(gpus, 60e12) for gpus in (1, 8, 64))
    assert (one.machines, eight.machines, many.machines) == (1, 1, 8)
    assert eight.images_per_s == pytest.approx(8 * one.images_per_s)
    assert many.read_per_s == pytest.approx(eight.read_per_s)
    assert one.steps * imagenet.BATCH_PER_GPU >= imagenet.TRAIN > (one.steps - 1) * imagenet.BATCH_PER_GPU
    assert eight.from_disk == pytest.approx(eight.reading)  # the disk holds eight GPUs up, and not one
    assert one.from_disk == pytest.approx(one.gathering)  # a disk brings one GPU more than its thread does


@pytest.mark.parametrize("rate", imagenet.GPU_RATES)
@pytest.mark.parametrize("gpus", imagenet.GPUS)
def test_no_plan_learns_from_more_pictures_than_its_processes_gather(gpus: int, rate: float) -> None:
    plan = Plan(gpus, rate)
    for step in (*plan.from_memory, plan.from_disk):
        assert gpus * imagenet.BATCH_PER_GPU / step <= gpus * imagenet.GATHERED * 1.000001
