import pytest
from PIL import Image
from small_runs import small_run


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home, so that nobody's runs are seen or touched."""
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(home):
    return small_run(home / "runs" / "pets-1")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.effect_noise((50, 40), 90).convert("RGB").save(path)
    return path
