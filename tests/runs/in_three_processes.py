"""What three processes have to do alike, as a program for torchrun: `torchrun ... in_three_processes.py DATA PLACE`.

Each function is one check, called in every process with the world, a small data set and a folder. Each process writes
what became of it as JSON; test_several_processes.py reads that.
"""

import dataclasses
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import nn

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import Compute
from alexnet_core.distributed import ALONE, World, joined
from alexnet_core.errors import ExplorerError
from alexnet_core.models import build
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.recording import execute
from alexnet_core.training.batches import keep
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.evaluate import evaluate
from alexnet_core.training.events import Event, StepDone, Tick, to_record
from alexnet_core.training.loop import Training
from alexnet_core.training.whole_batch import replace_layers

# Sixteen images cannot be shared evenly by three.
SETTINGS = TrainConfig(
    epochs=2, batch_size=16, optimizer="sgd", lr=0.02, label_smoothing=0.1, dropout=0.3, rotate=5.0, threads=1,
    precision="fp32", device="cpu",
)  # fmt: skip
CPU = Compute(torch.device("cpu"), "fp32", 1)
# No two pixels alike: among equal values, as in the background of a digit, rounding would choose the largest, and
# gradients would differ by percents.
IMAGES = np.random.default_rng(0).integers(0, 256, (111, 32, 32, 3), dtype=np.uint8)
LABELS = np.random.default_rng(1).integers(0, 3, 111)


class InDouble(nn.Module):
    """A network that computes in 64 bits: normalised layers magnify rounding a thousandfold in a few steps, and what
    is left of 32 bits could hide a mistake."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images.double())


def training(few: PreparedSet, world: World, *, on_disk: bool = False, **changes: Any) -> Training:
    config = dataclasses.replace(SETTINGS, **changes)
    torch.manual_seed(0)
    return Training(
        InDouble(build("alexnet_mini", 3, 32, dropout=config.dropout, batch_norm=config.batch_norm)),
        config,
        CPU,
        few.preprocessing,
        (IMAGES[:70] if on_disk else keep(IMAGES[:70], CPU.device), LABELS[:70]),
        (IMAGES[70:], LABELS[70:]),
        np.array(few.rgb_covariance),
        world,
    )


def written(events: list[Event]) -> list[dict[str, Any]]:
    return [to_record(event) for event in events if not isinstance(event, Tick)]


def assert_same_curve(one: Training, other: Training) -> None:
    for first, second in zip(written(list(one.events())), written(list(other.events())), strict=True):
        assert first.keys() == second.keys()
        for name in first:
            same = first[name] == second[name]
            assert same or abs(first[name] - second[name]) < 1e-6 * abs(first[name]), f"{name}: {first}, {second}"
    weights = other.model.state_dict()
    for name, value in one.model.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=1e-4, atol=1e-6)


def the_curve_is_that_of_one_process(world: World, few: PreparedSet, place: Path) -> None:
    assert_same_curve(training(few, ALONE), training(few, world))


def without_batch_norm_and_from_disk_too(world: World, few: PreparedSet, place: Path) -> None:
    # The loss is in 32 bits; with the seed 0 its last bit turns one of the last ReLUs of one picture over, in step 5.
    changes: dict[str, Any] = {"batch_norm": False, "lr": 1e-3, "schedule": "plateau", "seed": 1}
    assert_same_curve(training(few, ALONE, **changes), training(few, world, on_disk=True, **changes))


def all_processes_have_the_same_weights(world: World, few: PreparedSet, place: Path) -> None:
    run = training(few, world, epochs=1)
    list(run.events())
    weights = np.concatenate([value.numpy().ravel() for value in run.model.state_dict().values()])
    assert all(np.array_equal(other, weights) for other in world.gather(weights))


def normalisation_sums_over_the_group_it_is_given(world: World, few: PreparedSet, place: Path) -> None:
    alone = [dist.new_group([rank]) for rank in range(world.world_size)][world.rank]
    assert isinstance(alone, dist.ProcessGroup)
    network = nn.Sequential(nn.BatchNorm2d(3))
    pictures = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(world.rank)).requires_grad_()
    weights = torch.arange(pictures.numel()).view(pictures.shape)
    answers = []
    for _ in range(2):
        answer = network(pictures)
        answers.append((answer, *torch.autograd.grad((answer * weights).sum(), pictures)))
        replace_layers(network, world, len(pictures), alone)
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-3, atol=1e-4)


def evaluation_counts_each_picture_once(world: World, few: PreparedSet, place: Path) -> None:
    model = build("alexnet_mini", 3, 32, batch_norm=False)
    world_of_all = world.from_main(lambda: model.state_dict())
    model.load_state_dict(world_of_all)
    for count in (41, 2):  # two are fewer than there are processes
        images, labels = IMAGES[:count], LABELS[:count]
        alone = evaluate(model, images, labels, few.preprocessing, CPU)
        for source in (images, keep(images, CPU.device)):
            shared = evaluate(model, source, labels, few.preprocessing, CPU, batch_size=7, world=world)
            assert abs(shared.loss - alone.loss) < 1e-5 * alone.loss
            assert (shared.top1, shared.top5) == (alone.top1, alone.top5)
            np.testing.assert_array_equal(shared.predictions, alone.predictions)
            np.testing.assert_allclose(shared.probabilities, alone.probabilities, rtol=1e-5)


def a_stopped_run_goes_on_to_the_same_bits(world: World, few: PreparedSet, place: Path) -> None:
    def run_in(name: str, stop_at: int | None) -> RunDirectory:
        def make() -> Path:
            return RunDirectory.create(SETTINGS, DataIdentity.of(few), place / name, "One", world.world_size).path

        made = world.from_main(make)
        run = RunDirectory(made if world.is_main else nowhere)
        for event in execute(run, world):
            if world.is_main and isinstance(event, StepDone) and event.step == stop_at:
                run.ask("STOP")
        return run

    nowhere = place / f"nowhere {world.rank}"
    whole, stopped = run_in("whole", None), run_in("stopped", 4)
    if world.is_main:
        assert stopped.state().status == "stopped"
    said = [event for event in execute(stopped, world) if isinstance(event, str)]
    assert said[0] == f"Going on from step 4 of {whole_steps(few)}."
    assert not nowhere.exists()  # the others need no run directory
    if world.is_main:
        assert stopped.state().status == "finished"
        assert (stopped.path / "metrics.jsonl").read_bytes() == (whole.path / "metrics.jsonl").read_bytes()
        weights = load_file(stopped.network_path)
        for name, value in load_file(whole.network_path).items():
            assert torch.equal(value, weights[name]), name


def whole_steps(few: PreparedSet) -> int:
    return SETTINGS.epochs * SETTINGS.steps_per_epoch(few.count("train"))


def another_number_of_processes_is_refused(world: World, few: PreparedSet, place: Path) -> None:
    if world.is_main:
        two = RunDirectory.create(SETTINGS, DataIdentity.of(few), place / "of two", processes=2)
        one = RunDirectory.create(SETTINGS, DataIdentity.of(few), place / "of one")
    for name, sentence in [("of two", "with torchrun and 2 processes"), ("of one", "without torchrun")]:
        with pytest.raises(ExplorerError, match=sentence):
            list(execute(RunDirectory(place / name), world))
    if world.is_main:
        assert {two.state().status, one.state().status} == {"queued"}


def the_sentence_of_one_process_reaches_all(world: World, few: PreparedSet, place: Path) -> None:
    def refuse() -> int:
        if world.rank in (0, 1):
            raise ExplorerError(f"Said by {world.rank}.", remedy=("batch_size", world.rank + 4))
        return world.rank

    for call in (world.from_main, world.together):
        with pytest.raises(ExplorerError, match="Said by 0") as refused:
            call(refuse)
        assert refused.value.remedy == ("batch_size", 4)
    assert world.together(lambda: world.rank) == world.rank
    assert world.agree([world.rank == 2, False]) == [True, False]


def a_batch_smaller_than_the_world_is_refused(world: World, few: PreparedSet, place: Path) -> None:
    with pytest.raises(ExplorerError, match="A batch of 2 cannot be shared by 3 processes"):
        training(few, world, batch_size=2)


CHECKS: list[Callable[[World, PreparedSet, Path], None]] = [
    the_curve_is_that_of_one_process,
    without_batch_norm_and_from_disk_too,
    all_processes_have_the_same_weights,
    normalisation_sums_over_the_group_it_is_given,
    evaluation_counts_each_picture_once,
    a_stopped_run_goes_on_to_the_same_bits,
    another_number_of_processes_is_refused,
    the_sentence_of_one_process_reaches_all,
    a_batch_smaller_than_the_world_is_refused,
]


def main(data: Path, place: Path) -> None:
    torch.set_num_threads(1)
    with joined() as world:
        few = PreparedSet.open(data)
        for check in CHECKS:
            trouble = ""
            try:
                check(world, few, place)
            except Exception:  # noqa: BLE001 - whatever it is, the test shows it
                trouble = f"rank {world.rank}: {traceback.format_exc()}"
            report = place / f"{check.__name__}-{world.rank}.json"
            report.write_text(json.dumps(trouble))
            if trouble:
                sys.exit(1)  # the others may wait for this one in vain
    (place / f"threads-{world.rank}").write_text("\n".join(threads()))


def threads() -> list[str]:
    """The names of this process's threads, as Linux knows them; elsewhere none."""
    return [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
