"""Heads that help to learn: torchvision's own, part of the training loss and of nothing else."""

import pytest
import torch
from torch.nn import functional as F
from torchvision import models as torchvision_models

from alexnet_core.models import build
from alexnet_core.models.auxiliary import HEADS, WithHeads


def test_the_heads_answer_as_torchvisions_do():
    torch.manual_seed(0)
    theirs = torchvision_models.googlenet(num_classes=3, aux_logits=True, init_weights=False).train()
    ours = WithHeads("googlenet", build("googlenet", 3, 64), 3).train()
    own = {name: value for name, value in theirs.state_dict().items() if not name.startswith("aux")}
    ours.model.load_state_dict(own)
    ours.heads[0].load_state_dict(theirs.aux1.state_dict())
    ours.heads[1].load_state_dict(theirs.aux2.state_dict())
    for model in (theirs, ours):
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    images = torch.randn(2, 3, 64, 64)
    expected = theirs(images)
    logits, (first, second) = ours(images)
    torch.testing.assert_close(logits, expected.logits)
    torch.testing.assert_close(first, expected.aux_logits1)
    torch.testing.assert_close(second, expected.aux_logits2)


def test_inceptions_head_answers_as_torchvisions_does_and_takes_smaller_pictures():
    torch.manual_seed(0)
    theirs = torchvision_models.Inception3(num_classes=3, aux_logits=True, init_weights=False).train()
    ours = WithHeads("inception_v3", build("inception_v3", 3, 299), 3).train()
    own = {name: value for name, value in theirs.state_dict().items() if not name.startswith("AuxLogits")}
    ours.model.load_state_dict(own)
    ours.heads[0].load_state_dict(theirs.AuxLogits.state_dict())
    for model in (theirs, ours):
        next(module for module in model.modules() if isinstance(module, torch.nn.Dropout)).p = 0.0
    images = torch.randn(2, 3, 299, 299)
    expected = theirs(images)
    torch.testing.assert_close(ours(images)[1][0], expected.aux_logits, rtol=1e-3, atol=1e-4)
    assert ours(images[:, :, :96, :96])[1][0].shape == (2, 3)


@pytest.mark.parametrize("name", HEADS)
def test_the_network_inside_is_the_one_that_is_kept(name):
    model = build(name, 3, 96)
    kept = list(model.state_dict())
    with_heads = WithHeads(name, model, 3).train()
    logits, heads = with_heads(torch.randn(2, 3, 96, 96))
    sum(F.cross_entropy(answer, torch.tensor([0, 2])) for answer in (logits, *heads)).backward()
    assert all(parameter.grad is not None for parameter in with_heads.parameters())
    assert list(model.state_dict()) == kept
    assert not any(module._forward_hooks for module in with_heads.modules())
    assert model.eval()(torch.randn(1, 3, 96, 96)).shape == (1, 3)
