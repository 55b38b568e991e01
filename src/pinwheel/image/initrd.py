# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The initrd: one static program of ours (`os/initrd/init.c`), and the kernel modules on the way to the root."""

import tempfile
from pathlib import Path

from pinwheel.image.definition import InitrdModules
from pinwheel.image.kernel_modules import KernelModules, loading_table
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.tree import DEFINITION

SOURCE = DEFINITION / "initrd/init.c"
HARDENING = ("-O2", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-Wall", "-Wextra", "-Werror")
_DIRECTORIES = ("dev", "proc", "sys", "sysroot", "lib/modules")


def make_initrd(modules: KernelModules, wanted: InitrdModules, toolbox: Toolbox, output: Path, epoch: int) -> None:
    """Write the initrd, a zstd-compressed cpio archive, to `output`.

    Raises:
        UsageFault: a declared module does not exist.
        EnvironmentFault: compiling or packing failed.
    """
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".initrd-") as workspace:
        root = Path(workspace, "root")
        for directory in _DIRECTORIES:
            (root / directory).mkdir(parents=True)
        table, names = loading_table(modules, wanted.always, wanted.drivers)
        (root / "modules").write_text(table)
        for name in names:
            (root / f"lib/modules/{name}.ko").write_bytes(modules.read(name))
        compile_static(SOURCE, root / "init", toolbox)
        # Names sorted, inodes renumbered, owners and times fixed: the same files give the same archive.
        script = (
            'cd "$0" && find . -exec touch --no-dereference --date="@$2" {} + && find . -mindepth 1 | LC_ALL=C sort | '
            'cpio --quiet --create --format=newc --reproducible --owner=0:0 | zstd --quiet -19 --ultra -T1 > "$1"'
        )
        packed = Path(workspace, "initrd")
        toolbox.run(["sh", "-c", script, root, packed, str(epoch)], writable=[Path(workspace)])
        packed.rename(output)


def compile_static(source: Path, output: Path, toolbox: Toolbox) -> None:
    """Compile one C file to a static, stripped program that does not depend on where it was compiled."""
    output.parent.mkdir(parents=True, exist_ok=True)
    toolbox.run(
        ["gcc", "-static", "-s", *HARDENING, "-Wl,--build-id=none", f"-ffile-prefix-map={source.parent}=.",
         "-o", output, source],
        readable=[source.parent],
        writable=[output.parent],
    )  # fmt: skip
    output.chmod(0o755)
