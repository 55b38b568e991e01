# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What tests of the node put below a temporary root: files, programs, and an engine that answers."""

import http.server
import shutil
import socketserver
from pathlib import Path

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths


def put(node: Paths, path: str, content: str | bytes) -> Path:
    """Write a file below the root."""
    place = node.at(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def program(node: Paths, path: str, script: str) -> None:
    """Put a program below the root that does what a shell script says."""
    put(node, path, f"#!/bin/sh\n{script}\n").chmod(0o755)


def workstation_openssl(node: Paths) -> None:
    """Give a node the openssl of this machine."""
    openssl = shutil.which("openssl")
    assert openssl
    place = node.at(places.OPENSSL)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(openssl)


def console(node: Paths) -> str:
    """Give what was printed on the console."""
    return node.at(places.CONSOLE).read_text()


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Something that speaks HTTP where the engine does."""

    status = 200
    daemon_threads = True


class Ping(http.server.BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/_ping" else 404)
        self.end_headers()
        self.wfile.write(b"OK")

    def address_string(self) -> str:
        return "node"

    def log_message(self, *args: object) -> None:
        pass
