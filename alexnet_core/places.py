"""Where things live on this computer: one home folder for prepared data, runs and downloads.

Nothing is written anywhere else unless a person names another place, but for ImageNet's weights: they lie in PyTorch's
own cache (`models/fetching`), which TORCH_HOME moves. ALEXNET_HOME moves the whole home, for a classroom's shared disk
or a test's temporary folder.
"""

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT_ROOT / "assets"


def home() -> Path:
    """The home folder: $ALEXNET_HOME, else `.alexnet-explorer` in the user's own folder."""
    chosen = os.environ.get("ALEXNET_HOME")
    return Path(chosen).expanduser().resolve() if chosen else Path.home() / ".alexnet-explorer"


def data_home() -> Path:
    """Prepared data sets, one folder each."""
    return home() / "data"


def runs_home() -> Path:
    """Training runs, one folder each."""
    return home() / "runs"


def trash_home() -> Path:
    """Runs that a person deleted, until the trash is emptied."""
    return home() / "trash"


def staircases_home() -> Path:
    """Comparisons of AlexNet with its successors, one folder each; the runs that they name lie where all runs lie."""
    return home() / "staircases"


def downloads_home() -> Path:
    """What was fetched from the internet, as it came."""
    return home() / "downloads"


def uploads_home() -> Path:
    """What people uploaded in the app, under names of our own."""
    return home() / "uploads"


def collections_home() -> Path:
    """Data sets that people made of their own pictures, one folder each."""
    return home() / "collections"


def corrections_home() -> Path:
    """What people corrected in data sets, one small file each."""
    return home() / "corrections"


def features_home() -> Path:
    """What networks answer to the pictures of whole data sets; may be deleted at any time."""
    return home() / "features"


def measured_file() -> Path:
    """What was found to be the fastest way to train on the machines that use this home."""
    return home() / "fastest.json"


def latencies_file() -> Path:
    """How fast the networks were when they were last measured on the machines that use this home."""
    return home() / "latencies.json"


def bundled_runs() -> Path:
    """The finished runs that come with the program."""
    return ASSETS / "runs"
