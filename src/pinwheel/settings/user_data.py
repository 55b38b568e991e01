# SPDX-License-Identifier: Apache-2.0 OR MIT
"""User data (TOML) to settings, with every mistake reported at once and none of them stopping the node.

Validity is per key. A key that is unknown is ignored. A key with a bad value takes its default; a bad item makes the
whole list bad, an entry of a table with free keys (`kernel.sysctl`) stands for itself, and `docker.remote` is taken or
dropped as a whole. A document that is not TOML at all leaves every default in place.
"""

import re
import tomllib
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pinwheel.settings.model import Namespace, Setting, children
from pinwheel.settings.positions import NestingError, Positions, line_of, positions
from pinwheel.settings.problem import Problem, path_text, quoted
from pinwheel.settings.tree import Settings

MAX_USER_DATA = 256 * 1024
"""Bytes of user data, unpacked. EC2 allows 16 KiB; certificates and container configuration are far below this too."""

MAX_PROBLEMS = 50
"""How many problems are listed: a console is no place for more."""

Root = TypeVar("Root", bound=Namespace)
Location = tuple[str | int, ...]

_TABLES = frozenset({"dict_type", "model_type", "model_attributes_type"})
_EXPECTED = {
    "string_type": "a text",
    "list_type": "a list",
    "bool_type": "true or false",
    "int_type": "a whole number",
}


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
    settings, more = _validated(model, data.get("settings", {}), found)
    return settings, _limited([*problems, *more])


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


def _validated(model: type[Root], data: Any, found: Positions) -> tuple[Root, list[Problem]]:  # noqa: ANN401
    """Validate, drop what is bad, and validate again until the rest is good: dropping one key may make another bad."""
    if not isinstance(data, dict):
        line = line_of(found, ["settings"])
        return model(), [Problem("bad-value", "settings", line, "must be a table", "all settings have their defaults")]
    problems: list[Problem] = []
    while True:
        try:
            return model.model_validate(data, by_alias=True, by_name=False), problems
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                problems.append(_problem(model, detail, found))
                _drop(data, _what_falls(model, detail))


def _what_falls(model: type[Namespace], detail: ErrorDetails) -> Location:
    """Give the path of the key that a bad value takes with it (see the module's text)."""
    location = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return location
    entry = _declared(model, location)[-1]
    if entry.has_free_keys and len(location) > len(entry.path):
        return location[: len(entry.path) + 1]
    return entry.path


def _declared(model: type[Namespace], location: Location) -> list[Setting]:
    """Give the declarations along a path, down to a setting that is good or bad as a whole."""
    along: list[Setting] = []
    here: type[Namespace] | None = model
    for part in location:
        entry = children(here, along[-1].path if along else ()).get(str(part)) if here else None
        if entry is None:
            break
        along.append(entry)
        here = None if entry.note("whole") else entry.nested
    return along


def _drop(data: Any, path: Location) -> None:  # noqa: ANN401
    for part in path[:-1]:
        if not isinstance(data, dict | list) or (isinstance(data, dict) and part not in data):
            return  # it fell with a table around it
        data = data[part]  # type: ignore[index]  # pydantic gives an index for a list and a key for a table
    if isinstance(data, dict):
        data.pop(path[-1], None)


def _problem(model: type[Namespace], detail: ErrorDetails, found: Positions) -> Problem:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    path: Location = ("settings", *location)
    line = line_of(found, path)
    if detail["type"] == "extra_forbidden":
        return Problem("unknown-key", path_text(path), line, "unknown key", _suggestion(model, location))
    if detail["type"] == "missing":
        path, message = path[:-1], f"{quoted(str(location[-1]))} is missing"
    else:
        message = _message(detail, secret=_is_secret(model, location))
    return Problem("bad-value", path_text(path), line, message, _fallback(_declared(model, location)[-1], path))


def _is_secret(model: type[Namespace], location: Location) -> bool:
    here: type[Namespace] | None = model
    secret = False
    for part in location:
        entry = children(here).get(str(part)) if here else None
        secret = secret or (entry is not None and entry.secret)
        here = entry.nested if entry else None
    return secret


def _message(detail: ErrorDetails, *, secret: bool) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    value = "" if secret else _shown(detail["input"])
    if kind in _TABLES:  # without the value: a table may be one that holds secrets
        return "must be a table"
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}" + (f", not {value}" if value else "")
    if kind == "literal_error":
        return f"{value} is not one of {str(context['expected']).replace(' or ', ', ').replace(chr(39), '')}"
    if kind == "value_error":
        return str(context["error"]) + (f": {value}" if value and isinstance(detail["input"], str | int) else "")
    return detail["msg"][:1].lower() + detail["msg"][1:] + (f": {value}" if value else "")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return str(value) if not isinstance(value, int) or abs(value) < 10**20 else "a huge number"


def _fallback(entry: Setting, path: Location) -> str:
    """Say what the node does without the value."""
    default = entry.field.default
    if entry.note("fallback"):
        return str(entry.note("fallback"))
    if entry.nested:
        return "its settings have their defaults"
    if isinstance(default, str | int):
        return f"using the default {default if not isinstance(default, str) or ' ' not in default else quoted(default)}"
    return "it is ignored" if len(path) == len(entry.path) + 1 else f"all of {entry.path[-1]} is ignored"


def _suggestion(model: type[Namespace], location: Location) -> str:
    """Name the known key that is most like an unknown one."""
    import difflib  # costs start time, and most user data is right

    along = _declared_tables(model, location[:-1])
    near = difflib.get_close_matches(str(location[-1])[:80], list(children(along)), n=1) if along else []
    if near:
        return f"it is ignored; did you mean {near[0]}?"
    elsewhere = [path_text(["settings", *e.path]) for e in _all(model) if e.path[-1] == location[-1]]
    return f"it is ignored; did you mean {elsewhere[0]}?" if elsewhere else "it is ignored"


def _declared_tables(model: type[Namespace], location: Location) -> type[Namespace] | None:
    here: type[Namespace] | None = model
    for part in location:
        entry = children(here).get(str(part)) if here else None
        here = entry.nested if entry else None
    return here


def _all(model: type[Namespace], prefix: tuple[str, ...] = ()) -> list[Setting]:
    entries = list(children(model, prefix).values())
    return entries + [below for entry in entries if entry.nested for below in _all(entry.nested, entry.path)]


def _limited(problems: list[Problem]) -> list[Problem]:
    ordered = sorted(problems, key=lambda problem: problem.line)
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    rest = len(ordered) - MAX_PROBLEMS
    return [*ordered[:MAX_PROBLEMS], Problem("more-problems", "", 0, f"and {rest} more problems", "")]
