# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Find the modules that a set of root modules needs, and compile them. Runs by itself under the toolbox's Python.

That Python is the image's too: its byte code is what the image's libpython runs. So this file imports nothing but the
standard library, takes a request (`Request`, JSON) on standard input and answers with a `Report` on standard output;
`pinwheel.image.python_runtime` starts it. `modulefinder`, the standard library's own, is not used: it follows imports
that only type checkers and `python -m` see, and these bring in half of the library.
"""

import _imp
import ast
import importlib.machinery
import importlib.util
import json
import marshal
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

UNCHECKED_HASH = 0b01
"""The flags word of a `.pyc` that carries its source's hash and is never compared with it (PEP 552)."""

MADE_BY_PACKAGE = frozenset({"collections.abc", "os.path"})
"""Modules without a file of their own: their package puts another one into `sys.modules` under this name."""


class Request(TypedDict):
    """What to find and where to put it."""

    search: list[str]
    """Directories to look for top-level modules in, the first one wins."""
    own: list[str]
    """Our modules, "package.*" for all of a package: roots, and every import in them must be found."""
    include: list[str]
    """Further roots."""
    exclude: list[str]
    """Modules, with their submodules, to leave out whoever imports them."""
    destination: str
    """An existing, empty directory for the result."""
    prefix: str
    """The path that the destination will have on the node: what tracebacks show."""


class Report(TypedDict):
    """What was made."""

    python: str
    """Version of the Python that compiled, "3.13.5"."""
    modules: list[str]
    """Names of the modules written."""
    inside: list[str]
    """Names of the modules needed that have no file: built into libpython, or made by their package."""
    unresolved: dict[str, list[str]]
    """Imports of our own modules that were not found or are excluded: name, who imports it."""


@dataclass(frozen=True)
class Module:
    """A module on disk."""

    name: str
    path: Path
    is_package: bool

    @property
    def is_source(self) -> bool:
        """Whether it is Python source, and not an extension module."""
        return self.path.suffix == ".py"

    @property
    def package(self) -> str:
        """The package that a relative import in this module starts from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def target(self) -> Path:
        """Where it goes, relative to the destination: the sourceless layout, `name.pyc` in the place of `name.py`."""
        directory = Path(*self.name.split(".")) if self.is_package else Path(*self.name.split(".")[:-1])
        return directory / (self.path.stem + ".pyc" if self.is_source else self.path.name)


@dataclass
class Finder:
    """Looks for modules as the import system would, without importing anything."""

    search: Sequence[Path]
    exclude: frozenset[str]
    _known: dict[str, Module | None] = field(default_factory=dict)

    def is_excluded(self, name: str) -> bool:
        """Whether the name, or a package that it is in, is to be left out."""
        parts = name.split(".")
        return any(".".join(parts[: n + 1]) in self.exclude for n in range(len(parts)))

    def find(self, name: str) -> Module | None:
        """Give the module, or None when there is no such file."""
        if name not in self._known:
            parent, _, last = name.rpartition(".")
            self._known[name] = _look(name, last, self._directories(parent))
        return self._known[name]

    def _directories(self, parent: str) -> Sequence[Path]:
        if not parent:
            return self.search
        package = self.find(parent)
        return [package.path.parent] if package and package.is_package else []

    def expand(self, pattern: str) -> list[str]:
        """Give the names that "package.*", or a plain name, stands for."""
        if not pattern.endswith(".*"):
            return [pattern]
        names, waiting = [], [pattern.removesuffix(".*")]
        while waiting:
            name = waiting.pop()
            if self.is_excluded(name):
                continue
            names.append(name)
            module = self.find(name)
            if module and module.is_package:
                waiting += [f"{name}.{child}" for child in _children(module.path.parent)]
        return sorted(names)


def _look(name: str, last: str, directories: Sequence[Path]) -> Module | None:
    for directory in directories:
        if (directory / last / "__init__.py").is_file():
            return Module(name, directory / last / "__init__.py", is_package=True)
        for suffix in (*importlib.machinery.EXTENSION_SUFFIXES, ".py"):
            if (directory / f"{last}{suffix}").is_file():
                return Module(name, directory / f"{last}{suffix}", is_package=False)
    return None


def _children(directory: Path) -> Iterator[str]:
    for entry in sorted(directory.iterdir()):
        if entry.name != "__init__.py" and (entry.suffix in {".py", ".so"} or (entry / "__init__.py").is_file()):
            yield entry.name.partition(".")[0]


def imported_names(tree: ast.AST, package: str) -> Iterator[tuple[str, bool]]:
    """Give every absolute name that the source may import, and whether it must be a module.

    It need not be one where it is the `b` of `from a import b`, which may as well be a function.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _is_never_true(node.test):
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package or None)
            yield base, True
            yield from ((f"{base}.{alias.name}", False) for alias in node.names if alias.name != "*")


def _is_never_true(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return True
    return False


@dataclass
class Closure:
    """What the roots need, found by reading the sources."""

    finder: Finder
    own: frozenset[str]
    found: dict[str, Module] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    unresolved: dict[str, set[str]] = field(default_factory=dict)

    def add(self, roots: Sequence[str]) -> None:
        """Add modules and all that they import."""
        for name in roots:
            if not self._take(name):
                self._miss(name, "the declaration")
        waiting = list(self.found.values())
        while waiting:
            module = waiting.pop()
            before = len(self.found)
            if module.is_source:
                self._follow(module)
            waiting += list(self.found.values())[before:]

    def _follow(self, module: Module) -> None:
        for name, must_exist in imported_names(ast.parse(module.path.read_bytes()), module.package):
            if not self._take(name) and must_exist and module.name in self.own:
                self._miss(name, module.name)

    def _miss(self, name: str, importer: str) -> None:
        self.unresolved.setdefault(name, set()).add(importer)

    def _take(self, name: str) -> bool:
        """Take a module in, its packages first; give whether there is one."""
        if name in self.found or name in self.inside:
            return True
        if self.finder.is_excluded(name):
            return False
        parent = name.rpartition(".")[0]
        if parent and not self._take(parent):
            return False
        if name in sys.builtin_module_names or name in MADE_BY_PACKAGE or _imp.is_frozen(name):
            self.inside.add(name)
        # The source of a frozen module is read too, for what it imports.
        module = None if name in sys.builtin_module_names else self.finder.find(name)
        if module:
            self.found[name] = module
        return module is not None or name in self.inside

    @property
    def written(self) -> list[Module]:
        """The modules that need a file, in the order of their names."""
        return [module for name, module in sorted(self.found.items()) if name not in self.inside]


def strip_docstrings(tree: ast.Module) -> ast.Module:
    """Remove the docstrings of modules and functions, a fifth of the byte code; asserts stay, unlike with `-OO`.

    Those of classes stay too: `dataclasses` makes one up where there is none, and for that imports `inspect` and works
    out the signature, for each class, at every start.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            # Not by `pass` where anything follows: `from __future__ import ...` must stay the first statement.
            node.body[:1] = [] if len(node.body) > 1 else [ast.copy_location(ast.Pass(), node.body[0])]
    return tree


def compile_module(module: Module, prefix: str) -> bytes:
    """Give the `.pyc` of a module: the same bytes for the same source, wherever it was."""
    source = module.path.read_bytes()
    shown = f"{prefix}/{module.target.with_suffix('.py')}"
    code = compile(strip_docstrings(ast.parse(source)), shown, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def build(request: Request) -> Report:
    """Do what a request asks for."""
    finder = Finder([Path(directory) for directory in request["search"]], frozenset(request["exclude"]))
    own = [name for pattern in request["own"] for name in finder.expand(pattern)]
    closure = Closure(finder, frozenset(own))
    closure.add([*own, *(name for pattern in request["include"] for name in finder.expand(pattern))])
    for module in closure.written:
        target = Path(request["destination"], module.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if module.is_source:
            target.write_bytes(compile_module(module, request["prefix"]))
        else:
            shutil.copyfile(module.path, target)
    return Report(
        python=".".join(map(str, sys.version_info[:3])),
        modules=[module.name for module in closure.written],
        inside=sorted(closure.inside),
        unresolved={name: sorted(importers) for name, importers in sorted(closure.unresolved.items())},
    )


if __name__ == "__main__":
    json.dump(build(json.load(sys.stdin)), sys.stdout)
