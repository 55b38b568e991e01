# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Build the stock image and weigh it; `bench.boot.stock_definition` says what is in it."""

import json
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.boot.facts import ImageFacts, count_files, ext4_used_bytes, installed_packages
from bench.boot.stock_definition import (
    EFI_PROGRAMS,
    EFI_TEXTS,
    FILES,
    LINKS,
    PACKAGES,
    PARTITIONS,
    ROOT_SIZE,
    ROOT_UUID,
    definition_hash,
)
from bench.boot.tools import compressed_size, run

from pinwheel.errors import EnvironmentFault
from pinwheel.image.host import as_root, ensure_host_programs, is_root
from pinwheel.image.mirror import RELEASE, Mirror, MirrorFinder
from pinwheel.image.toolbox import Toolbox
from pinwheel.progress import Progress


@dataclass(frozen=True)
class StockImage:
    """A built image in the cache."""

    disk: Path
    facts: ImageFacts
    built: str
    """When, ISO 8601."""
    versions: dict[str, str]
    """Versions of the packages that matter most."""


def ensure_stock_image(toolbox: Toolbox, find_mirror: MirrorFinder, cache: Path, progress: Progress) -> StockImage:
    """Give the stock image; build it when the cache has none of this definition.

    Raises:
        EnvironmentFault: mmdebstrap or the mirror is missing or failed, or the disk is full.
    """
    target = cache / "bench" / f"stock-{definition_hash()}"
    if not target.exists():
        ensure_host_programs(progress, ("mmdebstrap",))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as work:
            _build(toolbox, find_mirror(), Path(work), progress).rename(target)
    return _load(target)


def _build(toolbox: Toolbox, mirror: Mirror, work: Path, progress: Progress) -> Path:
    with progress.step("Installing stock Debian with cloud-init and docker.io"):
        _write_overlay(work / "overlay")
        run(_mmdebstrap(mirror, work / "overlay", work / "root.tar"))
    with progress.step("Making the stock disk"):
        _write_esp(work / "root.tar", work / "esp")
        _make_root_file_system(work)
        disk = _make_disk(toolbox, work)
    with progress.step("Weighing the stock image"):
        facts, versions = _facts(toolbox, work, disk)
    built = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"facts": asdict(facts), "built": built, "versions": versions}
    (disk.parent / "facts.json").write_text(json.dumps(document, indent=2))
    return disk.parent


def _load(directory: Path) -> StockImage:
    document = json.loads((directory / "facts.json").read_text())
    return StockImage(directory / "stock.raw", ImageFacts(**document["facts"]), document["built"], document["versions"])


def _write_overlay(tree: Path) -> None:
    for name, content in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)
    for name, target in LINKS.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(target)


def _mmdebstrap(mirror: Mirror, overlay: Path, archive: Path) -> list[str]:
    # The overlay is packed here and unpacked as root in the tree, so that its files belong to root there.
    add_overlay = f'tar -C {overlay} --owner=0 --group=0 -c . | tar -C "$1" --keep-directory-symlink -x'
    return [
        "mmdebstrap", f"--mode={'root' if is_root() else 'unshare'}", "--variant=minbase", "--format=tar",
        '--aptopt=APT::Install-Recommends "false"', f"--include={','.join(PACKAGES)}",
        f"--customize-hook={add_overlay}", RELEASE, str(archive), *mirror.sources_list(),
    ]  # fmt: skip


def _write_esp(archive: Path, tree: Path) -> None:
    with tarfile.open(archive) as root:
        for name, source in EFI_PROGRAMS.items():
            program = root.extractfile(f"./{source}")
            if program is None:
                raise EnvironmentFault(f"{source} is not a file in the stock image")
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(program.read())
    for name, text in EFI_TEXTS.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)


def _make_root_file_system(work: Path) -> None:
    """Make the ext4 file system with the host's mke2fs, as root: the tree has files of many owners."""
    script = (
        'mkdir tree && tar -C tree --numeric-owner --xattrs --xattrs-include="*" -xf root.tar && '
        f"mke2fs -q -t ext4 -L root -U {ROOT_UUID} -d tree root.ext4 {ROOT_SIZE}; status=$?; rm -rf tree; exit $status"
    )
    run(as_root(["sh", "-c", script]), cwd=work)


def _make_disk(toolbox: Toolbox, work: Path) -> Path:
    definitions = work / "repart"
    definitions.mkdir()
    for name, text in PARTITIONS.items():
        (definitions / name).write_text(text.format(work=work))
    disk = work / "finished" / "stock.raw"
    disk.parent.mkdir()
    toolbox.run(
        ["systemd-repart", "--empty=create", "--size=auto", "--sector-size=512", "--offline=yes", "--dry-run=no",
         "--no-pager", f"--definitions={definitions}", disk],
        writable=[work],
    )  # fmt: skip
    run(["fallocate", "--dig-holes", str(disk)])
    return disk


def _facts(toolbox: Toolbox, work: Path, disk: Path) -> tuple[ImageFacts, dict[str, str]]:
    with tarfile.open(work / "root.tar") as archive:
        members = archive.getmembers()
        status = archive.extractfile("./var/lib/dpkg/status")
        packages = installed_packages(status.read().decode() if status else "")
    files = count_files((member.name, member.mode) for member in members if member.isreg() or member.islnk())
    header = toolbox.run(["dumpe2fs", "-h", work / "root.ext4"], readable=[work])
    facts = ImageFacts(
        packages=len(packages),
        executables=files.executables,
        setuid=files.setuid,
        root_bytes=ext4_used_bytes(header.decode()),
        boot_bytes=sum(
            m.size for m in members if m.isreg() and m.name.startswith(("./boot/vmlinuz-", "./boot/initrd"))
        ),
        download_bytes=compressed_size(toolbox, disk),
    )
    kernel = next(name for name in packages if name.startswith("linux-image-6") and name.endswith("cloud-amd64"))
    wanted = (kernel, "systemd", "cloud-init", "docker.io", "containerd", "openssh-server")
    return facts, {name: packages[name] for name in wanted}
