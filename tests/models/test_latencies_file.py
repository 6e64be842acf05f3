"""Measured speeds come back at the next start, on the machine they were measured on, for networks that are the same."""

import json

import pytest
import torch

from alexnet_core.models import latencies_file
from alexnet_core.models.measuring import Measured, Spread
from alexnet_core.places import latencies_file as place

CPU = torch.device("cpu")
FOUND = [Measured(name, Spread(2.0, 1.0, 3.0, 5), Spread(20.0, 10.0, 30.0, 5)) for name in ("alexnet", "vgg_mini")]


def test_a_measurement_comes_back_as_it_was():
    assert latencies_file.read(CPU) is None
    written = latencies_file.write(CPU, FOUND)
    assert latencies_file.read(CPU) == written
    assert list(written.networks.values()) == FOUND


def test_each_machine_has_its_own(monkeypatch):
    latencies_file.write(CPU, FOUND)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(latencies_file, "machine", lambda device: "another one")
        assert latencies_file.read(CPU) is None
        latencies_file.write(CPU, FOUND[:1])
    assert list(latencies_file.read(CPU).networks.values()) == FOUND


def test_a_network_that_was_changed_since_or_is_gone_counts_as_not_measured():
    latencies_file.write(CPU, FOUND)
    kept = json.loads(place().read_text())
    (ours,) = kept.values()
    ours["networks"][0]["multiply_adds"] += 1
    place().write_text(json.dumps(kept))
    assert set(latencies_file.read(CPU).networks) == {"vgg_mini"}
    ours["networks"][1]["name"] = "no_such_network"
    place().write_text(json.dumps(kept))
    assert latencies_file.read(CPU) is None


@pytest.mark.parametrize("damaged", ["", "[]", "{", '{"x": 1}'])
def test_a_damaged_file_is_as_good_as_none(damaged):
    latencies_file.write(CPU, FOUND)
    place().write_text(damaged.replace("x", latencies_file.machine(CPU)))
    assert latencies_file.read(CPU) is None
    latencies_file.write(CPU, FOUND)
    assert latencies_file.read(CPU)
