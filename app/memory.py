"""What the server's threads do with memory that they have freed. Imports nothing heavy: the router calls it.

Each click runs in a thread of its own. GNU's C library gives threads heaps of their own, up to eight a core, and each
keeps what was freed in it: after twelve people had explained pictures on two cores, the server held 1.9 GB more. MKL,
which multiplies matrices for PyTorch, keeps buffers for each thread, too: without them it was 298 MB in place of 409,
and nobody waited longer (`benchmarks.twelve`, one run each).
"""

import ctypes
import os
import sys
from contextlib import suppress

HEAPS = 2
"""Networks compute one at a time; a second heap is for what happens beside them."""
_ARENA_MAX = -8
"""The name of mallopt(3) for it, from malloc.h."""


def share_heaps() -> None:
    """Let all threads that start from now on share few heaps, and MKL keep no buffers. To be called before torch is
    loaded; without effect where the C library is not GNU's or products are not MKL's."""
    os.environ.setdefault("MKL_DISABLE_FAST_MM", "1")
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Return the freed memory of all heaps to the system: some milliseconds, so only after work that took longer."""
    if sys.platform == "linux":
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
