# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel node`, against a real node's remote API."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.node.api.test_remote import authority, remote
from tests.node.client.test_remote import pinned
from tests.support.certificates import Authority
from tests.support.node_root import put
from tests.unit.conftest import running_machine, stopped_machine, store
from typer.testing import CliRunner, Result

from pinwheel.api.client.transport import TlsTransport
from pinwheel.cli.main import app
from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.machine.certificates import CLIENT_CERTIFICATE, CLIENT_KEY
from pinwheel.machine.machine import Machine
from pinwheel.machine.qemu import STATUS_LOG
from pinwheel.node import paths as places
from pinwheel.node.paths import Paths

__all__ = ["authority", "pinned", "remote", "running_machine", "stopped_machine", "store"]

Call = Callable[..., Result]


@pytest.fixture
def pinwheel(root: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    put(root, places.OS_RELEASE, 'PRETTY_NAME="Pinwheel 0.1.0 (docker)"\n')
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *words: CliRunner().invoke(app, words)


def add(pinwheel: Call, known: TlsTransport, *more: str, name: str = "edge") -> Result:
    words = [
        "--address",
        f"{known.address}:{known.port}",
        "--certificate",
        str(known.certificate),
        "--key",
        str(known.key),
    ]
    return pinwheel("node", "add", name, *words, *(more or ("--fingerprint", known.fingerprint)))


def test_a_node_is_added_used_and_forgotten(pinwheel: Call, pinned: TlsTransport) -> None:
    added = add(pinwheel, pinned)
    assert added.exit_code == 0, added.output
    assert added.stderr == "edge is Pinwheel 0.1.0 (docker).\n"
    (row,) = json.loads(pinwheel("node", "ls", "--json").stdout)
    assert row == {"name": "edge", "address": f"127.0.0.1:{pinned.port}", "known_by": pinned.fingerprint}
    assert pinwheel("node", "edge", "set", "motd=from afar").exit_code == 0
    assert json.loads(pinwheel("node", "edge", "get", "motd").stdout) == {"settings": {"motd": "from afar"}}
    assert pinwheel("node", "rm", "edge").exit_code == 0
    assert isinstance(pinwheel("node", "edge", "get").exception, UsageFault)


def test_a_node_can_be_known_by_its_authority(pinwheel: Call, pinned: TlsTransport, authority: Authority) -> None:
    assert add(pinwheel, pinned, "--ca", str(authority.file)).exit_code == 0
    assert pinwheel("node", "edge", "get", "motd").exit_code == 0


def test_another_node_than_expected_is_not_added(pinwheel: Call, pinned: TlsTransport) -> None:
    refused = add(pinwheel, pinned, "--fingerprint", "00" * 32)
    assert isinstance(refused.exception, EnvironmentFault)
    assert "another certificate" in refused.exception.message
    assert pinwheel("node", "ls", "--json").stdout == "[]\n"
    assert add(pinwheel, pinned, "--fingerprint", "00" * 32, "--offline").exit_code == 0


@pytest.mark.parametrize("name", ["add", "ls", "Edge", ".."])
def test_a_name_that_cannot_be_is_refused(pinwheel: Call, pinned: TlsTransport, name: str) -> None:
    assert isinstance(add(pinwheel, pinned, name=name).exception, UsageFault)


def test_how_the_node_is_known_must_be_said_once(pinwheel: Call, pinned: TlsTransport, authority: Authority) -> None:
    both = ("--ca", str(authority.file), "--fingerprint", pinned.fingerprint)
    assert isinstance(add(pinwheel, pinned, *both).exception, UsageFault)
    assert isinstance(add(pinwheel, pinned, "--offline").exception, UsageFault)


def test_the_exit_code_is_the_clients(pinwheel: Call, pinned: TlsTransport) -> None:
    add(pinwheel, pinned)
    assert pinwheel("node", "edge", "set", "nope=1").exit_code == 2
    assert pinwheel("node", "edge", "try", "confirm").exit_code == 3
    assert pinwheel("node", "edge", "nope").exit_code == 2
    assert pinwheel("node", "edge").exit_code == 2
    assert pinwheel("node", "edge", "-s", "/run/api.sock", "get").exit_code == 2


def test_help_of_a_nodes_verb_names_the_node(pinwheel: Call) -> None:
    assert "pinwheel node edge set [OPTIONS]" in pinwheel("node", "edge", "set", "--help").stdout
    assert "dashboard" in pinwheel("node", "edge", "--help").stdout


def test_the_dashboard_wants_a_terminal(pinwheel: Call) -> None:
    refused = pinwheel("node", "edge", "dashboard")
    assert refused.exit_code == 2
    assert "needs a terminal" in refused.stderr


# ---- machines are nodes ----


@pytest.fixture
def machine_node(running_machine: Machine, pinned: TlsTransport) -> Machine:
    """A machine whose node is the one that `pinned` leads to, as its status says."""
    directory = running_machine.directory / "api"
    directory.mkdir()
    (directory / CLIENT_CERTIFICATE).write_bytes(pinned.certificate.read_bytes())
    (directory / CLIENT_KEY).write_bytes(pinned.key.read_bytes())
    running_machine.store.write(running_machine.record.model_copy(update={"api_port": pinned.port}))
    api = {"remote": {"port": 8443}, "fingerprint": pinned.fingerprint}
    (running_machine.directory / STATUS_LOG).write_text(json.dumps({"ready": True, "api": api}) + "\n")
    return running_machine


def test_a_machine_is_a_node_without_being_added(pinwheel: Call, machine_node: Machine, pinned: TlsTransport) -> None:
    assert pinwheel("node", "web", "set", "motd=hello").exit_code == 0
    (row,) = json.loads(pinwheel("node", "ls", "--json").stdout)
    assert row == {"name": "web", "address": f"127.0.0.1:{pinned.port}", "known_by": "machine, ready"}


def test_a_machines_name_cannot_be_given_to_another_node(
    pinwheel: Call, stopped_machine: Machine, pinned: TlsTransport
) -> None:
    assert isinstance(add(pinwheel, pinned, name="web").exception, UsageFault)
    assert isinstance(pinwheel("node", "rm", "web").exception, UsageFault)


def test_a_stopped_machine_says_how_to_start_it(pinwheel: Call, stopped_machine: Machine) -> None:
    refused = pinwheel("node", "web", "get").exception
    assert isinstance(refused, UsageFault)
    assert (refused.hint or "").endswith("pinwheel run --name web")


def test_a_machine_that_boots_is_not_known_yet(pinwheel: Call, running_machine: Machine) -> None:
    refused = pinwheel("node", "web", "get").exception
    assert isinstance(refused, EnvironmentFault)
    assert "booting" in refused.hint
