# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What both systems' machines have in common: everything but the image, its user data and the keys of its firmware."""

from dataclasses import dataclass
from pathlib import Path

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.firmware import FirmwareKeys
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import DEFAULT_CPUS, DEFAULT_DISK_SIZE, DEFAULT_MEMORY
from pinwheel.machine.store import MachineStore

BOOT_TIMEOUT = 600.0
"""Seconds to wait for any one thing: many times what a slow emulator takes."""


@dataclass(frozen=True)
class Settings:
    """The settings of every machine of a run; sizes in bytes."""

    toolbox: Toolbox
    store: MachineStore
    keys: FirmwareKeys
    memory: int = DEFAULT_MEMORY
    cpus: int = DEFAULT_CPUS
    disk_size: int = DEFAULT_DISK_SIZE

    def create(self, name: str, image: Path, *, data_disk_size: int | None = None, user_data: str = "") -> Machine:
        """Make a machine with a fresh copy of `image` as its disk, grown to the size that all have."""
        return Machine.create(
            name,
            image=image,
            toolbox=self.toolbox,
            keys=self.keys,
            memory=self.memory,
            cpus=self.cpus,
            disk_size=self.disk_size,
            data_disk_size=data_disk_size,
            tpm=False,  # stock would do nothing with one, and Pinwheel encrypt: docs/decisions/0016 has what that takes
            user_data=user_data,
            store=self.store,
        )
