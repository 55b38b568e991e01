# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is good in a document: what a node that has to start keeps of it."""

from typing import Any, TypeVar

from pinwheel.settings.documents import Document
from pinwheel.settings.model import Namespace
from pinwheel.settings.reading import Mistake, Path, read

Root = TypeVar("Root", bound=Namespace)


def accepted(model: type[Root], document: Document) -> tuple[Root, Document, list[Mistake]]:
    """Give the settings, the document without what its mistakes cost, and the mistakes."""
    settings, mistakes = read(model, document)
    for mistake in mistakes:
        document = _without(document, _fallen(mistake))
    return settings, document, mistakes


def _fallen(mistake: Mistake) -> Path:
    """Give the path of what a mistake costs: a key, one entry of a table with free keys, or a whole table."""
    if mistake.entry is None:
        return mistake.path
    free = mistake.entry.has_free_keys and len(mistake.path) > len(mistake.entry.path)
    return mistake.path[: len(mistake.entry.path) + free]


def _without(value: Any, path: Path) -> Any:  # noqa: ANN401
    """Give a copy of plain values without what is at a path; what is not there needs no removing."""
    key, rest = path[0], path[1:]
    if isinstance(value, dict) and key in value:
        kept = {name: item for name, item in value.items() if name != key}
        return {**kept, key: _without(value[key], rest)} if rest else kept
    if isinstance(value, list) and isinstance(key, int) and rest:
        return [_without(item, rest) if index == key else item for index, item in enumerate(value)]
    return value
