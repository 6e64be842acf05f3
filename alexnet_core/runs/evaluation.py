"""The answers of a run's network at its end, and the file that keeps them."""

import lzma
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tokenize import TokenError

import numpy as np

from alexnet_core.errors import ExplorerError

DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, KeyError, RuntimeError, TokenError,
)  # fmt: skip
"""What numpy and zipfile let out for a damaged file."""


@dataclass(frozen=True)
class Evaluation:
    """The answers on one split, one value an image, in the order of the prepared set's rows."""

    split: str
    labels: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray
    """Of the predicted class."""
    files: list[str]

    def to_bytes(self) -> bytes:
        """The contents of evaluation.npz; probabilities in half precision."""
        buffer = BytesIO()
        np.savez_compressed(
            buffer,
            split=np.array(self.split),
            labels=self.labels.astype(np.int32),
            predictions=self.predictions.astype(np.int32),
            probabilities=self.probabilities.astype(np.float16),
            files=np.array(self.files, dtype=np.str_),
        )
        return buffer.getvalue()


def read_evaluation(path: Path) -> Evaluation:
    """What such a file holds. Raises ExplorerError where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Evaluation(
                split=str(arrays["split"]),
                labels=arrays["labels"],
                predictions=arrays["predictions"],
                probabilities=arrays["probabilities"].astype(np.float32),
                files=[str(name) for name in arrays["files"]],
            )
    except DAMAGE as error:
        raise ExplorerError(
            f"The evaluation of run {path.parent.name} is damaged; resume or repeat the run."
        ) from error
