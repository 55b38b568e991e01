# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a file is by its content, whatever it is called: a renamed shell stays a shell.

Only what the image's rules ask is looked for: the interpreter a script names, what an ELF program links, and strings
that belong to one well-known program alone.
"""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection, DynamicSegment
from elftools.elf.elffile import ELFFile

MARKERS: Mapping[str, tuple[bytes, ...]] = {
    "bash": (b"GNU bash, version", b"no job control in this shell"),
    "busybox": (b"BusyBox is copyrighted", b"BusyBox v1."),
    "toybox": (b"toybox --long", b"See http://landley.net/toybox"),
    "ash": (b"job control turned off", b": bad variable name", b"bad trap"),
    "mksh": (b"won't have full job control",),
    "zsh": (b"ZSH_EVAL_CONTEXT",),
    "fish": (b"fish_user_paths",),
    "python": (b"Py_BytesMain",),
    "perl": (b"perl5db.pl",),
    "awk": (b"WHINY_USERS", b"AWKPATH"),
    "lua": (b"LUA_INIT",),
    "ruby": (b"RUBYOPT",),
    "node": (b"NODE_OPTIONS",),
    "tcl": (b"tcl_interactive",),
    "php": (b"PHP_INI_SCAN_DIR",),
    "guile": (b"GUILE_AUTO_COMPILE",),
    "gdb": (b"GDBHISTFILE",),
    "gcc": (b"COLLECT_GCC",),
    "clang": (b"CLANG_CONFIG_FILE",),
    "as": (b"GNU assembler version",),
    "ld": (b"GNU ld version", b"COLLECT_NO_DEMANGLE"),
    "make": (b"MAKE_TERMOUT",),
    "dropbear": (b"Dropbear server",),
    "sshd": (b"Missing privilege separation directory",),
}
"""Strings that a program carries in its binary however it is named. Found by looking at Debian 13's builds; each is a
message or a variable of that program alone. Searched in ELF programs only, not in libraries."""

_HEADER_BYTES = 256
"""As much of a script's first line as the kernel reads (BINPRM_BUF_SIZE)."""


@dataclass(frozen=True)
class Content:
    """What a regular file's content says about it."""

    interpreter: tuple[str, ...] = ()
    """The words after `#!` of a script."""
    needed: tuple[str, ...] = ()
    """The libraries an ELF file links (DT_NEEDED)."""
    is_elf_program: bool = False
    """Whether the kernel can start it: ET_EXEC, or ET_DYN with a program interpreter or marked PIE, and no SONAME."""
    markers: frozenset[str] = frozenset()
    """The keys of `MARKERS` that an ELF program matches."""


NO_CONTENT = Content()


def read_content(file: Path) -> Content:
    """Read what `file` (a regular file) is. A broken ELF file counts as data: the kernel would not run it either."""
    with file.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
        if head.startswith(b"#!"):
            return Content(interpreter=_interpreter(head))
        if head.startswith(b"\x7fELF"):
            return _read_elf(stream)
    return NO_CONTENT


def _interpreter(head: bytes) -> tuple[str, ...]:
    line = head[2:].partition(b"\n")[0].decode("utf-8", "surrogateescape")
    words = tuple(line.split())
    # `#![allow(...)]` opens a Rust source: the kernel looks for a path.
    return words if words and words[0].startswith("/") else ()


def _read_elf(stream: BinaryIO) -> Content:
    try:
        elf = ELFFile(stream)
        needed, is_library = _dynamic(elf)
        is_program = not is_library and _can_start(elf)
    except (ELFError, ValueError, OverflowError):
        return NO_CONTENT
    return Content(needed=needed, is_elf_program=is_program, markers=_markers(stream) if is_program else frozenset())


def _dynamic(elf: ELFFile) -> tuple[tuple[str, ...], bool]:
    segment = next((part for part in elf.iter_segments("PT_DYNAMIC")), None)
    if not isinstance(segment, DynamicSegment | DynamicSection):
        return (), False
    tags = list(segment.iter_tags())
    needed = tuple(str(vars(tag)["needed"]) for tag in tags if tag.entry.d_tag == "DT_NEEDED")
    return needed, any(tag.entry.d_tag == "DT_SONAME" for tag in tags)


def _can_start(elf: ELFFile) -> bool:
    if elf.header.e_type != "ET_DYN":
        return bool(elf.header.e_type == "ET_EXEC")
    return any(part.header.p_type == "PT_INTERP" for part in elf.iter_segments()) or _is_static_pie(elf)


def _is_static_pie(elf: ELFFile) -> bool:
    df_1_pie = 0x08000000
    segments = (part for part in elf.iter_segments("PT_DYNAMIC") if isinstance(part, DynamicSegment))
    tags = (tag for part in segments for tag in part.iter_tags("DT_FLAGS_1"))
    return any(tag.entry.d_val & df_1_pie for tag in tags)


def _markers(stream: BinaryIO) -> frozenset[str]:
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return frozenset(name for name, strings in MARKERS.items() if any(view.find(string) >= 0 for string in strings))
