# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The journal, read by journalctl inside the service's own sandbox: lines that end, lines that follow, events."""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from pinwheel.api.endpoint import EVENTS, JSON_LINES, TEXT
from pinwheel.api.problem import one
from pinwheel.node.api.message import Asked, Response, Stream
from pinwheel.node.api.node import Node

JOURNALCTL = "/usr/bin/journalctl"
MAX_LINE = 1024 * 1024
"""Bytes of one entry; a longer one is passed over."""
KEEP_ALIVE_SECONDS = 15.0
"""A stream says something at least so often, so that a client that has left is noticed."""
EVENT_UNITS = ("pinwheel-actuator.service", "pinwheel-boot.service", "pinwheel-status.service")
"""Whose entries can be events. Anybody can write PINWHEEL_EVENT into the journal; the unit's name, journald adds."""
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
_AGO = re.compile(r"(\d{1,6})\s?(s|min|h|d)")
_CURSOR = re.compile(r"[a-z0-9=;]{1,300}")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}

Line = Callable[[dict[str, Any]], bytes]


async def get_logs(node: Node, asked: Asked) -> Response:
    """Entries of the journal."""
    arguments = journal_arguments(asked.parameters)
    text = asked.parameters["format"] == "text"
    line = text_line if text else json_line
    alive = b"\n" if asked.parameters["follow"] and not text else b""
    return Response(200, await _stream(node, arguments, line, alive), TEXT if text else JSON_LINES)


async def get_events(node: Node, asked: Asked) -> Response:
    """Events as they happen, and with `Last-Event-ID` those since then."""
    last = asked.request.header(b"last-event-id")
    if last and not _CURSOR.fullmatch(last):
        raise one(400, "bad-parameter", "Last-Event-ID: no id of an event", path="last-event-id")
    where = [f"--after-cursor={last}"] if last else ["--lines=0"]
    arguments = ["--follow", "--no-tail" if last else "--all", *where]
    arguments += [f"_SYSTEMD_UNIT={unit}" for unit in EVENT_UNITS]
    return Response(200, await _stream(node, arguments, event_text, b": still here\n\n"), EVENTS)


def journal_arguments(parameters: dict[str, Any]) -> list[str]:
    """Give journalctl's arguments; no text of a client becomes an option of its own.

    Raises:
        ApiError: a parameter says nothing that journalctl would understand.
    """
    arguments = [f"--lines={parameters['lines']}", *(f"--unit={_unit(name)}" for name in parameters["unit"] or ())]
    if parameters["priority"]:
        arguments.append(f"--priority={parameters['priority']}")
    if parameters["since"]:
        arguments.append(f"--since=@{_since(parameters['since']):.6f}")
    if parameters["boot"] is not None:
        arguments.append(f"--boot=-{parameters['boot']}")
    return [*arguments, "--follow"] if parameters["follow"] else arguments


def _unit(name: str) -> str:
    if not _UNIT.fullmatch(name):
        raise one(400, "bad-parameter", f"unit: no name of a unit: {name[:60]!a}", path="unit")
    return name


def _since(text: str) -> float:
    """Give seconds since 1970."""
    ago = _AGO.fullmatch(text)
    if ago:
        return max(0.0, time.time() - int(ago[1]) * _SECONDS[ago[2]])
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text if _TIME.fullmatch(text) else "")
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        hint = "write 2026-01-31T12:00:00Z, or 2h"
        raise one(400, "bad-parameter", f"since: no time: {text!a}", path="since", hint=hint) from None


async def _stream(node: Node, arguments: list[str], line: Line, alive: bytes) -> Stream:
    """Start journalctl, and give the body that its output becomes; it ends with the body."""
    await node.take_stream()
    try:
        process = await asyncio.create_subprocess_exec(
            str(node.paths.at(JOURNALCTL)),
            "--output=json",
            "--no-pager",
            "--quiet",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=MAX_LINE,
            env={"LC_ALL": "C.UTF-8"},
        )
    except BaseException:
        node.streams.release()
        raise

    def closing() -> None:
        with suppress(ProcessLookupError):
            process.kill()
        node.streams.release()

    return Stream(_lines(process.stdout or asyncio.StreamReader(), line, alive), closing)


async def _lines(output: asyncio.StreamReader, line: Line, alive: bytes) -> AsyncGenerator[bytes, None]:
    """Give journalctl's entries as they are to be sent; `alive` where there was none for long."""
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS if alive else None):
                text = await output.readline()
        except TimeoutError:
            yield alive
            continue
        except ValueError:  # longer than the limit: that part of it is dropped
            continue
        if not text:
            return
        if part := line(_entry(text)):
            yield part


def _entry(text: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except ValueError:  # the end of an entry that was too long
        return {}
    return entry if isinstance(entry, dict) else {}


def json_line(entry: dict[str, Any]) -> bytes:
    """Write an entry as one line of JSON: `pinwheel.api.types.LogLine`."""
    if not entry:
        return b""
    return json.dumps(log_line(entry), ensure_ascii=False).encode() + b"\n"


def text_line(entry: dict[str, Any]) -> bytes:
    """Write an entry for people."""
    if not entry:
        return b""
    line = log_line(entry)
    return f"{line['time']} {line['identifier'] or line['unit']}: {line['message']}\n".encode()


def log_line(entry: dict[str, Any]) -> dict[str, Any]:
    """Give the fields that are shown of an entry in journalctl's JSON form."""
    return {
        "time": rfc3339(int(_text(entry.get("__REALTIME_TIMESTAMP")) or 0)),
        "priority": int(_text(entry.get("PRIORITY")) or 6),
        "unit": _text(entry.get("_SYSTEMD_UNIT")),
        "identifier": _text(entry.get("SYSLOG_IDENTIFIER")) or _text(entry.get("_COMM")),
        "message": _text(entry.get("MESSAGE")),
    }


def event_text(entry: dict[str, Any]) -> bytes:
    """Write an entry as a server-sent event (HTML Living Standard, 9.2); nothing for one that is no event."""
    name = _text(entry.get("PINWHEEL_EVENT"))
    if not name.isprintable() or not name:
        return b""
    fields = {key.removeprefix("PINWHEEL_").lower(): _text(entry[key]) for key in entry if key.startswith("PINWHEEL_")}
    data = json.dumps(log_line(entry) | fields, ensure_ascii=True)
    return f"id: {_text(entry.get('__CURSOR'))}\nevent: {name}\ndata: {data}\n\n".encode()


def rfc3339(microseconds: int) -> str:
    """Write a time since 1970 as RFC 3339, in UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06}Z"


def _text(value: Any) -> str:  # noqa: ANN401 - journalctl's JSON: a text, a list of bytes, a list of texts, or null
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return bytes(value).decode(errors="replace")
        return _text(value[-1])
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
