# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is declared of our own host containers: `os/host-containers/NAME/container.toml`, and mkosi's configuration."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinwheel.errors import UsageFault
from pinwheel.image.definition import ImageDefinition
from pinwheel.image.tree import DEFINITION, TreeSource

CONTAINERS = DEFINITION / "host-containers"
_DECLARATION = "container.toml"


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=_kebab, frozen=True)


class ContainerConfig(_Declaration):
    """How the container is started (OCI image specification, "Image Configuration")."""

    entrypoint: list[str] = Field(min_length=1)
    environment: dict[str, str] = {}


class ContainerDefinition(_Declaration):
    """What a host container's image holds, besides the files below `root/`."""

    keep: ImageDefinition = Field(description="What stays of the Debian tree.")
    busybox_links: list[str] = Field(
        default=[], description="Directories that get a link for each applet of busybox, where they have no such file."
    )
    config: ContainerConfig


def host_containers() -> list[str]:
    """Name the host containers that there are definitions of."""
    return sorted(file.parent.name for file in CONTAINERS.glob(f"*/{_DECLARATION}"))


def read_container_definition(name: str) -> ContainerDefinition:
    """Read what is declared of a host container.

    Raises:
        UsageFault: there is none of this name, or its declaration is wrong.
    """
    if name not in host_containers():
        raise UsageFault(f"there is no host container {name!r}", f"there are: {', '.join(host_containers())}")
    file = CONTAINERS / name / _DECLARATION
    try:
        return ContainerDefinition.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageFault(f"{file}: {where}: {first['msg']}", "docs/host-containers.md lists the keys") from error
    except ValueError as error:
        raise UsageFault(f"{file}: {error}", "docs/host-containers.md says what it needs") from error


def container_source(name: str) -> TreeSource:
    """Give what the Debian tree of a host container is made of."""
    directory = CONTAINERS / name
    return TreeSource(("mkosi", f"--directory={directory}"), (directory / "mkosi.conf",))


def overlay(name: str) -> Path:
    """Give the directory of the files that are laid over the pruned tree."""
    return CONTAINERS / name / "root"


def lock_name(name: str) -> str:
    """Give the name of the lock of a host container's packages."""
    return f"host-container-{name}"
