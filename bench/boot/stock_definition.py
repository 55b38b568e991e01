# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The alternative: stock Debian 13 as its official "genericcloud" image, plus docker.io, made here with mmdebstrap.

Sources of the definition:

- packages: https://salsa.debian.org/cloud-team/debian-cloud-images, classes DEBIAN, CLOUD, EXTRAS, GENERIC,
  SYSTEM_BOOT, LINUX_VARIANT_CLOUD, TIME_SYSTEMD, GRUB_CLOUD_AMD64, installed without Recommends as there; Debian's
  package debian-cloud-images-packages 0.0.9 (trixie) depends on the same ones;
- kernel command line and boot menu: /etc/default/grub of the package grub-cloud-amd64 0.1.1;
- fstab, empty machine-id, resolv.conf: the same repository's configuration space.

It differs from the official image where that favours stock: the boot menu does not wait 5 s, there is no `earlyprintk`,
docker.io comes without its Recommends (git, needrestart, ...), and the file system is packed without gaps. One unit is
added: it says on the console when the engine answers.
"""

import hashlib
import json

from pinwheel.image.mirror import RELEASE

PACKAGES = (
    # SYSTEM_BOOT
    "sudo", "libpam-systemd", "systemd-resolved", "libnss-resolve", "libnss-myhostname", "netplan.io", "polkitd",
    "unattended-upgrades", "apparmor", "zstd", "apt-utils", "init", "iptables", "iputils-ping", "less",
    "linux-sysctl-defaults", "nano", "netbase", "vim-tiny", "whiptail",
    # TIME_SYSTEMD, LINUX_VARIANT_CLOUD, GRUB_CLOUD_AMD64; the initrd and ext4 tools come with debootstrap's base there
    "systemd-timesyncd", "linux-image-cloud-amd64", "grub-cloud-amd64", "initramfs-tools", "e2fsprogs",
    # CLOUD, GENERIC
    "openssh-server", "ssh-import-id", "cloud-initramfs-growroot", "cloud-init", "cloud-guest-utils", "dosfstools",
    # EXTRAS
    "apt-listchanges", "bash-completion", "bind9-host", "ca-certificates", "curl", "ethtool", "man-db", "manpages",
    "pciutils", "psmisc", "reportbug", "screen", "socat", "tcpdump", "traceroute", "uuid-runtime", "vim", "xz-utils",
    # What the user adds
    "docker.io", "docker-cli",
)  # fmt: skip

ROOT_UUID = "5f0c4a86-7b0e-4a39-9df1-6f1f0c2f7d11"
ROOT_SIZE = "2G"
ESP_SIZE = "127M"
COMMAND_LINE = f"root=UUID={ROOT_UUID} ro console=tty0 console=ttyS0,115200 consoleblank=0"

ENGINE_READY = "bench: engine ready"
"""What the added unit says on the console, in a line of its own."""

_READY_UNIT = f"""\
[Unit]
After=docker.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'until curl -sf --unix-socket /run/docker.sock http://engine/_ping >/dev/null; do \
sleep 0.2; done; echo "{ENGINE_READY}" >/dev/ttyS0'
"""

_UNIT_PATH = "etc/systemd/system/bench-engine-ready.service"

FILES = {
    "etc/fstab": f"UUID={ROOT_UUID} / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1\n",
    "etc/hostname": "",
    "etc/machine-id": "",
    "boot/grub/grub.cfg": f"linux /vmlinuz {COMMAND_LINE}\ninitrd /initrd.img\nboot\n",
    _UNIT_PATH: _READY_UNIT,
}

LINKS = {
    "etc/resolv.conf": "/run/systemd/resolve/resolv.conf",
    "etc/systemd/system/multi-user.target.wants/bench-engine-ready.service": f"/{_UNIT_PATH}",
}

_GRUB_STUB = f"search.fs_uuid {ROOT_UUID} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
"""What grub-install writes for a signed GRUB, which has its modules built in and its directory fixed."""

EFI_PROGRAMS = {
    "EFI/BOOT/BOOTX64.EFI": "usr/lib/shim/shimx64.efi.signed",
    "EFI/BOOT/grubx64.efi": "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
}
EFI_TEXTS = {"EFI/debian/grub.cfg": _GRUB_STUB, "EFI/BOOT/grub.cfg": _GRUB_STUB}

# The root comes last, as in Debian's images, so that it can grow.
PARTITIONS = {
    "10-esp.conf": f"[Partition]\nType=esp\nFormat=vfat\nSizeMinBytes={ESP_SIZE}\nSizeMaxBytes={ESP_SIZE}\n"
    "CopyFiles={work}/esp:/\n",
    "20-root.conf": "[Partition]\nType=root-x86-64\nLabel=root\nCopyBlocks={work}/root.ext4\n",
}

_LAYOUT = 1
"""Raised when the way of building changes, so that older images are made anew."""


def definition_hash() -> str:
    """Give the name of the image in the cache: a hash of everything above that makes it what it is."""
    parts = [_LAYOUT, RELEASE, PACKAGES, FILES, LINKS, EFI_PROGRAMS, EFI_TEXTS, PARTITIONS, ROOT_SIZE, ESP_SIZE]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
