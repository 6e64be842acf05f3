"""Weights that come over the network: whole, broken off, refused, altered; and always one sentence."""

import hashlib
import http.server
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.lock import alone
from alexnet_core.models import MODELS, fetching
from alexnet_core.models.fetching import fetch, imagenet_file

DATA = bytes(range(256)) * 8192  # 2 MB, eight pieces
DIGEST = hashlib.sha256(DATA).hexdigest()[:8]


class Server:
    """Sends DATA, as ill-behaved as a test wants it."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.addresses: list[str] = []
        self.names: list[str | None] = []
        self.cut: list[int] = []
        """How many bytes each answer sends before the connection drops, from the front; empty means all."""
        self.silent = threading.Event()
        """Until it is set, a connection that would drop is held without a word."""
        self.silent.set()
        self.ranges, self.status, self.data = True, 200, DATA
        self.url = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    stand = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            stand.asked.append(wanted)
            stand.addresses.append(self.path)
            stand.names.append(self.headers["User-Agent"])
            first = int(wanted[6:-1]) if wanted and stand.ranges else 0
            if stand.status != 200:
                self.send_error(stand.status)
                return
            if first >= len(stand.data):
                self.send_error(416)
                return
            body = stand.data[first:]
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(body)))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(stand.data) - 1}/{len(stand.data)}")
            self.end_headers()
            if not stand.cut:
                self.wfile.write(body)
                return
            self.wfile.write(body[: stand.cut.pop(0)])
            self.wfile.flush()
            stand.silent.wait(60)

        def log_message(self, *arguments: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    stand.url = f"http://127.0.0.1:{running.server_port}/w-{DIGEST}.pth"
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(fetching, "WAITING", 0.01)
    yield stand
    stand.silent.set()
    running.shutdown()
    running.server_close()


def test_it_arrives_with_progress_and_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    for _ in range(2):
        fetch(server.url, tmp_path / "cache" / "w", DIGEST, lambda *at: seen.append(at))
    assert (tmp_path / "cache" / "w").read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA), "downloading")
    assert [done for done, _, _ in seen] == sorted({done for done, _, _ in seen})
    assert server.asked == [None]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["w"]


def test_a_connection_that_breaks_off_is_taken_up_again_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.cut = [600_000, 100_000]
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA
    assert server.asked == [None, "bytes=600000-", "bytes=700000-"]


def test_so_is_what_another_process_left_when_it_was_killed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.part").write_bytes(DATA[:1_000_000])
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA
    assert server.asked == ["bytes=1000000-"]


def test_a_whole_file_that_only_lacked_its_name_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.part").write_bytes(DATA)
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA
    assert server.asked == [f"bytes={len(DATA)}-"]


def test_a_server_that_cannot_begin_in_the_middle_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.cut = False, [600_000]
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA
    assert server.asked == [None, "bytes=600000-"]


def test_a_connection_that_always_breaks_off_keeps_what_came(server: Server, tmp_path: Path) -> None:
    server.cut = [600_000] + [0] * 50
    with pytest.raises(ExplorerError, match=r"1 MB have arrived and are kept.*--weights"):
        fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w.part").stat().st_size == 600_000
    assert not (tmp_path / "w").exists()
    assert len(server.asked) <= 2 * fetching.ATTEMPTS


def test_other_bytes_than_promised_are_thrown_away(server: Server, tmp_path: Path) -> None:
    server.data = DATA[:-1] + b"!"
    with pytest.raises(ExplorerError, match=r"not the ImageNet weights.*Try again.*--weights"):
        fetch(server.url, tmp_path / "w", DIGEST)
    assert list(tmp_path.iterdir()) == []
    server.data = DATA
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA


def test_a_damaged_file_in_the_cache_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(DATA[:-1] + b"!")
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_refuses_is_asked_once(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(ExplorerError, match=r"could not be fetched.*--weights"):
        fetch(server.url, tmp_path / "w", DIGEST)
    assert len(server.asked) == 1


def test_without_a_connection_there_is_a_sentence_at_once(tmp_path: Path, server: Server) -> None:
    began = time.monotonic()
    with pytest.raises(ExplorerError, match=r"could not be fetched.*bundled"):
        fetch("http://127.0.0.1:9/w.pth", tmp_path / "w", "")
    assert time.monotonic() - began < 5


def test_it_can_be_stopped_and_goes_on(server: Server, tmp_path: Path) -> None:
    answers = iter([False, False, True])
    with pytest.raises(ExplorerError, match="was stopped"):
        fetch(server.url, tmp_path / "w", DIGEST, cancelled=lambda: next(answers))
    fetch(server.url, tmp_path / "w", DIGEST)
    assert server.asked[1] is not None
    assert (tmp_path / "w").read_bytes() == DATA


def test_a_connection_that_falls_silent_is_given_up_and_taken_up_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "STALLED", 0.3)
    server.silent.clear()
    server.cut = [600_000]
    fetch(server.url, tmp_path / "w", DIGEST)
    assert (tmp_path / "w").read_bytes() == DATA
    assert server.asked == [None, "bytes=600000-"]


def test_a_slow_connection_shows_every_byte_and_can_be_stopped(server: Server, tmp_path: Path) -> None:
    server.silent.clear()
    server.cut = [100]
    seen: list[tuple[int, int, str]] = []
    while_silent: list[bool] = []

    def stop_when_seen() -> None:
        _until(lambda: bool(seen))
        while_silent.append(not server.silent.is_set())
        server.silent.set()

    stopping = threading.Thread(target=stop_when_seen)
    stopping.start()
    with pytest.raises(ExplorerError, match="goes on from here"):
        fetch(server.url, tmp_path / "w", DIGEST, lambda *at: seen.append(at), lambda: bool(seen))
    stopping.join()
    assert while_silent == [True]
    assert seen == [(100, len(DATA), "downloading")]
    assert (tmp_path / "w.part").read_bytes() == DATA[:100]


def test_it_goes_through_a_proxy_under_the_name_of_torchs_own_loader(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.rpartition("/")[0])
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # Python asks for proxies once
    fetch("http://weights.invalid/w.pth", tmp_path / "w", DIGEST)
    assert server.addresses == ["http://weights.invalid/w.pth"]
    assert server.names == ["torch.hub"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("size", [100, len(DATA)])
def test_a_full_disk_is_a_sentence_at_once(server: Server, tmp_path: Path, size: int) -> None:
    server.data = DATA[:size]
    (tmp_path / "w.part").symlink_to("/dev/full")
    with pytest.raises(ExplorerError, match=r"No space left.*Free some space.*TORCH_HOME"):
        fetch(server.url, tmp_path / "w", DIGEST)
    assert len(server.asked) == 1


def test_a_cache_that_cannot_be_used_is_a_sentence(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    with pytest.raises(ExplorerError, match=r"cannot be read.*TORCH_HOME"):
        fetch(server.url, tmp_path / "w", DIGEST)
    (tmp_path / "other.lock").mkdir()
    with pytest.raises(ExplorerError, match=r"could not be written.*TORCH_HOME"):
        fetch(server.url, tmp_path / "other", DIGEST)
    assert server.asked == []


@pytest.mark.parametrize("name", [name for name, entry in MODELS.items() if entry.imagenet_weights])
def test_torchvisions_addresses_promise_a_hash_and_lead_to_torchs_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path, str]] = []
    monkeypatch.setattr(fetching, "fetch", lambda *to: asked.append(to[:3]))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    path = imagenet_file(name)
    ((url, place, digest),) = asked
    assert re.fullmatch(r"https://download\.pytorch\.org/models/[\w-]+-[0-9a-f]{8}\.pth", url)
    assert url.endswith(f"-{digest}.pth")
    assert path == place == tmp_path / "hub" / "checkpoints" / url.rpartition("/")[2]


def test_two_at_a_time_fetch_once(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    with alone(tmp_path / "w.lock", "busy"):
        (tmp_path / "w.part").write_bytes(DATA[:1000])
        second = threading.Thread(target=fetch, args=(server.url, tmp_path / "w", DIGEST, lambda *at: seen.append(at)))
        second.start()
        _until(lambda: bool(seen))
        assert server.asked == []
        (tmp_path / "w").write_bytes(DATA)
    second.join(10)
    assert server.asked == []
    assert seen[-1][0] == 1000


def _until(happened: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < limit
        time.sleep(0.01)
