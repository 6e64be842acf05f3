"""What is remembered: bounded, computed once for all who ask at the same time, and right for twelve at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image
from test_waiting import started, until
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute
from app import answers
from app.answers import Asked, Watching
from app.session import SharedNetwork
from app.store import Store
from app.waiting import before_you, telling
from tests.insight.small_networks import network_of, noise, small_network, traces


@dataclass(frozen=True)
class Brought:
    """A picture as the pages know one."""

    key: str
    image: Image.Image
    name: str = "noise"
    sample: str | None = None


class Watched(nn.Module):
    """A model that takes its time and knows how many passes were under way at once."""

    def __init__(self, model):
        super().__init__()
        self.model, self.inside, self.most = model, 0, 0

    def forward(self, images):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)  # the others may run
        logits = self.model(images)
        self.inside -= 1
        return logits


@pytest.fixture
def store(monkeypatch):
    """An empty store of maps."""
    made = Store(100)
    monkeypatch.setattr(answers, "_attributions", lambda: made)
    return made


def test_the_oldest_are_forgotten():
    kept = Store(3)
    for number in range(5):
        kept.get(number, lambda number=number: number * 10)
    assert [kept.known(number) for number in range(5)] == [None, None, 20, 30, 40]
    kept.get(2, lambda: pytest.fail("computed again"))
    kept.get(5, lambda: 50)
    assert kept.known(2) == 20
    assert kept.known(3) is None


def test_heavy_ones_make_room_and_the_newest_stays_whatever_it_weighs():
    kept = Store(10, weigh=len)
    for text in ("abcd", "efgh", "ijkl", "a text of more than ten"):
        kept.get(text, lambda text=text: text)
        assert kept.known(text) == text
        if text == "ijkl":
            assert kept.known("abcd") is None
            assert kept.known("efgh") == "efgh"
    assert kept.known("ijkl") is None


def test_the_same_question_at_the_same_time_is_computed_once():
    kept, computed, go, waited = Store(3), [], threading.Event(), []

    def compute():
        computed.append(1)
        go.wait(10)
        return

    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(kept.get, "key", compute, lambda: waited.append(1)) for _ in range(12)]
        until(lambda: len(waited) >= 11)
        go.set()
        assert [one.result() for one in asked] == [None] * 12
    assert len(computed) == 1


def test_when_the_first_one_gives_up_another_computes():
    kept, go, waited, answers_got = Store(3), threading.Event(), [], []

    def give_up():
        go.wait(10)
        raise KeyboardInterrupt

    def first():
        with pytest.raises(KeyboardInterrupt):
            kept.get("key", give_up)

    threads = [started(first)]
    until(lambda: "key" in kept._coming)
    threads.append(started(lambda: answers_got.append(kept.get("key", lambda: 7, lambda: waited.append(1)))))
    until(lambda: waited)
    go.set()
    for thread in threads:
        thread.join()
    assert answers_got == [7]
    assert not kept._coming


def test_who_waits_for_the_same_may_go_away():
    kept, go = Store(3), threading.Event()
    thread = started(lambda: kept.get("key", lambda: go.wait(10)))
    until(lambda: "key" in kept._coming)

    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.get("key", lambda: 7, leave)
    go.set()
    thread.join()
    assert kept.known("key") is True


def test_twelve_at_once_get_what_one_alone_gets(store):
    """Without the lock, Captum's hooks of one thread meet those of another, and the maps are wrong."""
    model = Watched(small_network().model)
    shared = SharedNetwork("small", network_of(model))
    before = traces(model)
    pictures = [Brought(f"noise-{seed}", noise(seed=seed)) for seed in range(4)]
    methods = [name for name, method in ATTRIBUTIONS.items() if not method.slow][:3]
    asked = [Asked(shared, picture, method, 1) for picture in pictures for method in methods]
    alone = [attribute(shared.network, one.picture.image, one.method, 1).values for one in asked]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(answers.explained, [*asked, *asked, *asked]))
    for place, answer in enumerate(together):
        np.testing.assert_allclose(answer.values, alone[place % len(asked)], rtol=1e-5, atol=1e-7)
    assert model.most == 1
    assert len({id(answer) for answer in together}) == len(asked), "each was computed once"
    assert traces(model) == before
    assert shared.lock.length == 0


def test_a_map_is_asked_for_as_the_question_says(store):
    shared = SharedNetwork("small", small_network())
    picture = Brought("noise", noise())
    name = next(iter(ATTRIBUTIONS))
    plain = answers.explained(Asked(shared, picture, name, 1))
    rather = answers.explained(Asked(shared, picture, name, 1, against=2))
    expected = attribute(shared.network, picture.image, name, 1, against=2)
    np.testing.assert_allclose(rather.values, expected.values, rtol=1e-5, atol=1e-8)
    assert not np.allclose(plain.values, rather.values)
    assert answers.known(Asked(shared, picture, name, 1)) is plain
    assert answers.known(Asked(shared, picture, name, 3)) is None


def test_who_watches_an_occlusion_map_sees_sketches_of_what_was_asked(store):
    shared, picture = SharedNetwork("small", small_network()), Brought("noise", noise())
    sketches, settings = [], {"window": 56}
    asked = Asked(shared, picture, "occlusion", 1, against=2, settings=tuple(settings.items()))
    found = answers.explained(asked, Watching(lambda share: None, lambda _: None, sketches.append))
    tried = [sketch.facts["windows_tried"] for sketch in sketches]
    assert len(tried) == 3
    assert tried == sorted(set(tried))
    assert found is sketches[-1]
    assert answers.known(asked) is found
    whole = attribute(shared.network, picture.image, "occlusion", 1, against=2, settings=settings)
    np.testing.assert_allclose(found.values, whole.values, rtol=1e-4, atol=1e-6)
    assert not np.allclose(sketches[0].values, whole.values, rtol=1e-2)


def test_the_line_is_told_honestly(store):
    shared = SharedNetwork("small", small_network())
    told = []
    watching = Watching(lambda share: None, told.append)
    with shared.lock:
        asked = Asked(shared, Brought("noise", noise()), next(iter(ATTRIBUTIONS)), 0)
        thread = started(lambda: answers.explained(asked, watching))
        until(lambda: told)
    thread.join()
    assert told[0] == "Waiting: this network answers 1 question before yours."
    assert before_you(3).endswith("3 questions before yours.")


def test_who_does_not_watch_is_told_by_the_page(store):
    shared = SharedNetwork("small", small_network())
    told = []

    def ask():
        with telling(told.append):
            answers.explained(Asked(shared, Brought("noise", noise()), next(iter(ATTRIBUTIONS)), 0))

    with shared.lock:
        thread = started(ask)
        until(lambda: told)
    thread.join()
    assert told[0] == 1
    assert told[-1] == 0


def test_one_who_stops_leaves_nothing_behind(store):
    shared = SharedNetwork("small", small_network())
    before = traces(shared.network.model)
    slow = next(name for name, method in ATTRIBUTIONS.items() if method.slow)

    def stop(_share):
        raise KeyboardInterrupt

    asked = Asked(shared, Brought("noise", noise()), slow, 0)
    with pytest.raises(KeyboardInterrupt):
        answers.explained(asked, Watching(stop, lambda _: None))
    assert answers.known(asked) is None
    assert shared.lock.length == 0
    assert traces(shared.network.model) == before


def test_memory_is_given_back_before_a_slow_map_and_after_it(store, monkeypatch):
    done = []
    monkeypatch.setattr(answers, "give_back", lambda: done.append("give back"))
    monkeypatch.setattr(answers, "_attributed", lambda asked, watching: done.append(asked.method))
    shared, picture = SharedNetwork("small", small_network()), Brought("noise", noise())
    slow, quick = (next(name for name in ATTRIBUTIONS if ATTRIBUTIONS[name].slow is kind) for kind in (True, False))
    for method in (quick, slow):
        answers.explained(Asked(shared, picture, method, 0))
    assert done == [quick, "give back", slow, "give back"]


def test_a_mistake_is_not_remembered(store):
    shared = SharedNetwork("small", small_network())
    asked = Asked(shared, Brought("noise", noise()), next(iter(ATTRIBUTIONS)), 99)
    for _ in range(2):
        with pytest.raises(ExplorerError, match="99"):
            answers.explained(asked)
