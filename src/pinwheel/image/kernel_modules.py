# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel modules of a tree: what one needs, which devices it drives. Formats: modules.dep(5), depmod(8)."""

import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path

from pinwheel.errors import UsageFault


class KernelModules:
    """The modules below /usr/lib/modules/RELEASE."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, str] = {}
        self._needs: dict[str, list[str]] = {}
        for line in (directory / "modules.dep").read_text().splitlines():
            file, _, needs = line.partition(":")
            self._files[module_name(file)] = file
            self._needs[module_name(file)] = [module_name(other) for other in needs.split()]
        self._built_in = {module_name(line) for line in (directory / "modules.builtin").read_text().splitlines()}

    def with_dependencies(self, name: str) -> list[str]:
        """Give a module's name after those of all that it needs; nothing, where it is built into the kernel.

        Raises:
            UsageFault: the kernel has no such module.
        """
        name = module_name(name)
        if name in self._files:
            # modules.dep lists the nearest first: the reverse is an order in which they can be loaded.
            return [*reversed(self._needs[name]), name]
        if name in self._built_in:
            return []
        raise UsageFault(f"the kernel has no module {name}", "edit image.toml")

    def aliases(self, name: str) -> Iterator[str]:
        """Give the patterns of device identities (modalias) that the module drives."""
        for line in (self._directory / "modules.alias").read_text().splitlines():
            words = line.split()
            if words[:1] == ["alias"] and words[-1] == module_name(name):
                yield words[1]

    def packed_files(self, names: Iterable[str]) -> set[str]:
        """Give the files, below the modules' directory, of these modules and their dependencies that are compressed."""
        every = {needed for name in names for needed in self.with_dependencies(name)}
        return {self._files[name] for name in every if self._files[name].endswith(".xz")}

    def read(self, name: str) -> bytes:
        """Give the module's content, unpacked; its signature stays at its end."""
        file = self._directory / self._files[name]
        content = file.read_bytes()
        return lzma.decompress(content) if file.suffix == ".xz" else content


def module_name(file: str) -> str:
    """Give a module's name for its file or any spelling: `kernel/drivers/md/dm-verity.ko.xz` -> dm_verity."""
    return file.rsplit("/", 1)[-1].split(".ko", 1)[0].replace("-", "_")


def loading_table(modules: KernelModules, always: Iterable[str], drivers: Iterable[str]) -> tuple[str, set[str]]:
    """Give the initrd's table, lines of `PATTERN FILE...` with dependencies first, and the modules that it names."""
    used: set[str] = set()
    needed = [modules.with_dependencies(name) for name in always]
    lines = [_line("*", files, used) for files in needed if files]
    for name in drivers:
        files = modules.with_dependencies(name)
        lines += [_line(alias, files, used) for alias in modules.aliases(name) if files]
    return "".join(lines), used


def _line(pattern: str, files: list[str], used: set[str]) -> str:
    used.update(files)
    return f"{pattern} {' '.join(f'{name}.ko' for name in files)}\n"
