# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The reference page of the settings, written from the declarations: `docs/settings.md` between two marks.

A test compares the page with what this module gives, and fails where a declaration has changed since.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec

from pinwheel.settings.model import Namespace, Setting, children, is_namespace, kind_of
from pinwheel.settings.problem import path_text
from pinwheel.settings.secret import Secret

BEGIN = "<!-- settings: begin -->"
END = "<!-- settings: end -->"

_NAMES: dict[Any, str] = {str: "text", Secret: "text, secret", int: "whole number", bool: "true or false", Any: "any"}
_PLURALS = {"text": "texts", "text, secret": "texts, secret", "whole number": "whole numbers", "any": "any kind"}
_HEAD = ("setting", "type", "allowed", "default", "reboot", "what it does", "example")


def reference(model: type[Namespace]) -> str:
    """Give the reference table of every setting below `model`, in Markdown."""
    head = [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
    return "\n".join([*head, *(_row(entry, name) for entry, name in rows(model))]) + "\n"


def rows(model: type[Namespace]) -> Iterator[tuple[Setting, str]]:
    """Give every setting that holds a value, with its name; what items of lists hold is among them."""
    for entry in children(model).values():
        yield from _rows(entry, "settings")


def _rows(entry: Setting, above: str) -> Iterator[tuple[Setting, str]]:
    name = f"{above}.{path_text(entry.path[-1:])}"
    if not entry.nested or entry.field.default is None:
        yield entry, name
    if not _is_one_value(entry):
        for below in entry.below().values():
            yield from _rows(below, name + ("" if entry.nested else ".NAME" if entry.has_free_keys else "[]"))


def _is_one_value(entry: Setting) -> bool:
    """Say whether a table's values belong together so closely that one row says it all."""
    if entry.entries:
        return entry.entries.__struct_config__.array_like
    return all(below.field.default is msgspec.NODEFAULT for below in entry.below().values())


def with_reference(page: str, model: type[Namespace]) -> str:
    """Give a page with its part between the marks written anew; raises ValueError when a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{reference(model)}{END}{after}"


def toml_value(value: Any) -> str:  # noqa: ANN401
    """Write a value of an example on one line, as TOML."""
    if isinstance(value, dict):
        pairs = (f"{path_text([key])} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return json.dumps(value)


def type_name(annotation: Any) -> str:  # noqa: ANN401
    """Say a setting's type in words."""
    core = kind_of(annotation).core
    if get_origin(core) is Literal:
        return "choice"
    if get_origin(core) in (list, dict):
        item = type_name(get_args(core)[-1])
        return f"{'list' if get_origin(core) is list else 'table'} of {_PLURALS.get(item, item + 's')}"
    if is_namespace(core):
        return "list" if core.__struct_config__.array_like else "table"
    return _NAMES[core]


def _row(entry: Setting, name: str) -> str:
    cells = (
        f"`{name}`",
        type_name(entry.field.annotation),
        _allowed(entry),
        _default(entry),
        "yes" if entry.reboot else "",
        _description(entry),
        f"`{_shortened(toml_value(entry.example))}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(entry: Setting) -> str:
    default = entry.field.default
    if default is msgspec.NODEFAULT:
        return "must be given"
    return "not set" if default in (None, [], {}) else f"`{toml_value(default)}`"


def _description(entry: Setting) -> str:
    unit = f" Unit: {entry.note('unit')}." if entry.note("unit") else ""
    return entry.field.description + unit + (" Nothing reads it yet." if entry.later else "")


def _allowed(entry: Setting) -> str:
    if get_origin(entry.field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(entry.field.annotation))
    return str(entry.note("allowed"))


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f'{text[:24]}…"'
