"""The ten lines of Python that repeat a map outside of the app."""

from alexnet_core.images import clean_name
from app.answers import Asked
from app.explaining.compare import Question
from app.session import IMAGENET, Picture


def script(question: Question) -> str:
    """A program that computes the map of `question` again and saves its values as map.npy.

    Every name stands in it as a Python literal: class and file names come from strangers.
    """
    get_network, network = _network(question)
    asked = question.asked
    get_picture, image = _picture(asked.picture)
    more = {"against": asked.against, "settings": dict(asked.settings) or None}
    arguments = "".join(f", {name}={value!r}" for name, value in more.items() if value is not None)
    get_references, references = _references(asked)
    if references:
        arguments += ", references=references"
    imports = {
        "import numpy as np",
        "from alexnet_core.insight.attribution import attribute",
        *get_network,
        *get_picture,
        *get_references,
    }
    lines = [
        "# Runs where AlexNet Explorer is installed.",
        *sorted(imports, key=lambda line: (line.startswith("from"), line)),
        "",
        f"network = {network}",
        f"picture = {image}",
        *references,
        f"answer = attribute(network, picture, {asked.method!r}, target={asked.target}{arguments})",
        "print(answer.target_name, answer.facts)",
        'np.save("map.npy", answer.values)',
    ]
    return "\n".join(lines) + "\n"


def _network(question: Question) -> tuple[set[str], str]:
    """What to import, and the expression."""
    if question.choice.startswith(IMAGENET):
        name = question.choice.removeprefix(IMAGENET)
        return {"from alexnet_core.models.weights import imagenet_network"}, f"imagenet_network({name!r})"
    run = f"RunDirectory.find({question.choice!r})"
    find_run = "from alexnet_core.runs.directory import RunDirectory"
    if question.step is None:
        return {find_run}, f"{run}.network()"
    load = "from alexnet_core.models.weights import load_network"
    return {load, find_run}, f"load_network({run}.snapshots(whole=True)[{question.step}])"


def _picture(picture: Picture) -> tuple[set[str], str]:
    if picture.sample is not None:
        return {"from app.samples import SAMPLES"}, f"SAMPLES[{picture.sample!r}].load()"
    imports = {"from alexnet_core.images import decode_file", "from alexnet_core.places import uploads_home"}
    # The copy that the app keeps for a month; elsewhere, and later, one writes the path of one's own there.
    return imports, f"decode_file(uploads_home() / {picture.key!r})  # {clean_name(picture.name)}"


def _references(asked: Asked) -> tuple[set[str], list[str]]:
    """What to import for the pictures that the method compares with, and the line that reads them; nothing for most."""
    beside = asked.compared
    if beside is None:
        return set(), []
    imports = {
        "from pathlib import Path",
        "from alexnet_core.data.prepared import PreparedSet",
        "from alexnet_core.insight.gallery import evenly_spread",
    }
    prepared = f"PreparedSet.open(Path({str(beside.directory)!r}))"
    return imports, [f'references = evenly_spread({prepared}.images("train"))']
