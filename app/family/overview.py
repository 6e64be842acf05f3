"""What the page The family opens with: what networks reach for what they cost, and which idea came out of which."""

import plotly.graph_objects as go

from alexnet_core.models import MODELS
from alexnet_core.models.family import IDEAS, costs, idea_of, published
from app.figures.family_chart import Dot, accuracy_against_cost
from app.figures.ideas import Milestone, ideas_over_the_years
from app.words import amount, percent

SIDES = {
    "alexnet": "bottom center", "resnet18": "bottom center", "vgg11": "bottom center", "resnet50": "middle left",
    "mobilenet_v3_small": "bottom center", "squeezenet1_1": "middle left", "inception_v3": "bottom center",
    "efficientnet_v2_s": "top left",
}  # fmt: skip
"""Where a name stands that would else lie on another."""


def chart() -> go.Figure:
    """The networks with published accuracies."""
    return accuracy_against_cost([_dot(name) for name in MODELS if published(name) is not None])


def timeline() -> go.Figure:
    """The ideas, the oldest on top."""
    return ideas_over_the_years(
        [Milestone(key, idea.title, idea.year, idea.parents, idea.paper) for key, idea in IDEAS.items()]
    )


def _dot(name: str) -> Dot:
    reached, its, idea = published(name), costs(name), idea_of(name)
    assert reached is not None
    assert idea is not None
    hover = (
        f"{percent(reached.top1)} top-1, {amount(its.multiply_adds)} multiply-adds, {amount(its.parameters)} "
        f"parameters, {its.image_size} pixels"
    )
    return Dot(
        MODELS[name].title, IDEAS[idea].title, its.multiply_adds, its.parameters, reached.top1, hover,
        SIDES.get(name, "top center"),
    )  # fmt: skip
