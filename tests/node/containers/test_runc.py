# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The real runc with what we tell it, in a world of its own: does it take it, and is a container what it should be?

runc is that of the image, from the package lock; the world is the toolbox with every capability.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.oci_image import Entry, image
from tests.support.registry import busybox_layer

from pinwheel.image.entries import CAPABILITIES
from pinwheel.image.fetch import fetch_packages
from pinwheel.image.inputs import BuildContext
from pinwheel.image.package_lock import lock_file, read_lock
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT
from pinwheel.progress import SilentProgress

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers without user namespaces are root's")

BOOT = """
mount -t tmpfs made-slave /.bottlerocket/rootfs/opt 2>/dev/null; mount -t tmpfs made-mnt /.bottlerocket/rootfs/mnt
mkdir /.bottlerocket/rootfs/var/lib/docker; mount -t tmpfs made-var /.bottlerocket/rootfs/var/lib/docker
ls -d /.bottlerocket/bootstrap-containers/raid; cat /proc/1/comm; test -e /dev/null && exit 4
"""


@pytest.fixture(scope="module")
def runc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's runc, unpacked from its package."""
    directory, context = tmp_path_factory.mktemp("runc"), BuildContext(SilentProgress())
    locked = [package for package in read_lock(lock_file("docker")).packages if package.name == "runc"]
    files = fetch_packages(locked, context.find_mirror, context.cache / "packages", context.progress, "runc")
    subprocess.run(["dpkg-deb", "-x", files["runc"], directory], check=True)
    return directory / "usr/sbin"


@pytest.fixture(scope="module")
def archive(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    layer = busybox_layer((toolbox.root / "usr/bin/busybox").read_bytes())
    links = [Entry(f"bin/{name}", "link", target="busybox") for name in ("stty", "tty")]
    script = "test -d /.bottlerocket/bootstrap-containers || exec sleep 1000;" + BOOT
    made = image(layer, links, Cmd=["sh", "-c", script], Env=["PATH=/bin"])
    return made.write_archive(tmp_path_factory.mktemp("image") / "image.oci")


def world(toolbox: Toolbox, runc: Path, archive: Path, kind: str) -> dict[str, Any]:
    usr = str(toolbox.root / "usr")
    words = ["bwrap", "--cap-add", "ALL", "--unshare-pid", "--die-with-parent", "--ro-bind", usr, "/usr"]
    for name in ("bin", "sbin", "lib", "lib64"):
        words += ["--symlink", f"usr/{name}", f"/{name}"]
    words += [
        "--dev-bind",
        "/dev",
        "/dev",
        "--proc",
        "/proc",
        "--bind",
        "/sys",
        "/sys",
        "--tmpfs",
        "/run",
        "--dir",
        "/var",
    ]
    words += ["--dir", "/opt", "--tmpfs", "/tmp", "--ro-bind", str(toolbox.root / "etc"), "/etc"]
    words += ["--ro-bind", str(runc), "/run/tools", "--ro-bind", str(archive), "/run/image.oci"]
    words += ["--ro-bind", str(PROJECT / "src"), "/run/src", "--ro-bind", str(PROJECT / "tests"), "/run/tests"]
    words += ["--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--setenv", "PYTHONPATH", "/run/src"]
    words += ["python3", "-B", "/run/tests/support/container_world/inside.py", kind]
    words += [f"CAP_{name.upper()}" for name in CAPABILITIES]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    print(done.stderr)
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.fixture(scope="module")
def normal(toolbox: Toolbox, runc: Path, archive: Path) -> dict[str, Any]:
    return world(toolbox, runc, archive, "normal")


@pytest.fixture(scope="module")
def superpowered(toolbox: Toolbox, runc: Path, archive: Path) -> dict[str, Any]:
    return world(toolbox, runc, archive, "superpowered")


@pytest.fixture(scope="module")
def bootstrap(toolbox: Toolbox, runc: Path, archive: Path) -> dict[str, Any]:
    return world(toolbox, runc, archive, "bootstrap")


def test_ordinary_one_has_few_capabilities_and_a_filter(normal: dict[str, Any]) -> None:
    status, said = normal["look"]
    lines = said.split("\n")
    assert status == 0
    assert lines[:4] == ["0", "CapEff:\t00000000a80425fb", "NoNewPrivs:\t1", "Seccomp:\t2"]
    assert lines[4] == "sleep"
    assert int(lines[5]) < 20
    assert lines[6] == "proxy"


def test_superpowered_one_has_all(superpowered: dict[str, Any]) -> None:
    _, said = superpowered["look"]
    lines = said.split("\n")
    assert lines[3] == "Seccomp:\t0"
    assert int(lines[1].split()[1], 16).bit_count() >= 40  # what the world itself has


@pytest.mark.parametrize("kind", ["normal", "superpowered"])
def test_it_is_in_a_cgroup_of_its_unit(kind: str, request: pytest.FixtureRequest) -> None:
    seen = request.getfixturevalue(kind)
    assert seen["started"] == 0
    assert re.fullmatch("0::/pinwheel-test-[0-9a-f]+/container", seen["cgroup"])


def test_it_finds_its_files(normal: dict[str, Any], superpowered: dict[str, Any]) -> None:
    status, said = normal["files"]
    assert said.startswith("hello" + "nameserver 192.0.2.1\n" + "host-containers\nok\n")
    assert "rootfs/run/x: No such file" in said
    assert status != 0  # it may not mount
    status, said = superpowered["files"]
    assert (status, "rootfs" in said.split()) == (0, True), said


def test_its_own_directory_is_kept(normal: dict[str, Any]) -> None:
    assert normal["own"][0] == 0
    assert normal["kept"] == "kept\n"


def test_commands_have_input_output_and_exit_status(normal: dict[str, Any]) -> None:
    assert normal["input"] == [5, "some input"]
    assert normal["signal"] == [137, ""]
    assert normal["quick"] == [0] * 10


@pytest.mark.parametrize("kind", ["normal", "superpowered"])
def test_commands_have_a_terminal_of_the_size_that_was_asked_for(kind: str, request: pytest.FixtureRequest) -> None:
    status, said = request.getfixturevalue(kind)["terminal"]
    lines = said.replace("\r", "").splitlines()
    assert (status, lines[0], lines[2:]) == (3, "33 77", ["error"])
    assert lines[1].startswith("/dev/")


def test_what_cannot_be_started_is_said(normal: dict[str, Any]) -> None:
    first, *others = normal["refused"]
    assert first.startswith("ExecError")
    assert "no-such-program" in first
    assert [words.split(":")[0] for words in others] == ["NotRunningError"] * 3


def test_command_ends_with_its_session(normal: dict[str, Any]) -> None:
    assert normal["ended"]


def test_bootstrap_container_runs_to_its_end_among_the_nodes_processes(bootstrap: dict[str, Any]) -> None:
    assert bootstrap["exit"] == 4, bootstrap
    directory, first = bootstrap["said"].splitlines()
    assert directory == "/.bottlerocket/bootstrap-containers/raid"
    assert first != "sh"


def test_only_mounts_in_shared_places_are_the_nodes(bootstrap: dict[str, Any]) -> None:
    assert sorted(bootstrap["mounts"]) == ["/mnt", "/var/lib/docker"], bootstrap


@pytest.mark.parametrize("kind", ["normal", "superpowered", "bootstrap"])
def test_nothing_is_left(kind: str, request: pytest.FixtureRequest) -> None:
    seen = request.getfixturevalue(kind)
    assert (seen["left"], seen["mounts left"]) == ([], [])
