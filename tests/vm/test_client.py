# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API's clients against a node that runs: from the workstation over TLS, and from a container on the socket."""

import json
from collections.abc import Callable

import pytest
from tests.node.client.conftest import Done, call
from tests.support.lab import Docker

from pinwheel.api.client.transport import TlsTransport
from pinwheel.cli.node_target import machine_transport
from pinwheel.machine.machine import Machine

pytestmark = pytest.mark.vm

MOUNTS = (
    "/usr/lib/pinwheel:/usr/lib/pinwheel:ro",
    "/usr/lib/x86_64-linux-gnu:/usr/lib/pinwheel/lib:ro",
    "/usr/lib/pinwheel/apiclient:/usr/local/bin/apiclient:ro",
    "/run/pinwheel/api.sock:/run/api.sock",
)
"""What host containers see of the node's client."""


@pytest.fixture
def transport(node: Machine) -> TlsTransport:
    return machine_transport(node)


@pytest.fixture
def cli(transport: TlsTransport, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Call the client as `pinwheel node NAME` does."""
    return lambda *words: call(capfd, transport, *words)


@pytest.fixture
def apiclient(docker: Docker, busybox: str) -> Callable[..., str]:
    """Call the node's own client, in a container that has no C library but its own."""
    mounts = [word for mount in MOUNTS for word in ("--volume", mount)]
    return lambda *words: docker("run", "--rm", *mounts, busybox, "/usr/local/bin/apiclient", *words)


def test_the_workstation_reaches_its_node_without_more_ado(cli: Callable[..., Done]) -> None:
    status = json.loads(cli("status", "--json").out)
    assert status["ready"] is True
    assert status["hostname"] == "node-1.example.com"


def test_the_node_is_known_by_the_fingerprint_on_its_console(node: Machine, transport: TlsTransport) -> None:
    assert transport.fingerprint in node.console_text()
    done = transport._replace(fingerprint="sha256:" + "00" * 32)
    with pytest.raises(Exception, match="another certificate"):
        done.connect()


def test_a_change_from_the_workstation_names_its_author_and_is_undone(cli: Callable[..., Done]) -> None:
    before = json.loads(cli("get", "motd").out)
    assert cli("set", "motd=from the workstation", "--reason", "a test").code == 0
    newest = json.loads(cli("generations", "list", "--json", "-n", "1").out)["generations"][0]
    assert (newest["author"]["kind"], newest["author"]["name"]) == ("certificate", "pinwheel run")
    assert newest["reason"] == "a test"
    assert cli("rollback").code == 0
    assert json.loads(cli("get", "motd").out) == before


def test_what_runs_is_listed_with_what_it_takes(cli: Callable[..., Done], container: Callable[..., str]) -> None:
    identifier = container("--name", "listed")
    (found,) = [one for one in json.loads(cli("containers", "--json").out) if one["id"] == identifier]
    assert (found["name"], found["state"], found["runtime"]) == ("listed", "running", "engine")
    metrics = cli("metrics").out
    for unit in ("docker.service", found["unit"]):
        assert f'pinwheel_unit_memory_bytes{{unit="{unit}"}}' in metrics
        assert f'pinwheel_unit_cpu_seconds_total{{unit="{unit}"}}' in metrics


def test_metrics_tell_the_size_of_the_data_partition(cli: Callable[..., Done], docker: Docker, busybox: str) -> None:
    shown = docker("run", "--rm", "--volume", "/var:/data:ro", busybox, "df", "-P", "-k", "/data")
    blocks = int(shown.splitlines()[-1].split()[1])
    assert f'pinwheel_data_bytes{{kind="total"}} {blocks * 1024}\n' in cli("metrics").out


def test_the_journal_is_read_from_the_workstation(cli: Callable[..., Done]) -> None:
    lines = [json.loads(line) for line in cli("logs", "-u", "docker.service", "-n", "5", "--json").out.splitlines()]
    assert 0 < len(lines) <= 5
    assert {line["unit"] for line in lines} <= {"docker.service", "init.scope"}


def test_the_nodes_client_runs_in_a_container_with_another_c_library(apiclient: Callable[..., str]) -> None:
    assert json.loads(apiclient("get", "os"))["os"]["variant_id"] == "docker"
    apiclient("set", "motd=from a container")
    assert json.loads(apiclient("-u", "/settings?keys=settings.motd"))["motd"] == "from a container"
    newest = json.loads(apiclient("generations", "list", "--json", "-n", "1"))["generations"][0]
    assert (newest["author"]["kind"], newest["author"]["uid"]) == ("local", 0)
    apiclient("rollback")


def test_what_a_container_sends_wrong_is_explained_to_it(
    docker: Docker, busybox: str, apiclient: Callable[..., str]
) -> None:
    with pytest.raises(AssertionError, match="unknown key"):
        apiclient("set", "modt=x")
