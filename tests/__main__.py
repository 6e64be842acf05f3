"""The whole suite: `python -m tests` (`make test`).

In two processes side by side, for in one it takes half an hour on an old processor: the pages with the browser, and all
the rest. What the rest says is printed at the end. `python -m pytest` with files or names runs some of it.
"""

import os
import subprocess
import sys
from tempfile import TemporaryFile

PAGES = ("tests/app", "tests/browser")
NICENESS = 0 if sys.platform == "win32" else 10
"""Of the rest: that of the trainings which both start, so that these do not wait for it."""


def main() -> int:
    """The status is 1 where a test of either half failed."""
    rest = ["tests", *(f"--ignore={place}" for place in PAGES)]
    pytest = [sys.executable, "-m", "pytest"]
    # numpy's and scipy's products, too, would wait for each other's threads; tests/conftest.py sees to PyTorch's.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with TemporaryFile() as said:
        beside = subprocess.Popen(
            [*(["nice", "-n", str(NICENESS)] if NICENESS else []), *pytest, *rest],
            stdout=said,
            stderr=said,
            env=environment,
        )
        failed = subprocess.run([*pytest, *PAGES], env=environment).returncode
        failed = beside.wait() or failed
        said.seek(0)
        sys.stdout.buffer.write(said.read())
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main())
