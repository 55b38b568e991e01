# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Server-sent events, as the HTML standard has them (section 9.2, "Server-sent events"). Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Event(NamedTuple):
    """One event."""

    name: str
    """`message` where the server names none."""
    data: str
    id: str
    """What to send as `Last-Event-ID` to go on behind it."""


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """Give the events that lines of an event stream hold; one that the end cuts off is none."""
    name, data, last = "", list[str](), ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name or "message", "\n".join(data), last)
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            last = value
