# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The disk: sizes in one place, the root's file system, its hash tree, and the partition table around them."""

import json
import os
import re
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from pinwheel.errors import EnvironmentFault
from pinwheel.image.manifest import PartitionRecord
from pinwheel.image.toolbox import Toolbox

MIB = 1 << 20
_SECTOR_BYTES = 512
ESP_BYTES = 1024 * MIB
"""Two unified kernel images and one that is being written, each up to 300 MiB, should a variant need it."""
ROOT_BYTES = 512 * MIB
"""One slot's root: about four times of what the variant `docker` needs now."""
VERITY_BYTES = 16 * MIB
"""The hash tree takes 0.8 % of the root; rounded up."""
MINIMUM_DISK_BYTES = 4096 * MIB
"""Both slots, the ESP, and a data partition with room for a few containers."""

COMPRESSION = "lz4hc,level=9"
"""Quick to read; docs/decisions has the figures of the others."""
CLUSTER_BYTES = 65536
PACKING = "fragments"
"""Tails and small files share clusters: a thousand compiled modules of Python would each round up to a block."""

_NAMESPACE = uuid.UUID("6d0c9a46-8b0e-4a5e-9b64-3f6c7c1d2e55")
"""Seeds every identity that must come out the same for the same content."""


TYPE_GUIDS = {
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "root-x86-64": "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
    "root-x86-64-verity": "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5",
}
"""Discoverable Partitions Specification."""


@dataclass(frozen=True)
class VerityRoot:
    """A sealed root: file system image, hash tree, and the hash that stands for both."""

    image: Path
    tree: Path
    root_hash: str

    @property
    def partition_uuids(self) -> tuple[uuid.UUID, uuid.UUID]:
        """UUIDs of the root's and the tree's partition: the halves of the root hash, by which the initrd finds them."""
        return uuid.UUID(self.root_hash[:32]), uuid.UUID(self.root_hash[32:])


def seal_root(tree: Path, toolbox: Toolbox, output: Path, epoch: int) -> VerityRoot:
    """Make an erofs image of `tree` and its dm-verity hash tree beside it: `output`.erofs and `output`.verity.

    Labels for a later SELinux policy enter here, with mkfs.erofs' --file-contexts.
    """
    image, hashes = output.with_name(f"{output.name}.erofs"), output.with_name(f"{output.name}.verity")
    identity = uuid.uuid5(_NAMESPACE, f"root {epoch}")
    toolbox.run(
        ["mkfs.erofs", "--quiet", f"-z{COMPRESSION}", f"-C{CLUSTER_BYTES}", f"-E{PACKING}", f"-T{epoch}",
         f"-U{identity}", image, tree],
        readable=[tree], writable=[output.parent], root=True,
    )  # fmt: skip
    answer = toolbox.run(
        ["veritysetup", "format", "--hash=sha256", f"--salt={identity.hex}{identity.hex}", f"--uuid={identity}",
         image, hashes],
        readable=[image], writable=[output.parent], root=True,
    ).decode()  # fmt: skip
    match = re.search(r"^Root hash:\s+([0-9a-f]{64})$", answer, re.MULTILINE)
    if not match:
        raise EnvironmentFault(f"veritysetup named no root hash: {answer}")
    return VerityRoot(image, hashes, match[1])


def make_disk(root: VerityRoot, esp: Path, toolbox: Toolbox, output: Path, epoch: int) -> list[PartitionRecord]:
    """Write the whole disk as a sparse file: the ESP with the content of `esp`, slot A filled, slot B empty.

    The same root and files give the same disk byte for byte; all files of the ESP get the time `epoch`.
    The data partition is not here: the node makes it on first boot, as large as the disk that it finds.
    Gives the partitions as systemd-repart laid them out.
    """
    root_uuid, tree_uuid = root.partition_uuids
    identity = uuid.uuid5(_NAMESPACE, root.root_hash)
    root_a = [f"CopyBlocks={root.image}", f"UUID={root_uuid}", "ReadOnly=yes"]
    verity_a = [f"CopyBlocks={root.tree}", f"UUID={tree_uuid}", "ReadOnly=yes"]
    partitions: list[tuple[str, str, int, list[str]]] = [
        ("esp", "esp", ESP_BYTES, []),
        ("root-x86-64", "pinwheel-root-a", ROOT_BYTES, root_a),
        ("root-x86-64-verity", "pinwheel-verity-a", VERITY_BYTES, verity_a),
        ("root-x86-64", "pinwheel-root-b", ROOT_BYTES, ["ReadOnly=yes"]),
        ("root-x86-64-verity", "pinwheel-verity-b", VERITY_BYTES, ["ReadOnly=yes"]),
    ]
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".disk-") as workspace:
        for number, (kind, label, size, lines) in enumerate(partitions):
            text = [f"Type={kind}", f"Label={label}", f"SizeMinBytes={size}", f"SizeMaxBytes={size}", *lines]
            Path(workspace, f"{number}0-{label}.conf").write_text("[Partition]\n" + "\n".join(text) + "\n")
        disk = Path(workspace, "disk.raw")
        answer = toolbox.run(
            ["systemd-repart", "--json=short", "--empty=create", "--size=auto", "--offline=yes", "--dry-run=no",
             "--no-pager", f"--definitions={workspace}", f"--seed={identity}", disk],
            readable=[root.image, root.tree], writable=[Path(workspace)], root=True,
        )  # fmt: skip
        table = json.loads(answer)
        _fill_esp(disk, table[0]["offset"], esp, toolbox, epoch, identity)
        disk.rename(output)
    return [
        PartitionRecord(name=one["label"], type=TYPE_GUIDS[one["type"]], offset=one["offset"], size=one["raw_size"])
        for one in table
    ]


def _fill_esp(disk: Path, offset: int, files: Path, toolbox: Toolbox, epoch: int, identity: uuid.UUID) -> None:
    """Make the ESP's FAT: names in order and all times the same, so that the same files give the same bytes.

    systemd-repart could make it, but with names in whatever order the workstation's file system lists them.
    """
    paths = sorted(files.rglob("*"))
    for path in paths:
        os.utime(path, (epoch, epoch))
    clock, volume = ("env", f"SOURCE_DATE_EPOCH={epoch}", "TZ=UTC"), f"{disk}@@{offset}"
    sector, kibibytes = f"--offset={offset // _SECTOR_BYTES}", str(ESP_BYTES // 1024)
    toolbox.run(
        [*clock, "mkfs.vfat", "-F", "32", "-n", "ESP", "-i", identity.hex[:8], sector, disk, kibibytes],
        writable=[disk.parent],
    )
    folders = [f"::/{path.relative_to(files)}" for path in paths if path.is_dir()]
    toolbox.run([*clock, "mmd", "-i", volume, *folders], writable=[disk.parent])
    for path in paths:
        if path.is_file():
            place = f"::/{path.relative_to(files)}"
            toolbox.run([*clock, "mcopy", "-m", "-i", volume, path, place], readable=[path], writable=[disk.parent])
