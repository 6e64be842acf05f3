"""Weights that come over the network: whole, broken off, refused, altered; and always one sentence."""

import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.lock import alone
from alexnet_core.models import fetching
from alexnet_core.models.fetching import fetch

DATA = bytes(range(256)) * 8192  # 2 MB, eight pieces
DIGEST = hashlib.sha256(DATA).hexdigest()[:8]


class Server:
    """Sends DATA, as ill-behaved as a test wants it."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.cut: list[int] = []
        """How many bytes each answer sends before the connection drops, from the front; empty means all."""
        self.ranges, self.status, self.data = True, 200, DATA
        self.url = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    stand = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            stand.asked.append(wanted)
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
            self.wfile.write(body[: stand.cut.pop(0)] if stand.cut else body)

        def log_message(self, *arguments: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    stand.url = f"http://127.0.0.1:{running.server_port}/w-{DIGEST}.pth"
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(fetching, "WAITING", 0.01)
    yield stand
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
    with pytest.raises(ExplorerError, match="arrived damaged"):
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
    limit = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < limit
        time.sleep(0.01)
