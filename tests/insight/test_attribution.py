"""The maps obey the laws of their methods, are Captum's own numbers, and leave nothing behind."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion, Saliency
from small_networks import SIZE, Failing, Linear, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute, find_class, last_map
from alexnet_core.insight.prediction import logits
from alexnet_core.models import MODELS, Network, build

pytestmark = pytest.mark.filterwarnings("error")
TARGET = 2


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


def plainly(network: Network, method: str, image: torch.Tensor) -> torch.Tensor:
    """What Captum gives when called as its documentation shows."""
    if method == "saliency":
        return Saliency(network.model).attribute(image.requires_grad_(), target=TARGET, abs=False)
    if method == "integrated_gradients":
        black = network.preprocessing.normalise(torch.zeros(1, SIZE, SIZE, 3, dtype=torch.uint8))
        return IntegratedGradients(network.model).attribute(image, baselines=black, target=TARGET, n_steps=50)
    if method == "grad_cam":
        cam = LayerGradCam(network.model, network.model.features[11])
        small = cam.attribute(image.requires_grad_(), target=TARGET, relu_attributions=True)
        return LayerAttribution.interpolate(small, (SIZE, SIZE), interpolate_mode="bilinear")
    # The window of 15 in steps of 8 at 224, in proportion, one at a time and through all three colours.
    occluded = Occlusion(network.model).attribute(image, (3, 2, 2), strides=(3, 1, 1), target=TARGET)
    assert torch.allclose(occluded[:, :1], occluded[:, 1:2], atol=1e-6)
    return occluded[:, :1]


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "grad_cam", "occlusion"])
def test_the_numbers_are_captums(network, method):
    picture = noise()
    expected = plainly(network, method, network.preprocessing.tensor(picture))[0].detach().numpy()
    found = attribute(network, picture, method, TARGET)
    assert found.values.shape == expected.shape
    assert found.values.dtype == np.float32
    assert np.abs(expected).max() > 0
    # Other batch sizes round differently, and occlusion takes differences of nearly equal logits.
    assert np.allclose(found.values, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_saliency_of_a_linear_model_is_its_weight():
    network = network_of(Linear())
    values = attribute(network, noise(), "saliency", TARGET).values
    assert np.array_equal(values.ravel(), network.model.layer.weight[TARGET].numpy())


def test_integrated_gradients_add_up_to_the_rise_of_the_logit(network):
    picture = noise()
    black = noise(SIZE, SIZE).point(lambda _: 0)
    rises = (logits(network, [picture]) - logits(network, [black]))[0].tolist()
    for target, rise in enumerate(rises):
        found = attribute(network, picture, "integrated_gradients", target)
        # Fifty steps along a path with kinks: as good as a tenth of what there is to share out.
        error = found.values.sum() - rise
        assert abs(error) < 0.1 * max(map(abs, rises))
        assert error == pytest.approx(found.facts["convergence_delta"], abs=1e-4 + 1e-3 * abs(rise))


def test_integrated_gradients_of_a_linear_model_are_weight_times_difference():
    network, picture = network_of(Linear()), noise()
    found = attribute(network, picture, "integrated_gradients", TARGET)
    black = network.preprocessing.normalise(torch.zeros(1, SIZE, SIZE, 3, dtype=torch.uint8))
    difference = (network.preprocessing.tensor(picture) - black)[0].numpy()
    weight = network.model.layer.weight[TARGET].numpy().reshape(3, SIZE, SIZE)
    assert np.allclose(found.values, weight * difference, atol=1e-5)
    assert found.facts["convergence_delta"] == pytest.approx(0, abs=1e-3)


def test_occlusion_of_a_linear_model_is_the_mean_of_what_the_windows_cover():
    network, picture = network_of(Linear()), noise()
    found = attribute(network, picture, "occlusion", TARGET)
    image = network.preprocessing.tensor(picture)[0].numpy()
    weight = network.model.layer.weight[TARGET].numpy().reshape(3, SIZE, SIZE)
    share = (weight * image).sum(axis=0)
    window, stride = found.facts["window"], found.facts["stride"]
    total, count = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    for top in range(0, SIZE - window + 1, stride):
        for left in range(0, SIZE - window + 1, stride):
            place = np.s_[top : top + window, left : left + window]
            total[place] += share[place].sum()
            count[place] += 1
    assert np.allclose(found.values[0], total / count, atol=1e-4)


def test_the_occlusion_window_keeps_its_proportion_to_the_picture():
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.scale * images.mean(dim=(2, 3))

    for size, window, stride, windows in ((224, 15, 8, 28**2), (64, 4, 2, 31**2), (32, 2, 1, 31**2), (8, 2, 1, 49)):
        facts = attribute(network_of(Sum(), 3, size), noise(300, 300), "occlusion", 0).facts
        assert (facts["window"], facts["stride"], facts["windows"]) == (window, stride, windows)


def test_grad_cam_shows_only_what_speaks_for_the_class(network):
    found = attribute(network, noise(), "grad_cam", TARGET)
    assert found.values.shape == (1, SIZE, SIZE)
    assert found.values.min() >= 0
    assert found.facts["layer"] == "features.11"


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("alexnet", "features.11"), ("alexnet_bn", "features.16"), ("alexnet_mini", "features.16"),
        ("vgg11", "features.19"), ("resnet18", "layer4"), ("googlenet", "inception5b"),
        ("squeezenet1_1", "classifier.2"), ("mobilenet_v3_small", "features"), ("efficientnet_b0", "features"),
    ],
)  # fmt: skip
def test_the_last_map_is_the_last_convolutions_after_its_relu(name, layer):
    size = max(MODELS[name].image_size, 96)
    with torch.device("meta"):
        model = build(name, 3, size).eval()
        image = torch.empty(1, 3, size, size)
    assert last_map(model, image)[0] == layer


def test_a_network_without_places_has_no_grad_cam():
    with pytest.raises(ExplorerError, match="larger than 1 x 1"):
        attribute(network_of(Linear()), noise(), "grad_cam", 0)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_nothing_is_left_behind_and_the_grad_mode_of_the_caller_does_not_matter(network, method):
    before = traces(network.model)
    found = attribute(network, noise(), method)
    with torch.no_grad():
        again = attribute(network, noise(), method)
        assert not torch.is_grad_enabled()
    assert np.array_equal(found.values, again.values)
    assert traces(network.model) == before


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_nothing_is_left_behind_after_a_failure(method):
    # The first pass of Grad-CAM only looks for the layer; its hooks are set in the second.
    after = 0 if method == "saliency" else 1
    network = network_of(Failing(small_network().model, after))
    network.model.train()
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        attribute(network, noise(), method, TARGET)
    assert traces(network.model) == before


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_a_network_that_can_be_trained_is_not_changed(method):
    network = small_network()
    network.model.requires_grad_(True).train()
    before = traces(network.model)
    found = attribute(network, noise(), method, TARGET)
    assert traces(network.model) == before
    at_rest = attribute(small_network(), noise(), method, TARGET)
    assert np.allclose(found.values, at_rest.values, rtol=1e-4, atol=1e-6), "dropout was on"


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_a_map_of_no_numbers_is_named_as_such(method):
    class Overflowing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 5)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return ((self.layer(images) * 1e30) ** 3 * 0).mean(dim=(2, 3))

    with pytest.raises(ExplorerError, match=ATTRIBUTIONS[method].title):
        attribute(network_of(Overflowing()), noise(), method, 0)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_progress_grows_and_ends_at_one(network, method):
    shares: list[float] = []
    attribute(network, noise(), method, TARGET, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 2
    assert shares[-1] == pytest.approx(1)


def test_without_a_target_the_predicted_class_is_explained(network):
    found = attribute(network, noise(), "saliency")
    assert found.target == int(logits(network, [noise()]).argmax())
    assert found.target_name == network.classes[found.target]
    assert found.facts["seconds"] > 0


def test_unknown_methods_and_classes_are_one_sentence(network):
    with pytest.raises(ExplorerError, match="saliency, integrated_gradients, grad_cam, occlusion"):
        attribute(network, noise(), "magic")
    for target in (-1, 4):
        with pytest.raises(ExplorerError, match="0 to 3"):
            attribute(network, noise(), "saliency", target)


def test_every_method_says_what_it_can_and_cannot_say():
    for name, method in ATTRIBUTIONS.items():
        assert name == name.lower().replace(" ", "_")
        for text in (method.computes, method.says, method.silent_on):
            assert text.endswith(".")
        assert "arXiv:" in method.paper


@pytest.mark.parametrize(
    ("text", "index"), [("alpha", 0), ("ALPHA", 0), (" beta ", 1), ("Gamma", 2), ("gamma", 3), ("3", 3)]
)
def test_a_class_is_found_by_name_or_number(network, text, index):
    assert find_class(network, text) == index


def test_a_class_named_like_a_number_wins_over_that_number():
    network = small_network()
    digits = Network("alexnet_mini", network.model, ("3", "2", "1", "0"), network.preprocessing)
    assert find_class(digits, "3") == 0


def test_a_class_that_does_not_exist_is_answered_with_near_names(network):
    with pytest.raises(ExplorerError, match="Near names: alpha"):
        find_class(network, "alfa")
    with pytest.raises(ExplorerError, match="0 to 3"):
        find_class(network, "4")
    with pytest.raises(ExplorerError):
        find_class(network, "²")
    with pytest.raises(ExplorerError):
        find_class(network, "")


def test_a_name_that_two_classes_share_is_answered_with_their_numbers(network):
    with pytest.raises(ExplorerError, match="2, 3"):
        find_class(network, "GAMMA")
