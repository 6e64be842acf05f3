"""What a PyTorch pickle would make, seen before torch makes any of it.

`torch.load(weights_only=True)` runs no stranger's code, but what it does call is enough to fill the memory from a file
of forty bytes: a bytearray of any length, or a dictionary of a tensor that repeats itself without end. So a pickle is
read once with harmless things in place of all that it names, and may hold no more than the state dicts and checkpoints
of ordinary trainings do.
"""

import pickle
import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

LONGEST = 4 * 1024**2
"""Bytes of the pickle without the numbers of its tensors. A network of a thousand tensors takes 100 kB, with an
optimizer three times that; and a byte can become an object of sixty."""
LEGACY_PICKLES = 5
"""Before the numbers, a file of torch before 1.6 has a magic number, a version, the machine, the object, and keys."""
CALLED: dict[str, tuple[type, ...]] = {
    "collections.OrderedDict": (),
    "collections.Counter": (dict,),  # the milestones of a learning rate
    "__builtin__.set": (list,),  # as Python 2 called it, and torch's pickles do
    "torch.Size": (tuple,),
    "torch.device": (str,),
}
"""What may be called with nothing, or with values of which kinds: other ones would be a tensor without end."""
MOST_COPIED = 100_000
"""Things in the values for these, in all: a pickle can name the same long list again and again."""
OF_TENSORS = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter")
"""What makes tensors of the numbers that are there; how large such a tensor says it is costs nothing."""


ZIP = b"PK\x03\x04"
"""How a file begins that torch opens as a zip, whatever lies further on. Python finds one anywhere, and would look at
another pickle than the one that torch makes."""


def check(path: Path) -> None:
    """Raises pickle.UnpicklingError, or what the damage brings about, where the file would make something else than
    tensors and plain values."""
    with path.open("rb") as file:
        start = BytesIO(file.read(LONGEST))
    if not start.getvalue().startswith(ZIP):
        for _ in range(LEGACY_PICKLES):
            _Harmless(start).load()
        return
    with zipfile.ZipFile(path) as records:
        every = records.infolist()
        found = [record for record in every if record.filename.endswith("data.pkl")]
        if len(found) != 1 or found[0].file_size > LONGEST:
            raise pickle.UnpicklingError("not one pickle of an ordinary length")
        if min(record.header_offset for record in every):
            raise pickle.UnpicklingError("something lies in front of the records, where torch may find others")
        _Harmless(BytesIO(records.read(found[0]))).load()


class _Harmless(pickle.Unpickler):
    """Nothing that it reads is called; where a tensor would be there is None."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__(file, encoding="latin1")
        self.copied = 0

    def find_class(self, module: str, name: str) -> Callable[..., Any] | str:
        """What stands for the thing of that name. Raises pickle.UnpicklingError for what no state dict holds."""
        called = f"{module}.{name}"
        if called in CALLED:
            return partial(self._call, called)
        if called in OF_TENSORS:
            return lambda *_: None
        if module == "torch" and (name.endswith("Storage") or name.islower()):  # a kind of numbers, not to be called
            return called
        raise pickle.UnpicklingError(f"{called} is no part of a state dict")

    def persistent_load(self, pid: object) -> None:
        """The numbers of a tensor, which are not looked at."""

    def _call(self, called: str, *values: Any) -> Any:
        if tuple(map(type, values)) not in ((), CALLED[called]):
            raise pickle.UnpicklingError(f"{called} is called with something of another kind")
        self.copied += sum(map(len, values))
        if self.copied > MOST_COPIED:
            raise pickle.UnpicklingError("far more than a checkpoint holds")
        return _Dictionary() if called.startswith("collections.") else None


class _Dictionary(dict[Any, Any]):
    """A state dict carries the versions of its layers as an attribute, which a plain dictionary cannot have."""
