# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel build-host-container`: the image of one of our host containers, as an OCI archive."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from pinwheel.cli.screen import ScreenProgress, err, human_size, out
from pinwheel.errors import EnvironmentFault, UsageFault


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="build-host-container")(build_host_container)


def complete_containers(incomplete: str) -> list[str]:
    """Complete the name of a host container."""
    from pinwheel.image.host_container_definition import host_containers

    return [name for name in host_containers() if name.startswith(incomplete)]


def build_host_container(
    name: Annotated[str, typer.Argument(help="control or admin.", autocompletion=complete_containers)],
    output: Annotated[
        Path | None, typer.Option(help="Put the archive here.", show_default="it stays in the cache directory")
    ] = None,
    locked: Annotated[
        bool, typer.Option("--locked", help="Fail where the mirror no longer has what the lock file names.")
    ] = False,
    update_lock: Annotated[
        bool, typer.Option("--update-lock", help="Resolve all packages anew and write the lock file.")
    ] = False,
    mirror: Annotated[
        str | None, typer.Option(help="URL of the Debian mirror.", show_default="the one of this machine's apt")
    ] = None,
) -> None:
    """Build the image of a host container, as an OCI archive.

    It can be pushed to a registry, put onto a node's data partition, or declared in a variant to come with its image.
    """
    from pinwheel.image.host_container import build_host_container as build
    from pinwheel.image.inputs import BuildContext, LockMode

    if locked and update_lock:
        raise UsageFault("--locked and --update-lock exclude each other", "one uses the lock files, one writes them")
    mode = LockMode.STRICT if locked else LockMode.UPDATE if update_lock else LockMode.PREFER
    archive = build(name, BuildContext(ScreenProgress(), mode, mirror)).archive
    if output is not None:
        archive = copy_to(archive, output)
    out.print(f"{name} is in {archive} ({human_size(archive.stat().st_size)})", markup=False)
    err.print(f"Push it: skopeo copy oci-archive:{archive} docker://registry.example.com/{name}:1", markup=False)


def copy_to(archive: Path, target: Path) -> Path:
    """Copy an archive; it appears at its place whole. A directory gets it under its own name.

    Raises:
        EnvironmentFault: it could not be written.
    """
    place = target / f"{archive.name.rpartition('-')[0]}.oci" if target.is_dir() else target
    fresh = place.with_name(f".{place.name}.new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(archive, fresh)
        fresh.rename(place)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise EnvironmentFault(f"cannot write {place}: {error.strerror}", "name another file with --output") from error
    return place
