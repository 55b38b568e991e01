# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`update` against a server that answers as Bottlerocket's does: the node's own says that updates come later."""

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.client.conftest import Done, call

from pinwheel.api.client.transport import UnixTransport


class Updater(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An updater: each action is done at the second look at the status."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.asked: list[str] = []
        self.status: dict[str, Any] | None = None
        self.outcome = "Success"
        self.update: dict[str, str] | None = {"version": "9.9.9"}
        self.looks = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Updater

    def do_POST(self) -> None:
        action = self.path.removeprefix("/actions/")
        self.server.asked.append(action)
        command = {"cmd_type": action.split("-")[0], "cmd_status": self.server.outcome, "stderr": "no room"}
        number = len(self.server.asked)
        self.server.status = {
            "chosen_update": self.server.update,
            "most_recent_command": {**command, "timestamp": number},
        }
        self.server.looks = 0
        self.answer(204, None)

    def do_GET(self) -> None:
        self.server.looks += 1
        if self.server.status is None:
            self.answer(404, {"message": "never refreshed"})
        elif self.server.looks == 1:
            self.answer(423, {"message": "locked"})
        else:
            self.answer(200, self.server.status)

    def answer(self, status: int, content: object) -> None:
        self.send_response(status)
        if content is None:
            # The client may have gone once it has the headers: nothing is written after them.
            self.end_headers()
            return
        body = json.dumps(content).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "test"

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def updater(tmp_path: Path) -> Iterator[Updater]:
    with Updater(tmp_path / "s") as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def update(updater: Updater, capfd: pytest.CaptureFixture[str], *words: str) -> Done:
    return call(capfd, UnixTransport(str(updater.server_address)), "update", *words)


def test_check_looks_and_shows_the_status(updater: Updater, capfd: pytest.CaptureFixture[str]) -> None:
    done = update(updater, capfd, "check")
    assert json.loads(done.out)["chosen_update"] == {"version": "9.9.9"}
    assert updater.asked == ["refresh-updates"]


def test_apply_fetches_and_activates_and_says_what_is_left(updater: Updater, capfd: pytest.CaptureFixture[str]) -> None:
    assert "after the next reboot" in update(updater, capfd, "apply").err
    assert updater.asked == ["prepare-update", "activate-update"]


def test_apply_can_look_first_and_reboot_after(updater: Updater, capfd: pytest.CaptureFixture[str]) -> None:
    assert update(updater, capfd, "apply", "-c", "-r").code == 0
    assert updater.asked == ["refresh-updates", "prepare-update", "activate-update", "reboot"]


def test_without_an_update_there_is_nothing_to_apply(updater: Updater, capfd: pytest.CaptureFixture[str]) -> None:
    updater.update = None
    done = update(updater, capfd, "apply", "--check", "--reboot")
    assert (done.code, done.err) == (0, "There is no update.\n")
    assert updater.asked == ["refresh-updates"]


def test_cancel_deactivates(updater: Updater, capfd: pytest.CaptureFixture[str]) -> None:
    assert update(updater, capfd, "cancel").code == 0
    assert updater.asked == ["deactivate-update"]


def test_what_fails_says_why_and_ends_it(updater: Updater, capfd: pytest.CaptureFixture[str]) -> None:
    updater.outcome = "Failed"
    done = update(updater, capfd, "apply")
    assert (done.code, done.err) == (1, "error: Fetching the update failed: no room\n")
    assert updater.asked == ["prepare-update"]
