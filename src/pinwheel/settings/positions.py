# SPDX-License-Identifier: Apache-2.0 OR MIT
"""On which line of a TOML document each key is: `tomllib` gives values without places, and no parser that gives places
is small enough for the node.

The scanner reads the structure only (TOML 1.0.0, toml.io/en/v1.0.0): keys, brackets and where strings end. It is meant
for text that `tomllib` takes; on any other text it stops early or is wrong, and never hangs. It runs before `tomllib`,
whose time grows with the square of a dotted key's length (32,000 parts: 17 s), and refuses what is absurdly deep.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable

Path = tuple[str | int, ...]
Positions = dict[Path, int]

MAX_DEPTH = 64
"""How many keys and list items may lead to a value; real settings need fewer than ten."""


class NestingError(ValueError):
    """A key, table or list goes deeper than `MAX_DEPTH`."""


_BASIC, _LITERAL = r'"(?:[^"\\\n]|\\.)*+"', r"'[^'\n]*+'"
_PART = rf"(?:[A-Za-z0-9_-]+|{_BASIC}|{_LITERAL})"
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*+")
_KEY_PART = re.compile(_PART)
_TRIVIA = re.compile(r"(?:[ \t\r\n]|#[^\n]*+)*+")
_BLANKS = re.compile(r"[ \t]*+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}' + r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}" + rf"|{_BASIC}|{_LITERAL}", re.DOTALL
)
_SCALAR = re.compile(r"[^\s,\[\]{}#\"'=][^,\[\]{}#\"'=\n]*+")
_TO_END_OF_LINE = re.compile(r"[^\n]*+\n?")


def positions(text: str) -> Positions:
    """Give the line, from 1, of every key, table and item of a list in a TOML document.

    A path is made of keys and, for items of lists and of arrays of tables, their index from 0. A table that several
    headers or dotted keys name has the line of the first. Keys of an inline table have the line they are on.

    Raises:
        NestingError: the document is not worth parsing.
    """
    return _Scanner(text).scan()


def line_of(found: Positions, path: Iterable[str | int]) -> int:
    """Give the line of a path, or of the nearest table or list around it that has one; 0 when nothing does."""
    rest = tuple(path)
    while rest and rest not in found:
        rest = rest[:-1]
    return found.get(rest, 0)


def _parts(key: str) -> tuple[str, ...]:
    return tuple(_unquoted(part) for part in _KEY_PART.findall(key))


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] != '"' or "\\" not in part:
        return part.strip('"')
    try:
        return next(iter(tomllib.loads(f"{part}=0")))
    except tomllib.TOMLDecodeError:
        return part[1:-1]


class _Scanner:
    """One pass over a document. `_at` is the offset of the next character to look at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._found: Positions = {}
        self._tables: dict[Path, int] = {}  # arrays of tables: the index of the last one
        self._table: Path = ()

    def scan(self) -> Positions:
        while self._skip(_TRIVIA) < len(self._text):
            start = self._at
            if not (self._header() if self._text[start] == "[" else self._pair()):
                break
            self._skip(_TO_END_OF_LINE)
            if self._at == start:
                break
        return self._found

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        start = self._at
        return self._text[start : self._skip(pattern)]

    def _record(self, base: Path, parts: tuple[str, ...], line: int) -> Path:
        """Note the line of each part of a key, going into the last table of an array of tables."""
        if len(base) + len(parts) > MAX_DEPTH:
            raise NestingError
        path = base
        for left, part in enumerate(parts, 1 - len(parts)):
            path = (*path, part)
            self._found.setdefault(path, line)
            if left and path in self._tables:
                path = (*path, self._tables[path])
        return path

    def _line(self) -> int:
        return bisect_right(self._newlines, self._at - 1) + 1

    def _header(self) -> bool:
        """Read `[a.b]` or `[[a.b]]`."""
        line, is_array = self._line(), self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        self._skip(_BLANKS)
        parts = _parts(self._take(_KEY))
        path = self._record((), parts, line)
        if is_array:
            self._tables[path] = self._tables.get(path, -1) + 1
            path = (*path, self._tables[path])
            self._found[path] = line
        self._table = path
        return bool(parts)

    def _pair(self) -> bool:
        """Read `key = value` of the current table."""
        path = self._key(self._table)
        return path is not None and self._value(path)

    def _key(self, base: Path) -> Path | None:
        line = self._line()
        parts = _parts(self._take(_KEY))
        self._skip(_BLANKS)
        if not parts or not self._text.startswith("=", self._at):
            return None
        self._at += 1
        return self._record(base, parts, line)

    def _value(self, path: Path) -> bool:
        """Skip a value, noting what is in its lists and inline tables."""
        open_ones: list[tuple[Path, int]] = []  # the path of each open list or table, and the index in a list or -1
        here: Path | None = path
        while here is not None:
            self._skip(_TRIVIA if open_ones else _BLANKS)
            self._found.setdefault(here, self._line())
            opener = self._text[self._at : self._at + 1]
            if opener in ("[", "{") and opener:
                if len(open_ones) >= MAX_DEPTH:
                    raise NestingError
                self._at += 1
                open_ones.append((here, 0 if opener == "[" else -1))
                here = self._first(open_ones)
            else:
                self._skip(_STRING if opener in ('"', "'") else _SCALAR)
                here = self._next(open_ones)
        return not open_ones

    def _first(self, open_ones: list[tuple[Path, int]]) -> Path | None:
        """Give the path of the value that comes first in the list or table just opened; that of the next when empty."""
        path, index = open_ones[-1]
        self._skip(_TRIVIA)
        if self._text.startswith("]" if index >= 0 else "}", self._at):
            return self._next(open_ones)
        return (*path, 0) if index >= 0 else self._key(path)

    def _next(self, open_ones: list[tuple[Path, int]]) -> Path | None:
        """Close what ends here, and give the path of the value after the comma; None when there is none."""
        while open_ones:
            path, index = open_ones[-1]
            self._skip(_TRIVIA)
            mark = self._text[self._at : self._at + 1]
            self._at += 1
            if mark == "," and index >= 0:
                self._skip(_TRIVIA)
                if not self._text.startswith("]", self._at):
                    open_ones[-1] = (path, index + 1)
                    return (*path, index + 1)
            elif mark == ",":
                self._skip(_TRIVIA)
                return self._key(path)
            elif mark == ("]" if index >= 0 else "}"):
                open_ones.pop()
            else:
                return None
        return None
