# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boot stock Debian once: cloud-init gets a NoCloud seed, runs the first container, and lets the observer run.

Formats: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html (a disk labelled CIDATA with the
files user-data and meta-data), https://cloudinit.readthedocs.io/en/latest/reference/modules.html#runcmd
"""

import json
import shlex
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from bench.boot import observe
from bench.boot.console import Console
from bench.boot.result import Boot
from bench.boot.settings import BOOT_TIMEOUT, Settings
from bench.boot.stock_definition import ENGINE_READY
from bench.boot.tools import processor_time

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine import qemu

SEED_SIZE = 1440 * 1024
"""Bytes of the seed disk: a floppy's, the smallest that mkfs.vfat is used to."""

_CONSOLE = "/dev/ttyS0"
_MICROSOFT_VARIABLES = "usr/share/OVMF/OVMF_VARS_4M.ms.fd"
"""Secure Boot on, with the keys that sign Debian's shim; from Debian's package ovmf."""


def user_data(reference: str, registry: str) -> str:
    """Give cloud-init's user data. JSON is YAML, so nothing needs quoting."""
    document = {
        # Written before docker starts: cloud-init's network stage is ordered before network-online.target.
        "write_files": [
            {"path": "/etc/docker/daemon.json", "content": json.dumps({"insecure-registries": [registry]})}
        ],
        "runcmd": [
            _shell(observe.first_container(reference), _CONSOLE),
            _shell(observe.observer(reference)),
            _later(observe.SECOND_CONTAINER_AT, _shell(observe.second_container(reference))),
            _later(observe.REPORT_AT, _shell(observe.report(), _CONSOLE)),
        ],
    }
    return f"#cloud-config\n{json.dumps(document, indent=1)}\n"


def _shell(docker_arguments: Sequence[str], output: str = "/dev/null") -> str:
    return f"docker {shlex.join(docker_arguments)} >{output} 2>&1"


def _later(seconds: int, script: str) -> str:
    # A transient timer: while it waits, nothing of it is in memory but a few structures of systemd.
    words = ["systemd-run", f"--on-active={seconds}", "--timer-property=AccuracySec=100ms", "sh", "-c", script]
    return shlex.join(words)


def boot_stock(image: Path, reference: str, registry: str, settings: Settings, name: str) -> Boot:
    """Boot once from a fresh copy of the image.

    Raises:
        TimeoutError: something that should have been on the console did not come; the message has its last lines.
    """
    machine = settings.create(name, image, data_disk_size=SEED_SIZE)
    try:
        _make_seed(settings.toolbox, machine.directory, user_data(reference, registry))
        shutil.copyfile(settings.toolbox.root / _MICROSOFT_VARIABLES, machine.directory / qemu.FIRMWARE_VARIABLES)
        with Console(machine.directory / qemu.CONSOLE_LOG, time.monotonic()) as console:
            machine.start(settings.toolbox)
            ready = console.wait_for(ENGINE_READY, BOOT_TIMEOUT)
            # Found by its end alone: the kernel writes to the console, too.
            first = console.wait_for(f"{observe.FIRST_CONTAINER}$", BOOT_TIMEOUT)
            used = processor_time(machine)
            console.wait_for(observe.END, BOOT_TIMEOUT)
            return Boot(ready.at, first.at, used, observe.read_report(console.text()))
    finally:
        machine.remove()


def _make_seed(toolbox: Toolbox, directory: Path, user_data_text: str) -> None:
    """Make the seed in place of the machine's data disk."""
    files = {
        "user-data": user_data_text,
        "meta-data": json.dumps({"instance-id": "bench", "local-hostname": "stock"}),
    }
    for name, text in files.items():
        (directory / name).write_text(text)
    seed = directory / qemu.DATA_DISK
    toolbox.run(["mkfs.vfat", "-n", "CIDATA", seed], writable=[directory])
    toolbox.run(["mcopy", "-i", seed, *(directory / name for name in files), "::"], writable=[directory])
