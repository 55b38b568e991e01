# SPDX-License-Identifier: Apache-2.0 OR MIT
"""User data (TOML) to settings, with every mistake reported at once and none of them stopping the node.

Validity is per key. A key that is unknown is ignored. A key with a bad value takes its default; a bad item makes the
whole list bad, an entry of a table with free keys (`kernel.sysctl`) stands for itself, and tables declared so
(`docker.remote`) are taken or dropped as a whole. A document that is not TOML at all leaves every default in place.
"""

import re
import tomllib
from collections.abc import Sequence
from typing import Any, TypeVar

from pinwheel.settings.model import Namespace, Setting
from pinwheel.settings.positions import NestingError, Positions, line_of, positions
from pinwheel.settings.problem import Problem, path_text, quoted
from pinwheel.settings.reading import Mistake, Path, read
from pinwheel.settings.suggestion import suggestion
from pinwheel.settings.tree import Settings

MAX_USER_DATA = 256 * 1024
"""Bytes of user data, unpacked. EC2 allows 16 KiB; certificates and container configuration are far below this too."""

MAX_PROBLEMS = 50
"""How many problems are listed: a console is no place for more."""

Root = TypeVar("Root", bound=Namespace)


def parse_user_data(text: bytes | str) -> tuple[Settings, list[Problem]]:
    """Read user data.

    Args:
        text: the TOML document; bytes must be UTF-8.

    Returns:
        The settings, with defaults for what was not given or was bad, and the problems in the order of their lines.
        Never raises for any content.
    """
    return parse_user_data_as(Settings, text)


def parse_user_data_as(model: type[Root], text: bytes | str) -> tuple[Root, list[Problem]]:
    """Read user data into another root, such as one that `pinwheel.settings.model.extended` made."""
    try:
        source = _decoded(text)
        found = positions(source)
        data = tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        return model(), [_unreadable(error, text)]
    problems = _unknown_top_level(data, found)
    settings, more = _read(model, data.get("settings", {}), found)
    return settings, _limited([*problems, *more])


def document_of(text: bytes | str) -> dict[str, Any]:
    """Give the settings that user data has, as plain values, good or bad; nothing when it cannot be read at all."""
    try:
        data = tomllib.loads(_decoded(text)).get("settings", {})
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def find_line(text: bytes | str, path: Sequence[str | int]) -> int:
    """Give the line of a key in user data that was read before, or of the nearest table around it; 0 without one."""
    try:
        return line_of(positions(_decoded(text)), path)
    except ValueError:
        return 0


class _SizeError(ValueError):
    pass


def _decoded(text: bytes | str) -> str:
    if len(text) > MAX_USER_DATA:
        raise _SizeError
    source = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    return source.replace("\r\n", "\n")


def _unreadable(error: Exception, text: bytes | str) -> Problem:
    """Say why a document cannot be read at all."""
    line = 0
    if isinstance(error, _SizeError):
        code, message = "too-large", f"larger than {MAX_USER_DATA // 1024} KiB"
    elif isinstance(error, UnicodeDecodeError):
        code, message = "not-utf-8", "not UTF-8 text"
        line = error.object.count(b"\n", 0, error.start) + 1
    elif isinstance(error, NestingError | RecursionError):
        code, message = "too-deep", "keys, lists or tables are nested too deeply"
    else:  # TOMLDecodeError, and numbers with thousands of digits
        line, words = _syntax_error(str(error), text if isinstance(text, str) else text.decode())
        code, message = "not-toml", f"not TOML: {words}"
    return Problem(code, "", line, message, "all settings have their defaults")


def _syntax_error(message: str, source: str) -> tuple[int, str]:
    """Take tomllib's place out of its message; line 0 when it names none."""
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if match is None:
        return 0, quoted(message, 200).strip('"')
    line = int(match[1]) if match[1] else source.rstrip("\n").count("\n") + 1
    return line, quoted(message[: match.start()], 200)[1:-1].replace('\\"', '"')


def _unknown_top_level(data: dict[str, Any], found: Positions) -> list[Problem]:
    hint = "it is ignored; settings are written below [settings]"
    return [
        Problem("unknown-key", path_text([key]), line_of(found, [key]), "unknown key", hint)
        for key in data
        if key != "settings"
    ]


def _read(model: type[Root], data: Any, found: Positions) -> tuple[Root, list[Problem]]:  # noqa: ANN401
    if not isinstance(data, dict):
        line = line_of(found, ["settings"])
        return model(), [Problem("bad-value", "settings", line, "must be a table", "all settings have their defaults")]
    settings, mistakes = read(model, data)
    return settings, [_problem(model, mistake, found) for mistake in mistakes]


def _problem(model: type[Namespace], mistake: Mistake, found: Positions) -> Problem:
    path: Path = ("settings", *mistake.path)
    line = line_of(found, path)
    if mistake.entry is None:
        return Problem("unknown-key", path_text(path), line, "unknown key", _suggestion(model, mistake))
    return Problem("bad-value", path_text(path), line, mistake.message, _fallback(mistake.entry, mistake.path))


def _fallback(entry: Setting, path: Path) -> str:
    """Say what the node does without the value."""
    default = entry.field.default
    if entry.note("fallback"):
        return str(entry.note("fallback"))
    if entry.nested:
        return "its settings have their defaults"
    if isinstance(default, str | int):
        return f"using the default {default if not isinstance(default, str) or ' ' not in default else quoted(default)}"
    whole = path[: len(entry.path) + entry.has_free_keys]
    return "it is ignored" if path == whole else f"all of {path_text(whole[-1:])} is ignored"


def _suggestion(model: type[Namespace], mistake: Mistake) -> str:
    meant = suggestion(model, mistake)
    return f"it is ignored; did you mean {meant}?" if meant else "it is ignored"


def _limited(problems: list[Problem]) -> list[Problem]:
    ordered = sorted(problems, key=lambda problem: problem.line)
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    rest = len(ordered) - MAX_PROBLEMS
    return [*ordered[:MAX_PROBLEMS], Problem("more-problems", "", 0, f"and {rest} more problems", "")]
