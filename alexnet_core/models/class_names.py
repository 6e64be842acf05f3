"""The names of a network's classes, from the files in which people keep them."""

import json
from pathlib import Path

from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name

MOST_CLASSES = 100_000
LARGEST_NAMES = 16 * 1024**2
"""Bytes of a file of class names."""


def read_class_names(path: Path) -> tuple[str, ...]:
    """Class names in the order of the outputs, from a text file with one a line, or a JSON list, or ImageNet's usual
    JSON object {"0": ["n01440764", "tench"], ...}.

    Raises ExplorerError when the file is none of these.
    """
    name = clean_name(path.name)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_NAMES + 1).decode("utf-8-sig")
    except OSError as error:
        raise ExplorerError(f"{name} cannot be read ({error.strerror or error}); check the path.") from error
    except ValueError as error:
        raise ExplorerError(f"{name} is no text in UTF-8; save the names as plain text, one a line.") from error
    return class_names(text, name)


def class_names(text: str, name: str = "The list of class names") -> tuple[str, ...]:
    """The names in `text`, as `read_class_names` reads them; `name` is for messages. Raises ExplorerError."""
    if len(text) > LARGEST_NAMES:
        raise ExplorerError(f"{name} is too long for class names; give one short name a line.")
    if not text.lstrip().startswith(("[", "{")):
        names = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        try:
            values = json.loads(text)
            if isinstance(values, dict):
                values = [values[str(number)] for number in range(len(values))]
            names = [value[-1] if isinstance(value, list) else value for value in values]
        except (ValueError, KeyError, IndexError, RecursionError) as error:
            raise ExplorerError(
                f'{name} is no list of names in JSON; write ["cat", "dog"], or one name a line.'
            ) from error
    if not all(isinstance(one, str) for one in names) or not 2 <= len(names) <= MOST_CLASSES:
        raise ExplorerError(f"{name} must hold at least two class names, as text, one for each output of the network.")
    return tuple(names)
