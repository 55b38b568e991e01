# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Plain values (of TOML or JSON) to settings, with every mistake named.

msgspec looks at one value at a time, by the type that its declaration gives; going into tables and lists is done here,
because msgspec stops at the first mistake, and a node goes on without the bad key (`pinwheel.settings.user_data` says
what falls with what).
"""

from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from pinwheel.settings.model import Check, Kind, Namespace, Setting, children, is_namespace, kind_of
from pinwheel.settings.problem import quoted
from pinwheel.settings.secret import HIDDEN, Secret, secret_from_text

Root = TypeVar("Root", bound=Namespace)
Path = tuple[str | int, ...]

_BAD: Any = object()
_WORDS: dict[Any, str] = {str: "a text", Secret: "a text", int: "a whole number", bool: "true or false", list: "a list"}


class Mistake(NamedTuple):
    """One mistake and what it costs."""

    path: Path
    """Below `settings`."""
    message: str
    """Without any secret. Empty for a key that is unknown."""
    entry: Setting | None
    """The setting that falls; None for a key that is unknown."""
    table: type[Namespace] | None = None
    """The table in which a key is unknown."""


def read(model: type[Root], data: dict[str, Any]) -> tuple[Root, list[Mistake]]:
    """Read a table of settings: a key that is unknown or has a bad value costs itself alone."""
    reader = _Reader()
    return reader.table(model, data, ()), reader.mistakes


class _Reader:
    """Collects the mistakes of one reading."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def table(self, model: type[Root], data: dict[str, Any], path: tuple[str, ...]) -> Root:
        """Read a table whose keys stand each for themselves."""
        known = children(model, path)
        self._unknown(model, known, data, path)
        given = {key: self._setting(entry, data[key]) for key, entry in known.items() if key in data}
        values = {known[key].field.name: value for key, value in given.items() if value is not _BAD}
        return self._agreed(model, known, values)

    def _agreed(self, model: type[Root], known: dict[str, Setting], values: dict[str, Any]) -> Root:
        """Drop values that conflict until none do: a default in a value's place may conflict in its turn."""
        table = model(**values)
        fallen = {name: words for what, words in table.conflicts() for name in _given(what, values)}
        if not fallen:
            return table
        by_name = {entry.field.name: entry for entry in known.values()}
        for (name, *keys), words in fallen.items():
            self.mistakes.append(Mistake((*by_name[name].path, *keys), words, by_name[name]))
            if keys:
                values[name] = {key: value for key, value in values[name].items() if key not in keys}
        left = {name: value for name, value in values.items() if (name,) not in fallen}
        return self._agreed(model, known, left)

    def _unknown(self, model: type[Namespace], known: dict[str, Setting], data: dict[str, Any], path: Path) -> None:
        self.mistakes += [Mistake((*path, key), "", None, model) for key in data if key not in known]

    def _setting(self, entry: Setting, value: Any) -> Any:  # noqa: ANN401
        if entry.nested and not _is_whole(entry, entry.nested) and isinstance(value, dict):
            return self.table(entry.nested, value, entry.path)
        if entry.has_free_keys and isinstance(value, dict):
            return self._entries(entry, value)
        return self._value(entry, entry.field.kind, value, entry.path)

    def _entries(self, entry: Setting, value: dict[str, Any]) -> dict[str, Any]:
        """Read a table whose keys the user chooses: each entry stands for itself."""
        key_kind, item_kind = map(kind_of, get_args(entry.field.annotation))
        entries = {}
        for key, item in value.items():
            path = (*entry.path, key)
            pair = self._value(entry, key_kind, key, path), self._value(entry, item_kind, item, path)
            if _BAD not in pair:
                entries[pair[0]] = pair[1]
        return entries

    def _value(self, entry: Setting, kind: Kind, value: Any, path: Path) -> Any:  # noqa: ANN401
        """Read one value; `_BAD`, with the mistakes noted, when anything is wrong in it."""
        value = _by_name(kind.core, _checked(kind, value, early=True))
        try:
            converted = msgspec.convert(value, _shell(kind), dec_hook=secret_from_text)
        except msgspec.ValidationError:
            return self._bad(entry, path, _wrong(kind, value))
        converted = self._inside(entry, kind.core, converted, path)
        if converted is _BAD:
            return _BAD
        try:
            return _checked(kind, converted, early=False)
        except ValueError as error:
            shown = "" if kind.core is Secret or not isinstance(value, str | int) else f": {_shown(value)}"
            return self._bad(entry, path, f"{error}{shown}")

    def _inside(self, entry: Setting, core: Any, value: Any, path: Path) -> Any:  # noqa: ANN401
        """Read what is in a value: all of it must be good."""
        if is_namespace(core):
            return self._whole(entry, core, value, path)
        if get_origin(core) is list:
            item_kind = kind_of(get_args(core)[0])
            items = [self._value(entry, item_kind, item, (*path, index)) for index, item in enumerate(value)]
            return _BAD if any(item is _BAD for item in items) else items
        if get_origin(core) is dict:
            key_kind, item_kind = map(kind_of, get_args(core))
            pairs = {
                self._value(entry, key_kind, key, (*path, key)): self._value(entry, item_kind, item, (*path, key))
                for key, item in value.items()
            }
            return _BAD if any(item is _BAD for pair in pairs.items() for item in pair) else pairs
        if core is Secret and value.get_secret_value() == HIDDEN:
            return self._bad(entry, path, "must be the secret itself, not what is shown in its place")
        return value

    def _whole(self, entry: Setting, model: type[Namespace], data: dict[str, Any], path: Path) -> Any:  # noqa: ANN401
        """Read a table that is good or bad as a whole; unknown keys are ignored here too."""
        known = children(model)
        self._unknown(model, known, data, path)
        values = {
            below.field.name: self._value(entry, below.field.kind, data[key], (*path, key))
            for key, below in known.items()
            if key in data
        }
        for key, below in known.items():
            if key not in data and below.field.default is msgspec.NODEFAULT:
                values[below.field.name] = self._bad(entry, path, f"{quoted(key)} is missing")
        if any(value is _BAD for value in values.values()):
            return _BAD
        table = model(**values)
        conflicts = [self._bad(entry, path, words) for _, words in table.conflicts()]
        return _BAD if conflicts else table

    def _bad(self, entry: Setting, path: Path, words: str) -> Any:  # noqa: ANN401
        self.mistakes.append(Mistake(path, words, entry))
        return _BAD


def _is_whole(entry: Setting, model: type[Namespace]) -> bool:
    """Say whether a table falls as a whole: it is declared so, or cannot be without one of its values."""
    return bool(entry.note("whole")) or any(
        below.field.default is msgspec.NODEFAULT for below in children(model).values()
    )


def _shell(kind: Kind) -> Any:  # noqa: ANN401
    """Give the type that msgspec is to look at: without what is inside a list or a table."""
    core = dict if is_namespace(kind.core) else get_origin(kind.core) or kind.core
    core = kind.core if core is Literal else core
    limits = [note for note in kind.notes if isinstance(note, msgspec.Meta)]
    return Annotated[(core, *limits)] if limits else core


def _given(what: str | tuple[str, str], values: dict[str, Any]) -> list[tuple[str, ...]]:
    """Give what falls in a conflict, as far as it was given: a default cannot fall."""
    if isinstance(what, tuple):
        return [what] if what[1] in values.get(what[0], ()) else []
    return [(name,) for name in ([what] if what else values) if name in values]


def _by_name(core: Any, value: Any) -> Any:  # noqa: ANN401
    """Give a table for a list of its values, where the table is one that is written so and in no other way."""
    if not _is_written_as_list(core):
        return value
    keys = list(children(core))
    fits = isinstance(value, list) and len(keys) == len(value)
    return dict(zip(keys, value, strict=True)) if fits else None


def _is_written_as_list(core: Any) -> bool:  # noqa: ANN401
    return is_namespace(core) and bool(core.__struct_config__.array_like)


def _checked(kind: Kind, value: Any, *, early: bool) -> Any:  # noqa: ANN401
    """Apply the checks of a type; raises ValueError with the words of the first that fails."""
    for note in kind.notes:
        if isinstance(note, Check) and bool(note.accepts) == early:
            value = note.function(value)
    return value


def _wrong(kind: Kind, value: Any) -> str:  # noqa: ANN401
    """Say what msgspec has against a value."""
    if get_origin(kind.core) is Literal:
        return f"{_shown(value)} is not one of {', '.join(get_args(kind.core))}"
    core = get_origin(kind.core) or kind.core
    if _is_written_as_list(core):
        return f"must be a list of {', '.join(children(core))}"
    if core is dict or is_namespace(core):  # without the value: a table may be one that holds secrets
        return "must be a table"
    limits = next(
        (note for note in kind.notes if isinstance(note, msgspec.Meta) and note.extra is None), msgspec.Meta()
    )
    if core is list and isinstance(value, list):
        return f"must have {_bounds(limits.min_length, limits.max_length, 'at')} items".replace(" 1 items", " 1 item")
    return f"must be {_WORDS[core]}{_range(limits)}" + ("" if core is Secret else f", not {_shown(value)}")


def _range(limits: msgspec.Meta) -> str:
    words = _bounds(limits.ge, limits.le, "of at")
    return f" {words}" if words else ""


def _bounds(least: float | None, most: float | None, word: str) -> str:
    if least is not None and most is not None:
        return f"from {least} to {most}"
    if least is not None:
        return f"{word} least {least}"
    return "" if most is None else f"{word} most {most}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return str(value) if not isinstance(value, int) or abs(value) < 10**20 else "a huge number"
