# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the client shows to people: tables, changes, problems. Pure.

Texts come from the node, and from what runs on it: no control character of theirs reaches a terminal.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.problem import Problem

_GAP = "  "
_LONGEST_VALUE = 200
"""Characters of one value in a list of changes."""


def clean(text: str) -> str:
    """Give a text that does to a terminal what a line of text does, and nothing else."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if unicodedata.category(one) not in _NOT_SHOWN else _escaped(one) for one in text)


_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, and what changes the direction of text: Unicode's general categories."""


def _escaped(character: str) -> str:
    return "    " if character == "\t" else character.encode("unicode_escape", "surrogatepass").decode()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Give the lines of a table, as wide as what is in it; the last column is not padded."""
    lines = [list(columns), *([clean(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [_GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def pairs(values: Iterable[tuple[str, object]]) -> list[str]:
    """Give lines of names and values, the values below each other; those without a value are left out."""
    shown = [(name, clean(str(value))) for name, value in values if value not in ("", None, [])]
    width = max((len(name) for name, _ in shown), default=0)
    return [f"{name:{width}}{_GAP}{value}".rstrip() for name, value in shown]


def pretty(value: object) -> str:
    """Give JSON for people and programs."""
    return json.dumps(value, indent=2, ensure_ascii=False).translate(_CONTROLS)


_CONTROLS = {code: f"\\u{code:04x}" for code in (0x7F, *range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F))}
"""What JSON lets stand in a text, and a terminal may take for a command."""


def change_lines(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give a line for each change: `+` for what is set now, `-` for what no longer is, `~` for another value."""
    return [_change_line(change) for change in changes]


def _change_line(change: Mapping[str, Any]) -> str:
    path, old, new = clean(str(change["path"])), change.get("old"), change.get("new")
    if old is None:
        return f"+ {path} = {_value(new)}"
    if new is None:
        return f"- {path} = {_value(old)}"
    return f"~ {path} = {_value(old)} -> {_value(new)}"


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False).translate(_CONTROLS)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def commit_lines(commit: Mapping[str, Any], *, dry_run: bool = False, try_seconds: int | None = None) -> list[str]:
    """Say what a commit did, or in a dry run would do."""
    changes = commit.get("changes")
    if changes == []:
        return [f"Nothing to change: generation {commit['generation']} has it all."]
    lines = [*change_lines(changes or ()), *_effects(commit, would=dry_run)]
    if dry_run:
        return [*lines, "Checked only: nothing has been changed."]
    lines.append(f"Generation {commit['generation']} is in effect.")
    if try_seconds:
        lines.append(f"It is on trial for {human_duration(try_seconds)}: keep it with `try confirm`.")
    return lines


def _effects(commit: Mapping[str, Any], *, would: bool) -> list[str]:
    units, reboot = (commit.get(name) or [] for name in ("units", "reboot"))
    return [
        *([f"{'Would restart' if would else 'Restarted'}: {_listed(units)}"] if units else []),
        *([f"After the next boot: {_listed(reboot)}"] if reboot else []),
    ]


def _listed(names: Iterable[object]) -> str:
    return ", ".join(clean(str(name)) for name in names)


def failure_lines(failure: ApiFailed) -> list[str]:
    """Say what went wrong, all of it, each with its place and what to do."""
    messages = {str(problem.get("message")) for problem in failure.problems}
    alone = len(failure.problems) == 1 and not _place(failure.problems[0]) and failure.message in messages
    lines = [f"error: {clean(failure.message)}"]
    for problem in failure.problems:
        if not alone:
            lines.append(f"  {_problem_line(problem)}")
        if problem.get("hint"):
            lines.append(f"    hint: {clean(str(problem['hint']))}")
    return [*lines, *([f" hint: {clean(failure.hint)}"] if failure.hint else [])]


def _problem_line(problem: Problem) -> str:
    place = _place(problem)
    return f"{place}: {clean(str(problem.get('message')))}" if place else clean(str(problem.get("message")))


def _place(problem: Problem) -> str:
    path, line = clean(str(problem.get("path") or "")), problem.get("line")
    if not line:
        return path
    return f"{path} (line {line})" if path else f"line {line}"


def human_duration(seconds: float) -> str:
    """Say a time in its two largest units: 3 h 5 min."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((index for index, (value, _) in enumerate(parts) if value), len(parts) - 1)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2] if value) or "0 s"
