# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Prepares containers in a world of its own, starts them with the real runc, and tells as JSON what was seen.

Runs as root under the toolbox's Python; nothing outside of that world is touched but a cgroup that is removed.
Its arguments: the kind of container, and the names of all capabilities by bit.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from pinwheel.node.containers import capabilities, places
from pinwheel.node.containers.bundle import remove_bundle
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.containers.exec import ExecError, NotRunningError, Terminal, start
from pinwheel.node.containers.prepare import prepare
from pinwheel.node.paths import Paths

RUNC = "/run/tools/runc"
CGROUP = Path("/sys/fs/cgroup", f"pinwheel-test-{uuid.uuid4().hex[:8]}")
"""What a unit's cgroup is to its processes. The hierarchy is the workstation's own."""
LOOK = """
id -u; grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status; cat /proc/1/comm; ls /dev | wc -l; echo $MARK
"""
CONTAINERS = {
    "normal": Container(
        Kind.HOST, "control", "oci:/run/image.oci", user_data="aGVsbG8=", environment={"MARK": "proxy"}
    ),
    "superpowered": Container(Kind.HOST, "admin", "oci:/run/image.oci", superpowered=True),
    "bootstrap": Container(Kind.BOOTSTRAP, "raid", "oci:/run/image.oci"),
}


def main() -> None:
    container = CONTAINERS[sys.argv[1]]
    places.RUNC = RUNC
    capabilities.ALL = tuple(name for name in capabilities.ALL if name in held_by_this_world())
    make_world()
    paths = Paths()
    file = paths.at(container.file)
    file.parent.mkdir(parents=True)
    file.write_bytes(container.to_json())
    prepare(paths, container.id)
    seen = run_to_the_end(container) if container.kind is Kind.BOOTSTRAP else look_into(paths, container)
    remove_bundle(paths, container.id)
    seen["left"] = [path.name for path in Path(places.BUNDLES).iterdir()]
    seen["mounts left"] = [line for line in Path("/proc/self/mounts").read_text().splitlines() if "/rootfs" in line]
    leave_world()
    json.dump(seen, sys.stdout)


def held_by_this_world() -> set[str]:
    """Give the capabilities that may be given away here: a workstation may itself be a container without some."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("CapBnd:"))
    held = int(line.split()[1], 16)
    return {name for bit, name in enumerate(sys.argv[2:]) if held >> bit & 1}


def leave_world() -> None:
    Path("/sys/fs/cgroup/cgroup.procs").write_text(str(os.getpid()))
    for directory in (*CGROUP.glob("*/"), CGROUP):
        for _ in range(100):
            try:
                directory.rmdir()
                break
            except OSError:  # what was killed is still on its way
                time.sleep(0.05)


def make_world() -> None:
    """Be where a unit's control process is: in a cgroup below the unit's own."""
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)
    group = CGROUP / "runc"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text(str(os.getpid()))
    for directory in ("/mnt", "/run/systemd/resolve", "/var/lib"):
        Path(directory).mkdir(parents=True, exist_ok=True)
    Path("/run/systemd/resolve/resolv.conf").write_text("nameserver 192.0.2.1\n")
    subprocess.run(["mount", "-t", "tmpfs", "var", "/var"], check=True)


def runc(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [RUNC, "--root", places.RUNC_STATE, *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def look_into(paths: Paths, container: Container) -> dict[str, object]:
    done = subprocess.run(
        [RUNC, "--root", places.RUNC_STATE, "run", "--detach", "--pid-file", f"{container.bundle}/pid",
         "--bundle", container.bundle, container.id],
        stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, check=False,
    )  # fmt: skip
    seen: dict[str, object] = {"started": done.returncode}
    if done.returncode:
        return seen
    seen["cgroup"] = Path(f"/proc/{int(Path(container.bundle, 'pid').read_text())}/cgroup").read_text().splitlines()[-1]
    name = container.name
    seen["look"] = output(paths, name, ["sh", "-c", LOOK])
    seen["files"] = output(paths, name, ["sh", "-c", (
        "cat /.pinwheel/host-containers/current/user-data /etc/resolv.conf; ls /.bottlerocket; touch /written &&"
        "echo ok; "
        "touch /.bottlerocket/rootfs/run/x; mount -t tmpfs x /tmp"
    )])  # fmt: skip
    seen["own"] = output(paths, name, ["sh", "-c", f"echo kept > /.bottlerocket/host-containers/{name}/note"])
    seen["kept"] = Path(places.STORE, "host-containers", name, "note").read_text()
    seen["input"] = with_input(paths, name, ["sh", "-c", "cat; exit 5"], b"some input")
    seen["terminal"] = output(paths, name, ["sh", "-c", "stty size; tty; echo error >&2; exit 3"], Terminal(33, 77))
    seen["signal"] = output(paths, name, ["sh", "-c", "kill -9 $$"])
    seen["quick"] = [output(paths, name, ["true"])[0] for _ in range(10)]
    seen["refused"] = refusals(paths, name)
    with start(paths, name, ["sleep", "1000"]) as session:
        session.close_descriptors()
        sleeper = session.pid
    seen["ended"] = not Path(f"/proc/{sleeper}").exists()
    runc("delete", "--force", container.id)
    return seen


def output(paths: Paths, name: str, command: list[str], terminal: Terminal | None = None) -> tuple[int, str]:
    with start(paths, name, command, terminal) as session:
        said = b""
        reading = session.descriptors[-1]
        try:
            while part := os.read(reading, 4096):
                said += part
        except OSError:  # a terminal that nobody has open any more says EIO
            pass
        status = session.wait()
        session.close_descriptors()
        return status, said.decode()


def with_input(paths: Paths, name: str, command: list[str], content: bytes) -> tuple[int, str]:
    with start(paths, name, command) as session:
        stdin, stdout = session.descriptors
        os.write(stdin, content)
        os.close(stdin)
        said = os.read(stdout, 4096)
        os.close(stdout)
        session.descriptors.clear()
        return session.wait(), said.decode()


def refusals(paths: Paths, name: str) -> list[str]:
    words = []
    for container, command in ((name, ["no-such-program"]), ("nobody", ["true"]), ("../x", ["true"]), ("-x", ["true"])):
        try:
            start(paths, container, command)
        except (ExecError, NotRunningError) as error:
            words.append(f"{type(error).__name__}: {error}")
    return words


def run_to_the_end(container: Container) -> dict[str, object]:
    done = runc("run", "--bundle", container.bundle, container.id)
    time.sleep(0.1)
    return {"exit": done.returncode, "said": done.stdout, "errors": done.stderr,
            "mounts": [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()
                       if line.startswith("made-")]}  # fmt: skip


main()
