# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What somebody tries who runs code of their own inside a service: any Python, and any system call.

Runs on a node, in place of the service's own code. Each attempt is a function; one that returns has done what it is
named after. What came of all of them is written into the service's runtime directory.
"""

import contextlib
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import rawcall  # type: ignore[import-not-found]

ATTEMPTS: dict[str, Callable[[], Any]] = {}
SYSTEM_CALLS: dict[str, tuple[Any, ...]] = {
    # Number of x86-64 and arguments that do no harm where they are allowed.
    "add a key": (248, b"user\0", b"takeover\0", b"x", 1, -3),
    "become root": (105, 0),
    "call bpf": (321, 0, struct.pack("4I", 2, 4, 4, 1), 16),
    "change root": (161, b"/\0"),
    "change the kernel's time zone": (164, None, bytes(8)),
    "load a kernel": (246, 0, 0, None, 0),
    "load a module": (175, b"x", 1, b"\0"),
    "make a device": (133, b"/run/takeover-device\0", 0o20600, 0x103),
    "make an io_uring": (425, 1, bytes(120)),
    "make a user namespace": (272, 0x10000000),
    "make a mount namespace": (272, 0x20000),
    "mount": (165, b"none\0", b"/tmp\0", b"tmpfs\0", 0, None),
    "read the kernel's log": (103, 10, None, 0),
    "set the host name": (170, os.uname().nodename.encode(), len(os.uname().nodename)),
    "start a userfaultfd": (323, 0),
    "trace init": (101, 0x4206, 1, None, None),
    "unmount": (166, b"/tmp\0", 2),
    "use performance events": (298, struct.pack("2I", 1, 112) + bytes(104), 0, -1, -1, 0),
}
FOREIGN_FILES = (
    "/var/lib/pinwheel/settings/generations",
    "/var/lib/docker",
    "/run/pinwheel/docker/tls/key.pem",
    "/proc/1/environ",
    "/proc/1/mem",
    "/proc/1/root",
    "/proc/kcore",
    "/dev/vda",
    "/dev/mem",
    "/dev/kmsg",
    "/sys/firmware/efi/efivars",
)
FOREIGN_SOCKETS = (
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/systemd/private",
    "/run/systemd/notify",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/udev/control",
)
FOREIGN_PROGRAMS = (
    ("/usr/bin/systemctl", "--version"),
    ("/usr/bin/mount", "--version"),
    ("/usr/sbin/runc", "--version"),
    ("/usr/sbin/dockerd", "--version"),
    ("/usr/lib64/ld-linux-x86-64.so.2", "/usr/bin/systemctl", "--version"),
    ("/usr/lib/systemd/systemd-executor", "--version"),
)
KERNEL_FILES = ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger")
FAMILIES = {"internet": socket.AF_INET, "internet 6": socket.AF_INET6, "netlink": socket.AF_NETLINK,
            "packets": socket.AF_PACKET, "the hypervisor": socket.AF_VSOCK}  # fmt: skip


def attempt(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        ATTEMPTS[name] = function
        return function

    return register


def _register_tables() -> None:
    for name, call in SYSTEM_CALLS.items():
        ATTEMPTS[name] = partial(rawcall.call, *call)
    for path in FOREIGN_FILES:
        ATTEMPTS[f"read {path}"] = partial(read, path)
    for path in FOREIGN_SOCKETS:
        ATTEMPTS[f"talk to {path}"] = partial(talk, path)
    for words in FOREIGN_PROGRAMS:
        ATTEMPTS[f"run {' '.join(words)}"] = partial(run, words)
    for path in KERNEL_FILES:
        ATTEMPTS[f"write {path}"] = partial(write_back, path)
    for name, family in FAMILIES.items():
        ATTEMPTS[f"open a socket for {name}"] = partial(open_socket, family)


def read(path: str) -> None:
    if os.path.isdir(path):  # noqa: PTH112
        assert os.listdir(path)  # noqa: PTH208
        return
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def open_socket(family: int) -> None:
    socket.socket(family, socket.SOCK_DGRAM).close()


def talk(path: str) -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as channel:
            try:
                channel.connect(path)
            except OSError as error:
                if error.errno == 91:  # EPROTOTYPE: it is of another kind
                    continue
                raise
            return
    raise OSError("of no kind")


def run(words: tuple[str, ...], descriptors: tuple[int, ...] = ()) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, pass_fds=descriptors)


def write_back(path: str) -> None:
    content = b"" if path.endswith("trigger") else Path(path).read_bytes()
    with Path(path).open("wb", buffering=0) as file:
        if content:
            file.write(content)


@attempt("reach the network")
def _reach() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
        channel.settimeout(10)
        with contextlib.suppress(ConnectionRefusedError):  # then somebody was there to refuse it
            channel.connect(("10.0.2.2", 1))


@attempt("see a network interface")
def _interfaces() -> None:
    names = os.listdir("/sys/class/net")  # noqa: PTH208
    assert set(names) - {"lo"}, names


@attempt("see processes of others")
def _processes() -> None:
    mine = os.getuid()
    others = [name for name in os.listdir("/proc") if name.isdigit() and os.stat(f"/proc/{name}").st_uid != mine]  # noqa: PTH116, PTH208
    assert others


@attempt("send a signal to init")
def _signal() -> None:
    os.kill(1, 0)


@attempt("read the memory of the engine")
def _memory() -> None:
    pid = int(Path("/run/pinwheel/takeover-pid").read_text())
    rawcall.call(310, pid, None, 0, None, 0, 0)


@attempt("write anywhere else")
def _write() -> None:
    own = os.environ.get("RUNTIME_DIRECTORY", "/nowhere")
    found = []
    for directory, below, _ in os.walk("/"):
        below[:] = [name for name in below if f"{directory.rstrip('/')}/{name}" not in {"/proc", "/sys", own}]
        place = f"{directory.rstrip('/')}/takeover"
        try:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError:
            continue
        found.append(place)
        os.unlink(place)  # noqa: PTH108
    assert found
    print(f"takeover: could write {found[:20]}", file=sys.stderr)


@attempt("run what it wrote")
def _run_own() -> None:
    place = Path(os.environ.get("RUNTIME_DIRECTORY", "/run"), "program")
    place.write_bytes(Path("/usr/bin/journalctl").read_bytes())
    place.chmod(0o700)
    run((str(place), "--version"))


@attempt("run a program from memory")
def _run_memory() -> None:
    descriptor = rawcall.call(319, b"program\0", 0)
    os.write(descriptor, Path("/usr/bin/journalctl").read_bytes())
    run((f"/proc/self/fd/{descriptor}", "--version"), (descriptor,))


@attempt("make memory that is written and run")
def _write_and_run() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


@attempt("make a file that runs as its owner")
def _setuid_file() -> None:
    place = Path(os.environ.get("RUNTIME_DIRECTORY", "/run"), "owner")
    place.touch()
    place.chmod(0o4755)
    assert place.stat().st_mode & 0o4000


@attempt("raise its own limits")
def _limits() -> None:
    rawcall.call(302, 0, 7, (1 << 20).to_bytes(8, "little") * 2, None)


def main() -> int:
    """Try everything, from inside a service."""
    _register_tables()
    finish({name: outcome(function) for name, function in sorted(ATTEMPTS.items())})
    return 0


def stranger() -> int:
    """Try what is somebody else's to open, as a user without any rights."""
    places = ("/run/pinwheel/actuator.sock", "/run/pinwheel/api.sock", "/run/docker.sock")
    outcomes = {f"talk to {path}": outcome(partial(talk, path)) for path in places}
    outcomes["read the view"] = outcome(partial(read, "/run/pinwheel/view.json"))
    finish(outcomes)
    return 0


def commands() -> int:
    """Ask the actuator for what is none of its verbs."""
    answers = {}
    for request in (
        {"verb": "run", "command": ["/usr/bin/systemctl"]},
        {"verb": "exec"},
        {"verb": "status", "path": "/"},
    ):
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect("/run/pinwheel/actuator.sock")
            channel.sendall(json.dumps(request).encode() + b"\n")
            answers[json.dumps(request)] = channel.makefile().read()
    finish(answers)
    return 0


def outcome(function: Callable[[], Any]) -> str:
    """Give why an attempt failed, nothing for one that did not; in a process of its own, for some change theirs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, _outcome(function).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 - a descriptor
        words = answer.read().decode()
    _, status = os.waitpid(child, 0)
    return words or (f"ended by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "")


def _outcome(function: Callable[[], Any]) -> str:
    try:
        function()
    except (OSError, AssertionError, subprocess.SubprocessError, ValueError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def finish(outcomes: dict[str, str]) -> None:
    """Write down what came of it."""
    Path(os.environ["RUNTIME_DIRECTORY"], "outcomes.json").write_text(json.dumps(outcomes))
