"""Text on its way to the screen: a stranger's names as letters, and mistakes that people can put right as sentences.

Imports nothing heavy: the router needs it before torch is there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from alexnet_core.errors import ExplorerError

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")


def plain(text: str) -> str:
    """`text` as Markdown that shows it letter for letter: names of classes, files and runs come from strangers."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


@contextmanager
def sentences_for_people() -> Iterator[None]:
    """Show what a person can put right as a sentence on the page; a bug keeps its traceback, in the terminal."""
    try:
        yield
    except ExplorerError as error:
        st.error(plain(str(error)), icon=":material/error:")
