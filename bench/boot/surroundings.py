# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Say on what the figures were measured, so that they can be judged later."""

import os
import platform
import re
from pathlib import Path

from bench.boot.settings import Settings

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine import qemu
from pinwheel.machine.acceleration import has_kvm


def surroundings(settings: Settings) -> dict[str, object]:
    """Give the workstation, its tools, and the settings of the machines; memory and disk in bytes."""
    return {
        "cpu": cpu_model(Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "accelerator": "kvm" if has_kvm() else "tcg",
        "qemu": _qemu_version(settings.toolbox),
        "machine": {"cpus": settings.cpus, "memory": settings.memory, "disk": settings.disk_size},
    }


def cpu_model(cpuinfo: str) -> str:
    """Read the processor's name out of /proc/cpuinfo."""
    match = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return match[1].strip() if match else "unknown"


def load() -> float:
    """Give the workstation's load average of the last minute: how much else was going on."""
    return os.getloadavg()[0]


def _qemu_version(toolbox: Toolbox) -> str:
    return toolbox.run([qemu.PROGRAM, "--version"]).decode().splitlines()[0]
