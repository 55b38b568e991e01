# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Our own host containers: built from locked packages, taken by a node's store, and doing what they are for."""

import gzip
import io
import json
import os
import shlex
import ssl
import subprocess
import tarfile
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.host_container import BAKED, BuiltContainer, bake, build_host_container
from pinwheel.image.host_container_definition import host_containers
from pinwheel.image.inputs import BuildContext
from pinwheel.node.containers.access import Access
from pinwheel.node.containers.http import Http
from pinwheel.node.containers.pull import ensure_image, image_source
from pinwheel.node.containers.store import Store, StoredImage
from pinwheel.node.paths import Paths
from pinwheel.progress import SilentProgress

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="unpacking takes chroot(2)")


def built(name: str) -> BuiltContainer:
    return build_host_container(name, BuildContext(SilentProgress()))


def stored(name: str, directory: Path) -> StoredImage:
    """Give an image as a node has it, from an archive that came with the operating system."""
    bake([built(name)], directory)
    paths, store, source = Paths(directory), Store(directory / "store"), f"oci:/{BAKED}/{name}.oci"
    http = Http(Access(), ssl.create_default_context)
    with store.in_use():
        return ensure_image(store, source, lambda: image_source(paths, store, source, Access(), http))


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> StoredImage:
    return stored("admin", tmp_path_factory.mktemp("admin"))


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> StoredImage:
    return stored("control", tmp_path_factory.mktemp("control"))


def inside(image: StoredImage, script: str, own: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a shell script in a container of the image, with a network of its own."""
    words = ["bwrap", "--cap-add", "ALL", "--unshare-pid", "--unshare-net", "--die-with-parent", "--clearenv"]
    words += (
        ["--overlay-src", str(image.root), "--tmp-overlay", "/"] if overlays() else ["--bind", str(image.root), "/"]
    )
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--tmpfs", "/root"]
    if own:
        words += ["--bind", str(own), "/.bottlerocket/host-containers/current"]
    environment = dict(pair.split("=", 1) for pair in json.loads(image.config)["config"]["Env"])
    words += [word for name, value in environment.items() for word in ("--setenv", name, value)]
    return subprocess.run([*words, "sh", "-c", script], capture_output=True, text=True, timeout=60)


def overlays() -> bool:
    """Say whether bubblewrap is one that mounts overlays; with an older one the image itself is written to."""
    said = subprocess.run(["bwrap", "--help"], capture_output=True, text=True)
    return "--tmp-overlay" in said.stdout + said.stderr


def test_the_same_packages_give_the_same_bytes(tmp_path: Path) -> None:
    first = built("control").archive
    content = first.read_bytes()
    first.unlink()
    assert built("control").archive.read_bytes() == content


def test_unknown_one_is_refused_with_the_known_ones() -> None:
    assert host_containers() == ["admin", "control"]
    with pytest.raises(UsageFault, match="no host container 'nope'") as caught:
        built("nope")
    assert caught.value.hint == "there are: admin, control"


@pytest.mark.parametrize("name", ["control", "admin"])
def test_layer_holds_no_setuid_file_no_package_manager_and_no_time_of_the_build(name: str) -> None:
    with tarfile.open(built(name).archive) as archive:
        largest = max(archive.getmembers(), key=lambda member: member.size)
        content = archive.extractfile(largest)
        assert content
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content.read()))) as layer:
            members = layer.getmembers()
    assert not [member.name for member in members if member.mode & 0o6000]
    programs = {Path(member.name).name for member in members if member.isreg()}
    assert not {"apt", "dpkg", "perl", "python3", "gcc"} & programs
    assert not [member.name for member in members if member.ischr() or member.isblk()]
    assert len({member.mtime for member in members}) == 1


def test_control_has_a_shell_and_its_commands(control: StoredImage) -> None:
    done = inside(control, "for name in enable disable enter; do command -v $name-admin-container; done; id -un; ls /")
    assert done.stdout.split()[:4] == [
        *(f"/usr/bin/{name}-admin-container" for name in ("enable", "disable", "enter")), "root",
    ]  # fmt: skip
    assert done.stderr == ""


def test_control_waits_and_ends_when_it_is_told(control: StoredImage) -> None:
    done = inside(control, "start-control & sleep 0.5; kill $! && wait $!; echo $?")
    assert done.stdout == "0\n"


def test_control_switches_the_admin_container(control: StoredImage) -> None:
    client = (
        "printf '#!/bin/sh\\necho apiclient \"$@\"\\n' > /usr/local/bin/apiclient; chmod +x /usr/local/bin/apiclient;"
    )
    make = f"mkdir -p /usr/local/bin; {client}"
    done = inside(control, f"{make} enable-admin-container; disable-admin-container; enter-admin-container ls -l")
    assert done.stdout.splitlines() == [
        "apiclient set host-containers.admin.enabled=true",
        "apiclient set host-containers.admin.enabled=false",
        "apiclient set host-containers.admin.enabled=true",
        "apiclient exec admin true",
        "apiclient exec admin ls -l",
    ], done.stderr


TOOLS = (
    "bash -c true", "curl --version", "ip -V", "ss -V", "jq --version", "less --version", "nsenter --version",
    "ps --version", "strace --version", "tcpdump --version", "ssh -V", "lsof -v", "kmod --version", "ping -V",
    "vi --help", "grep --help",
    "bash-static -c true", "top -h", "modprobe --version", "debugfs -V",
)  # fmt: skip


def test_admin_has_tools_for_the_nodes_side_that_need_no_library(admin: StoredImage) -> None:
    for name in ("ls", "cat", "ps", "mount"):
        assert (admin.root / "usr/lib/sheltie" / name).readlink() == Path("../../bin/busybox")


def test_admins_tools_start(admin: StoredImage) -> None:
    done = inside(admin, "; ".join(f"{tool} > /dev/null 2>&1 || echo {shlex.quote(tool)}" for tool in TOOLS))
    assert done.stdout == ""


def test_admin_lets_the_keys_of_the_user_data_in_and_no_others(admin: StoredImage, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    data = {"user": "ada", "ssh": {"authorized-keys": [(tmp_path / "mine.pub").read_text().strip()],
                                   "ciphers": ["chacha20-poly1305@openssh.com"], "port": 2222}}  # fmt: skip
    (tmp_path / "user-data").write_text(json.dumps(data))
    ssh = "ssh -v -p 2222 -o StrictHostKeyChecking=no -o BatchMode=yes -i $own"
    script = f"""
own=/.bottlerocket/host-containers/current
start-admin > /run/log 2>&1 &
for n in $(seq 50); do grep -q listening /run/log && break; sleep 0.1; done
{ssh}/mine ada@127.0.0.1 'id -u; pwd' 2> /run/trace; grep -o 'cipher: [a-z0-9-]*' /run/trace | head -1
{ssh}/other ada@127.0.0.1 id 2> /dev/null || echo refused
{ssh}/mine root@127.0.0.1 id 2> /dev/null || echo refused
cat /run/log >&2
"""
    done = inside(admin, script, tmp_path)
    assert done.stdout.split("\n")[:5] == ["0", "/root", "cipher: chacha20-poly1305", "refused", "refused"], done.stderr
    first = (tmp_path / "etc/ssh/ssh_host_ed25519_key").read_bytes()
    inside(admin, script, tmp_path)
    assert (tmp_path / "etc/ssh/ssh_host_ed25519_key").read_bytes() == first


@pytest.mark.parametrize("data", ["", "{}", "not JSON", "[]", '{"ssh": {"authorized-keys": []}}'])
def test_admin_without_keys_opens_no_port(admin: StoredImage, tmp_path: Path, data: str) -> None:
    (tmp_path / "user-data").write_text(data)
    done = inside(admin, "start-admin & sleep 1; ss -H -l -t -n; kill $!; wait $!; echo $?", tmp_path)
    assert done.stdout.splitlines()[-1] == "0", done.stderr
    assert "nobody can log in by ssh" in done.stdout
    assert ":22" not in done.stdout


def test_strange_user_name_is_refused(admin: StoredImage, tmp_path: Path) -> None:
    (tmp_path / "user-data").write_text(
        json.dumps({"user": "a:0:0::/:/x", "ssh": {"authorized-keys": ["ssh-ed25519 x"]}})
    )
    done = inside(admin, "start-admin; echo $?", tmp_path)
    assert (done.stdout, "not a user's name" in done.stderr) == ("1\n", True)
