# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings as JSON Schema (json-schema.org, draft 2020-12), written from the declarations.

It says what JSON Schema can: names, types, choices, limits, what must be given. Rules in code (`Check`, `conflicts`)
are in words, as `x-allowed`. Beside the standard's keywords it has `x-unit`; `x-reboot`, where a change takes effect at
the next boot; `x-secret`, where a value is shown nowhere; `x-later`, where nothing reads a value yet.
"""

from typing import Any, Literal, get_args, get_origin

import msgspec

from pinwheel.settings.model import Check, Kind, Namespace, Setting, children, is_namespace, kind_of
from pinwheel.settings.secret import Secret

Json = dict[str, Any]

_TYPES: dict[Any, Json] = {
    str: {"type": "string"},
    Secret: {"type": "string", "writeOnly": True, "x-secret": True},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Any: {},
}
_LIMITS = {"ge": "minimum", "le": "maximum", "min_length": "minItems", "max_length": "maxItems"}
"""Of msgspec's `Meta`: lengths are of lists only, those of texts are a `Check`'s."""


def settings_schema(model: type[Namespace]) -> Json:
    """Give the schema of documents of settings: what is below `settings`, as a request or user data has it."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of a Pinwheel node"}
    return head | _table(model, children(model))


def _table(model: type[Namespace], entries: dict[str, Setting]) -> Json:
    properties = {key: _setting(entry) for key, entry in entries.items()}
    required = [key for key, entry in entries.items() if entry.field.default is msgspec.NODEFAULT]
    if model.__struct_config__.array_like:
        size = len(properties)
        items = list(properties.values())
        return {"type": "array", "prefixItems": items, "items": False, "minItems": size, "maxItems": size}
    table: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return table | ({"required": required} if required else {})


def _setting(entry: Setting) -> Json:
    default = entry.field.default
    schema: Json = {"description": entry.field.description, **_value(entry.field.kind, entry.below())}
    if default is not msgspec.NODEFAULT and default is not None and not entry.nested:
        schema["default"] = msgspec.to_builtins(default)
    if entry.example is not None and not entry.nested:
        schema["examples"] = [entry.example]
    notes = {f"x-{name}": entry.note(name) for name in ("allowed", "unit")}
    flags = {"x-reboot": entry.reboot, "x-later": entry.later}
    return schema | {name: note for name, note in (notes | flags).items() if note}


def _value(kind: Kind, below: dict[str, Setting]) -> Json:
    """Give the schema of values of a type; `below` are the settings in the tables that it has, at whatever depth."""
    schema = _core(kind.core, below)
    for note in kind.notes:
        if isinstance(note, msgspec.Meta):
            limits = {name: getattr(note, field) for field, name in _LIMITS.items()}
            schema |= {name: limit for name, limit in limits.items() if limit is not None}
    others = [msgspec.json.decode(note.accepts) for note in kind.notes if isinstance(note, Check) and note.accepts]
    return {"anyOf": [*others, schema]} if others else schema


def _core(core: Any, below: dict[str, Setting]) -> Json:  # noqa: ANN401
    if is_namespace(core):
        return _table(core, below)
    if get_origin(core) is Literal:
        return {"type": "string", "enum": list(get_args(core))}
    if get_origin(core) is list:
        return {"type": "array", "items": _value(kind_of(get_args(core)[0]), below)}
    if get_origin(core) is dict:
        return {"type": "object", "additionalProperties": _value(kind_of(get_args(core)[1]), below)}
    return dict(_TYPES[core])
