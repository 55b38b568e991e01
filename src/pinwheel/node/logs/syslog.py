# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Entries to a syslog server: RFC 5424, over UDP (RFC 5426), TCP (RFC 6587, counted frames) or TLS (RFC 5425)."""

import re
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pinwheel.node.logs.entries import Entry, microseconds, name, number, priority, text

LARGEST_DATAGRAM = 8 * 1024
"""Bytes. Servers must take 480 and should take 2048; larger ones that nobody takes in full are cut off."""
SECONDS = 30.0
"""How long connecting and one write may take."""
_DAEMON = 3
"""The facility of what does not say."""
_NOT_IN_A_NAME = re.compile(r"[^\x21-\x7e]")


def message(entry: Entry) -> bytes:
    """Give an entry as a message of RFC 5424, without structured data."""
    moment = datetime.fromtimestamp(microseconds(entry) / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    host = _word(text(entry, "_HOSTNAME"), 255)
    program, process = _word(name(entry), 48), _word(text(entry, "_PID"), 128)
    value = number(entry, "SYSLOG_FACILITY", _DAEMON, 24) * 8 + priority(entry)
    said = text(entry, "MESSAGE").replace("\0", "")
    return f"<{value}>1 {moment} {host} {program} {process} - - {said}".encode()


def _word(value: str, longest: int) -> str:
    return _NOT_IN_A_NAME.sub("_", value)[:longest] or "-"


class Datagrams:
    """A server that takes datagrams: what is lost on the way is lost."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def send(self, entries: Sequence[Entry]) -> None:
        """Send entries; raises OSError when they do not leave the node."""
        family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as channel:
            for entry in entries:
                channel.sendto(message(entry)[:LARGEST_DATAGRAM], address)


class Stream:
    """A server that takes a stream. A connection lasts until it breaks."""

    def __init__(self, host: str, port: int, wrap: Callable[[socket.socket], socket.socket] = lambda raw: raw) -> None:
        self._address = (host, port)
        self._wrap = wrap
        self._channel: socket.socket | None = None

    def send(self, entries: Sequence[Entry]) -> None:
        """Send entries; raises OSError when the connection breaks: some of them may have arrived by then."""
        frames = [b"%d %s" % (len(content), content) for content in map(message, entries)]
        try:
            self._connected().sendall(b"".join(frames))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._channel is not None:
            with suppress(OSError):
                self._channel.close()
        self._channel = None

    def _connected(self) -> socket.socket:
        if self._channel is not None and _is_closed(self._channel):
            self.close()
        if self._channel is None:
            self._channel = self._wrap(socket.create_connection(self._address, SECONDS))
        return self._channel


def _is_closed(channel: socket.socket) -> bool:
    """Say whether the server has gone: a write would still succeed, and what it says be lost."""
    channel.settimeout(0)
    try:
        return not channel.recv(1)  # a syslog server says nothing
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        channel.settimeout(SECONDS)
