"""A bounded store of answers that all sessions share. What several ask at the same time is computed once.

Streamlit's own cache cannot report progress from inside, and computes the same for each who asks meanwhile.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from app.waiting import BEAT, tell_as_usual


@dataclass
class _Coming:
    """An answer that is being computed."""

    over: Event = field(default_factory=Event)
    """Set at the end, also when it failed."""
    answer: tuple[Any] | None = None
    """In a tuple, for an answer may be None."""


class Store:
    """The last `limit` answers, or as many as weigh no more than that together, and the newest in any case. Ask while
    holding no lock that computing the answer takes: the one who computes the same may be waiting for it."""

    def __init__(self, limit: int, weigh: Callable[[Any], int] = lambda answer: 1) -> None:
        self.limit, self.weigh = limit, weigh
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._coming: dict[Hashable, _Coming] = {}
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Any], meanwhile: Callable[[], object] | None = None) -> Any:
        """What is remembered under `key`, else what `compute` gives.

        Where another thread computes the same already, its answer is waited for; `meanwhile` (else the page's own line)
        is told now and then and may raise to go away. When that thread fails or gives up, this one computes.
        """
        while True:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
                others = self._coming.get(key)
                if others is None:
                    own = self._coming[key] = _Coming()
            if others is None:
                return self._computed(key, compute, own)
            while not others.over.wait(BEAT):
                if meanwhile is None:
                    tell_as_usual(1)
                else:
                    meanwhile()
            tell_as_usual(0)
            if others.answer is not None:
                return others.answer[0]

    def known(self, key: Hashable) -> Any:
        """What is remembered under `key`, at once; None for nothing."""
        with self._lock:
            return self._kept.get(key)

    def _computed(self, key: Hashable, compute: Callable[[], Any], own: _Coming) -> Any:
        try:
            answer = compute()
            own.answer = (answer,)
            return answer
        finally:
            with self._lock:
                del self._coming[key]
                if own.answer is not None:
                    self._kept[key] = own.answer[0]
                while len(self._kept) > 1 and sum(map(self.weigh, self._kept.values())) > self.limit:
                    self._kept.popitem(last=False)
            own.over.set()
