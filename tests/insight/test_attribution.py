"""The maps obey the laws of their methods and leave nothing behind; whose numbers they are, test_attribution_captum."""

import math

import numpy as np
import pytest
import torch
from small_networks import SIZE, Failing, Linear, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import (
    ATTRIBUTIONS,
    attribute,
    chosen_settings,
    find_class,
    last_map,
    map_layers,
    refine_occlusion,
    task,
    why_not,
)
from alexnet_core.insight.attribution.paths import STEPS_AT_ONCE
from alexnet_core.insight.operations import operations
from alexnet_core.insight.prediction import logits
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing

pytestmark = pytest.mark.filterwarnings("error")
TARGET = 2
QUICK = {"samples": 20, "segments": 9, "window": 60, "stride": 60}
ADDING_UP = ("integrated_gradients", "deep_lift", "deep_lift_shap", "lrp", "kernel_shap")
BACKWARD = ("saliency", "guided_backprop", "deep_lift", "lrp", "grad_cam", "integrated_gradients")
RANDOM = [name for name, method in ATTRIBUTIONS.items() if "seed" in [setting.name for setting in method.settings]]
PERTURBING = [name for name, method in ATTRIBUTIONS.items() if method.group == "perturbations"]


def settings_of(method: str) -> dict[str, float | int | str | None]:
    """Settings that make `method` quick, and as exact as it can be."""
    names = [setting.name for setting in ATTRIBUTIONS[method].settings]
    return {name: value for name, value in (QUICK | {"precision": "fp32"}).items() if name in names}


def squeezenet() -> Network:
    """Branches that are joined, and a pooling that rounds up."""
    torch.manual_seed(0)
    return network_of(build("squeezenet1_1", 4, SIZE))


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    torch.manual_seed(1)
    with_norm = network_of(build("alexnet_mini", 4, SIZE, batch_norm=True))
    for layer in with_norm.model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.001, 0.02)
            layer.bias.data.normal_(0, 0.1)
    return {"plain": small_network(), "batch_norm": with_norm, "squeezenet": squeezenet()}


def black() -> torch.Tensor:
    """A black picture, preprocessed."""
    return Preprocessing(SIZE, SIZE).normalise(torch.zeros(1, SIZE, SIZE, 3, dtype=torch.uint8))


@pytest.mark.parametrize("method", ["saliency", "smoothgrad"])
def test_gradients_of_a_linear_model_are_its_weight(method):
    network = network_of(Linear())
    values = attribute(network, noise(), method, TARGET).values
    assert np.allclose(values.ravel(), network.model.layer.weight[TARGET].numpy(), atol=1e-6)


def test_the_gradients_of_a_linear_model_do_not_vary():
    values = attribute(network_of(Linear()), noise(), "vargrad", TARGET).values
    assert np.abs(values).max() < 1e-8


@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift"])
def test_shares_of_a_linear_model_are_weight_times_difference(method):
    network, picture = network_of(Linear()), noise()
    found = attribute(network, picture, method, TARGET)
    difference = (network.preprocessing.tensor(picture) - black())[0].numpy()
    weight = network.model.layer.weight[TARGET].numpy().reshape(3, SIZE, SIZE)
    assert np.allclose(found.values, weight * difference, atol=1e-5)
    assert found.facts["convergence_delta"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("kind", ["plain", "batch_norm", "squeezenet"])
@pytest.mark.parametrize("baseline", ["black", "white", "blurred", "average", "random"])
@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift"])
def test_shares_add_up_to_the_rise_of_the_logit(networks, kind, method, baseline):
    network, picture = networks[kind], noise()
    settings = {"baseline": baseline} | ({"precision": "fp32"} if method == "integrated_gradients" else {})
    found = attribute(network, picture, method, TARGET, settings=settings)
    rise = found.facts["rise"]
    error = float(found.values.sum()) - rise
    assert error == pytest.approx(found.facts["convergence_delta"], abs=1e-4 + 1e-3 * abs(rise))
    # By construction; what is left is the rounding of a sum of thousands.
    assert error == pytest.approx(0, abs=1e-6 * float(np.abs(found.values).sum()) + 1e-4)
    assert found.facts.get("n_steps", 50) == 50


def test_the_rise_is_the_difference_of_the_logits(network):
    picture = noise()
    rises = (logits(network, [picture]) - logits(network, [noise(SIZE, SIZE).point(lambda _: 0)]))[0].tolist()
    for target, rise in enumerate(rises):
        assert attribute(network, picture, "deep_lift", target).facts["rise"] == pytest.approx(rise, abs=1e-5)


@pytest.mark.parametrize("kind", ["plain", "batch_norm", "squeezenet"])
def test_relevance_adds_up_to_the_logit_where_biases_take_none(networks, kind):
    network = networks[kind]
    biases = {name: value.clone() for name, value in network.model.named_parameters() if name.endswith("bias")}
    means = {name: value.clone() for name, value in network.model.named_buffers() if name.endswith("running_mean")}
    settings = {"rule": "epsilon", "epsilon": 1e-9}
    try:
        for name, value in [*network.model.named_parameters(), *network.model.named_buffers()]:
            if name in biases or name in means:
                value.zero_()
        found = attribute(network, noise(), "lrp", TARGET, settings=settings)
        score = float(logits(network, [noise()])[0, TARGET])
        assert found.values.sum() == pytest.approx(score, rel=1e-3)
    finally:
        for name, value in [*network.model.named_parameters(), *network.model.named_buffers()]:
            if name in biases or name in means:
                value.copy_((biases | means)[name])


def test_a_normalisation_counts_as_part_of_its_convolution(networks):
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    network = networks["batch_norm"]
    fused = build("alexnet_mini", 4, SIZE, batch_norm=True)
    fused.load_state_dict(network.model.state_dict())
    fused.eval()
    layers = list(fused.features)
    for at, layer in enumerate(layers):
        if isinstance(layer, nn.BatchNorm2d):
            layers[at - 1], layers[at] = fuse_conv_bn_eval(layers[at - 1], layer), nn.Identity()
    fused.features = nn.Sequential(*layers)
    for rule in ("epsilon", "gamma", "composite"):
        there = attribute(network, noise(), "lrp", TARGET, settings={"rule": rule}).values
        here = attribute(network_of(fused), noise(), "lrp", TARGET, settings={"rule": rule}).values
        assert np.allclose(there, here, rtol=1e-3, atol=1e-3 * np.abs(here).max())


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


class Sum(nn.Module):
    """The mean of each channel, scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * images.mean(dim=(2, 3))


def test_the_occlusion_window_keeps_its_proportion_to_the_picture():
    for size, window, stride, windows in ((224, 15, 8, 28**2), (64, 4, 2, 31**2), (32, 2, 1, 31**2), (8, 2, 1, 49)):
        facts = attribute(network_of(Sum(), 3, size), noise(300, 300), "occlusion", 0).facts
        assert (facts["window"], facts["stride"], facts["windows"]) == (window, stride, windows)


def test_occlusion_grows_from_coarse_to_whole(network):
    steps = list(refine_occlusion(network, noise(), TARGET))
    tried = [step.facts["windows_tried"] for step in steps]
    assert tried == [64, 256, 961]
    whole = attribute(network, noise(), "occlusion", TARGET)
    assert np.array_equal(steps[-1].values, whole.values)
    errors = [np.abs(step.values - whole.values).mean() for step in steps]
    assert errors[0] > errors[1] > errors[2] == 0
    assert all(step.values.shape == whole.values.shape for step in steps)


def test_an_occlusion_that_is_left_early_leaves_nothing_behind(network):
    network.model.train()
    before = traces(network.model)
    growing = refine_occlusion(network, noise(), TARGET)
    next(growing)
    growing.close()
    assert traces(network.model) == before
    network.model.eval()


def test_pieces_that_a_linear_model_does_not_share_get_what_they_contribute():
    network, picture = network_of(Linear()), noise()
    settings = {"segments": 9, "baseline": "black"}
    single = attribute(network, picture, "feature_ablation", TARGET, settings=settings).values
    many = attribute(network, picture, "kernel_shap", TARGET, settings=settings | {"precision": "fp32"})
    assert np.allclose(single, many.values, atol=1e-3)
    assert many.facts["convergence_delta"] == pytest.approx(0, abs=1e-3)


def test_grad_cam_shows_only_what_speaks_for_the_class(network):
    found = attribute(network, noise(), "grad_cam", TARGET)
    assert found.values.shape == (1, SIZE, SIZE)
    assert found.values.min() >= 0
    assert found.facts["layer"] == "features.11"


def test_grad_cam_looks_at_the_layer_that_is_chosen(network):
    layers = map_layers(network)
    assert layers[0] == "features.0"
    assert layers[-1] == last_map(network) == "features.11"
    found = attribute(network, noise(), "grad_cam", TARGET, settings={"layer": "features.4"})
    assert found.facts["layer"] == "features.4"
    usual = attribute(network, noise(), "grad_cam", TARGET)
    assert not np.array_equal(found.values, usual.values)
    with pytest.raises(ExplorerError, match=r"features\.0, features\.1"):
        attribute(network, noise(), "grad_cam", TARGET, settings={"layer": "classifier.1"})


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("alexnet", "features.11"), ("alexnet_bn", "features.16"), ("alexnet_mini", "features.16"),
        ("vgg11", "features.19"), ("resnet18", "layer4"), ("googlenet", "inception5b"),
        ("squeezenet1_1", "classifier.2"), ("mobilenet_v3_small", "features"), ("efficientnet_b0", "features"),
    ],
)  # fmt: skip
def test_the_last_map_is_the_last_convolutions_after_its_relu(name, layer):
    size = max(MODELS[name].smallest, 96)
    with torch.device("meta"):
        network = Network(name, frozen(build(name, 3, size)), ("a", "b", "c"), Preprocessing(size, size))
    assert last_map(network) == layer


def test_a_network_without_places_has_no_grad_cam():
    network = network_of(Linear())
    assert "larger than 1 x 1" in why_not(network, "grad_cam")
    with pytest.raises(ExplorerError, match="larger than 1 x 1"):
        attribute(network, noise(), "grad_cam", 0)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("alexnet_sprint", set()),
        ("resnet18", set()),
        ("squeezenet1_1", set()),
        ("googlenet", set()),
        ("inception_v3", set()),
        ("mobilenet_v3_small", {"deep_lift", "deep_lift_shap", "guided_backprop", "deconvolution", "guided_grad_cam",
                                "lrp"}),
        ("efficientnet_b0", {"deep_lift", "deep_lift_shap", "guided_backprop", "deconvolution", "guided_grad_cam",
                             "lrp"}),
    ],
)  # fmt: skip
def test_each_method_works_on_each_family_or_says_why_not(name, refused):
    torch.manual_seed(0)
    size = max(MODELS[name].smallest, 32)
    network = Network(name, frozen(build(name, 3, size)), ("a", "b", "c"), Preprocessing(size, size))
    before = traces(network.model)
    for method in ATTRIBUTIONS:
        reason = why_not(network, method)
        assert (reason is not None) == (method in refused), method
        if reason is None:
            if method != "occlusion":  # hundreds of passes
                assert np.isfinite(attribute(network, noise(), method, 1, settings=settings_of(method)).values).all()
        else:
            assert reason.endswith(".")
            with pytest.raises(ExplorerError, match=reason[:20]):
                attribute(network, noise(), method, 1)
    assert traces(network.model) == before


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_a_difference_of_two_classes_is_the_difference_of_their_maps_where_the_method_is_linear(networks, method):
    bent = (
        "grad_cam",
        "guided_grad_cam",
        "guided_backprop",
        "deconvolution",
        "vargrad",
        "smoothgrad_squared",
        "lime",
    )
    network, settings = networks["plain"], settings_of(method)
    if method == "integrated_gradients":
        settings = {"precision": "fp32"}
    found = attribute(network, noise(), method, 1, against=3, settings=settings)
    assert (found.against, found.against_name, found.target_name) == (3, "gamma", "beta")
    one, other = (attribute(network, noise(), method, target, settings=settings).values for target in (1, 3))
    if method in bent:
        assert not np.allclose(found.values, one)
    else:
        assert np.allclose(found.values, one - other, rtol=1e-3, atol=1e-3 * np.abs(one).max())


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_nothing_is_left_behind_and_the_grad_mode_of_the_caller_does_not_matter(networks, method):
    for network in networks.values():
        before, attributes = traces(network.model), own_attributes(network.model)
        found = attribute(network, noise(), method, settings=settings_of(method))
        with torch.no_grad():
            again = attribute(network, noise(), method, settings=settings_of(method))
            assert not torch.is_grad_enabled()
        assert np.array_equal(found.values, again.values), "the same seed gives the same map"
        assert traces(network.model) == before
        assert own_attributes(network.model) == attributes


def own_attributes(model: nn.Module) -> list[list[str]]:
    """The names of everything the layers hold."""
    return [sorted(vars(layer)) for layer in model.modules()]


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_nothing_is_left_behind_after_a_failure(method, after):
    # Some look at a pass first, to see the network's layers; the second pass is the method's own.
    network = network_of(Failing(small_network().model, after))
    looks = method in ("grad_cam", "guided_grad_cam", "guided_backprop", "deconvolution", "deep_lift",
                       "deep_lift_shap", "lrp", "occlusion")  # fmt: skip
    network.model.train()
    before, attributes = traces(network.model), own_attributes(network.model)
    if after and (method == "occlusion" or not looks) and method not in ("integrated_gradients", "expected_gradients"):
        pytest.skip("computed in one pass, or from the layers one by one")
    with pytest.raises(ZeroDivisionError):
        attribute(network, noise(), method, TARGET, settings=settings_of(method))
    assert traces(network.model) == before
    assert own_attributes(network.model) == attributes


@pytest.mark.parametrize(
    "method", ["saliency", "guided_backprop", "deep_lift", "lrp", "grad_cam", "integrated_gradients"]
)
def test_nothing_is_left_behind_when_the_way_back_fails(method):
    class Stuck(torch.autograd.Function):
        @staticmethod
        def forward(ctx, values):
            return values.clone()

        @staticmethod
        def backward(ctx, gradient):
            raise ZeroDivisionError("a failure on the way back")

    class StuckIdentity(nn.Identity):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return Stuck.apply(values)

    model = small_network().model
    model.features = nn.Sequential(*model.features[:3], StuckIdentity(), *model.features[3:])
    network = network_of(model)
    before, attributes = traces(network.model), own_attributes(network.model)
    settings = {"layer": "features.2"} if method == "grad_cam" else settings_of(method)
    with pytest.raises(ZeroDivisionError):
        attribute(network, noise(), method, TARGET, settings=settings)
    assert traces(network.model) == before
    assert own_attributes(network.model) == attributes


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_a_network_that_can_be_trained_is_not_changed(method):
    network = small_network()
    network.model.requires_grad_(True).train()
    before = traces(network.model)
    found = attribute(network, noise(), method, TARGET, settings=settings_of(method))
    assert traces(network.model) == before
    at_rest = attribute(small_network(), noise(), method, TARGET, settings=settings_of(method))
    assert np.allclose(found.values, at_rest.values, rtol=1e-4, atol=1e-6), "dropout was on"


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_a_map_of_no_numbers_is_named_as_such(method):
    network = small_network()
    network.model.features[0].weight.fill_(float("inf"))
    with pytest.raises(ExplorerError, match="not numbers"):
        attribute(network, noise(), method, 0, settings=settings_of(method))


@pytest.mark.parametrize(
    "method", ["smoothgrad", "integrated_gradients", "expected_gradients", "deep_lift_shap", *PERTURBING]
)
def test_progress_grows_and_ends_at_one(network, method):
    shares: list[float] = []
    settings = {"samples": 50} if "samples" in settings_of(method) else {}
    attribute(network, noise(), method, TARGET, progress=shares.append, settings=settings)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    "method", [name for name in ATTRIBUTIONS if "seed" in [s.name for s in ATTRIBUTIONS[name].settings]]
)
def test_another_seed_gives_another_map(network, method):
    settings = settings_of(method)
    if "baseline" in [setting.name for setting in ATTRIBUTIONS[method].settings] and method in ADDING_UP[:2]:
        settings |= {"baseline": "random"}
    one, other = (attribute(network, noise(), method, 1, settings=settings | {"seed": seed}) for seed in (0, 1))
    assert not np.array_equal(one.values, other.values)


def test_pictures_of_the_data_set_are_compared_with_where_there_are_some(network):
    references = np.random.default_rng(3).integers(0, 256, (12, SIZE, SIZE, 3), dtype=np.uint8)
    for method in ("expected_gradients", "deep_lift_shap"):
        without = attribute(network, noise(), method, TARGET)
        assert "random order" in without.facts["compared_with"]
        found = attribute(network, noise(), method, TARGET, references=references)
        assert "of the data set" in found.facts["compared_with"]
        assert not np.array_equal(found.values, without.values)
        with pytest.raises(ExplorerError, match="32 pixels"):
            attribute(network, noise(), method, TARGET, references=references[:, 1:])


@pytest.mark.parametrize("given", [None, 130])
def test_many_pictures_to_compare_with_do_not_pass_at_once(given):
    network, passed = small_network(), []
    network.model.register_forward_pre_hook(lambda module, inputs: passed.append(len(inputs[0])))
    references = given and np.random.default_rng(3).integers(0, 256, (given, SIZE, SIZE, 3), dtype=np.uint8)
    settings = {"samples": 120, "precision": "fp32"}
    found = attribute(network, noise(), "expected_gradients", TARGET, settings=settings, references=references)
    assert max(passed) <= STEPS_AT_ONCE + 1
    assert sum(passed) >= 120 + 1 + 120  # the gradients, and the scores that the rise is the difference of
    assert float(found.values.sum()) - found.facts["rise"] == pytest.approx(found.facts["convergence_delta"], abs=1e-3)


@pytest.mark.parametrize("method", ["smoothgrad", "expected_gradients"])
def test_fewer_pass_at_once_where_their_maps_are_large(monkeypatch, method):
    network, passed = small_network(), []
    settings = {"samples": 20} | ({"precision": "fp32"} if method == "expected_gradients" else {})
    expected = attribute(network, noise(), method, TARGET, settings=settings)
    each = 4 * sum(math.prod(step.shape) for step in operations(network).steps)
    monkeypatch.setattr(task, "MAPS_AT_ONCE", 3 * each)
    network.model.register_forward_pre_hook(lambda module, inputs: passed.append(len(inputs[0])))
    found = attribute(network, noise(), method, TARGET, settings=settings)
    assert max(passed) <= 3 + 1
    assert np.allclose(found.values, expected.values, rtol=1e-4, atol=1e-5 * np.abs(expected.values).max())


def test_only_the_pictures_that_are_compared_with_are_prepared(network, monkeypatch):
    prepared = []
    normalise = Preprocessing.normalise
    monkeypatch.setattr(
        Preprocessing, "normalise", lambda self, images: prepared.append(len(images)) or normalise(self, images)
    )
    references = np.random.default_rng(3).integers(0, 256, (200, SIZE, SIZE, 3), dtype=np.uint8)
    attribute(network, noise(), "deep_lift_shap", TARGET, settings={"samples": 3}, references=references)
    assert max(prepared) == 3


def test_settings_are_checked(network):
    assert chosen_settings(network, "occlusion", None) == {
        "window": 15, "stride": 8, "baseline": "mean", "precision": "fastest",
    }  # fmt: skip
    assert chosen_settings(network, "integrated_gradients", {"steps": "20"})["steps"] == 20
    assert attribute(network, noise(), "saliency").settings == {}
    for method, settings, message in (
        ("saliency", {"steps": 5}, "has none"),
        ("integrated_gradients", {"step": 5}, "baseline, steps"),
        ("integrated_gradients", {"steps": 1}, "from 2 to 500"),
        ("integrated_gradients", {"steps": 2.5}, "whole number"),
        ("integrated_gradients", {"steps": True}, "whole number"),
        ("integrated_gradients", {"steps": "many"}, "whole number"),
        ("integrated_gradients", {"steps": 10**400}, "whole number"),
        ("integrated_gradients", {"baseline": "pink"}, "black, white, blurred"),
        ("smoothgrad", {"noise": float("nan")}, "a number from 0 to 1"),
        ("smoothgrad", {"seed": -1}, "from 0 to 2147483647,"),
    ):
        with pytest.raises(ExplorerError, match=message):
            attribute(network, noise(), method, TARGET, settings=settings)


def test_without_a_target_the_predicted_class_is_explained(network):
    found = attribute(network, noise(), "saliency")
    assert found.target == int(logits(network, [noise()]).argmax())
    assert found.target_name == network.classes[found.target]
    assert (found.against, found.against_name) == (None, None)
    assert found.facts["seconds"] > 0


def test_unknown_methods_and_classes_are_one_sentence(network):
    with pytest.raises(ExplorerError, match="saliency, smoothgrad, smoothgrad_squared"):
        attribute(network, noise(), "magic")
    for target in (-1, 4):
        with pytest.raises(ExplorerError, match="0 to 3"):
            attribute(network, noise(), "saliency", target)
        with pytest.raises(ExplorerError, match="0 to 3"):
            attribute(network, noise(), "saliency", 1, against=target)
    with pytest.raises(ExplorerError, match="against itself"):
        attribute(network, noise(), "saliency", 1, against=1)


def test_every_method_says_what_it_can_and_cannot_say():
    assert len(ATTRIBUTIONS) == 18
    for name, method in ATTRIBUTIONS.items():
        assert name == name.lower().replace(" ", "_")
        for text in (method.computes, method.says, method.silent_on, *(setting.help for setting in method.settings)):
            assert text.endswith(".")
        assert "arXiv:" in method.paper
        assert method.group in ("gradients", "contributions", "activations", "perturbations")
        assert len({setting.name for setting in method.settings}) == len(method.settings)


@pytest.mark.parametrize(
    ("text", "index"), [("alpha", 0), ("ALPHA", 0), (" beta ", 1), ("Gamma", 2), ("gamma", 3), ("3", 3)]
)
def test_a_class_is_found_by_name_or_number(network, text, index):
    assert find_class(network, text) == index


def test_a_class_is_found_by_the_name_of_its_folder():
    network = small_network()
    cut = Network("alexnet_mini", network.model, ("L\u00f6we", "x" * 64, "a", "b"), network.preprocessing)
    assert find_class(cut, "Lo\u0308we") == 0
    assert find_class(cut, "x" * 70) == 1


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
