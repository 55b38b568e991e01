# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Host containers and bootstrap containers on a node: what runs before the engine, beside it, and after its death."""

import base64
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import tomli_w
from tests.support.certificates import Authority
from tests.support.lab import Docker, Lab, wait_for_console
from tests.support.oci_image import image, push_archive
from tests.support.registry import Registry, busybox_layer, free_port
from tests.support.remote_node import RemoteNode
from tests.support.shell import ContainerShell

from pinwheel.image.host_container import build_host_container
from pinwheel.image.inputs import BuildContext
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import GIB, PortForward
from pinwheel.progress import SilentProgress

pytestmark = pytest.mark.vm

API_PORT = 8443
SLEEPER = ("sh", "-c", "trap 'exit 0' TERM; echo it runs; while true; do sleep 1; done")
FIRST = """
test ! -e /.bottlerocket/rootfs/run/docker.sock || exit 9
mount -t tmpfs marked /.bottlerocket/rootfs/mnt || exit 8
cat /.bottlerocket/bootstrap-containers/current/user-data >> /.bottlerocket/bootstrap-containers/first/runs
"""
EACH = "echo again >> /.pinwheel/bootstrap-containers/each/runs"
BAD = "echo the disk is not there; exit 3"


def script(registry: Registry, binary: bytes, name: str, text: str | tuple[str, ...]) -> str:
    """Push busybox that runs something, and give its reference."""
    command = list(text) if isinstance(text, tuple) else ["sh", "-c", text]
    made = image(busybox_layer(binary), Entrypoint=command, Env=["PATH=/bin:/usr/local/bin"])
    return registry.push_blobs(name, made.blobs, made.manifest)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def within(seconds: float, look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return seen


class Node:
    """The machine, its API, its engine, and a look into it."""

    def __init__(self, machine: Machine, docker: Docker, api: RemoteNode, busybox: str) -> None:
        self.machine, self.docker, self.api = machine, docker, api
        self._busybox = busybox
        self._eye: ContainerShell

    def look(self) -> None:
        """Have a container look into the node from now on."""
        options = (
            "--detach",
            "--privileged",
            "--net=host",
            "--pid=host",
            "--volume=/:/host:rslave",
            "--restart=always",
        )
        self._eye = ContainerShell(self.docker, self.docker("run", *options, self._busybox, "sleep", "36000"))
        fingerprint = re.search(r"sha256:[0-9a-f]{64}", self.machine.console_text())
        assert fingerprint, "no fingerprint on the console"
        self.api.knowing(fingerprint[0])

    def attempt(self, *command: str) -> tuple[int, str]:
        """Run a program of the node; give its exit code, and all that it said."""
        return self._eye.run(shlex.join(["busybox", "nsenter", "-t", "1", "-m", "-u", "-i", *command]))

    def host(self, *command: str) -> str:
        code, said = self.attempt(*command)
        assert code == 0, said
        return said

    def file(self, path: str) -> str:
        return self._see("cat", f"/host{path}")

    def names(self, path: str) -> list[str]:
        return self._see("ls", "-A", f"/host{path}").split()

    def inside(self, container: str, *command: str) -> tuple[int, str]:
        return self.api.run(container, *command)

    def unit(self, name: str, *properties: str) -> list[str]:
        shown = self.host("/usr/bin/systemctl", "show", f"--property={','.join(properties)}", name)
        values = dict(line.split("=", 1) for line in shown.splitlines())
        return [values[one] for one in properties]

    def runs(self, container: str) -> bool:
        return self.unit(f"host-container@{container}.service", "SubState") == ["running"]

    def is_over(self, container: str) -> bool:
        """Say whether a container has ended, and what was mounted for it is gone."""
        return self.unit(f"host-container@{container}.service", "SubState") == ["dead"]

    def main_process(self, container: str) -> str:
        return self.unit(f"host-container@{container}.service", "MainPID")[0]

    def processes(self) -> list[str]:
        return self._see("sh", "-c", "cat /proc/[0-9]*/comm 2> /dev/null; true").split("\n")

    def close(self) -> None:
        """Look no more."""
        self._eye.close()

    def _see(self, *command: str) -> str:
        code, said = self._eye.run(shlex.join(command))
        assert code == 0, f"{command}: {code}: {said}"
        return said.strip()

    def journal(self, unit: str) -> str:
        return self.host("/usr/bin/journalctl", "--boot", "--no-pager", "--output=cat", f"--unit={unit}")


@pytest.fixture(scope="module")
def binary(toolbox: Toolbox) -> bytes:
    return (toolbox.root / "usr/bin/busybox").read_bytes()


@pytest.fixture(scope="module")
def images(registry: Registry, binary: bytes) -> dict[str, str]:
    scripts: dict[str, str | tuple[str, ...]] = {"sleeper": SLEEPER, "first": FIRST, "each": EACH, "bad": BAD}
    made = {name: script(registry, binary, name, text) for name, text in scripts.items()}
    for name in ("control", "admin"):
        built = build_host_container(name, BuildContext(SilentProgress()))
        made[name] = push_archive(registry, built.archive, f"pinwheel/{name}")
    return made


@pytest.fixture(scope="module")
def node(
    lab: Lab, toolbox: Toolbox, insecure: str, busybox: str, images: dict[str, str], tmp_path_factory: Any
) -> Iterator[Node]:
    authority, port = Authority(tmp_path_factory.mktemp("authority")), free_port()
    settings = {
        "api": {"remote": {"enabled": True, "port": API_PORT, "client-ca": authority.encoded}},
        "host-containers": {
            "control": {"source": images["control"], "enabled": True, "user-data": encoded("for control")},
            "admin": {"source": images["admin"], "enabled": True, "superpowered": True},
            "half": {"enabled": True},
            "off": {"source": images["sleeper"], "enabled": False},
        },
        "bootstrap-containers": {
            "first": {"source": images["first"], "mode": "once", "essential": True, "user-data": encoded("once\n")},
            "each": {"source": images["each"], "mode": "always"},
            "bad": {"source": images["bad"], "mode": "always"},
        },
        "bootstrap-commands": {
            "greet": {"commands": [["apiclient", "set", "motd=Set at boot."]], "mode": "once", "essential": True},
            "wrong": {"commands": [["apiclient", "set", "no-such=1"]], "mode": "always"},
        },
    }
    user_data = insecure + tomli_w.dumps({"settings": settings})
    publish = [PortForward(host=port, guest=API_PORT)]
    machine = lab.boot(lab.create("containers", user_data=user_data, publish=publish, memory=GIB))
    api = RemoteNode(port, authority)
    node = Node(machine, Docker(machine, toolbox), api, busybox)
    node.look()
    yield node
    node.close()
    lab.discard(machine)


# ---- at boot ----


def test_half_an_entry_costs_itself_only(node: Node) -> None:
    status = node.api.ask("GET", "/status")
    assert status["ready"], status["reasons"]
    (problem,) = status["user_data"]["problems"]
    assert problem["path"] == "settings.host-containers.half"


def test_bootstrap_container_ran_before_the_engine_and_what_it_mounted_is_the_nodes(node: Node) -> None:
    assert node.file("/var/lib/pinwheel/host-containers/bootstrap-containers/first/runs") == "once"
    assert "marked /mnt tmpfs" in node.host("/usr/bin/mount") or "marked /mnt tmpfs" in node.file("/proc/1/mounts")


def test_what_ran_once_is_off_and_the_rest_is_as_it_was(node: Node) -> None:
    assert within(30, lambda: mode_of(node, "first") == "off")
    assert mode_of(node, "each") == "always"
    assert mode_of(node, "bad") == "always"
    commands = node.api.ask("GET", "/settings?prefix=bootstrap-commands")["bootstrap-commands"]
    assert (commands["greet"]["mode"], commands["wrong"]["mode"]) == ("off", "always")


def mode_of(node: Node, name: str) -> str:
    answer = node.api.ask("GET", "/settings?prefix=bootstrap-containers")
    mode: str = answer["bootstrap-containers"][name]["mode"]
    return mode


def test_failure_that_is_not_essential_is_told_and_holds_up_nothing(node: Node) -> None:
    console = node.machine.console_text()
    assert "bootstrap container bad failed: exit-code: the disk is not there" in console
    assert "bootstrap command wrong failed: apiclient set no-such=1: exit status" in console


def test_bootstrap_commands_change_settings(node: Node) -> None:
    assert node.file("/run/pinwheel/motd") == "Set at boot."


# ---- running ----


def test_host_containers_run(node: Node) -> None:
    for name in ("control", "admin"):
        assert within(120, partial(node.runs, name)), node.journal(f"host-container@{name}.service")
    assert "nobody can log in by ssh" in node.journal("host-container@admin.service")
    assert not node.runs("off")


def test_nobody_stays_to_watch_them(node: Node) -> None:
    assert within(90, lambda: not {"runc", "launch"} & set(node.processes())), node.processes()
    pid = node.main_process("control")
    assert re.search(r"PPid:\s*1\n", node.file(f"/proc/{pid}/status"))
    assert node.file(f"/proc/{pid}/cgroup").endswith("/host-container@control.service/container")


def test_user_data_is_where_it_is_looked_for(node: Node) -> None:
    for path in ("/.bottlerocket/host-containers/current", "/.bottlerocket/host-containers/control",
                 "/.pinwheel/host-containers/current"):  # fmt: skip
        assert node.inside("control", "cat", f"{path}/user-data") == (0, "for control")


def test_client_and_api_work_from_inside(node: Node) -> None:
    code, said = node.inside("control", "apiclient", "get", "settings.motd")
    assert (code, json.loads(said)) == (0, {"settings": {"motd": "Set at boot."}}), said
    code, said = node.inside("control", "apiclient", "set", "motd=From inside.")
    assert code == 0, said
    assert node.file("/run/pinwheel/motd") == "From inside."


def test_ordinary_one_is_shut_in(node: Node) -> None:
    code, said = node.inside("control", "ls", "/.bottlerocket")
    assert (code, said.split()) == (0, ["host-containers"])
    code, said = node.inside("control", "mount", "-t", "tmpfs", "x", "/mnt")
    assert code != 0
    code, said = node.inside("control", "cat", "/proc/1/cmdline")
    assert "start-control" in said
    code, said = node.inside("control", "sh", "-c", "echo planted > /usr/lib/pinwheel/planted")
    assert "Read-only" in said


def test_superpowered_one_sees_the_node(node: Node) -> None:
    assert node.inside("admin", "cat", "/proc/1/comm") == (0, "systemd\n")
    code, said = node.inside("admin", "cat", "/.bottlerocket/rootfs/run/pinwheel/motd")
    assert (code, said.strip()) == (0, "From inside.")
    code, said = node.inside("admin", "sh", "-c", "ls /dev/vda && ls /sys/kernel/debug && mount -t tmpfs x /tmp")
    assert code == 0, said
    code, said = node.inside("admin", "touch", "/.bottlerocket/rootfs/usr/planted")
    assert "Read-only" in said


def test_admin_has_a_shell_among_the_nodes_own_files(node: Node) -> None:
    code, said = node.inside("admin", "sheltie", "ls", "/run/pinwheel")
    assert (code, "view.json" in said.split()) == (0, True), said
    assert node.inside("admin", "sheltie", "systemctl", "is-active", "docker.service") == (0, "active\n")
    namespaces = [node.inside("admin", *one, "readlink", "/proc/self/ns/mnt")[1] for one in (("sudo", "sheltie"), ())]
    node_itself = node.inside("admin", "readlink", "/proc/1/ns/mnt")[1]
    assert namespaces[0] == node_itself != namespaces[1]


def test_control_leads_to_admin(node: Node) -> None:
    code, said = node.inside("control", "enter-admin-container", "bash", "-c", "echo in $0 as $EUID")
    assert (code, said.splitlines()[-1]) == (0, "in bash as 0"), said


def test_network_and_names_are_the_nodes(node: Node) -> None:
    assert node.inside("control", "cat", "/etc/resolv.conf")[1] == node.file("/run/systemd/resolve/resolv.conf") + "\n"
    assert "10.0.2.15" in node.inside("control", "ip", "address")[1]


def test_exit_code_and_terminal_are_the_commands(node: Node) -> None:
    apiclient = ("/usr/bin/apiclient", "exec")
    assert node.attempt(*apiclient, "control", "sh", "-c", "exit 7")[0] == 7
    code, said = node.attempt(*apiclient, "nobody", "true")
    assert code != 0
    assert "no host container" in said


def test_they_survive_the_engine_and_its_runtime(node: Node) -> None:
    before = [node.main_process(name) for name in ("control", "admin")]
    docker, containerd = (node.unit(f"{unit}.service", "MainPID")[0] for unit in ("docker", "containerd"))
    assert node.inside("admin", "sh", "-c", f"kill -9 {docker} {containerd}") == (0, "")
    assert within(120, lambda: node.docker.attempt("version").returncode == 0)
    assert within(60, lambda: node.api.ask("GET", "/status")["ready"])
    assert node.unit("docker.service", "MainPID") != [docker]
    assert [node.main_process(name) for name in ("control", "admin")] == before
    assert node.inside("control", "echo", "alive") == (0, "alive\n")


# ---- changes ----


def test_change_concerns_one_container_alone(node: Node) -> None:
    before = {name: node.main_process(name) for name in ("control", "admin")}
    node.api.set(**{"host-containers": {"control": {"user-data": encoded("changed")}}})
    assert within(120, lambda: node.runs("control") and node.main_process("control") != before["control"])
    assert node.inside("control", "cat", "/.bottlerocket/host-containers/current/user-data") == (0, "changed")
    assert node.main_process("admin") == before["admin"]


def test_container_that_ends_comes_again(node: Node) -> None:
    before = node.main_process("control")
    assert node.inside("admin", "sh", "-c", f"kill -9 {before}") == (0, "")
    assert within(120, lambda: node.runs("control") and node.main_process("control") != before)
    assert node.api.ask("GET", "/status")["ready"]


def test_what_is_switched_on_runs_and_what_is_removed_stops(node: Node) -> None:
    node.api.set(**{"host-containers": {"off": {"enabled": True}}})
    assert within(120, lambda: node.runs("off"))
    assert within(20, lambda: "it runs" in node.journal("host-container@off.service"))
    node.api.unset("host-containers.off", "host-containers.admin")
    assert within(60, lambda: node.is_over("off") and node.is_over("admin"))
    assert node.runs("control")
    mounts = node.file("/proc/1/mounts")
    assert "/run/pinwheel/containers/host.control/rootfs" in mounts
    assert "/run/pinwheel/containers/host.admin/rootfs" not in mounts


def test_image_that_cannot_be_had_is_tried_again_and_the_node_stays_ready(node: Node) -> None:
    node.api.set(**{"host-containers": {"gone": {"source": "10.0.2.2:1/no/such:1", "enabled": True}}})
    unit = "host-container@gone.service"
    assert within(180, lambda: node.unit(unit, "SubState") == ["auto-restart"]), node.unit(unit, "SubState")
    assert "cannot be reached" in node.journal(unit)
    assert node.api.ask("GET", "/status")["ready"]
    node.api.unset("host-containers.gone")
    assert within(60, lambda: node.unit(unit, "ActiveState") == ["inactive"])


def test_images_that_nobody_asks_for_go(node: Node) -> None:
    store = "/var/lib/pinwheel/host-containers"
    node.api.unset("bootstrap-containers.bad")
    node.api.set(**{"host-containers": {"control": {"user-data": encoded("once more")}}})
    assert within(120, lambda: len(node.names(f"{store}/images")) == 2), node.names(f"{store}/images")
    assert within(60, lambda: node.runs("control"))
    assert node.names(f"{store}/blobs/sha256") == []


# ---- the next boot ----


def test_next_boot_does_what_is_to_be_done_each_time_and_needs_no_registry(node: Node, lab: Lab) -> None:
    node.machine.stop()
    lab.boot(node.machine)
    node.look()
    own = "/var/lib/pinwheel/host-containers/bootstrap-containers"
    assert node.file(f"{own}/first/runs") == "once"
    assert node.file(f"{own}/each/runs").split() == ["again", "again"]
    assert within(120, lambda: node.runs("control"))
    assert node.inside("control", "cat", "/.bottlerocket/host-containers/current/user-data") == (0, "once more")


def test_essential_failure_keeps_the_engine_from_starting_and_says_why(
    lab: Lab, insecure: str, images: dict[str, str], make_machine: Callable[..., Machine]
) -> None:
    settings = {"bootstrap-containers": {"bad": {"source": images["bad"], "mode": "always", "essential": True}}}
    machine = make_machine("essential", user_data=insecure + tomli_w.dumps({"settings": settings}))
    machine.start(lab.toolbox)
    wait_for_console(
        machine, r"the engine does not start: bootstrap container bad failed: .*the disk is not there", 120
    )
    assert machine.state() != "ready"
