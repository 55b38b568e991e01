# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Values that must be shown nowhere: not in a message, not in a log, not in a dump of the settings."""

from typing import Any

HIDDEN = "**********"
"""What is shown in the place of a secret. It is refused as a secret, so that no output can be taken back as one."""


class Secret:
    """A text that shows itself only when asked by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Give the text."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret('{HIDDEN}')"

    def __str__(self) -> str:
        return HIDDEN


def secret_from_text(kind: type, value: Any) -> Any:  # noqa: ANN401 - msgspec's dec_hook
    """Make a `Secret` for msgspec, which knows no such type; raises NotImplementedError for any other type."""
    if kind is not Secret:
        raise NotImplementedError(kind.__name__)
    if not isinstance(value, str):
        raise TypeError("a secret is a text")  # without the value
    return Secret(value)


def hidden(value: Any) -> Any:  # noqa: ANN401 - msgspec's enc_hook
    """Write a `Secret` for msgspec, hidden; raises NotImplementedError for any other type."""
    if not isinstance(value, Secret):
        raise NotImplementedError(type(value).__name__)
    return str(value)
