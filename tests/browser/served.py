"""The real app, served as a person serves it, in a home folder of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import LIVE

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


class Served:
    """`streamlit run app/Home.py` on a free port; runs started in it outlive it, as they should, until `end_runs`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "server.log"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once the server answers."""
        command = [sys.executable, "-m", "streamlit", "run", "app/Home.py"]
        command += ["--server.headless", "true", "--server.port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment(self.home), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        limit = time.monotonic() + START_SECONDS
        while not self._healthy():
            if self.process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"The server did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the server as Ctrl+C would."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def end_runs(self) -> None:
        """Kill the training processes of this home, and no others."""
        for path in (self.home / "runs").glob("*/config.json"):
            state = RunDirectory(path.parent).state()
            if state.status in LIVE and state.pid is not None:
                with suppress(psutil.NoSuchProcess):  # it ended in this moment
                    psutil.Process(state.pid).kill()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


def environment(home: Path) -> dict[str, str]:
    """Nothing outside `home` is read or written, and two cores are not fought over by many threads."""
    own = {"ALEXNET_HOME": str(home), "TORCH_HOME": str(home / "torch")}
    return os.environ | own | {"OMP_NUM_THREADS": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
