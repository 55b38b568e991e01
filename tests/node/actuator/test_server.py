# SPDX-License-Identifier: Apache-2.0 OR MIT
import os
import socket
import tarfile
import threading
import time

import pytest
from tests.node.actuator.conftest import Actuator

from pinwheel.node.actuator import server as server_module
from pinwheel.node.actuator.client import ActuatorFailed, call_and_wait, start
from pinwheel.node.actuator.protocol import Author, Change, Commit, ListGenerations, Reboot, SupportBundle, line
from pinwheel.node.actuator.server import Conversation, Server

AUTHOR = Author(kind="local", uid=0)


def send_raw(actuator: Actuator, content: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(20)
        channel.connect(os.fspath(actuator.socket_path))
        channel.sendall(content)
        channel.shutdown(socket.SHUT_WR)
        return channel.makefile("rb").read()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"{}\n",
        b'{"verb":"format-the-disk"}\n',
        b'{"verb":"reboot"}\n',
        b'{"verb":"reboot","author":{"kind":"root"}}\n',
        b'{"verb":"status","more":1}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b'{"verb":"status"}',
    ],
)
def test_what_is_no_request_is_refused(actuator: Actuator, content: bytes) -> None:
    assert b'"status":400' in send_raw(actuator, content)
    assert actuator.units.done == []


def test_a_request_that_is_too_long_is_refused(actuator: Actuator) -> None:
    with pytest.raises(ActuatorFailed) as caught:
        actuator.ask(Commit(Change({"motd": "x" * 2_000_000}), AUTHOR))
    assert caught.value.status in {400, 503}  # the answer may be lost with the connection
    assert actuator.store.numbers() == []


def test_a_peer_of_another_user_gets_no_answer(actuator: Actuator) -> None:
    place = actuator.paths.at("/run/other.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(place))
    listener.listen()
    server = Server(listener, lambda request, _: request, {os.getuid() + 1}, idle=0.2)
    thread = threading.Thread(target=server.serve)
    thread.start()
    with pytest.raises(ActuatorFailed, match="does not answer"):
        call_and_wait(place, ListGenerations())
    thread.join()
    listener.close()


def test_it_leaves_when_nobody_asks_and_not_while_it_works(actuator: Actuator) -> None:
    place = actuator.paths.at("/run/other.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(place))
    listener.listen()
    finished = []

    def work(_request: object, _conversation: object) -> None:
        time.sleep(0.6)
        finished.append(True)

    thread = threading.Thread(target=Server(listener, work, {os.getuid()}, idle=0.2).serve)
    thread.start()
    call_and_wait(place, ListGenerations())
    assert finished == [True]
    thread.join(timeout=5)
    assert not thread.is_alive()
    listener.close()


def test_it_finishes_what_has_begun_when_it_is_told_to_leave(actuator: Actuator) -> None:
    place = actuator.paths.at("/run/other.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(place))
    listener.listen()
    begun = threading.Event()
    answers: list[object] = []

    def work(_request: object, conversation: Conversation) -> str:
        begun.set()
        nothing, _other_end = os.pipe()
        return "ended" if not conversation.stays_until(nothing) else "went on"

    server = Server(listener, work, {os.getuid()}, idle=30)
    thread = threading.Thread(target=server.serve)
    thread.start()
    ask = threading.Thread(target=lambda: answers.append(call_and_wait(place, ListGenerations())))
    ask.start()
    assert begun.wait(10)
    server.stop()
    ask.join(timeout=5)
    assert answers == ["ended"]
    thread.join(timeout=5)
    assert not thread.is_alive()
    listener.close()


def test_a_client_that_never_finishes_its_line_does_not_stop_others(
    actuator: Actuator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "REQUEST_SECONDS", 0.5)
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(os.fspath(actuator.socket_path))
        slow.sendall(b'{"verb"')
        assert actuator.ask(ListGenerations())["generations"] == []
        assert b'"failed"' in slow.makefile("rb").read()


def test_a_client_that_leaves_does_not_stop_its_commit(actuator: Actuator) -> None:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(os.fspath(actuator.socket_path))
        channel.sendall(line(Commit(Change({"motd": "left"}), AUTHOR)))
    deadline = time.monotonic() + 10
    while actuator.store.current() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    current = actuator.store.current()
    assert current is not None
    assert current.settings == {"motd": "left"}


def test_commits_from_many_sides_all_arrive_one_after_the_other(actuator: Actuator) -> None:
    def one(number: int) -> None:
        actuator.ask(Commit(Change({"kernel": {"sysctl": {"vm.max_map_count": str(number)}}}), AUTHOR))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert actuator.store.numbers() == list(range(1, 11))
    parents = [actuator.store.get(number).parent for number in range(1, 11)]
    assert parents == list(range(10))


def test_reboot_is_handed_to_systemd(actuator: Actuator) -> None:
    actuator.ask(Reboot(AUTHOR))
    assert actuator.units.done == [("start --no-block", "reboot.target")]


def test_the_support_bundle_is_a_tar_archive_without_secrets(actuator: Actuator) -> None:
    actuator.ask(Commit(Change({"network": {"https-proxy": "http://u:hunter2@proxy.example.com:1"}}), AUTHOR))
    running = start(actuator.socket_path, SupportBundle(AUTHOR))
    with open(running.descriptors[0], "rb") as pipe, tarfile.open(fileobj=pipe, mode="r|") as archive:  # noqa: PTH123
        contents = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    running.wait()
    running.close()
    assert b"ntp" in contents["pinwheel-support/settings.json"]
    assert b'"ready"' in contents["pinwheel-support/status.json"]
    assert "pinwheel-support/journal.txt" in contents
    assert not any(b"hunter2" in content for content in contents.values())


def test_nobody_listening_is_said_so(actuator: Actuator) -> None:
    with pytest.raises(ActuatorFailed) as caught:
        call_and_wait("/nonexistent/actuator.sock", ListGenerations())
    assert caught.value.status == 503
