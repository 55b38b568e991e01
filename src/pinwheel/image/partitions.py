# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Read the partition table of a disk image, and how much of each partition is in use."""

import json
import struct
from pathlib import Path

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.erofs import Erofs, is_erofs
from pinwheel.image.manifest import PartitionRecord
from pinwheel.image.toolbox import Toolbox

TYPE_NAMES = {
    "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "esp",
    "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709": "root-x86-64",
    "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5": "root-x86-64-verity",
    "4D21B016-B534-45C2-A9FB-5C16E091FD2D": "var",
    "0FC63DAF-8483-4772-8E79-3D69D8477DE4": "linux-generic",
}
"""Type GUIDs that an image uses, by systemd-repart's names (UAPI group, Discoverable Partitions Specification)."""

_SECTOR = 512
_GPT_SIGNATURE = b"EFI PART"
_BACKUP_HEADER_AT = 32
"""Where the table's header says in which sector its copy is: the last one of the disk."""

_VERITY = struct.Struct("<8s I I 16s 32s I I Q")
_VERITY_MAGIC = b"verity\0\0"


def read_partitions(disk: Path, toolbox: Toolbox) -> list[PartitionRecord]:
    """Read the GPT of a raw disk image, in the order of the table.

    Raises:
        UsageFault: there is no such file, it is no GPT disk, or it is cut short.
    """
    _expect_gpt(disk)
    try:
        table = json.loads(toolbox.run(["sfdisk", "--json", disk], readable=[disk]))["partitiontable"]
    except (EnvironmentFault, ValueError, KeyError) as error:
        raise UsageFault(f"{disk}: its partition table is broken: {error}", "build the image again") from error
    sector = table.get("sectorsize", _SECTOR)
    return [
        PartitionRecord(
            name=part.get("name", ""),
            type=part["type"].upper(),
            uuid=part.get("uuid", "").upper(),
            offset=part["start"] * sector,
            size=part["size"] * sector,
        )
        for part in table.get("partitions", [])
    ]


def type_name(guid: str) -> str:
    """Give the short name of a partition type; the GUID itself when it has none."""
    return TYPE_NAMES.get(guid, guid)


def _expect_gpt(disk: Path) -> None:
    hint = "give a raw or qcow2 disk image, or the output directory of pinwheel build"
    try:
        with disk.open("rb") as stream:
            head = stream.read(2 * _SECTOR)
    except OSError as error:
        raise UsageFault(f"cannot read {disk}: {error.strerror}", hint) from error
    if head[_SECTOR : _SECTOR + len(_GPT_SIGNATURE)] != _GPT_SIGNATURE:
        raise UsageFault(f"{disk} is no disk image with a GPT", hint)
    (backup,) = struct.unpack_from("<Q", head, _SECTOR + _BACKUP_HEADER_AT)
    if (backup + 1) * _SECTOR > disk.stat().st_size:
        raise UsageFault(f"{disk} is cut short: its partition table describes a larger disk", "copy the image again")


def used_bytes(content: memoryview) -> int | None:
    """Say how much of a partition is in use, by what its superblock says: erofs or a dm-verity tree.

    None for other contents; 0 for a partition that begins with zeros, such as the empty slot.
    """
    if is_erofs(content):
        return Erofs(content).size
    if bytes(content[: len(_VERITY_MAGIC)]) == _VERITY_MAGIC:
        return _verity_bytes(bytes(content[: _VERITY.size]))
    return None if any(content[:4096]) else 0


def _verity_bytes(superblock: bytes) -> int:
    """Give the size of a SHA-256 hash tree with its superblock (cryptsetup's "DMVerity on-disk format")."""
    blocks: int
    hash_block: int
    *_, hash_block, blocks = _VERITY.unpack(superblock)
    hashes_per_block = hash_block // 32
    total = 1
    while hashes_per_block > 1 and blocks > 1:
        blocks = -(-blocks // hashes_per_block)
        total += blocks
    return total * hash_block
