"""What the server's threads do with memory that they have freed. Imports nothing heavy: the router calls it.

Each click runs in a thread of its own. GNU's C library gives threads heaps of their own, up to eight a core, and each
keeps what was freed in it: after twelve people had explained pictures on two cores, the server held 1.9 GB more. In few
heaps freed maps of a network leave holes, and MKL, which multiplies matrices for PyTorch, keeps buffers of each thread.
With few heaps alone twelve people took 409 MB more, without MKL's buffers 298 to 419, with large blocks returned 398,
with both 196 and 203, and nobody waited longer (`benchmarks.twelve`, two cores without 16-bit units, some runs each).
"""

import ctypes
import os
import sys
from contextlib import suppress

HEAPS = 2
"""Networks compute one at a time; a second heap is for what happens beside them."""
LARGE = 4 << 20
"""Bytes of a block that is returned as soon as it is freed. Left alone, the library raises this bound to 32 MB."""
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""The names of mallopt(3) for them, from malloc.h."""


def share_heaps() -> None:
    """Let all threads that start from now on share few heaps, return large blocks, and MKL keep no buffers. To be
    called before torch is loaded; without effect where the C library is not GNU's or products are not MKL's."""
    os.environ.setdefault("MKL_DISABLE_FAST_MM", "1")
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            library = ctypes.CDLL(None)
            library.mallopt(_ARENA_MAX, HEAPS)
            library.mallopt(_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Return the freed memory of all heaps to the system: some milliseconds, so only after work that took longer."""
    if sys.platform == "linux":
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
