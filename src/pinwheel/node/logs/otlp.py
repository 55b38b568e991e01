# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Entries to a collector of OpenTelemetry: OTLP over HTTP, as JSON (OpenTelemetry Protocol Specification 1.x)."""

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pinwheel.node.logs.entries import Entry, microseconds, name, priority, text

if TYPE_CHECKING:
    from ssl import SSLContext

SECONDS = 30.0
"""How long connecting and one answer may take."""
SEVERITIES = (21, 19, 18, 17, 13, 10, 9, 5)
"""SeverityNumber by priority: "Logs Data Model", appendix B, of syslog."""
NAMES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
RETRIED = frozenset({429, 502, 503, 504})
"""Statuses after which the same request is sent again; any other failure is for good ("Retryable Response Codes")."""


class RefusedError(Exception):
    """The collector does not want these entries, and never will."""


def request(entries: Sequence[Entry]) -> dict[str, Any]:
    """Give the body of an ExportLogsServiceRequest for entries of one machine."""
    first = entries[0]
    machine = {"host.name": text(first, "_HOSTNAME"), "host.id": text(first, "_MACHINE_ID"), "os.type": "linux"}
    records = [_record(entry) for entry in entries]
    scope = {"scope": {"name": "pinwheel.journal"}, "logRecords": records}
    return {"resourceLogs": [{"resource": {"attributes": _attributes(machine)}, "scopeLogs": [scope]}]}


def _record(entry: Entry) -> dict[str, Any]:
    moment = str(microseconds(entry) * 1000)
    known = {
        "service.name": name(entry),
        "process.pid": text(entry, "_PID"),
        "systemd.unit": text(entry, "_SYSTEMD_UNIT"),
        "container.name": text(entry, "CONTAINER_NAME"),
        "pinwheel.event": text(entry, "PINWHEEL_EVENT"),
    }
    return {
        "timeUnixNano": moment,
        "observedTimeUnixNano": moment,
        "severityNumber": SEVERITIES[priority(entry)],
        "severityText": NAMES[priority(entry)],
        "body": {"stringValue": text(entry, "MESSAGE")},
        "attributes": _attributes(known),
    }


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items() if value]


class Collector:
    """A collector at an address."""

    def __init__(self, url: str, headers: Mapping[str, str], context: "SSLContext | None" = None) -> None:
        scheme, _, rest = url.partition("://")
        self._authority, _, path = rest.partition("/")
        self._path = f"/{path}"
        self._headers = {"Content-Type": "application/json", **headers}
        self._context = context if scheme == "https" else None
        self._secure = scheme == "https"

    def send(self, entries: Sequence[Entry]) -> None:
        """Send entries.

        Raises:
            OSError: they have to be sent again.
            RefusedError: they have not.
        """
        connection = self._connection()
        try:
            connection.request("POST", self._path, json.dumps(request(entries)).encode(), self._headers)
            answer = connection.getresponse()
            answer.read(4096)
        except http.client.HTTPException as error:
            raise OSError(f"no answer of HTTP: {error!r}") from error
        finally:
            connection.close()
        if answer.status in RETRIED:
            raise OSError(f"the collector answers {answer.status}")
        if not 200 <= answer.status < 300:
            raise RefusedError(f"the collector answers {answer.status}")

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._authority, timeout=SECONDS, context=self._context)
        return http.client.HTTPConnection(self._authority, timeout=SECONDS)
