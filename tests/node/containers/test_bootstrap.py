# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Before the engine: what runs in which order, what a failure stops, and what is switched off after a good run."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.support.node_root import console, program, put

from pinwheel.node import paths as node_places
from pinwheel.node.actuator.client import SOCKET
from pinwheel.node.actuator.protocol import Commit, Done, line, read_request
from pinwheel.node.containers import places
from pinwheel.node.containers.bootstrap import CLIENT, bootstrap
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.containers.report import stopping_reasons
from pinwheel.node.paths import Paths
from pinwheel.node.readiness import quick_check

CALLS = "/run/calls"


class Actuator:
    """Listens where the actuator does, and says yes."""

    def __init__(self, paths: Paths) -> None:
        self.requests: list[Any] = []
        self._socket = socket.socket(socket.AF_UNIX)
        place = paths.at(SOCKET)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._socket.bind(str(place))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    self.requests.append(read_request(connection.makefile("rb").readline()))
                    connection.sendall(line(Done({})))
        except OSError:
            return

    def close(self) -> None:
        with suppress(OSError):  # a test may have closed it
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


@pytest.fixture
def actuator(root: Paths) -> Iterator[Actuator]:
    actuator = Actuator(root)
    yield actuator
    actuator.close()


@pytest.fixture
def node(root: Paths, actuator: Actuator, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A node on which units whose name has `bad` in it fail, and so do calls of the client with `wrong` in them."""
    calls = root.at(CALLS)
    program(root, node_places.SYSTEMCTL, f"""
echo "systemctl $*" >> {calls}
case "$1 $*" in
    show*bad*) echo ActiveState=failed; echo SubState=failed; echo Result=exit-code ;;
    show*) echo ActiveState=active; echo SubState=exited; echo Result=success ;;
esac""")  # fmt: skip
    program(root, node_places.JOURNALCTL, "echo its last words")
    program(
        root, CLIENT, f'echo "apiclient $*" >> {calls}\ncase "$*" in *wrong*) echo no such setting >&2; exit 1 ;; esac'
    )
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    return root


def with_commands(node: Paths, **entries: dict[str, Any]) -> None:
    defaults = {"essential": False, "once": False}
    put(node, places.BOOTSTRAP_COMMANDS, json.dumps({name: defaults | entry for name, entry in entries.items()}))


def with_containers(node: Paths, *containers: Container) -> None:
    for container in containers:
        put(node, container.file, container.to_json())


def calls(node: Paths, program: str) -> list[str]:
    return [call for call in node.at(CALLS).read_text().splitlines() if call.startswith(program)]


def test_commands_run_in_the_order_of_their_names(node: Paths) -> None:
    with_commands(node, a={"commands": [["apiclient", "one"], ["apiclient", "two words"]]},
                  b={"commands": [["apiclient", "three"]]})  # fmt: skip
    assert bootstrap(node) == 0
    assert calls(node, "apiclient") == ["apiclient one", "apiclient two words", "apiclient three"]


def test_sockets_are_opened_before_anything_is_asked(node: Paths) -> None:
    with_commands(node, a={"commands": [["apiclient", "one"]]})
    bootstrap(node)
    assert node.at(CALLS).read_text().startswith("systemctl start pinwheel-api.socket pinwheel-actuator.socket\n")


def test_entry_ends_with_its_first_command_that_fails_and_others_go_on(node: Paths) -> None:
    with_commands(node, a={"commands": [["apiclient", "wrong"], ["apiclient", "never"]]},
                  b={"commands": [["apiclient", "after"]]})  # fmt: skip
    assert bootstrap(node) == 0
    assert calls(node, "apiclient") == ["apiclient wrong", "apiclient after"]
    assert "bootstrap command a failed: apiclient wrong: exit status 1: no such setting" in console(node)
    assert stopping_reasons(node) == []


def test_containers_run_together_after_the_commands(node: Paths) -> None:
    with_commands(node, a={"commands": [["apiclient", "one"]]})
    with_containers(node, Container(Kind.BOOTSTRAP, "x", "oci:/x"), Container(Kind.BOOTSTRAP, "y", "oci:/y"))
    assert bootstrap(node) == 0
    order = [call for call in node.at(CALLS).read_text().splitlines() if "show" not in call]
    assert order[1:] == [
        "apiclient one", "systemctl start bootstrap-container@x.service bootstrap-container@y.service",
    ]  # fmt: skip


def test_failure_that_is_not_essential_is_told_and_forgotten(node: Paths) -> None:
    with_containers(node, Container(Kind.BOOTSTRAP, "bad", "oci:/x"), Container(Kind.BOOTSTRAP, "good", "oci:/x"))
    assert bootstrap(node) == 0
    assert "bootstrap container bad failed: exit-code: its last words" in console(node)
    assert "systemctl reset-failed bootstrap-container@bad.service" in calls(node, "systemctl")


def test_essential_failure_stops_the_engine_and_the_status_says_why(node: Paths) -> None:
    with_containers(node, Container(Kind.BOOTSTRAP, "bad", "oci:/x", essential=True))
    assert bootstrap(node) == 1
    words = "the engine does not start: bootstrap container bad failed: exit-code: its last words"
    assert words in quick_check(node).reasons
    assert not [call for call in calls(node, "systemctl") if "reset-failed" in call]


def test_essential_command_stops_it_too(node: Paths) -> None:
    with_commands(node, a={"commands": [["apiclient", "wrong"]], "essential": True})
    assert bootstrap(node) == 1
    assert stopping_reasons(node)[0].startswith("the engine does not start: bootstrap command a failed")


def test_what_ran_once_and_went_well_is_switched_off(node: Paths, actuator: Actuator) -> None:
    with_commands(node, a={"commands": [["apiclient", "one"]], "once": True},
                  b={"commands": [["apiclient", "wrong"]], "once": True})  # fmt: skip
    with_containers(
        node,
        Container(Kind.BOOTSTRAP, "first", "oci:/x", once=True),
        Container(Kind.BOOTSTRAP, "each", "oci:/x"),
        Container(Kind.BOOTSTRAP, "bad", "oci:/x", once=True),
    )
    assert bootstrap(node) == 0
    (request,) = actuator.requests
    assert isinstance(request, Commit)
    assert request.change.patch == {
        "bootstrap-commands": {"a": {"mode": "off"}}, "bootstrap-containers": {"first": {"mode": "off"}},
    }  # fmt: skip
    assert request.author.kind == "system"


def test_nothing_is_switched_off_where_nothing_runs_once(node: Paths, actuator: Actuator) -> None:
    with_containers(node, Container(Kind.BOOTSTRAP, "each", "oci:/x"))
    bootstrap(node)
    assert actuator.requests == []


def test_actuator_that_does_not_answer_is_told_and_holds_up_nothing(node: Paths, actuator: Actuator) -> None:
    actuator.close()
    node.at(SOCKET).unlink()
    with_containers(node, Container(Kind.BOOTSTRAP, "first", "oci:/x", once=True))
    assert bootstrap(node) == 0
    assert "will be done again" in console(node)


def test_engine_may_start_when_all_is_done(node: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(node.at("/run/notify")))
        channel.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(node.at("/run/notify")))
        with_containers(node, Container(Kind.BOOTSTRAP, "first", "oci:/x"))
        bootstrap(node)
        assert channel.recv(100) == b"READY=1"
