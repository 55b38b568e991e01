# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is declared about the image's Python: `os/python.toml` and `os/launcher/entry-points.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pinwheel.errors import UsageFault
from pinwheel.paths import PROJECT

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Value = Annotated[str, StringConstraints(pattern=r"^[ !#-\[\]-~]*$")]
"""Printable ASCII but for quotation mark and backslash: it becomes a string of C as it is."""
Target = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Model = TypeVar("_Model", bound=_Declaration)


class ModuleDeclaration(_Declaration):
    """`os/python.toml`."""

    version: str = Field(pattern=r"^3\.\d+$", description="Upstream minor version of the node's Python.")
    directory: Value = Field(description="Where the modules are on the node.")
    own: list[str] = Field(description="Our modules; what they import must be found.")
    include: list[str] = Field(default=[], description="Modules that are imported by computed names.")
    exclude: list[str] = Field(default=[], description="Modules to leave out whoever imports them.")


class EnvironmentDeclaration(_Declaration):
    """What the launcher leaves of the environment."""

    keep: list[Variable] = Field(min_length=1)
    set: dict[Variable, Value] = Field(min_length=1)


class LauncherDeclaration(_Declaration):
    """`os/launcher/entry-points.toml`."""

    entry_points: dict[Name, Target] = Field(alias="entry-points", min_length=1)
    commands: list[Name] = Field(default=[], description="Entry points that take arguments.")
    environment: EnvironmentDeclaration

    @model_validator(mode="after")
    def _commands_are_entry_points(self) -> "LauncherDeclaration":
        if unknown := sorted(set(self.commands) - set(self.entry_points)):
            raise ValueError(f"commands names what is no entry point: {', '.join(unknown)}")
        return self


@dataclass(frozen=True)
class PythonDefinition:
    """All that is declared about the image's Python."""

    modules: ModuleDeclaration
    launcher: LauncherDeclaration


def read_python_definition(directory: Path = PROJECT / "os") -> PythonDefinition:
    """Read `python.toml` and `launcher/entry-points.toml`.

    Raises:
        UsageFault: one is missing or wrong; the message says which and where.
    """
    return PythonDefinition(
        _read(directory / "python.toml", ModuleDeclaration),
        _read(directory / "launcher/entry-points.toml", LauncherDeclaration),
    )


def _read(file: Path, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(tomllib.loads(file.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageFault(f"{file}: {error}", "correct the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageFault(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}", "correct the file") from error
