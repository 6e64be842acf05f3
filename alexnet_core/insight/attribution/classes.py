"""Which class a text means."""

import difflib

from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name
from alexnet_core.models import Network


def find_class(network: Network, text: str) -> int:
    """The number of the class that `text` names: its exact name, its name in other letters' case or as its folder is
    called (macOS writes letters with their marks apart, and long names were cut), or its number.

    A class called "7" wins over the class with number 7. Raises ExplorerError for a class that does not exist, with a
    few near names, and for a name that two classes share, with their numbers.
    """
    wanted = text.strip()
    folded = [clean_name(name).casefold() for name in network.classes]
    for names, key in ((list(network.classes), wanted), (folded, clean_name(wanted).casefold())):
        found = [index for index, name in enumerate(names) if name == key]
        if len(found) > 1:
            raise ExplorerError(
                f"{len(found)} classes are called {wanted!r:.80}; give the number of one: {', '.join(map(str, found))}."
            )
        if found:
            return found[0]
    if wanted.isascii() and wanted.isdigit() and int(wanted[:9]) < len(network.classes):
        return int(wanted)
    near = difflib.get_close_matches(clean_name(wanted).casefold(), folded, n=4, cutoff=0.5)
    known = [network.classes[folded.index(name)] for name in near] or list(network.classes[:4])
    raise ExplorerError(
        f"This network has no class {wanted!r:.80}. {'Near names' if near else 'Some it has'}: {', '.join(known)}. "
        f"A number from 0 to {len(network.classes) - 1} works, too."
    )
