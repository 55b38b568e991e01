# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The unified kernel image: kernel, initrd and command line with the root hash, in a file that firmware verifies whole.

Format: https://uapi-group.org/specifications/specs/unified_kernel_image/
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pinwheel.image.keys import SecureBootKeys
from pinwheel.image.toolbox import Toolbox

TRIES = 3
"""How often the boot loader tries a version before it goes back to the one before."""

COMMAND_LINE = (
    "lockdown=integrity",
    "module.sig_enforce=1",
    # SELinux joins here with its policy; the integrity measures below need no policy.
    "lsm=lockdown,capability,landlock,yama,bpf",
    "panic=10",
    "panic_on_oops=1",
    "slab_nomerge",
    # Programs that gain from huge pages ask for them; "always" gives them to the engine, too (docs/decisions/0007).
    "transparent_hugepage=madvise",
    "systemd.machine_id=firmware",
    "systemd.show_status=auto",
    "systemd.log_target=journal-or-kmsg",
    "console=tty0",
    "console=ttyS0,115200",
    "loglevel=4",
    "ro",
)
"""What every image boots with; nobody can change it without breaking the signature."""


@dataclass(frozen=True)
class UkiParts:
    """The files that go into a unified kernel image."""

    kernel: Path
    initrd: Path
    stub: Path
    os_release: Path
    kernel_release: str
    root_hash: str


def entry_name(version: str) -> str:
    """Give the file's name in the ESP, with its tries left (systemd-boot, "Automatic Boot Assessment")."""
    return f"pinwheel_{version}+{TRIES}.efi"


def command_line(root_hash: str) -> str:
    """Give the kernel command line of the image with this root."""
    return " ".join((*COMMAND_LINE, f"roothash={root_hash}"))


def make_uki(parts: UkiParts, toolbox: Toolbox, output: Path) -> None:
    """Write the unsigned image: the same parts give the same bytes."""
    inputs = [parts.kernel, parts.initrd, parts.stub, parts.os_release]
    toolbox.run(
        [
            "ukify", "build", f"--linux={parts.kernel}", f"--initrd={parts.initrd}", f"--stub={parts.stub}",
            f"--os-release=@{parts.os_release}", f"--uname={parts.kernel_release}",
            f"--cmdline={command_line(parts.root_hash)}", f"--output={output}",
        ],
        readable=inputs,
        writable=[output.parent],
    )  # fmt: skip
    output.chmod(0o644)


def sign(program: Path, keys: SecureBootKeys, toolbox: Toolbox, output: Path) -> None:
    """Sign an EFI program for Secure Boot. The private key is seen by sbsign alone, and copied nowhere."""
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".sign-") as workspace:
        signed = Path(workspace, "signed.efi")
        toolbox.run(
            ["sbsign", "--key", keys.private_key, "--cert", keys.certificate, "--output", signed, program],
            readable=[program, keys.private_key, keys.certificate],
            writable=[Path(workspace)],
        )
        signed.chmod(0o644)
        signed.rename(output)
