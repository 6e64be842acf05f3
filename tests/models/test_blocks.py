"""The networks that are built of our blocks are torchvision's, and no network keeps a ReLU out of sight."""

from collections import Counter

import pytest
import torch
from torchvision.models import get_model

from alexnet_core.insight.attribution.mean_slopes import without_mean_slope
from alexnet_core.insight.operations import operations
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.blocks import REBUILT
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing


@pytest.mark.parametrize("name", REBUILT)
def test_a_rebuilt_network_is_torchvisions_to_the_bit(name):
    size = MODELS[name].smallest
    without_heads = {} if name.startswith("resnet") else {"aux_logits": False, "init_weights": True}
    torch.manual_seed(0)
    ours = build(name, 3, size)
    torch.manual_seed(0)
    theirs = get_model(name, weights=None, num_classes=3, **without_heads)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(value, theirs.state_dict()[key]) for key, value in ours.state_dict().items())
    images = torch.randn(2, 3, size, size)
    answers = []
    for model in (ours, theirs):
        torch.manual_seed(1)  # for dropout
        model.train()(images).sum().backward()
        answers.append([model.eval()(images), *(parameter.grad for parameter in model.parameters())])
    assert all(torch.equal(*pair) for pair in zip(*answers, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_runs_once_and_no_relu_or_pooling_lies_between_layers(name):
    size = max(MODELS[name].smallest, 64)
    with torch.device("meta"):
        network = Network(name, frozen(build(name, 3, size)), ("a", "b", "c"), Preprocessing(size, size))
    done = operations(network)
    assert set(Counter(step.name for step in done.steps if step.layer is not None).values()) == {1}
    assert set(done.bending) <= {"mul"}  # of squeeze and excitation: the weights of maps are no layer's
    assert without_mean_slope(network) == []
