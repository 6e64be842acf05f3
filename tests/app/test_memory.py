"""Freed memory goes back to the system, whichever thread freed it."""

import os
import sys
import threading

import psutil
import pytest

from app.memory import give_back, share_heaps


def test_mkl_keeps_no_buffers_unless_a_person_wants_some(monkeypatch):
    monkeypatch.setenv("MKL_DISABLE_FAST_MM", "0")
    share_heaps()
    assert os.environ["MKL_DISABLE_FAST_MM"] == "0"
    monkeypatch.delenv("MKL_DISABLE_FAST_MM")
    share_heaps()
    assert os.environ["MKL_DISABLE_FAST_MM"] == "1"


@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's C library keeps heaps for threads")
def test_what_a_thread_has_freed_goes_back():
    share_heaps()
    kept = []

    def fill():
        blocks = [bytearray(100_000) for _ in range(1000)]  # 100 MB, each block too small to be mapped alone
        kept.append(blocks[-1])  # the last one stays, so that the heap cannot shrink from its end

    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()
    before = psutil.Process().memory_info().rss
    give_back()
    assert psutil.Process().memory_info().rss < before - 50_000_000
