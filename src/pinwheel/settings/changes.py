# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is done with documents of settings: merge, replace, unset, compare, select.

Documents are those of `pinwheel.settings.documents`. Every function gives a new document and leaves the one it was
given as it is; whether the result is valid is `pinwheel.settings.reading`'s to say.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from pinwheel.settings.documents import Document, check_depth, hide_secrets, normal, type_below
from pinwheel.settings.model import Namespace, mentions_secret
from pinwheel.settings.problem import quoted

Path = tuple[str, ...]

MAX_PATH = 1024
"""Characters of a path in text; Bottlerocket takes 255."""

_PART = r"""(?P<bare>[A-Za-z0-9_-]+)|(?P<basic>"(?:[^"\\]|\\.)*")|'(?P<literal>[^']*)'"""


class Change(NamedTuple):
    """One value that differs between two documents. Secrets are hidden in both values."""

    path: Path
    """The keys below `settings`."""
    old: Any
    """None: it was not set."""
    new: Any
    """None: it is not set any more."""


def merge(model: type[Namespace], base: Document, patch: Document) -> Document:
    """Give a document with another merged into it: tables merge, lists and scalars replace, null unsets (RFC 7396).

    A secret given just as it is shown, hidden, stays what it is: an output can be edited and given back. A table from
    which the patch takes the last key goes as well.

    Args:
        model: the root of the settings.
        base: what is set.
        patch: what to set; may hold anything that JSON can.

    Raises:
        DepthError: the patch is nested too deeply.
    """
    check_depth(patch)
    return normal(model, _merged(model, base, patch, keep=True))


def replace(model: type[Namespace], base: Document, document: Document) -> Document:
    """Give a document that is to be set in the place of another; for null and hidden secrets see `merge`.

    Raises:
        DepthError: the document is nested too deeply.
    """
    check_depth(document)
    return normal(model, _merged(model, base, document, keep=False))


def _merged(annotation: Any, base: Document, patch: Document, *, keep: bool) -> Document:  # noqa: ANN401
    """Give a patch with what it takes from the base: all that the patch does not name, or only hidden secrets."""
    result = dict(base) if keep else {}
    for key, value in patch.items():
        below, old = type_below(annotation, key), base.get(key)
        if isinstance(value, dict):
            inner = _merged(below, old if isinstance(old, dict) else {}, value, keep=keep)
            value = inner if inner or not value or (keep and old == {}) else None
        if value is None:
            result.pop(key, None)
        else:
            result[key] = old if _is_shown(below, old, value) else value
    return result


def _is_shown(annotation: Any, old: Any, value: Any) -> bool:  # noqa: ANN401
    """Say whether a value is what the old one, with a secret in it, is shown as."""
    return old is not None and mentions_secret(annotation) and bool(hide_secrets(annotation, old) == value)


def unset(document: Document, path: Path) -> Document:
    """Give a document without what is set at a path; tables that are empty then go as well.

    Raises:
        KeyError: nothing is set there.
    """
    value_at(document, path)
    if not path:
        return {}
    key, rest = path[0], path[1:]
    inner = unset(document[key], rest) if rest else {}
    return {**document, key: inner} if inner else {name: value for name, value in document.items() if name != key}


def value_at(document: Document, path: Path) -> Any:  # noqa: ANN401
    """Give what is set at a path; the document itself for the empty path.

    Raises:
        KeyError: nothing is set there.
    """
    value: Any = document
    for key in path:
        if not isinstance(value, dict):
            raise KeyError(key)
        value = value[key]
    return value


def diff(model: type[Namespace], old: Document, new: Document) -> list[Change]:
    """Give every value that differs, in the order of their paths; lists are one value each.

    The list is empty just when both documents set the same.
    """
    before, after = dict(_leaves(normal(model, old))), dict(_leaves(normal(model, new)))
    return [
        Change(path, _shown(model, path, before.get(path)), _shown(model, path, after.get(path)))
        for path in sorted(before.keys() | after.keys())
        if not _same(before.get(path), after.get(path))
    ]


def _same(old: Any, new: Any) -> bool:  # noqa: ANN401
    """Compare as JSON does: in Python, true is 1 and 1.0 is 1."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(value, new[key]) for key, value in old.items())
    return type(old) is type(new) and bool(old == new)


def _leaves(document: Document, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _shown(model: type[Namespace], path: Path, value: Any) -> Any:  # noqa: ANN401
    """Give the value of a leaf as it may be shown."""
    if value is None:
        return None
    for key in reversed(path):
        value = {key: value}
    shown = hide_secrets(model, value)
    for key in path:
        shown = shown[key] if isinstance(shown, dict) else shown
    return shown


def select(document: Document, paths: Iterable[Path], *, partial: bool = False) -> Document:
    """Give the parts of a document at some paths, each where it was; what is not there is left out.

    Args:
        document: of any kind: what is set, or all values in effect.
        paths: the empty path stands for the whole document.
        partial: whether the last key of each path may be the beginning of a key, as Bottlerocket's `prefix` has it.
    """
    wanted = list(paths)
    if () in wanted:
        return document
    result = {}
    for key, value in document.items():
        below = [
            path[1:] for path in wanted if key == path[0] or (partial and not path[1:] and key.startswith(path[0]))
        ]
        if () in below:
            result[key] = value
        elif below and isinstance(value, dict) and (inner := select(value, below, partial=partial)):
            result[key] = inner
    return result


def parse_path(text: str) -> Path:
    r"""Read a path such as `settings.kernel.sysctl."vm.max_map_count"`, with or without `settings` before it.

    Returns:
        The keys below `settings`; the empty path for `settings` alone.

    Raises:
        ValueError: it is not keys with dots between them, in double or single quotes where a key needs them.
    """
    keys: list[str] = []
    at = 0
    while len(text) <= MAX_PATH and (match := re.compile(_PART).match(text, at)):
        keys.append(_key(match, text))
        at = match.end() + 1
        if match.end() == len(text):
            return tuple(keys[1:] if keys[0] == "settings" else keys)
        if text[match.end()] != ".":
            break
    raise ValueError(_no_path(text))


def _key(match: re.Match[str], text: str) -> str:
    if not match["basic"]:
        return match["bare"] or match["literal"] or ""
    try:
        return msgspec.json.decode(match["basic"], type=str)
    except msgspec.DecodeError as error:
        raise ValueError(_no_path(text)) from error


def _no_path(text: str) -> str:
    return f"not a path such as settings.docker.log-driver: {quoted(text)}"
