# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The firmware's variables of one machine: Secure Boot on from the first boot, our certificate the only trusted one."""

from pathlib import Path
from typing import Protocol

from pinwheel.image.toolbox import Toolbox

EMPTY_VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"


class FirmwareKeys(Protocol):
    """What the firmware is to trust: the public half of `pinwheel.image.keys.SecureBootKeys`."""

    @property
    def certificate(self) -> Path:
        """A PEM file with the one certificate that becomes PK, KEK and db."""

    @property
    def owner_guid(self) -> str:
        """The signature owner in the variables (UEFI specification, EFI_SIGNATURE_DATA)."""


def make_variables(target: Path, keys: FirmwareKeys, toolbox: Toolbox) -> None:
    """Write the variable store for a new machine."""
    owned = (keys.owner_guid, keys.certificate)
    command: list[str | Path] = [
        "virt-fw-vars", "--input", EMPTY_VARIABLES, "--output", target,
        "--set-pk", *owned, "--add-kek", *owned, "--add-db", *owned, "--secure-boot",
    ]  # fmt: skip
    toolbox.run(command, readable=[keys.certificate], writable=[target.parent])
