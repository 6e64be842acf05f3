"""`predict`: what a network says about pictures."""

import argparse
import json
from dataclasses import replace

from alexnet_core.commands.chosen_network import add_network_flags, chosen_network


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The pictures, the network, how many classes to name."""
    parser = verbs.add_parser("predict", help="name the classes of pictures")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="picture files")
    add_network_flags(parser)
    parser.add_argument("--top", type=int, default=5, metavar="N", help="how many classes to name (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the most probable classes of each picture."""
    from alexnet_core.images import clean_name, decode_file, read_picture_file
    from alexnet_core.insight.prediction import predict

    for path in arguments.images:
        read_picture_file(path)  # one that is not there is said before weights are fetched
    network = chosen_network(arguments)
    preprocessing = network.preprocessing
    # Of each picture the square alone, which passes as it is: a hundred photographs would take 5 GB.
    squares = [preprocessing.crop(decode_file(path)) for path in arguments.images]
    still = replace(network, preprocessing=replace(preprocessing, resize=preprocessing.size))
    answers = predict(still, squares, top=arguments.top)
    if arguments.json:
        listing = [
            {"file": path, "top": [{"class": one.name, "probability": one.probability} for one in top]}
            for path, top in zip(arguments.images, answers, strict=True)
        ]
        print(json.dumps(listing, indent=1))
        return
    for path, top in zip(arguments.images, answers, strict=True):
        print(path)
        for one in top:
            print(f"  {one.probability:7.2%}  {clean_name(one.name)}")
