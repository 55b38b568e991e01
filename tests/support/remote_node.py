# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A client of a node's API over the network: mutual TLS, and the node known by its certificate's fingerprint."""

import hashlib
import http.client
import json
import ssl
from typing import Any, Self

from tests.support.certificates import Authority

TIMEOUT = 180.0
"""Seconds for one answer: a change may have to wait until the engine is well again."""


class RemoteNode:
    """A node's API, as a client with a certificate of the role `admin` sees it."""

    def __init__(self, port: int, authority: Authority) -> None:
        self._port = port
        self._context = authority.client("pinwheel:admin")
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE  # it is compared as a whole
        self.fingerprint = ""
        """Of the node's certificate; empty until it is known."""

    def knowing(self, fingerprint: str) -> Self:
        """Accept this node alone from now on."""
        self.fingerprint = fingerprint
        return self

    def ask(self, method: str, target: str, body: Any = None) -> Any:
        """Send a request that must go well, and give the answer's JSON."""
        status, answer = self.attempt(method, target, body)
        assert status < 300, f"{method} {target}: {status} {answer}"
        return answer

    def attempt(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Send a request, and give the answer's status and JSON."""
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=TIMEOUT, context=self._context)
        try:
            connection.connect()
            shown = connection.sock.getpeercert(binary_form=True) or b""
            assert f"sha256:{hashlib.sha256(shown).hexdigest()}" == self.fingerprint, "another node"
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
