# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where the journal goes besides: what `launch forward-logs` reads. Without it, its unit does not start."""

from typing import Any

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import LOG_FORWARDING
from pinwheel.node.serialize import json_file
from pinwheel.node.services.service import Files
from pinwheel.settings.access import Otlp, Syslog
from pinwheel.settings.tree import Settings

LOGS_PATH = "/v1/logs"
"""Where a collector takes logs: OpenTelemetry Protocol Specification, "OTLP/HTTP Request"."""


def render(settings: Settings) -> Files:
    """Give the forwarder's configuration: `{"level", "syslog", "otlp"}`, the last two null when not set."""
    logging = settings.logging
    if not (logging.syslog.host or logging.otlp.endpoint):
        return {}
    document = {"level": logging.level, "syslog": _syslog(logging.syslog), "otlp": _otlp(logging.otlp)}
    return {LOG_FORWARDING: RenderedFile(json_file(document), 0o600)}


def _syslog(syslog: Syslog) -> dict[str, Any] | None:
    if syslog.host is None:
        return None
    return {"host": syslog.host, "port": syslog.effective_port, "protocol": syslog.protocol}


def _otlp(otlp: Otlp) -> dict[str, Any] | None:
    if otlp.endpoint is None:
        return None
    authority, _, path = otlp.endpoint.partition("://")[2].partition("/")
    scheme = otlp.endpoint.partition("://")[0]
    headers = {name: value.get_secret_value() for name, value in otlp.headers.items()}
    return {
        "url": f"{scheme}://{authority}/{path}" if path else f"{scheme}://{authority}{LOGS_PATH}",
        "headers": headers,
    }
