# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Each namespace of settings where it counts: from user data, changed at run time, and unset. One machine for all.

What is in the node is looked at from a container that sees its processes, its network and its files.
"""

import contextlib
import http.client
import http.server
import json
import re
import shlex
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.support.certificates import Authority
from tests.support.lab import Docker, Lab, start_of_data
from tests.support.registry import HOST_SEEN_BY_GUEST, Registry, free_port
from tests.support.remote_node import RemoteNode
from tests.support.shell import ContainerShell

from pinwheel.api.client.failure import ApiFailed
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine import monitor, qemu
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import PortForward
from pinwheel.machine.waiting import READY_TIMEOUT

pytestmark = pytest.mark.vm

API_PORT = 8443
GIB = 1024**3
MEMBERS = {"lan1": "52:54:00:12:34:01", "lan2": "52:54:00:12:34:02"}
"""Two more network cards on a network of their own, 10.0.3.0/24, whose gateway answers pings."""
LAN = [
    "-netdev", "user,id=lan,net=10.0.3.0/24", "-netdev", "hubport,id=wire,hubid=0,netdev=lan",
    *(word for name, mac in MEMBERS.items() for word in (
        "-netdev", f"hubport,id=port-{name},hubid=0",
        "-device", f"virtio-net-pci,id={name},netdev=port-{name},mac={mac},romfile=",
    )),
]  # fmt: skip
GATEWAY = "10.0.3.2"


class Syslog:
    """A syslog server of the workstation."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.5)
        self.port: int = self._socket.getsockname()[1]
        self.messages: list[str] = []
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while self._socket.fileno() >= 0:
            try:
                self.messages.append(self._socket.recv(65536).decode())
            except TimeoutError:
                continue
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers everything in the same way and keeps what was asked."""

    asked: list[tuple[str, Any]]

    def do_POST(self) -> None:
        self.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        self.asked.append((self.path, None))
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def answering(context: ssl.SSLContext | None = None) -> http.server.ThreadingHTTPServer:
    handler = type("Handler", (Answering,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server


class World:
    """The machine, its API, what it talks to, and a look into it."""

    def __init__(self, machine: Machine, docker: Docker, api: RemoteNode) -> None:
        self.machine, self.docker, self.api = machine, docker, api
        self.syslog: Syslog
        self.collector: http.server.ThreadingHTTPServer
        self.stranger: http.server.ThreadingHTTPServer
        self.eye: ContainerShell

    def open_eye(self, image: str) -> None:
        options = (
            "--detach",
            "--privileged",
            "--net=host",
            "--pid=host",
            "--uts=host",
            "--volume=/:/host",
            "--restart=always",
        )
        self.eye = ContainerShell(self.docker, self.docker("run", *options, image, "sleep", "36000"))

    def run(self, *command: str) -> str:
        """Run a command of busybox in the node's network and among its files, which are below /host."""
        code, said = self.eye.run(shlex.join(command))
        assert code == 0, f"{command}: {code}: {said}"
        return said.strip()

    def attempt(self, *command: str) -> str:
        return self.eye.run(shlex.join(command))[1].strip()

    def host(self, *command: str) -> str:
        """Run a program of the node."""
        return self.run("busybox", "chroot", "/host", *command)

    def journal(self, unit: str) -> str:
        return self.host("/usr/bin/journalctl", "--boot", "--no-pager", f"--unit={unit}")

    def file(self, path: str) -> str:
        return self.run("cat", f"/host{path}")

    def has(self, path: str) -> bool:
        return self.eye.run(shlex.join(["test", "-e", f"/host{path}"]))[0] == 0

    def sysctl(self, name: str) -> str:
        return self.file(f"/proc/sys/{name.replace('.', '/')}")

    def card(self, mac: str) -> str:
        """Give the name of the network card with an address."""
        found = re.search(rf"^\d+: ([^:@]+)[^\n]*\n[^\n]*{mac}", self.run("ip", "link"), re.MULTILINE)
        assert found, mac
        return found[1]


def within(seconds: float, look: Callable[[], Any]) -> Any:
    """Look until there is something to see, or the time is over; give the last look."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return seen


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def world(lab: Lab, toolbox: Toolbox, registry: Registry, authority: Authority) -> Iterator[World]:
    registry.push_busybox("library/busybox", "mirrored")
    port = free_port()
    api = RemoteNode(port, authority)
    syslog, collector = Syslog(), answering()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.server(HOST_SEEN_BY_GUEST))
    stranger = answering(tls)
    settings = {
        "motd": "From user data.",
        "network": {"hostname": "set-1.example.com", "hosts": [["192.0.2.10", ["db.example.com", "db"]]]},
        "dns": {"name-servers": ["10.0.2.3"], "search-list": ["example.com"]},
        "ntp": {"time-servers": ["127.0.0.1"]},
        "pki": {"test": {"data": authority.encoded, "trusted": True}},
        "kernel": {
            "sysctl": {"vm.max_map_count": "262144"},
            "modules": {"sctp": {"allowed": False}, "dummy": {"autoload": True}},
            "lockdown": "confidentiality",
        },
        "boot": {
            "kernel-parameters": {"sysctl.vm.swappiness": ["7"], "loop.max_part": ["3"]},
            "init-parameters": {"systemd.log_level": ["notice"]},
        },
        "memory": {"zram-swap": {"enabled": True, "size": "64M"}, "reserved": "300M"},
        "container-registry": {
            "mirrors": [{"registry": "docker.io", "endpoint": [f"http://{registry.endpoint}"]}],
        },
        "docker": {"log-driver": "local", "engine-options": {"debug": True}},
        "oci-defaults": {"resource-limits": {"max-open-files": {"soft-limit": 3000, "hard-limit": 4000}}},
        "api": {"remote": {"enabled": True, "port": API_PORT, "client-ca": authority.encoded}},
        "logging": {
            "syslog": {"host": HOST_SEEN_BY_GUEST, "port": syslog.port},
            "otlp": {"endpoint": f"http://{HOST_SEEN_BY_GUEST}:{collector.server_port}"},
        },
        "aws": {"region": "eu-central-1"},
    }
    publish = [PortForward(host=port, guest=API_PORT)]
    user_data = tomli_w.dumps({"settings": settings})
    machine = lab.create("settings", user_data=user_data, publish=publish, memory=GIB)
    with pytest.MonkeyPatch.context() as patch:
        plain = qemu.qemu_command
        patch.setattr(qemu, "qemu_command", lambda *given, **named: [*plain(*given, **named), *LAN])
        lab.boot(machine)
    world = World(machine, Docker(machine, toolbox), api)
    world.syslog, world.collector, world.stranger = syslog, collector, stranger
    world.open_eye("docker.io/library/busybox:mirrored")  # by the mirror, as there is no other way
    fingerprint = re.search(r"sha256:[0-9a-f]{64}", machine.console_text())
    assert fingerprint, "no fingerprint on the console"
    api.knowing(fingerprint[0])
    yield world
    world.eye.close()
    lab.discard(machine)
    syslog.close()
    for server in (collector, stranger):
        server.shutdown()


def test_user_data_is_without_problems_and_the_node_ready(world: World) -> None:
    status = world.api.ask("GET", "/status")
    assert status["ready"], status["reasons"]
    assert status["user_data"]["problems"] == []


def test_data_of_a_machine_without_a_tpm_is_in_clear(world: World, toolbox: Toolbox) -> None:
    mount = next(line for line in world.run("cat", "/proc/mounts").splitlines() if " /host/var ext4" in line)
    assert not mount.startswith("/dev/mapper/")
    assert not any(start_of_data(world.machine, toolbox))  # ext4 leaves its first sectors to boot loaders


def test_motd_and_host_name(world: World) -> None:
    assert world.file("/run/pinwheel/motd") == "From user data."
    assert world.sysctl("kernel.hostname") == "set-1.example.com"
    world.api.set(motd="At run time.", network={"hostname": "set-2"})
    assert world.file("/etc/motd" if world.has("/etc/motd") else "/run/pinwheel/motd") == "At run time."
    assert world.sysctl("kernel.hostname") == "set-2"
    world.api.unset("motd", "network.hostname")
    assert world.sysctl("kernel.hostname") == "pinwheel"
    assert "Pinwheel" in world.file("/run/pinwheel/motd")


def test_names_in_hosts_are_those_of_a_container_in_the_nodes_network(world: World) -> None:
    def line(name: str) -> str:
        return world.docker("run", "--rm", "--net=host", "busybox:mirrored", "grep", "-w", name, "/etc/hosts")

    assert line("db.example.com").split() == ["192.0.2.10", "db.example.com", "db"]
    world.api.set(network={"hosts": [["192.0.2.11", ["web.example.com"]]]})
    assert line("web.example.com").split()[0] == "192.0.2.11"
    world.api.unset("network.hosts")
    assert "example.com" not in world.file("/run/pinwheel/hosts").replace("set-1.example.com", "")


def test_name_servers_and_domains_stand_in_the_place_of_those_of_dhcp(world: World) -> None:
    def resolver() -> list[str]:
        text = world.file("/run/systemd/resolve/resolv.conf")
        return [line for line in text.splitlines() if line.startswith(("nameserver", "search"))]

    assert within(20, lambda: resolver() == ["nameserver 10.0.2.3", "search example.com"]), resolver()
    world.api.set(dns={"name-servers": ["192.0.2.53"], "search-list": ["example.org"]})
    assert within(20, lambda: resolver() == ["nameserver 192.0.2.53", "search example.org"]), resolver()
    world.api.unset("dns")
    assert within(30, lambda: "nameserver 10.0.2.3" in resolver()), resolver()
    assert not {"nameserver 192.0.2.53", "search example.org"} & set(resolver())


def test_time_server_is_asked(world: World) -> None:
    def asked(server: str) -> bool:
        """Say whether timesyncd waits for an answer in vain: nobody serves the time here."""
        return f"reply from {server}:123" in world.journal("systemd-timesyncd.service")

    assert within(60, lambda: asked("127.0.0.1"))
    world.api.set(ntp={"time-servers": ["127.0.0.2"], "options": ["minpoll 4"]})
    assert within(60, lambda: asked("127.0.0.2"))
    assert "PollIntervalMinSec=16s" in world.file("/run/systemd/timesyncd.conf.d/10-pinwheel.conf")
    world.api.unset("ntp")
    assert not world.has("/run/systemd/timesyncd.conf.d/10-pinwheel.conf")


def test_server_of_a_private_authority_is_trusted_for_as_long_as_the_settings_say(world: World) -> None:
    image = f"{HOST_SEEN_BY_GUEST}:{world.stranger.server_port}/nothing:1"

    def said() -> str:
        return world.docker.attempt("pull", image).stderr

    assert "certificate" not in said()  # it is not found, by a server that is trusted
    world.api.unset("pki")
    assert "certificate signed by unknown authority" in said()


def test_kernel_parameters_are_set_changed_and_put_back(world: World) -> None:
    assert world.sysctl("vm.max_map_count") == "262144"
    assert world.sysctl("vm.swappiness") == "7"
    world.api.set(kernel={"sysctl": {"vm.max_map_count": "300000", "vm.swappiness": "11"}})
    assert world.sysctl("vm.max_map_count") == "300000"
    assert world.sysctl("vm.swappiness") == "11"
    world.api.unset("kernel.sysctl", 'boot.kernel-parameters."sysctl.vm.swappiness"')
    assert world.sysctl("vm.max_map_count") == "524288"
    assert world.sysctl("vm.swappiness") == "60"


def test_parameter_that_the_kernel_refuses_changes_nothing(world: World) -> None:
    status, answer = world.api.attempt(
        "PATCH", "/settings?commit=true", {"kernel": {"sysctl": {"vm.panic_on_oom": "1", "vm.no_such": "1"}}}
    )
    assert status >= 400
    assert 'settings.kernel.sysctl."vm.no_such"' in [problem["path"] for problem in answer["problems"]]
    assert world.sysctl("vm.panic_on_oom") == "0"


def test_modules_are_loaded_or_refused(world: World) -> None:
    assert "dummy " in world.file("/proc/modules")
    assert world.eye.run("busybox chroot /host /usr/sbin/modprobe sctp")[0] != 0
    assert "sctp" not in world.file("/proc/modules")
    world.api.set(kernel={"modules": {"sctp": {"allowed": True, "autoload": True}}})
    assert "sctp " in world.file("/proc/modules")
    world.api.unset("kernel.modules")
    assert not world.has("/run/modprobe.d/90-pinwheel.conf") or "sctp" not in world.file(
        "/run/modprobe.d/90-pinwheel.conf"
    )


def test_lockdown_is_raised_and_a_lower_level_waits_for_the_next_boot(world: World) -> None:
    assert "[confidentiality]" in world.file("/sys/kernel/security/lockdown")
    world.api.unset("kernel.lockdown")
    assert "[confidentiality]" in world.file("/sys/kernel/security/lockdown")


def test_parameter_of_a_module_is_there_for_when_it_is_loaded(world: World) -> None:
    assert "options loop max_part=3" in world.file("/run/modprobe.d/90-pinwheel.conf")


def test_systemd_logs_as_much_as_it_is_told(world: World) -> None:
    assert world.host("/usr/bin/systemctl", "log-level") == "notice"
    world.api.unset("boot.init-parameters")
    assert world.host("/usr/bin/systemctl", "log-level") == "info"


def test_swap_space_in_memory_has_its_size_and_goes(world: World) -> None:
    def size() -> str:
        rows = [line.split() for line in world.file("/proc/swaps").splitlines() if "zram" in line]
        return rows[0][2] if rows else ""

    assert size() == str(64 * 1024 - 4)
    world.api.set(memory={"zram-swap": {"size": "10%"}})
    assert 0 < int(size()) != 64 * 1024 - 4
    world.api.unset("memory.zram-swap")
    assert size() == ""


def test_containers_together_leave_memory_to_the_system(world: World) -> None:
    def limit() -> str:
        return world.file("/sys/fs/cgroup/workload.slice/memory.max")

    total = int(re.findall(r"MemTotal:\s+(\d+)", world.file("/proc/meminfo"))[0]) * 1024
    assert abs(int(limit()) - (total - 300 * 1024**2)) < 4096
    world.api.set(memory={"reserved": "50%"})
    assert within(10, lambda: abs(int(limit()) - total / 2) < 4096), limit()
    world.api.unset("memory.reserved")
    assert within(10, lambda: limit() == "max"), limit()


def test_containers_have_the_limits_log_driver_and_options_of_the_settings(world: World) -> None:
    def limits() -> list[str]:
        return world.docker("run", "--rm", "busybox:mirrored", "sh", "-c", "ulimit -Sn; ulimit -Hn").split()

    def engine(field: str) -> str:
        return world.docker("info", "--format", f"{{{{.{field}}}}}")

    assert limits() == ["3000", "4000"]
    assert (engine("LoggingDriver"), engine("Debug")) == ("local", "true")
    unlimited = {"soft-limit": "unlimited", "hard-limit": "unlimited"}
    answer = world.api.set(
        docker={"log-driver": "journald", "engine-options": {"debug": False}},
        **{"oci-defaults": {"resource-limits": {"max-open-files": {"soft-limit": 5000, "hard-limit": 6000},
                                                "max-core-file-size": unlimited}}},
    )  # fmt: skip
    assert answer["units"] == ["docker.service"]
    assert limits() == ["5000", "6000"]
    assert (engine("LoggingDriver"), engine("Debug")) == ("journald", "false")
    world.api.unset("docker.log-driver", "docker.engine-options", "oci-defaults")
    assert engine("LoggingDriver") == "json-file"


def test_options_that_the_engine_refuses_change_nothing(world: World) -> None:
    before = world.docker("info", "--format", "{{.LoggingDriver}}")
    status, answer = world.api.attempt(
        "PATCH", "/settings?commit=true", {"docker": {"engine-options": {"no-such-option": 1}}}
    )
    assert status == 400, answer
    assert "no-such-option" in answer["message"]
    assert world.docker("info", "--format", "{{.LoggingDriver}}") == before


def test_log_arrives_at_the_syslog_server_and_the_collector(world: World) -> None:
    assert within(30, lambda: any(" dockerd " in one for one in list(world.syslog.messages)))
    asked = world.collector.RequestHandlerClass.asked  # type: ignore[attr-defined]
    assert within(30, lambda: asked)
    path, body = asked[0]
    assert path == "/v1/logs"
    attributes = body["resourceLogs"][0]["resource"]["attributes"]
    assert {"key": "os.type", "value": {"stringValue": "linux"}} in attributes
    world.api.unset("logging")
    assert "inactive" in world.attempt(
        "busybox", "chroot", "/host", "/usr/bin/systemctl", "is-active", "pinwheel-forward-logs.service"
    )


def test_engine_knows_the_region(world: World) -> None:
    assert 'AWS_REGION="eu-central-1"' in world.file("/run/pinwheel/aws/aws.env")
    engine = world.run("sh", "-c", "cat /host/run/docker.pid || busybox pidof dockerd").split()[0]
    assert "AWS_REGION=eu-central-1" in world.run("sh", "-c", f"tr '\\0' '\\n' < /proc/{engine}/environ")
    world.api.unset("aws")
    assert not world.has("/run/pinwheel/aws/aws.env")


def test_bond_carries_traffic_also_when_a_cable_is_out(world: World) -> None:
    members = [world.card(mac) for mac in MEMBERS.values()]
    bond = {"kind": "bond", "mode": "active-backup", "interfaces": members, "dhcp4": True}
    world.api.set(network={"interfaces": {"bond0": bond}})
    assert within(30, lambda: "inet 10.0.3." in world.run("ip", "address", "show", "bond0"))
    assert " 0% packet loss" in world.run("ping", "-c", "2", "-I", "bond0", GATEWAY)
    active = world.file("/sys/class/net/bond0/bonding/active_slave")
    name = list(MEMBERS)[members.index(active)]
    monitor.execute(world.machine.directory, "set_link", {"name": name, "up": False})
    assert within(20, lambda: world.file("/sys/class/net/bond0/bonding/active_slave") not in ("", active))
    assert " 0% packet loss" in world.run("ping", "-c", "2", "-I", "bond0", GATEWAY)
    monitor.execute(world.machine.directory, "set_link", {"name": name, "up": True})
    world.api.set(network={"interfaces": {"bond0": {"mode": "balance-rr"}}})
    assert within(20, lambda: world.attempt("cat", "/host/sys/class/net/bond0/bonding/mode").startswith("balance-rr"))
    assert within(30, lambda: "inet 10.0.3." in world.run("ip", "address", "show", "bond0"))
    assert " 0% packet loss" in world.run("ping", "-c", "2", "-I", "bond0", GATEWAY)
    world.api.unset("network.interfaces")
    assert within(20, lambda: not world.has("/sys/class/net/bond0"))
    assert within(40, lambda: "inet 10.0.3." in world.run("ip", "address", "show", members[0]))


def test_vlan_static_address_route_and_mtu(world: World) -> None:
    card = world.card(MEMBERS["lan2"])
    static = {
        "static4": {"addresses": ["10.0.3.77/24"]},
        "route": [{"to": "198.51.100.0/24", "via": GATEWAY, "route-metric": 77}],
        "mtu": 1400,
    }
    vlan = {"kind": "vlan", "device": card, "id": 42, "static4": {"addresses": ["192.0.2.1/24"]}}
    world.api.set(network={"interfaces": {card: static, "vlan42": vlan}})
    assert within(20, lambda: "10.0.3.77/24" in world.run("ip", "address", "show", card))
    assert "mtu 1400" in world.run("ip", "link", "show", card)
    assert within(20, lambda: "198.51.100.0/24 via 10.0.3.2" in world.run("ip", "route"))
    assert within(20, lambda: "192.0.2.1/24" in world.run("ip", "address", "show", "vlan42"))
    assert "VID: 42" in world.file("/proc/net/vlan/vlan42")
    world.api.unset("network.interfaces")
    assert within(20, lambda: not world.has("/sys/class/net/vlan42"))
    assert within(20, lambda: "10.0.3.77" not in world.run("ip", "address", "show", card))
    assert "mtu 1500" in world.run("ip", "link", "show", card)


def test_network_is_there_again_after_a_reboot(world: World) -> None:
    members = [world.card(mac) for mac in MEMBERS.values()]
    bond = {"kind": "bond", "mode": "active-backup", "interfaces": members, "dhcp4": True}
    world.api.set(network={"hostname": "after", "interfaces": {"bond0": bond}}, dns={"name-servers": ["192.0.2.53"]})
    before = world.machine.console_text().count("pinwheel: ready ")
    world.api.ask("POST", "/actions/reboot")
    assert within(READY_TIMEOUT, lambda: world.machine.console_text().count("pinwheel: ready ") > before)
    assert within(
        60, lambda: world.attempt("cat", "/host/sys/class/net/bond0/bonding/mode").startswith("active-backup")
    )
    assert within(60, lambda: "inet 10.0.3." in world.attempt("ip", "address", "show", "bond0"))
    assert " 0% packet loss" in world.run("ping", "-c", "2", "-I", "bond0", GATEWAY)
    assert "nameserver 192.0.2.53" in world.file("/run/systemd/resolve/resolv.conf")
    assert world.sysctl("kernel.hostname") == "after"
    world.api.unset("network", "dns")


def test_api_that_dies_or_is_restarted_disturbs_no_container(world: World) -> None:
    def life() -> str:
        return world.docker("inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}", running)

    def pids() -> list[str]:
        shown = world.run("ps", "-o", "pid,args")
        return re.findall(r"^\s*(\d+) \S*launch (?:api|actuator)\s*$", shown, re.MULTILINE)

    running = world.docker("run", "--detach", "busybox:mirrored", "sleep", "600")
    before = life()
    for signal in ("KILL", "SEGV"):
        world.api.set(motd=signal)
        assert len(pids()) >= 2
        world.run("kill", f"-{signal}", *pids())
        assert within(10, lambda: world.api.ask("GET", "/settings?keys=motd")) == {"motd": signal}
    world.host("/usr/bin/systemctl", "restart", "pinwheel-api-remote.service", "pinwheel-actuator.service")
    world.api.unset("motd")
    assert life() == before
    assert within(30, lambda: world.api.ask("GET", "/status")["ready"])
    world.docker("rm", "--force", running)


def test_roles_hold_over_the_network(world: World, authority: Authority) -> None:
    reader, admin = world.api.other(authority, "reader"), world.api.other(authority, "admin", "alice")
    assert reader.attempt("GET", "/settings?keys=motd")[0] == 200
    assert reader.attempt("PATCH", "/settings?commit=true", {"motd": "x"})[0] == 403
    assert admin.attempt("PATCH", "/settings?commit=true", {"motd": "x"})[0] == 200
    author = reader.ask("GET", "/settings/generations?limit=1")["generations"][0]["author"]
    assert (author["kind"], author["name"]) == ("certificate", "alice")


def test_strangers_do_not_get_in(world: World, tmp_path: Path) -> None:
    stranger = world.api.other(Authority(tmp_path), "admin")
    with pytest.raises((ApiFailed, OSError, http.client.RemoteDisconnected)):
        stranger.attempt("GET", "/settings")


def test_remote_api_moves_to_another_port_and_back(world: World) -> None:
    """The change comes by the API that it moves: the node is asked again where it is published."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        world.api.set(api={"remote": {"port": 9443}})
    assert within(20, lambda: ":9443 " in world.run("netstat", "-tln"))
    assert ":8443 " not in world.run("netstat", "-tln")
