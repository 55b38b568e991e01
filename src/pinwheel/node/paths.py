# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Every place in the file system that node code touches, below one root: `/` on a node, a directory in tests."""

from pathlib import Path
from typing import NamedTuple

DAEMON_JSON = "/run/pinwheel/docker/daemon.json"
PROXY_ENV = "/run/pinwheel/docker/proxy.env"
TLS_CA = "/run/pinwheel/docker/tls/ca.pem"
TLS_CERTIFICATE = "/run/pinwheel/docker/tls/cert.pem"
TLS_KEY = "/run/pinwheel/docker/tls/key.pem"
TLS_FILES = (TLS_CA, TLS_CERTIFICATE, TLS_KEY)
TIMESYNCD = "/run/systemd/timesyncd.conf.d/10-pinwheel.conf"
SYSCTL = "/run/sysctl.d/90-pinwheel.conf"
MOTD = "/run/pinwheel/motd"
HOSTS = "/run/pinwheel/hosts"
RESOLVED = "/run/systemd/resolved.conf.d/20-pinwheel.conf"
NETWORKS = "/run/systemd/network/"
"""The part of networkd's configuration that is rendered."""
TRUSTED = "/run/pinwheel/pki/trusted/"
"""Authorities that are trusted beside the image's: a file of certificates each, NAME.pem."""
TRUST_ENV = "/run/pinwheel/pki/trust.env"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""The authorities that the image comes with."""
MODPROBE_RULES = "/run/modprobe.d/90-pinwheel.conf"
AWS_CONFIG = "/run/pinwheel/aws/config"
AWS_CREDENTIALS = "/run/pinwheel/aws/credentials"
AWS_ENV = "/run/pinwheel/aws/aws.env"
WORKLOAD_LIMITS = "/run/systemd/system/workload.slice.d/50-pinwheel.conf"
LOG_FORWARDING = "/run/pinwheel/logging/forward.json"
API_CLIENTS = "/run/pinwheel/api/clients.pem"
"""The authorities of the remote API's clients; only there when it listens."""
API_SOCKET_SETTINGS = "/run/systemd/system/pinwheel-api-remote.socket.d/50-pinwheel.conf"
API_CERTIFICATE = "/var/lib/pinwheel/api/cert.pem"
API_KEY = "/var/lib/pinwheel/api/key.pem"
CANDIDATES = "/run/pinwheel/candidate"
"""Files that a consumer is asked about before they are put in place, below their own paths."""
KERNEL_BEFORE = "/run/pinwheel/kernel-before.json"
"""What the kernel's values had before settings changed them."""

BOOT_RECORD = "/run/pinwheel/boot.json"
"""What boot found out and status needs: the source of the user data, and its problems."""
GENERATIONS = "/var/lib/pinwheel/settings/generations"
API_FINGERPRINT = "/run/pinwheel/api-fingerprint"
"""SHA-256 of the certificate of the remote API, as `sha256:` and hexadecimal digits; only there when it listens."""
IN_EFFECT = "/run/pinwheel/in-effect.json"
"""Which generation is in effect, and until when if it is on trial."""
TRIAL_TIMER = "/run/systemd/system/pinwheel-trial.timer"
JOURNAL = "/var/log/journal"
"""The one directory of the data partition that the API's process sees."""
JOURNAL_SOCKET = "/run/systemd/journal/socket"
VIEW = "/run/pinwheel/view.json"
"""What the API serves without asking anyone: the settings with their secrets hidden, and what depends on them."""
STATUS = "/run/pinwheel/status.json"
BOOT_LOCK = "/run/pinwheel/boot.lock"
"""Held while boot waits for readiness: it reports itself then, and status need not."""
DISK_MOUNT_POINT = "/run/pinwheel/user-data-disk"

ENGINE = "/usr/sbin/dockerd"
ENGINE_SOCKET = "/run/docker.sock"
SYSTEMCTL = "/usr/bin/systemctl"
JOURNALCTL = "/usr/bin/journalctl"
UNITS_DIRECTORY = "/run/systemd/system/"
CONSOLE = "/dev/console"
STATUS_PORT = "/dev/virtio-ports/org.pinwheel.status"
DISKS_BY_LABEL = "/dev/disk/by-label"
BOOT_DISK = "/dev/disk/by-partlabel/pinwheel-root-a"
"""A partition that every node's boot disk has."""
UDEV_QUEUE = "/run/udev/queue"
"""Exists while udev works on events: see udevadm-settle's source, `udev_queue_is_empty`."""
OS_RELEASE = "/etc/os-release"
EXTENSIONS = "/usr/share/pinwheel/extensions.json"
"""Names of the variant's own packages of settings: {"packages": [...]}. Missing where there are none."""
COMMAND_LINE = "/proc/cmdline"
UPTIME = "/proc/uptime"
MEMORY = "/proc/meminfo"
MOUNTS = "/proc/mounts"
DATA_IS_ENCRYPTED = "/run/systemd/generator.early/var.mount.d/20-encrypted.conf"
"""Is there where the data partition is encrypted, or is to be (os/generators/data-disk.c)."""
DATA_PARTITIONS = ("/dev/disk/by-partlabel/pinwheel-data", "/dev/disk/by-partlabel/pinwheel-external-data")
CGROUPS = "/sys/fs/cgroup"
SYSCTLS = "/proc/sys"
INTERFACES = "/sys/class/net"
MODULES = "/sys/module"
LOCKDOWN = "/sys/kernel/security/lockdown"
OPENSSL = "/usr/bin/openssl"
SWAPS = "/proc/swaps"
ZRAM_DEVICE = "/dev/zram0"
ZRAM_STATE = "/sys/block/zram0"
MODPROBE = "/usr/sbin/modprobe"
NETWORK_STATE = "/run/systemd/netif/state"
NETWORK_LINKS = "/run/systemd/netif/links"
ROOT_PARTITIONS = "/sys/block/dm-0/slaves"
"""The partitions below the verified root, which the initrd makes the first device-mapper device."""
DMI = "/sys/class/dmi/id"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""UEFI specification 3.3: the global variable SecureBoot."""


class Paths(NamedTuple):
    """Turns the absolute paths above into those of one root."""

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Give the place of an absolute path below the root."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str:
        """Give a file's text, stripped; empty when it is not there or cannot be read."""
        try:
            return self.at(path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""
