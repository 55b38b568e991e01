# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A machine's TPM 2.0: swtpm beside QEMU, its state in the machine's directory for as long as the machine is there.

The node seals the key of its data partition to it, so the state belongs to the disk: without it nothing reads the data.
"""

from collections.abc import Sequence
from pathlib import Path

from pinwheel.image.toolbox import Toolbox

STATE = "tpm"
"""The directory with what the TPM keeps, below the machine's."""
SOCKET = "tpm.sock"
LOG = "tpm.log"

BANK = "sha256"
"""The one hash that is measured with: each further one the firmware would compute over the whole kernel image."""

_START = (
    f'TPM_PATH="$PWD/{STATE}" swtpm socket --tpm2 --ctrl type=unixio,path={SOCKET} --terminate --daemon '
    f'--log file={LOG},level=1 && exec "$@"'
)
"""swtpm listens before it goes to the background, and ends when QEMU closes the socket (where QEMU never gets that far:
with the sandbox). The state's path is in the environment because a comma would end it in an option."""


def make_tpm(directory: Path, toolbox: Toolbox) -> None:
    """Make a new TPM in a machine's directory."""
    (directory / STATE).mkdir(mode=0o700)
    setup = ["swtpm_setup", "--tpm2", "--tpmstate", STATE, "--pcr-banks", BANK]
    toolbox.run(["env", f"--chdir={directory}", *setup], writable=[directory])


def with_tpm(command: Sequence[str]) -> list[str]:
    """Give the command that starts the TPM and then becomes `command`, which is to connect to the socket.

    It is run in the machine's directory, inside the toolbox.
    """
    return ["sh", "-c", _START, "swtpm", *command]
