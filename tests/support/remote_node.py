# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A client of a node's API over the network: mutual TLS, and the node known by its certificate's fingerprint."""

import http.client
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.support.certificates import Authority

from pinwheel.api.client.exec import run_command
from pinwheel.api.client.transport import TlsTransport

TIMEOUT = 180.0
"""Seconds for one answer: a change may have to wait until the engine is well again."""


class RemoteNode:
    """A node's API, as a client with a certificate sees it."""

    def __init__(self, port: int, authority: Authority, role: str = "admin", name: str = "test") -> None:
        self._port = port
        self._transport = TlsTransport("127.0.0.1", port, *authority.issue_client(f"pinwheel:{role}", name=name))

    def knowing(self, fingerprint: str) -> Self:
        """Accept this node alone from now on."""
        self._transport = self._transport._replace(fingerprint=fingerprint)
        return self

    def other(self, authority: Authority, role: str, name: str = "test") -> "RemoteNode":
        """Give another client of the same node."""
        return RemoteNode(self._port, authority, role, name).knowing(self._transport.fingerprint)

    def ask(self, method: str, target: str, body: Any = None) -> Any:
        """Send a request that must go well, and give the answer's JSON."""
        status, answer = self.attempt(method, target, body)
        assert status < 300, f"{method} {target}: {status} {answer}"
        return answer

    def attempt(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Send a request, and give the answer's status and JSON."""
        connection = http.client.HTTPConnection(self._transport.host)
        connection.sock = self._transport.connect()
        connection.sock.settimeout(TIMEOUT)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, target, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def set(self, **settings: Any) -> Any:
        """Change settings, and give what was done."""
        return self.ask("PATCH", "/settings?commit=true", {"settings": settings})

    def unset(self, *keys: str) -> Any:
        """Unset settings, and give what was done."""
        return self.ask("DELETE", f"/settings?commit=true&keys={','.join(keys)}")

    def run(self, container: str, *command: str) -> tuple[int, str]:
        """Run a command in a host container; give its exit code, and all that it said."""
        with tempfile.TemporaryFile() as output, Path(os.devnull).open("rb") as nothing:
            stdin, stdout = nothing.fileno(), output.fileno()
            code = run_command(self._transport, container, command, terminal=False, stdin=stdin, stdout=stdout)
            output.seek(0)
            return code, output.read().decode()
