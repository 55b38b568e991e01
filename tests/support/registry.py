# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A real registry on the workstation, with a tiny image in it that is made here, so that machines can pull without the
internet: Debian's `docker-registry` out of the toolbox, on a free port of the loopback interface.

A guest on QEMU's user network reaches it at 10.0.2.2. It speaks plain HTTP: the guest's engine must have the endpoint
among its `insecure-registries`.
"""

import contextlib
import gzip
import hashlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pinwheel.image.toolbox import Toolbox

HOST_SEEN_BY_GUEST = "10.0.2.2"
"""QEMU's user network gives the host's loopback interface this address."""

APPLETS = (
    "cat", "chmod", "cp", "date", "dd", "df", "echo", "env", "false", "free", "grep", "head", "hostname", "httpd", "id",
    "ip", "ls", "mkdir", "mount", "mv", "nc", "netstat", "nproc", "ping", "ps", "rm", "sed", "seq", "sh", "sleep",
    "sync", "tail", "test", "touch", "tr", "true", "uname", "vi", "wc", "wget",
)  # fmt: skip
"""What the image has as commands: links to the one static binary."""

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Registry:
    """A `docker-registry` process and its data, both gone when the context is left."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The address as a guest sees it, `host:port`."""
        return f"{HOST_SEEN_BY_GUEST}:{self.port}"

    def start(self) -> None:
        """Start the process and return when it answers; `TimeoutError` after 20 seconds."""
        workspace = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pinwheel-registry-")))
        self.port = free_port()
        configuration = workspace / "config.json"
        configuration.write_text(json.dumps(registry_configuration(workspace / "data", self.port)))
        program: list[str | Path] = ["docker-registry", "serve", configuration]
        command = self._toolbox.command(program, writable=[workspace], network=True, attached=True)
        log = self._stack.enter_context((workspace / "log").open("wb"))
        # A session of its own: the signal that ends it reaches the sandbox and the registry in it alike.
        self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._wait_until_it_answers(workspace / "log")

    def stop(self) -> None:
        """End the process and remove its data."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
            self._process = None
        self._stack.close()

    def push_busybox(self, name: str = "busybox", tag: str = "1") -> str:
        """Push the toolbox's static busybox as an image; gives the reference by which a guest pulls it."""
        return self.push(name, busybox_layer((self._toolbox.root / "usr/bin/busybox").read_bytes()), tag)

    def push(self, name: str, layer: bytes, tag: str = "1") -> str:
        """Push an image of one layer (an uncompressed tar archive); gives the reference by which a guest pulls it."""
        config, packed = image_config(layer), gzip.compress(layer, mtime=0)
        return self.push_blobs(name, [config, packed], image_manifest(config, packed), tag)

    def push_blobs(self, name: str, blobs: Iterable[bytes], manifest: bytes, tag: str = "1") -> str:
        """Push an image in its parts; gives the reference by which a guest pulls it."""
        for blob in blobs:
            self._push_blob(name, blob)
        self._request("PUT", f"/v2/{name}/manifests/{tag}", manifest, {"Content-Type": MANIFEST_TYPE})
        return f"{self.endpoint}/{name}:{tag}"

    def _push_blob(self, name: str, blob: bytes) -> None:
        # https://distribution.github.io/distribution/spec/api/#monolithic-upload
        target = urlsplit(self._request("POST", f"/v2/{name}/blobs/uploads/", b"", {})["Location"])
        self._request("PUT", f"{target.path}?{target.query}&digest={digest(blob)}", blob,
                      {"Content-Type": "application/octet-stream"})  # fmt: skip

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPMessage:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise OSError(f"the registry answered {method} {path} with {answer.status}: {text[:500]!r}")
            return answer.headers

    def _wait_until_it_answers(self, log: Path) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ConnectionError):
                self._request("GET", "/v2/", b"", {})
                return
            time.sleep(0.1)
        said = log.read_text(errors="replace")[-2000:]
        self.stop()
        raise TimeoutError(f"the registry did not answer on port {self.port}; it said:\n{said}")


def free_port() -> int:
    """Give a TCP port of the loopback interface that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def registry_configuration(data: Path, port: int) -> dict[str, object]:
    """Give docker-registry's configuration (it reads YAML, of which JSON is a part): one directory, one port, no users.

    Format: https://distribution.github.io/distribution/about/configuration/
    """
    return {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(data)}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }


def busybox_layer(binary: bytes) -> bytes:
    """Give a tar archive of a root with busybox and its links: the same bytes for the same binary."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for directory, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("var", 0o755)):
            archive.addfile(_entry(directory, tarfile.DIRTYPE, mode))
        archive.addfile(_entry("bin/busybox", tarfile.REGTYPE, 0o755, size=len(binary)), io.BytesIO(binary))
        for applet in APPLETS:
            archive.addfile(_entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777, link="busybox"))
    return buffer.getvalue()


def _entry(name: str, kind: bytes, mode: int, *, size: int = 0, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, size, link
    return entry


def image_config(layer: bytes) -> bytes:
    """Give the image's configuration (https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md)."""
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }
    return json.dumps(document, sort_keys=True).encode()


def image_manifest(config: bytes, packed_layer: bytes) -> bytes:
    """Give the image's manifest (https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md)."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, config),
        "layers": [_descriptor(LAYER_TYPE, packed_layer)],
    }
    return json.dumps(document, sort_keys=True).encode()


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def digest(blob: bytes) -> str:
    """Give a blob's content address."""
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
