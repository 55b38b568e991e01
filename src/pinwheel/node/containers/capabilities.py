# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which capabilities a container gets (capabilities(7); defaults as of containerd 1.7, oci/spec.go)."""

from pinwheel.node.containers.container import Container, Kind

DEFAULT = (
    "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
)  # fmt: skip
"""What a container has that asks for nothing."""

BOOTSTRAP = ("CAP_AUDIT_CONTROL", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_MODULE")
"""What a bootstrap container has besides: it mounts, formats, loads modules, sets up devices."""

ALL: tuple[str, ...] = (
    *DEFAULT, *BOOTSTRAP,
    "CAP_AUDIT_READ", "CAP_BLOCK_SUSPEND", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", "CAP_DAC_READ_SEARCH", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE", "CAP_NET_BROADCAST",
    "CAP_PERFMON", "CAP_SYSLOG", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_PACCT", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO",
    "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_WAKE_ALARM",
)  # fmt: skip
"""Every capability of Linux 5.9 and later."""


def capabilities_of(container: Container) -> list[str]:
    """Give a container's capabilities, sorted."""
    if container.superpowered:
        return sorted(ALL)
    return sorted(DEFAULT + BOOTSTRAP) if container.kind is Kind.BOOTSTRAP else sorted(DEFAULT)
