"""A network from elsewhere as a finished run, so that every page and command finds it among the others.

It has no events, no snapshots and no data: its data identity says that it was imported.
"""

import shutil
from dataclasses import fields

from alexnet_core.images import clean_name
from alexnet_core.models import Network
from alexnet_core.models.weights import save_network
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.notes import Notes, write_notes
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig

IMPORTED = DataIdentity(directory="", name="imported", title="trained elsewhere", identity="imported")
"""In the place of the data that it learned from, which nobody told."""


def import_network(network: Network, file: str, title: str = "", note: str = "") -> RunDirectory:
    """Keep `network` as a finished run in the runs home, under an id of our own making. `file` is the name of the file
    it came from, `title` a name for people, `note` what to remember about it.

    Raises ExplorerError where it cannot be written, and then leaves nothing behind.
    """
    file = clean_name(file)
    known = {field.name for field in fields(TrainConfig)}
    settings = TrainConfig.from_dict(
        {"model": network.name} | {name: value for name, value in network.settings.items() if name in known}
    )
    run = RunDirectory.create(settings, IMPORTED, title=clean_name(title) if title.strip() else f"{file}, imported")
    try:
        save_network(run.network_path, network)
        if note:
            write_notes(run.path, Notes(note=note))
        run.write_state(RunState("finished", f"Imported from {file}; it was not trained here."))
    except BaseException:  # also Ctrl-C: half a run would be taken for one that waits
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run
