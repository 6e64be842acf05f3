"""Numbers as people read them."""

import pytest

from app import words


@pytest.mark.parametrize(
    ("count", "said"),
    [(999, "999 bytes"), (999_499, "999 kB"), (999_500, "1 MB"), (999_999_999, "1 GB"), (1_234_567, "1.23 MB")],
)
def test_sizes_are_never_written_as_powers_of_ten(count, said):
    assert words.memory(count) == said


def test_counts_are_never_written_as_powers_of_ten():
    assert words.amount(999_999_999) == "1 billion"
    assert words.amount(999_999) == "999,999"
