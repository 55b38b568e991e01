# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The reference page of user data, written from the declarations: `docs/user-data.md` between two marks.

A test compares the page with what this module gives, and fails where a declaration has changed since.
"""

import json
from typing import Any, Literal, get_args, get_origin

from pinwheel.settings.model import Namespace, Setting, walk
from pinwheel.settings.problem import path_text

BEGIN = "<!-- settings: begin -->"
END = "<!-- settings: end -->"

_NAMES: dict[Any, str] = {str: "text", int: "whole number", bool: "true or false"}


def reference(model: type[Namespace]) -> str:
    """Give the reference table of every setting below `model`, in Markdown."""
    head = ["| setting | type | allowed | default | what it does | example |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(_row(entry) for entry in walk(model))]) + "\n"


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
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    origin = get_origin(annotation)
    if origin is Literal:
        return "choice"
    if origin is list:
        item = arguments[0]
        return "list of tables" if isinstance(item, type) and issubclass(item, Namespace) else "list of texts"
    if origin is dict:
        return "table of texts"
    if arguments:
        return type_name(arguments[0])
    return _NAMES.get(annotation, "text")


def _row(entry: Setting) -> str:
    default = entry.field.default
    description = (entry.field.description or "") + (f" Unit: {entry.note('unit')}." if entry.note("unit") else "")
    cells = (
        f"`{path_text(['settings', *entry.path])}`",
        type_name(entry.field.annotation) + (", secret" if entry.secret else ""),
        _allowed(entry),
        "not set" if default in (None, [], {}) else f"`{toml_value(default)}`",
        description,
        f"`{_shortened(toml_value(entry.example))}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _allowed(entry: Setting) -> str:
    if get_origin(entry.field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(entry.field.annotation))
    return str(entry.note("allowed"))


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f'{text[:24]}…"'
