# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a finished root may not hold, checked before it is sealed and again whenever an image is inspected.

A pure function over the files of the image: `check_entries`. The build fails with each file that breaks a rule.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pinwheel.errors import CheckFailed
from pinwheel.image.entries import FileEntry, Tree, scan
from pinwheel.image.forbidden import RULES_BY_MARKER, rule_for_library, rule_for_name

RULES = (
    "shell",
    "interpreter",
    "package-manager",
    "compiler",
    "ssh-server",
    "setuid",
    "setgid",
    "capability",
    "world-writable",
    "device-node",
    "special-file",
    "dead-script",
    "python-source",
)
"""Every rule's name; each has its count in a report, nought included."""

_PROGRAM_DIRECTORY = re.compile(r"(.*/)?(s?bin|libexec|games)/[^/]+")
_SEARCH_PATH = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")


@dataclass(frozen=True)
class Allowed:
    """The few exceptions from the rules that an image declares. Paths are relative to the root."""

    capabilities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Path -> the file capabilities that it may have."""
    embeds_python: frozenset[str] = frozenset({"usr/lib/pinwheel/launch"})
    """Programs that may link libpython: the launcher, which runs nothing but the image's own entry points."""
    dangling: tuple[str, ...] = ("/run/*", "/var/*", "/proc/*", "/sys/*", "/dev/*")
    """Patterns of symbolic links' absolute targets that exist on the running node only: not counted as dangling."""


@dataclass(frozen=True)
class Violation:
    """One file that breaks one rule."""

    rule: str
    path: str
    detail: str

    def __str__(self) -> str:
        return f"/{self.path}: {self.detail} ({self.rule})"


@dataclass(frozen=True)
class RuleReport:
    """What the check found: violations sorted by rule and path, counts of every rule and of the files in all."""

    violations: tuple[Violation, ...]
    counts: dict[str, int]
    """Rule -> violations; besides `dangling-symlink`, and what there is: `files`, `programs`, `capabilities`."""
    dangling: tuple[str, ...]
    """Symbolic links that lead nowhere on any node; reported, not forbidden."""

    def raise_if_broken(self) -> None:
        """Raise `CheckFailed`, naming every file, when a rule is broken."""
        if self.violations:
            lines = "\n".join(f"  {violation}" for violation in self.violations)
            raise CheckFailed(
                f"the image holds what it may not hold:\n{lines}",
                "take these files out of the variant's declaration, or the package that brings them",
            )


def check_rules(root: Path, allowed: Allowed | None = None) -> RuleReport:
    """Check a directory tree: the pruned root before it is sealed."""
    return check_entries(scan(root), allowed)


def check_entries(entries: Iterable[FileEntry], allowed: Allowed | None = None) -> RuleReport:
    """Check the files of an image, wherever they were read from."""
    exceptions = allowed or Allowed()
    tree = Tree(sorted(entries, key=lambda entry: entry.path))
    found = (found for entry in tree.entries for check in _CHECKS for found in check(entry, tree, exceptions))
    violations = tuple(sorted(found, key=lambda one: (RULES.index(one.rule), one.path, one.detail)))
    dangling = tuple(entry.path for entry in tree.entries if _dangles(entry, tree, exceptions))
    return RuleReport(violations, _count(tree.entries, violations, dangling), dangling)


def _count(entries: list[FileEntry], violations: Iterable[Violation], dangling: tuple[str, ...]) -> dict[str, int]:
    files_of_rule = Counter(rule for rule, _ in {(one.rule, one.path) for one in violations})
    return {
        **{rule: files_of_rule[rule] for rule in RULES},
        "dangling-symlink": len(dangling),
        "capabilities": sum(bool(entry.capabilities) for entry in entries),
        "programs": sum(entry.is_program for entry in entries),
        "files": sum(entry.type == "file" for entry in entries),
    }


def _check_name(entry: FileEntry, tree: Tree, allowed: Allowed) -> Iterable[Violation]:  # noqa: ARG001
    """A forbidden name counts where it can be called: on a program, or anywhere programs are looked for."""
    if entry.type not in {"file", "symlink"}:
        return
    callable_here = entry.is_program or _PROGRAM_DIRECTORY.fullmatch(entry.path)
    if callable_here and (rule := rule_for_name(entry.name)):
        yield Violation(rule, entry.path, "forbidden by its name")


def _check_content(entry: FileEntry, tree: Tree, allowed: Allowed) -> Iterable[Violation]:  # noqa: ARG001
    if not entry.content.is_elf_program:
        return
    for marker in sorted(entry.content.markers):
        yield Violation(RULES_BY_MARKER[marker], entry.path, f"is {marker} by its content")
    for library in entry.content.needed:
        rule = rule_for_library(library)
        if rule and not (library.startswith("libpython") and entry.path in allowed.embeds_python):
            yield Violation(rule, entry.path, f"links {library}")


def _check_mode(entry: FileEntry, tree: Tree, allowed: Allowed) -> Iterable[Violation]:  # noqa: ARG001
    if entry.type == "file" and entry.mode & 0o4000:
        yield Violation("setuid", entry.path, f"mode {entry.mode:04o}")
    if entry.type == "file" and entry.mode & 0o2000:
        yield Violation("setgid", entry.path, f"mode {entry.mode:04o}")
    # A sticky bit is no excuse: /tmp and its like are mounts on the node, and what lies below a mount needs no writers.
    if entry.type != "symlink" and entry.mode & 0o002:
        yield Violation("world-writable", entry.path, f"{entry.type} of mode {entry.mode:04o}")


def _check_capabilities(entry: FileEntry, tree: Tree, allowed: Allowed) -> Iterable[Violation]:  # noqa: ARG001
    excess = sorted(set(entry.capabilities) - allowed.capabilities.get(entry.path, frozenset()))
    if excess:
        yield Violation("capability", entry.path, f"has {', '.join(excess)}")


def _check_type(entry: FileEntry, tree: Tree, allowed: Allowed) -> Iterable[Violation]:  # noqa: ARG001
    if entry.type in {"character", "block"}:
        numbers = ":".join(str(number) for number in entry.rdev or ())
        yield Violation("device-node", entry.path, f"{entry.type} device {numbers}")
    if entry.type in {"fifo", "socket"}:
        yield Violation("special-file", entry.path, f"is a {entry.type}")


def _check_script(entry: FileEntry, tree: Tree, allowed: Allowed) -> Iterable[Violation]:  # noqa: ARG001
    if entry.content.interpreter and not _interpreter_exists(entry.content.interpreter, tree):
        yield Violation(
            "dead-script", entry.path, f"its interpreter is not in the image: {' '.join(entry.content.interpreter)}"
        )
    if entry.type == "file" and PurePosixPath(entry.path).suffix in {".py", ".pyw"}:
        yield Violation("python-source", entry.path, "Python belongs into the image compiled")


def _interpreter_exists(words: tuple[str, ...], tree: Tree) -> bool:
    program = tree.resolve(words[0])
    if program is None or not program.is_program:
        return False
    if program.name != "env":
        return True
    wanted = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
    candidates = (tree.resolve(f"{directory}/{wanted}") for directory in _SEARCH_PATH)
    return any(candidate is not None and candidate.is_program for candidate in candidates)


def _dangles(entry: FileEntry, tree: Tree, allowed: Allowed) -> bool:
    if entry.type != "symlink" or tree.resolve(entry.path) is not None:
        return False
    target = entry.target if entry.target.startswith("/") else _absolute(entry)
    return not any(fnmatchcase(target, pattern) for pattern in allowed.dangling)


def _absolute(entry: FileEntry) -> str:
    place: list[str] = []
    for part in (*PurePosixPath(entry.path).parts[:-1], *PurePosixPath(entry.target).parts):
        place = place[:-1] if part == ".." else [*place, part]
    return "/" + "/".join(place)


_CHECKS: tuple[Callable[[FileEntry, Tree, Allowed], Iterable[Violation]], ...] = (
    _check_name,
    _check_content,
    _check_mode,
    _check_capabilities,
    _check_type,
    _check_script,
)
