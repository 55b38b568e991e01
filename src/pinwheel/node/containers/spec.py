# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The OCI runtime configuration of a container: a pure function of what is to run, the image, and what the node has.

Format: OCI runtime specification 1.0.2, `config.json`. What a container sees of the node follows Bottlerocket, whose
images run here: its names start with `/.bottlerocket`, to which `/.pinwheel` is a link
(`pinwheel.node.containers.bundle`).
"""

from collections.abc import Collection
from typing import Any

from pinwheel.node.containers import places
from pinwheel.node.containers.capabilities import capabilities_of
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.containers.image_config import Account, ImageConfig
from pinwheel.node.containers.seccomp import profile

ROOT = "rootfs"
"""The directory of the root in a bundle."""
NODE = "/.bottlerocket"
"""Where a container finds what is special to this system."""
NODE_ROOT = f"{NODE}/rootfs"
CGROUP = "container"
"""Beside the cgroup that runc is started in: inside the unit's own, which systemd has delegated."""

_MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
    "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
)  # fmt: skip
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
"""Defaults as of containerd 1.7, oci/spec.go."""

_SHARED_WITH_NODE = ("/mnt", "/var")
"""Below NODE_ROOT: what is mounted there appears on the node. /var has the data of the engine."""


def runtime_spec(
    container: Container, image: ImageConfig, account: Account, own_directory: str, present: Collection[str]
) -> dict[str, Any]:
    """Give what config.json says.

    Args:
        container: what is to run.
        image: what the image says.
        account: whose process it is.
        own_directory: the container's directory in the store, which outlives it.
        present: absolute paths that the node has; a mount from elsewhere is left out where its source is missing.
    """
    mounts = [*_system_mounts(container), *_own_mounts(container, own_directory)]
    mounts += [mount for mount in _node_mounts(container) if mount["source"] in present]
    if sees_node(container):
        mounts += _root_mounts()
    return {
        "ociVersion": "1.0.2",
        "process": _process(container, image, account),
        "root": {"path": ROOT, "readonly": False},
        "mounts": mounts,
        "linux": _linux(container),
    }


def sees_node(container: Container) -> bool:
    """Say whether a container has the node's root, devices and processes before it."""
    return container.superpowered or container.kind is Kind.BOOTSTRAP


def optional_sources(container: Container) -> set[str]:
    """Give the paths of the node that a container sees if the node has them."""
    return {mount["source"] for mount in _node_mounts(container)}


def _process(container: Container, image: ImageConfig, account: Account) -> dict[str, Any]:
    names = capabilities_of(container)
    # As with every runtime: who is not root starts with none, and may get those of a program's file.
    held = names if account.uid == 0 else []
    environment = dict(image.environment) | dict(container.environment)
    return {
        "terminal": False,
        "user": {"uid": account.uid, "gid": account.gid, "additionalGids": list(account.groups)},
        "args": list(image.command),
        "env": [f"{name}={value}" for name, value in environment.items()],
        "cwd": image.directory,
        "capabilities": {"bounding": names, "effective": held, "permitted": held},
        "noNewPrivileges": not container.superpowered,
    }


def _linux(container: Container) -> dict[str, Any]:
    node = sees_node(container)
    namespaces = ["ipc", "mount", "uts", *([] if node else ["pid"]), *([] if container.superpowered else ["cgroup"])]
    linux: dict[str, Any] = {
        "namespaces": [{"type": name} for name in namespaces],
        "cgroupsPath": CGROUP,
        "resources": {"devices": [{"allow": node, "access": "rwm"}]},
        # For the mounts that are shared with the node; everything else says what it is by itself.
        "rootfsPropagation": "shared" if node else "slave",
    }
    if not container.superpowered:
        extra = ("swapon", "swapoff") if container.kind is Kind.BOOTSTRAP else ()
        linux["seccomp"] = profile(capabilities_of(container), extra)
        linux |= {"maskedPaths": list(_MASKED), "readonlyPaths": list(_READ_ONLY)}
    return linux


def _system_mounts(container: Container) -> list[dict[str, Any]]:
    return [
        _mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        *(_node_devices() if sees_node(container) else _own_devices()),
        *(_node_sys() if container.superpowered else _own_sys()),
        _mount("/run", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    ]


def _own_devices() -> list[dict[str, Any]]:
    pty = ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")
    return [
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount("/dev/pts", "devpts", "devpts", *pty),
        _mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),  # noqa: S108
        _mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    ]


def _node_devices() -> list[dict[str, Any]]:
    return [_bind("/dev", "/dev", "rbind", "rslave", "rw")]  # as one: devices that come later are seen, too


def _own_sys() -> list[dict[str, Any]]:
    read_only = ("nosuid", "noexec", "nodev", "ro")
    return [_mount("/sys", "sysfs", "sysfs", *read_only), _mount("/sys/fs/cgroup", "cgroup", "cgroup", *read_only)]


def _node_sys() -> list[dict[str, Any]]:
    return [_bind("/sys", "/sys", "rbind", "rslave", "rw")]  # with debugfs, tracefs, bpf and EFI variables in it


def _own_mounts(container: Container, own_directory: str) -> list[dict[str, Any]]:
    base = f"{NODE}/{container.kind.directory}"
    return [_bind(own_directory, f"{base}/{name}", "bind", "rw") for name in (container.name, "current")]


def _node_mounts(container: Container) -> list[dict[str, Any]]:
    """Give the mounts whose source may be missing."""
    shown = [
        (places.RESOLVER, places.RESOLVER),  # /etc/resolv.conf is a link into it: the file is replaced at each change
        (places.HOSTS, places.HOSTS),
        (places.OS_RELEASE, "/etc/pinwheel-release"),
        (places.OS_RELEASE, "/etc/bottlerocket-release"),
        (places.IMAGE_FACTS, places.IMAGE_FACTS),
        (places.SUPPORT, f"{NODE}/support"),
        (places.CLIENT_DIRECTORY, places.CLIENT_DIRECTORY),
        (places.LIBRARIES, f"{places.CLIENT_DIRECTORY}/lib"),
        (places.CLIENT, "/usr/local/bin/apiclient"),
    ]
    if container.superpowered:
        shown.append((places.KERNEL_MODULES, "/lib/modules"))
    read_only = [_bind(source, place, "bind", "ro") for source, place in shown]
    return [
        *read_only,
        *(_bind(places.API_SOCKET, place, "bind", "rw") for place in ("/run/api.sock", places.API_SOCKET)),
    ]


def _root_mounts() -> list[dict[str, Any]]:
    # A slave first: made a peer of the node's root, it would carry each of the mounts on top of it to the node.
    shared = [_bind(place, NODE_ROOT + place, "rbind", "rshared", "rw") for place in _SHARED_WITH_NODE]
    return [_bind("/", NODE_ROOT, "rbind", "rslave", "ro"), *shared]


def _mount(destination: str, kind: str, source: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def _bind(source: str, destination: str, *options: str) -> dict[str, Any]:
    return _mount(destination, "bind", source, *options)
