"""The pictures to begin with are there, and are pictures."""

import pytest

from app.samples import SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_loads(name):
    picture = SAMPLES[name].load()
    assert picture.mode == "RGB"
    assert min(picture.size) >= 224
    assert len(picture.getcolors(2**20) or [0] * 100) > 50  # more than a flat colour
