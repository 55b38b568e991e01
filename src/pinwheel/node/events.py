# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tell the journal what has happened, in a form that programs find again: entries with the field PINWHEEL_EVENT.

The API's event stream is a filter on these. The way to the journal is its native protocol
(systemd.io, "Native Journal Protocol"): one datagram of `NAME=value` lines.
"""

import socket
from contextlib import suppress

from pinwheel.node.paths import JOURNAL_SOCKET, Paths

INFORMATION = 6
WARNING = 4
_IDENTIFIER = "pinwheel"


def send(paths: Paths, event: str, message: str, *, priority: int = INFORMATION, **fields: str | int) -> None:
    """Write an event to the journal; without a journal it is lost, as any log line would be.

    Args:
        paths: where the journal's socket is.
        event: a fixed word for programs, such as `settings-committed`.
        message: a line for people.
        priority: of syslog(3).
        fields: more for programs; names in small letters become `PINWHEEL_NAME`.
    """
    entries: dict[str, str | int] = {"MESSAGE": message, "PRIORITY": priority, "SYSLOG_IDENTIFIER": _IDENTIFIER}
    entries["PINWHEEL_EVENT"] = event
    entries |= {f"PINWHEEL_{name.upper()}": value for name, value in fields.items()}
    text = "".join(f"{name}={_one_line(value)}\n" for name, value in entries.items())
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(text.encode(), str(paths.at(JOURNAL_SOCKET)))


def _one_line(value: str | int) -> str:
    """Give a value that ends where its line does: the protocol's other form is one that nobody here needs."""
    return " ".join(str(value).splitlines())
