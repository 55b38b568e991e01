# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a container may do, and what it sees of the node, by its kind."""

import pytest

from pinwheel.node.containers import places
from pinwheel.node.containers.capabilities import ALL
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.containers.image_config import Account, ImageConfig
from pinwheel.node.containers.spec import optional_sources, runtime_spec

NORMAL = Container(Kind.HOST, "control", "oci:/control")
SUPER = Container(Kind.HOST, "admin", "oci:/admin", superpowered=True)
BOOT = Container(Kind.BOOTSTRAP, "raid", "oci:/raid")
KINDS = pytest.mark.parametrize("container", [NORMAL, SUPER, BOOT], ids=["normal", "superpowered", "bootstrap"])
IMAGE = ImageConfig(("/bin/agent", "--serve"), {"PATH": "/bin"}, "/srv")


def spec_of(container, *, image=IMAGE, account=Account(), present=None):
    present = optional_sources(container) if present is None else present
    return runtime_spec(container, image, account, f"/store/{container.name}", present)


def mounts_of(container, **options):
    return {mount["destination"]: mount for mount in spec_of(container, **options)["mounts"]}


def namespaces_of(container):
    return {namespace["type"] for namespace in spec_of(container)["linux"]["namespaces"]}


def test_an_ordinary_one_shares_the_network_and_nothing_else():
    assert namespaces_of(NORMAL) == {"cgroup", "ipc", "mount", "pid", "uts"}


def test_a_superpowered_one_sees_the_nodes_processes_and_cgroups():
    assert namespaces_of(SUPER) == {"ipc", "mount", "uts"}


def test_a_bootstrap_container_sees_the_nodes_processes():
    assert namespaces_of(BOOT) == {"cgroup", "ipc", "mount", "uts"}


def test_only_a_superpowered_one_has_every_capability_and_no_seccomp_filter():
    superpowered, normal, boot = spec_of(SUPER), spec_of(NORMAL), spec_of(BOOT)
    assert set(superpowered["process"]["capabilities"]["effective"]) == set(ALL)
    assert len(ALL) == len(set(ALL)) == 41
    assert "seccomp" not in superpowered["linux"]
    assert "CAP_SYS_ADMIN" not in normal["process"]["capabilities"]["bounding"]
    assert {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_NET_ADMIN"} <= set(boot["process"]["capabilities"]["bounding"])
    assert "CAP_SYS_PTRACE" not in boot["process"]["capabilities"]["bounding"]
    assert "seccomp" in normal["linux"]
    assert "seccomp" in boot["linux"]


def test_swap_is_switched_by_bootstrap_containers_only():
    def calls(container):
        return {name for rule in spec_of(container)["linux"]["seccomp"]["syscalls"] for name in rule["names"]}

    assert {"swapon", "swapoff", "mount"} <= calls(BOOT)
    assert not {"swapon", "swapoff", "mount"} & calls(NORMAL)


def test_only_a_superpowered_one_may_gain_privileges_by_a_program():
    gaining = [not spec_of(container)["process"]["noNewPrivileges"] for container in (NORMAL, SUPER, BOOT)]
    assert gaining == [False, True, False]


def test_devices_are_for_those_who_see_the_node():
    allowed = [spec_of(one)["linux"]["resources"]["devices"][0]["allow"] for one in (NORMAL, SUPER, BOOT)]
    assert allowed == [False, True, True]
    assert mounts_of(NORMAL)["/dev"]["type"] == "tmpfs"
    assert mounts_of(SUPER)["/dev"]["source"] == mounts_of(BOOT)["/dev"]["source"] == "/dev"


@KINDS
def test_the_cgroup_is_inside_of_the_units_own(container):
    assert not spec_of(container)["linux"]["cgroupsPath"].startswith("/")


@KINDS
def test_own_directory_is_there_under_both_names(container):
    mounts, base = mounts_of(container), f"/.bottlerocket/{container.kind.directory}"
    for name in (container.name, "current"):
        assert mounts[f"{base}/{name}"]["source"] == f"/store/{container.name}"
        assert "rw" in mounts[f"{base}/{name}"]["options"]


@KINDS
def test_the_api_and_its_client_are_there(container):
    mounts = mounts_of(container)
    assert mounts["/run/api.sock"]["source"] == places.API_SOCKET
    assert mounts["/usr/local/bin/apiclient"]["source"] == "/usr/lib/pinwheel/apiclient"
    assert mounts["/usr/lib/pinwheel/lib"]["source"] == places.LIBRARIES
    for place in (
        "/usr/local/bin/apiclient",
        "/usr/lib/pinwheel",
        "/usr/lib/pinwheel/lib",
        "/etc/bottlerocket-release",
    ):
        assert "ro" in mounts[place]["options"]


def test_an_ordinary_one_does_not_see_the_nodes_root():
    assert not [place for place in mounts_of(NORMAL) if place.startswith("/.bottlerocket/rootfs")]


@pytest.mark.parametrize("container", [SUPER, BOOT])
def test_the_nodes_root_is_read_only_and_carries_no_mount_to_the_node_but_where_it_should(container):
    mounts = mounts_of(container)
    assert {"rbind", "rslave", "ro"} <= set(mounts["/.bottlerocket/rootfs"]["options"])
    assert {"rbind", "rshared", "rw"} <= set(mounts["/.bottlerocket/rootfs/var"]["options"])
    assert {"rbind", "rshared", "rw"} <= set(mounts["/.bottlerocket/rootfs/mnt"]["options"])
    assert spec_of(container)["linux"]["rootfsPropagation"] == "shared"
    order = [mount["destination"] for mount in spec_of(container)["mounts"]]
    assert order.index("/.bottlerocket/rootfs") < order.index("/.bottlerocket/rootfs/var")


@KINDS
def test_what_the_node_does_not_have_is_left_out(container):
    mounts = mounts_of(container, present=set())
    assert "/run/api.sock" not in mounts
    assert "/proc" in mounts
    assert f"/.bottlerocket/{container.kind.directory}/current" in mounts


@KINDS
def test_the_image_says_what_starts_and_where(container):
    process = spec_of(container)["process"]
    assert process["args"] == ["/bin/agent", "--serve"]
    assert process["cwd"] == "/srv"
    assert process["env"] == ["PATH=/bin"]


def test_proxies_of_the_settings_win_over_the_images():
    container = NORMAL._replace(environment={"HTTPS_PROXY": "http://new"})
    image = ImageConfig(("x",), {"HTTPS_PROXY": "http://old"})
    assert spec_of(container, image=image)["process"]["env"] == ["HTTPS_PROXY=http://new"]


def test_another_user_than_root_starts_without_capabilities():
    process = spec_of(NORMAL, account=Account(1000, 100, (4,)))["process"]
    assert process["user"] == {"uid": 1000, "gid": 100, "additionalGids": [4]}
    assert process["capabilities"]["effective"] == process["capabilities"]["permitted"] == []
    assert process["capabilities"]["bounding"]
