# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel build`: the disk image of a variant, with its manifest and SBOM."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pinwheel.cli.screen import ScreenProgress, err, human_size, out, print_json
from pinwheel.errors import UsageFault

DEFAULT_VARIANT = "docker"


class DiskFormat(StrEnum):
    """Formats of the disk image."""

    RAW = "raw"
    QCOW2 = "qcow2"


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(build)


def complete_variants(incomplete: str) -> list[str]:
    """Complete the name of a variant."""
    from pinwheel.image.tree import variants

    return [name for name in variants() if name.startswith(incomplete)]


def build(
    variant: Annotated[str, typer.Option(help="Which image.", autocompletion=complete_variants)] = DEFAULT_VARIANT,
    output: Annotated[
        Path | None, typer.Option(help="Put the result here.", show_default="it stays in the cache directory")
    ] = None,
    format: Annotated[DiskFormat, typer.Option(help="Format of the disk image in --output.")] = DiskFormat.RAW,  # noqa: A002
    locked: Annotated[
        bool, typer.Option("--locked", help="Fail where the mirror no longer has what the lock file names.")
    ] = False,
    update_lock: Annotated[
        bool, typer.Option("--update-lock", help="Resolve all packages anew and write the lock files.")
    ] = False,
    mirror: Annotated[
        str | None, typer.Option(help="URL of the Debian mirror.", show_default="the one of this machine's apt")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Build a disk image, with manifest, SBOM and third-party notices.

    Without --locked, packages that have left the mirror are named, and replaced by what it has now, for this user only.
    """
    from pinwheel.image.build import build_image
    from pinwheel.image.inputs import BuildContext, LockMode, get_toolbox
    from pinwheel.image.manifest import read_manifest
    from pinwheel.image.publish import publish

    if locked and update_lock:
        raise UsageFault("--locked and --update-lock exclude each other", "one uses the lock files, one writes them")
    mode = LockMode.STRICT if locked else LockMode.UPDATE if update_lock else LockMode.PREFER
    if format is DiskFormat.QCOW2 and output is None:
        raise UsageFault("--format qcow2 needs a place to write to", "add --output DIR")
    context = BuildContext(ScreenProgress(), mode, mirror)
    directory = build_image(variant, context).directory
    if output is not None:
        # Whatever the mode was, the toolbox of the build that was just made is in the cache.
        in_cache = BuildContext(context.progress, mirror_url=mirror)
        converter = get_toolbox(in_cache) if format is DiskFormat.QCOW2 else None
        with context.progress.step(f"Copying to {output}"):
            publish(directory, output, converter)
        directory = output
    manifest = read_manifest(directory)
    if json:
        print_json(manifest.model_dump())
        return
    out.print(f"{manifest.name} {manifest.version} is in {directory}", markup=False)
    for file in sorted(directory.iterdir()):
        out.print(f"  {file.name}  {human_size(file.stat().st_blocks * 512)}", markup=False)
    err.print(f"Look into it: pinwheel image show {directory}", markup=False)
