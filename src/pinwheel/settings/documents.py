# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Documents of settings seen through the model: their normal form, and what may be shown of them.

A document is what is *set*: plain nested values under the keys that users write, without defaults, secrets in clear.
It may hold what the model does not know or would refuse (`pinwheel.settings.reading` says so): nothing here raises
for that, and whatever is not known for sure to be no secret is hidden.
"""

from typing import Any, get_args, get_origin

from pinwheel.settings.model import children, is_namespace, kind_of, mentions_secret
from pinwheel.settings.secret import HIDDEN

Document = dict[str, Any]

MAX_DEPTH = 64
"""How many tables and lists may be inside each other; the same as in user data (`pinwheel.settings.positions`)."""


class DepthError(ValueError):
    """A value goes deeper than `MAX_DEPTH`."""


def check_depth(value: Any, left: int = MAX_DEPTH) -> None:  # noqa: ANN401
    """Raise `DepthError` when a value has more than `left` tables and lists inside each other."""
    if not isinstance(value, dict | list):
        return
    if not left:
        raise DepthError(f"lists or tables are nested more than {MAX_DEPTH} deep")
    for item in value.values() if isinstance(value, dict) else value:
        check_depth(item, left - 1)


def type_below(annotation: Any, key: str) -> Any:  # noqa: ANN401
    """Give the type of what is under a key of a table; None where the type knows no such key."""
    core = kind_of(annotation).core
    if is_namespace(core):
        entry = children(core).get(key)
        return entry.field.annotation if entry else None
    return get_args(core)[1] if get_origin(core) is dict else None


def normal(annotation: Any, document: Document) -> Document:  # noqa: ANN401
    """Give a document without tables that are empty and so set nothing, such as a bare `[docker]`.

    An entry that the user named stays (`host-containers.admin = {}`), and so does all that is inside a free value.

    Args:
        annotation: the type of the document: the root of the settings, or that of a table when it goes down.
        document: it stays as it is.
    """
    result = {}
    for key, value in document.items():
        below = type_below(annotation, key)
        inner = normal(below, value) if isinstance(value, dict) and _is_table(below) else value
        if inner != {} or not _is_table(below) or not is_namespace(kind_of(annotation).core):
            result[key] = inner
    return result


def hide_secrets(annotation: Any, value: Any) -> Any:  # noqa: ANN401
    """Give a value with `HIDDEN` in the place of secrets, and of what the type does not know.

    Args:
        annotation: the type of the value; of a document the root of the settings.
        value: plain values, valid or not.
    """
    core = kind_of(annotation).core
    if _is_table(core) and isinstance(value, dict):
        return {key: hide_secrets(type_below(core, key), item) for key, item in value.items()}
    if get_origin(core) is list and isinstance(value, list):
        return [hide_secrets(get_args(core)[0], item) for item in value]
    return HIDDEN if core is None or mentions_secret(core) else value


def _is_table(annotation: Any) -> bool:  # noqa: ANN401
    core = kind_of(annotation).core
    return is_namespace(core) or get_origin(core) is dict
