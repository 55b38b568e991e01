# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What an image keeps: `os/image.toml`, to which the variant's own `image.toml` adds."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinwheel.errors import UsageFault
from pinwheel.image.tree import DEFINITION


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=_kebab, frozen=True)


class InitrdModules(_Declaration):
    """Kernel modules of the initrd, by name; what they depend on comes with them."""

    always: list[str] = Field(default=[], description="Loaded on every machine.")
    drivers: list[str] = Field(default=[], description="Loaded where a device asks for them.")


class ImageDefinition(_Declaration):
    """What stays of the Debian tree. Paths are absolute in the image."""

    programs: list[str] = Field(default=[], description="Executable files.")
    drop_setuid: list[str] = Field(
        default=[], description="Programs, of those above, that lose their setuid or setgid bit: only root calls them."
    )
    libraries: list[str] = Field(default=[], description="Sonames of libraries that are loaded at run time by name.")
    units: list[str] = Field(default=[], description="Units of systemd, by name.")
    files: list[str] = Field(default=[], description="Patterns of data files; each must match something.")
    excluded_kernel_modules: list[str] = Field(default=[], description="Patterns of paths below kernel/.")
    unpacked_kernel_modules: list[str] = Field(
        default=[], description="Modules of every boot, stored unpacked, as what they depend on: xz is slow to unpack."
    )
    host_containers: list[str] = Field(
        default=[], description="Host containers of ours whose images come with this one: for nodes without a registry."
    )
    settings_packages: list[str] = Field(default=[], description="Python packages of settings, by import name.")
    initrd: InitrdModules = InitrdModules()

    def extended_by(self, other: "ImageDefinition") -> "ImageDefinition":
        """Give both taken together."""
        return ImageDefinition(
            programs=self.programs + other.programs,
            libraries=self.libraries + other.libraries,
            units=self.units + other.units,
            files=self.files + other.files,
            **{
                "drop-setuid": self.drop_setuid + other.drop_setuid,
                "host-containers": self.host_containers + other.host_containers,
                "excluded-kernel-modules": self.excluded_kernel_modules + other.excluded_kernel_modules,
                "settings-packages": self.settings_packages + other.settings_packages,
                "unpacked-kernel-modules": self.unpacked_kernel_modules + other.unpacked_kernel_modules,
            },
            initrd=InitrdModules(
                always=self.initrd.always + other.initrd.always, drivers=self.initrd.drivers + other.initrd.drivers
            ),
        )


def read_definition(variant: str) -> ImageDefinition:
    """Read what a variant keeps.

    Raises:
        UsageFault: a declaration is missing, is no TOML, or has a key that means nothing; the message names it.
    """
    return _read(DEFINITION / "image.toml").extended_by(_read(DEFINITION / f"mkosi.profiles/{variant}/image.toml"))


def overlays(variant: str) -> list[Path]:
    """Give the directories whose files are laid over the pruned tree, in this order."""
    return [path for path in (DEFINITION / "root", DEFINITION / f"mkosi.profiles/{variant}/root") if path.is_dir()]


def _read(file: Path) -> ImageDefinition:
    try:
        return ImageDefinition.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageFault(f"{file}: {where}: {first['msg']}", "docs/variants.md lists the keys") from error
    except (OSError, ValueError) as error:
        raise UsageFault(f"{file}: {error}", "docs/variants.md says what a variant needs") from error
