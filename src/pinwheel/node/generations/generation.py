# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What one generation records, and how it is written down.

The file is the format, schema 1: one JSON object with the fields of `Generation`. `settings` holds what is set, under
the names that users write, with secrets in clear: the file is root's alone.
"""

from typing import Any

import msgspec

from pinwheel.node.actuator.protocol import Author

SCHEMA = 1


class Draft(msgspec.Struct, frozen=True):
    """A generation before it has a number and a time."""

    author: Author
    reason: str
    """A few words: `set`, `rollback to 40`."""
    settings: dict[str, Any]
    trial: bool = False
    """It is to be confirmed, and is not taken at a boot."""
    user_data: str = ""
    """SHA-256 of the user data that was taken last, in hexadecimal: user data is taken once."""
    changes: list[str] = []
    """The paths that differ from the generation before, without their values."""


class Generation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One state of the settings, and who made it."""

    schema: int
    number: int
    """From 1, without gaps but for those that were pruned."""
    parent: int
    """The generation that was in effect before; 0 for none."""
    created: str
    """RFC 3339, UTC, whole seconds."""
    author: Author
    reason: str
    settings: dict[str, Any]
    trial: bool = False
    user_data: str = ""
    changes: list[str] = []


def encoded(generation: Generation) -> bytes:
    """Write a generation."""
    return msgspec.json.encode(generation) + b"\n"


def decoded(content: bytes) -> Generation:
    """Read a generation; raises ValueError where the content is none of this schema."""
    if not content.endswith(b"\n"):
        raise ValueError("cut off")
    generation = msgspec.json.decode(content, type=Generation)
    if generation.schema != SCHEMA:
        raise ValueError(f"of schema {generation.schema}; this version reads schema {SCHEMA}")
    return generation


def summary(generation: Generation) -> dict[str, Any]:
    """Give what a list shows: everything but the settings."""
    plain: dict[str, Any] = msgspec.to_builtins(generation)
    del plain["settings"], plain["schema"]
    return plain | {"trial": generation.trial, "changes": generation.changes}
