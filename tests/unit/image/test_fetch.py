# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Fetching from a mirror that is a real server on this machine, and behaves as each test says."""

import errno
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image import fetch
from pinwheel.image.fetch import FetchLimits, PackagesGone, fetch_packages
from pinwheel.image.mirror import Mirror, from_main_url
from pinwheel.image.package_lock import LockedPackage
from pinwheel.progress import SilentProgress, SilentStep, Step

CONTENT = b"a package" * 1000
QUICK = FetchLimits(attempts=3, silence_seconds=0.3, pause_seconds=0.01)

Answer = Callable[[BaseHTTPRequestHandler, int], None]


class Archive(ThreadingHTTPServer):
    """Answers each path as it is told to; the answer gets the number of the request for this path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: Counter[str] = Counter()
        self.released = threading.Event()

    @property
    def mirror(self) -> Mirror:
        return from_main_url(f"http://127.0.0.1:{self.server_port}/debian")


class Handler(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        self.server.requests[self.path] += 1
        self.server.answers.get(self.path, status(404))(self, self.server.requests[self.path])

    def log_message(self, *_: object) -> None:
        pass


def content(body: bytes = CONTENT, announced: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def status(code: int) -> Answer:
    return lambda handler, _number: handler.send_error(code)


def first(answer: Answer, then: Answer, times: int = 1) -> Answer:
    return lambda handler, number: (answer if number <= times else then)(handler, number)


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.released.set()
        server.shutdown()


def package(name: str, body: bytes = CONTENT, archive: str = "debian", size: int | None = None) -> LockedPackage:
    return LockedPackage.model_validate(
        {
            "name": name,
            "version": "1:1.0~rc1+b2",
            "architecture": "amd64",
            "archive": archive,
            "path": f"pool/main/{name}_1.0~rc1+b2_amd64.deb",
            "size": len(body) if size is None else size,
            "sha256": hashlib.sha256(body).hexdigest(),
        }
    )


def url_path(name: str, archive: str = "debian") -> str:
    return f"/{archive}/pool/main/{name}_1.0~rc1+b2_amd64.deb"


def get(archive: Archive, cache: Path, *packages: LockedPackage, limits: FetchLimits = QUICK) -> dict[str, Path]:
    return fetch_packages(packages, lambda: archive.mirror, cache, SilentProgress(), "a test", limits)


def test_packages_come_from_their_archives_into_the_cache(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content(), url_path("b", "debian-security"): content(b"b")}
    files = get(archive, tmp_path / "cache", package("a"), package("b", b"b", "debian-security"))
    assert files["a"].read_bytes() == CONTENT
    assert files["b"].read_bytes() == b"b"
    assert files["a"].name == f"{hashlib.sha256(CONTENT).hexdigest()}.deb"


def no_mirror() -> Mirror:
    """A workstation whose apt configuration names none."""
    raise EnvironmentFault("no mirror is known")


def test_what_the_cache_has_needs_no_mirror(tmp_path: Path) -> None:
    one = package("a")
    (tmp_path / f"{one.sha256}.deb").write_bytes(CONTENT)
    assert list(fetch_packages([one], no_mirror, tmp_path, SilentProgress(), "a test")) == ["a"]


def test_mirror_is_looked_for_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="no mirror is known"):
        fetch_packages([package("a")], no_mirror, tmp_path / "cache", SilentProgress(), "a test")
    assert not (tmp_path / "cache").exists()


def test_packages_may_be_given_as_an_iterator(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content()}
    files = fetch_packages(iter([package("a")]), lambda: archive.mirror, tmp_path, SilentProgress(), "a test", QUICK)
    assert files["a"].exists()


def test_wrong_content_is_never_put_under_the_name_of_the_right_one(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content(b"b" * len(CONTENT))}
    with pytest.raises(EnvironmentFault, match=r"could not fetch a .* the lock says"):
        get(archive, tmp_path, package("a"))
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_lock_says_is_cut_off(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content(CONTENT + b"more")}
    with pytest.raises(EnvironmentFault, match="more than the 9000 bytes"):
        get(archive, tmp_path, package("a"))


def test_packages_that_are_gone_are_all_named_and_the_others_kept(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content(), url_path("c"): status(410)}
    with pytest.raises(PackagesGone) as caught:
        get(archive, tmp_path, package("c", b"c"), package("b", b"b"), package("a"))
    assert [gone.name for gone in caught.value.packages] == ["b", "c"]
    assert "b 1:1.0~rc1+b2, c 1:1.0~rc1+b2" in caught.value.message
    assert "--update-lock" in (caught.value.hint or "")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [CONTENT]


def test_package_that_is_gone_is_asked_for_once(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(PackagesGone):
        get(archive, tmp_path, package("a"))
    assert archive.requests[url_path("a")] == 1


def test_passing_trouble_of_the_mirror_is_sat_out(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): first(status(503), content(), times=2)}
    assert get(archive, tmp_path, package("a"))["a"].read_bytes() == CONTENT


def test_lasting_trouble_of_the_mirror_is_an_error_that_names_package_and_reason(
    archive: Archive, tmp_path: Path
) -> None:
    archive.answers = {url_path("a"): status(500)}
    with pytest.raises(EnvironmentFault, match=r"could not fetch a from the mirror: .*500"):
        get(archive, tmp_path, package("a"))
    assert archive.requests[url_path("a")] == QUICK.attempts


def test_answer_that_is_cut_short_is_fetched_again(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): first(content(CONTENT[:-1], announced=len(CONTENT)), content())}
    assert get(archive, tmp_path, package("a"))["a"].read_bytes() == CONTENT


def hang(handler: BaseHTTPRequestHandler, _number: int) -> None:
    """Announce the content, and never send it."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.flush()
    handler.server.released.wait(30)  # type: ignore[attr-defined]


def trickle(handler: BaseHTTPRequestHandler, _number: int) -> None:
    """Send a byte now and then: never silent for long, and never done."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while not handler.server.released.wait(0.05):  # type: ignore[attr-defined]
            handler.wfile.write(b"a")
    except OSError:
        pass


@pytest.mark.parametrize("answer", [hang, trickle])
def test_mirror_that_stops_sending_is_given_up_in_bounded_time(
    archive: Archive, tmp_path: Path, answer: Answer
) -> None:
    archive.answers = {url_path("a"): answer}
    limits = FetchLimits(attempts=2, silence_seconds=0.3, slowest_bytes_per_second=1e6, pause_seconds=0.01)
    started = time.monotonic()
    with pytest.raises(EnvironmentFault, match="could not fetch a"):
        get(archive, tmp_path, package("a"), limits=limits)
    assert time.monotonic() - started < 5
    assert list(tmp_path.iterdir()) == []


def test_mirror_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    nowhere = Mirror("http://127.0.0.1:1/debian", "http://127.0.0.1:1/debian-security")
    with pytest.raises(EnvironmentFault, match="could not fetch a"):
        fetch_packages([package("a")], lambda: nowhere, tmp_path, SilentProgress(), "a test", QUICK)


class Impatient(SilentProgress):
    """Whoever watches presses Ctrl-C at the first news."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        yield ImpatientStep()


class ImpatientStep(SilentStep):
    def note(self, text: str) -> None:
        raise KeyboardInterrupt


def test_interrupted_fetch_leaves_no_half_files(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content()} | {url_path(name): hang for name in "bcdefgh"}
    packages = [package("a"), *(package(name, name.encode()) for name in "bcdefgh")]
    limits = FetchLimits(connections=2, attempts=1, silence_seconds=0.3)
    with pytest.raises(KeyboardInterrupt):
        fetch_packages(packages, lambda: archive.mirror, tmp_path, Impatient(), "a test", limits)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [CONTENT]
    assert archive.requests.total() < len(packages)


def test_disk_without_room_is_noticed_before_anything_is_fetched(archive: Archive, tmp_path: Path) -> None:
    archive.answers = {url_path("a"): content()}
    with pytest.raises(EnvironmentFault, match="MB free, the packages need") as caught:
        get(archive, tmp_path, package("a", size=1 << 60))
    assert "XDG_CACHE_HOME" in (caught.value.hint or "")
    assert archive.requests.total() == 0


def test_disk_that_fills_up_meanwhile_is_named_and_not_blamed_on_the_mirror(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetch, "_receive", full)
    archive.answers = {url_path("a"): content()}
    with pytest.raises(EnvironmentFault, match="is full"):
        get(archive, tmp_path, package("a"))
    assert archive.requests[url_path("a")] == 1
    assert list(tmp_path.iterdir()) == []
