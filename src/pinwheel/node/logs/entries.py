# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Entries of the journal as `journalctl --output=json` writes them (systemd.io, "Journal JSON Format"). Pure."""

from typing import Any

Entry = dict[str, Any]

FIELDS = (
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_FACILITY",
    "SYSLOG_IDENTIFIER",
    "_COMM",
    "_PID",
    "_HOSTNAME",
    "_MACHINE_ID",
    "_SYSTEMD_UNIT",
    "CONTAINER_NAME",
    "PINWHEEL_EVENT",
)
"""What is sent on of an entry. `CONTAINER_NAME` is the engine's, with the log driver `journald`."""
LARGEST_TEXT = 16 * 1024
"""Characters of one field; more is cut off."""
DEFAULT_PRIORITY = 6
"""`info`, of what does not say."""


def text(entry: Entry, field: str) -> str:
    """Give a field's text, with what is not UTF-8 replaced; empty without one. Of several values the first counts."""
    value = entry.get(field)
    if isinstance(value, list):
        value = bytes(value) if all(isinstance(item, int) for item in value) else value[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value[:LARGEST_TEXT] if isinstance(value, str) else ""


def number(entry: Entry, field: str, default: int, limit: int) -> int:
    """Give a field's number, below a limit, or the default when it has none."""
    value = text(entry, field)
    return int(value) if value.isascii() and value.isdigit() and int(value) < limit else default


def priority(entry: Entry) -> int:
    """Give an entry's priority, 0 to 7, of syslog(3)."""
    return number(entry, "PRIORITY", DEFAULT_PRIORITY, 8)


def microseconds(entry: Entry) -> int:
    """Give when it was written, in microseconds since 1970."""
    return number(entry, "__REALTIME_TIMESTAMP", 0, 2**63)


def name(entry: Entry) -> str:
    """Give the name of who wrote it."""
    return text(entry, "SYSLOG_IDENTIFIER") or text(entry, "_COMM")
