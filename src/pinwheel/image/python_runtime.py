# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The Python of the image: a directory of compiled modules, and the launcher that runs our entry points from it.

What goes in is declared (`python_definition.py`). The toolbox's Python finds and compiles the modules
(`python_closure.py`), for byte code belongs to one version of the interpreter.
"""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from pinwheel.errors import CheckFailed, EnvironmentFault, UsageFault
from pinwheel.image import python_closure
from pinwheel.image.components import WheelFacts
from pinwheel.image.python_definition import ModuleDeclaration, PythonDefinition, read_python_definition
from pinwheel.image.python_wheels import describe_wheel, fetch_wheels, unpack_wheel
from pinwheel.image.settings_packages import NOTHING, SettingsPackages
from pinwheel.paths import PROJECT
from pinwheel.progress import Progress

PROGRAMS = ("launch", "power-button")
"""The programs made from `os/launcher`."""

_COMPILE = ("-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror")
_HARDEN = (
    "-fPIE",
    "-D_FORTIFY_SOURCE=3",
    "-fstack-protector-strong",
    "-fstack-clash-protection",
    "-fcf-protection=full",
)
_LINK = ("-pie", "-Wl,-z,relro,-z,now,-z,noexecstack", "-Wl,--as-needed", "-Wl,--build-id=none", "-s")

_PYTHON = ("env", "-i", "PYTHONHASHSEED=0", "/usr/bin/python3", "-S", "-s", "-P", "-B", "-X", "no_debug_ranges")
"""How modules are compiled. -I would ignore PYTHONHASHSEED, which makes sets, and so the compiler, go the same way each
time; no_debug_ranges leaves out the columns that a traceback marks in source lines, which the node does not have."""

_VERIFY = """
import sys
sys.path[:] = [sys.argv[1]]
from importlib import import_module
for name in sys.argv[2:]:
    module, _, function = name.partition(":")
    imported = import_module(module)
    assert not function or callable(getattr(imported, function)), name
"""
"""Imports modules from the finished directory alone, as the launcher will."""


class ToolRunner(Protocol):
    """What is needed of `pinwheel.image.toolbox.Toolbox`."""

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        input: bytes | None = None,  # noqa: A002 - as subprocess names it
    ) -> bytes:
        """Run a program of the toolbox to its end and give its output."""


@dataclass(frozen=True)
class PythonRuntime:
    """What was put into the directory of modules."""

    python: str
    """The version that compiled it, "3.13.5"."""
    modules: tuple[str, ...]
    wheels: tuple[WheelFacts, ...]


def build_python_runtime(
    toolbox: ToolRunner,
    destination: Path,
    cache: Path,
    progress: Progress,
    *,
    definition: PythonDefinition | None = None,
    sources: Path = PROJECT / "src",
    lock: Path = PROJECT / "requirements/node.txt",
    standard_library: Path | None = None,
    packages: SettingsPackages = NOTHING,
) -> PythonRuntime:
    """Fill `destination`, which is made, with the modules that our packages on the node need, compiled.

    Args:
        toolbox: where Python runs, of the version that is declared.
        destination: becomes the declared directory on the node.
        cache: where wheels are kept between builds.
        progress: where fetching is reported.
        definition: what goes in; by default what `os/` declares.
        sources: the directory that our packages are in.
        lock: the requirements file of the wheels, with hashes.
        standard_library: where the standard library's sources are; by default the toolbox's own.
        packages: what the variant adds.

    Raises:
        UsageFault: a module of ours imports what is not there, or what is declared makes no sense.
        EnvironmentFault: wheels could not be fetched, or the toolbox's Python is another version.
    """
    definition = _with_packages(definition or read_python_definition(), packages)
    locks = [lock, *([packages.lock] if packages.lock else [])]
    wheels = [wheel for one in locks for wheel in fetch_wheels(one, definition.modules.version, cache, progress)]
    destination.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="pinwheel-wheels-") as unpacked:
        for wheel in wheels:
            unpack_wheel(wheel, Path(unpacked))
        library = standard_library or Path("/usr/lib", f"python{definition.modules.version}")
        search = [library, library / "lib-dynload", Path(unpacked), sources]
        search += [packages.sources] if packages.sources else []
        report = _compile(toolbox, definition.modules, search, destination)
    _check_report(report, definition)
    _verify(toolbox, definition, report, destination)
    return PythonRuntime(report["python"], tuple(report["modules"]), tuple(map(describe_wheel, wheels)))


def _with_packages(definition: PythonDefinition, packages: SettingsPackages) -> PythonDefinition:
    own = [*definition.modules.own, *(f"{name}.*" for name in packages.names)]
    return replace(definition, modules=definition.modules.model_copy(update={"own": own}))


def _compile(
    toolbox: ToolRunner, modules: ModuleDeclaration, search: Sequence[Path], destination: Path
) -> python_closure.Report:
    request = python_closure.Request(
        search=[str(directory) for directory in search],
        own=modules.own,
        include=modules.include,
        exclude=modules.exclude,
        destination=str(destination),
        prefix=modules.directory,
    )
    script = Path(python_closure.__file__)
    readable = [directory for directory in search if not directory.is_relative_to("/usr/lib/python" + modules.version)]
    answer = toolbox.run(
        [*_PYTHON, script], readable=[script, *readable], writable=[destination], input=json.dumps(request).encode()
    )
    report: python_closure.Report = json.loads(answer)
    return report


def _check_report(report: python_closure.Report, definition: PythonDefinition) -> None:
    if not report["python"].startswith(definition.modules.version + "."):
        raise EnvironmentFault(
            f"the toolbox has Python {report['python']}, the image wants {definition.modules.version}",
            "correct `version` in os/python.toml, or the toolbox's release",
        )
    if report["unresolved"]:
        lines = [f"  {name}, imported by {', '.join(importers)}" for name, importers in report["unresolved"].items()]
        raise UsageFault(
            "the node's modules import what is not there or is excluded:\n" + "\n".join(lines),
            "correct the import, or add to requirements/node.txt, or take it out of `exclude` in os/python.toml",
        )


def _verify(
    toolbox: ToolRunner, definition: PythonDefinition, report: python_closure.Report, destination: Path
) -> None:
    """Import all of our modules from the result, so that what they miss stops the build and not the node."""
    own = tuple(name.removesuffix(".*") for name in definition.modules.own)
    ours = [
        name for name in report["modules"] if name.startswith(tuple(f"{package}." for package in own)) or name in own
    ]
    variables = [f"{name}={value}" for name, value in definition.launcher.environment.set.items()]
    names = [*ours, *definition.launcher.entry_points.values()]
    python: list[str | Path] = ["env", "-i", *variables, "/usr/bin/python3", "-I", "-S", "-B", "-c", _VERIFY]
    toolbox.run([*python, destination, *names], readable=[destination])


def check_libpython(runtime: PythonRuntime, library: Path) -> None:
    """Fail when an image's libpython is not exactly of the version that the modules were compiled and taken from.

    Raises:
        CheckFailed: it is not; byte code or parts in C would not fit, and the node's services would not start.
    """
    found = _python_version(library)
    if found != runtime.python:
        raise CheckFailed(
            f"the image's {library.name} is Python {found}, but its modules were compiled by {runtime.python}",
            "bring both to one version: `pinwheel build --update-lock`",
        )


def _python_version(library: Path) -> str:
    """Read `const unsigned long Py_Version`, which has the form of PY_VERSION_HEX: 0x030d05f0 is 3.13.5."""
    with library.open("rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".dynsym")
        symbols = table.get_symbol_by_name("Py_Version") if isinstance(table, SymbolTableSection) else None
        if not symbols:
            raise CheckFailed(f"{library.name} is no libpython", "look at what the image's tree has under that name")
        section = elf.get_section(symbols[0]["st_shndx"])
        offset = symbols[0]["st_value"] - section["sh_addr"]
        number = int.from_bytes(section.data()[offset : offset + 4], "little")
    return f"{number >> 24}.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}"


def entry_points_header(definition: PythonDefinition) -> str:
    """Give `entry-points.h`: the declaration as the launcher's C code has it."""
    launcher = definition.launcher
    points = [
        (*map(_quoted, (name, *target.split(":"))), str(int(name in launcher.commands)))
        for name, target in launcher.entry_points.items()
    ]
    variables = [tuple(map(_quoted, pair)) for pair in launcher.environment.set.items()]
    return "\n".join(
        [
            "/* made from os/python.toml and os/launcher/entry-points.toml by pinwheel.image.python_runtime */",
            f'#define PYTHON_DIRECTORY "{definition.modules.directory}"',
            f"#define ENTRY_POINTS {_initializers(points)}",
            f"#define KEPT_VARIABLES {', '.join(_quoted(name) for name in launcher.environment.keep)}",
            f"#define SET_VARIABLES {_initializers(variables)}",
            "",
        ]
    )


def _initializers(rows: Iterable[Sequence[str]]) -> str:
    return ", ".join("{" + ", ".join(row) + "}" for row in rows)


def _quoted(text: str) -> str:
    """Quote for C; what the declaration accepts needs no escapes."""
    return f'"{text}"'


def build_launchers(
    toolbox: ToolRunner,
    destination: Path,
    *,
    definition: PythonDefinition | None = None,
    sources: Path = PROJECT / "os/launcher",
) -> list[Path]:
    """Compile the programs of `os/launcher` into `destination`; the same sources give the same bytes.

    Raises:
        EnvironmentFault: the compiler failed; the message has what it said.
    """
    definition = definition or read_python_definition()
    python = definition.modules.version
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pinwheel-launcher-") as directory:
        Path(directory, "entry-points.h").write_text(entry_points_header(definition))
        places = (f"-I{directory}", f"-I/usr/include/python{python}", f"-ffile-prefix-map={sources}=.")
        for program in PROGRAMS:
            library = [f"-lpython{python}"] if program == "launch" else []
            command = ["gcc", *_COMPILE, *_HARDEN, *_LINK, *places]
            toolbox.run([*command, "-o", destination / program, sources / f"{program}.c", *library],
                        readable=[sources, Path(directory)], writable=[destination])  # fmt: skip
    return [destination / program for program in PROGRAMS]
