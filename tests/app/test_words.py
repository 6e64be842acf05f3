"""Numbers as people read them."""

import pytest

from alexnet_core.data.sources import available, prepare
from app import words
from app.datasets import offers
from tests.pictures import class_files, make_zip


@pytest.mark.parametrize(
    ("count", "said"),
    [(999, "999 bytes"), (999_499, "999 kB"), (999_500, "1 MB"), (999_999_999, "1 GB"), (1_234_567, "1.23 MB")],
)
def test_sizes_are_never_written_as_powers_of_ten(count, said):
    assert words.memory(count) == said


def test_what_a_list_shows_is_never_twice_the_same(home, tmp_path, open_page):
    assert words.distinct({"run-abcd": "Pets", "run-efgh": "Pets", "run-0": "Cats"}) == {
        "run-abcd": "Pets (abcd)", "run-efgh": "Pets (efgh)", "run-0": "Cats",
    }  # fmt: skip
    for seed in (0, 500):  # a zip, and the same one when two pictures in it had been mended
        prepare(make_zip(tmp_path / "pets.zip", class_files(seed=seed)), image_size=32)
    lines = offers(available())
    own = [source for source, line in lines.items() if line.startswith("pets")]
    assert len(own) == len({lines[source] for source in own}) == 2
    app = open_page("train", run="new")
    for source in own:
        app.selectbox(key="new_data").set_value(source).run()
        assert app.selectbox(key="new_data").value == source


def test_counts_are_never_written_as_powers_of_ten():
    assert words.amount(999_999_999) == "1 billion"
    assert words.amount(999_999) == "999,999"
