# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Images made of a few lines: layers of tar entries, packed, with configuration and manifest."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.registry import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Registry, digest

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_KINDS = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
          "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE}  # fmt: skip


class Entry(NamedTuple):
    """One entry of a layer."""

    name: str
    kind: str = "file"
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 1_700_000_000
    headers: Mapping[str, str] = {}
    """Of pax."""


def layer(entries: Iterable[Entry]) -> bytes:
    """Give a plain tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.linkname, info.size = _KINDS[entry.kind], entry.target, len(entry.content)
            info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.uid, entry.gid, entry.mtime
            info.pax_headers = dict(entry.headers)
            archive.addfile(info, io.BytesIO(entry.content))
    return buffer.getvalue()


@dataclass(frozen=True)
class Image:
    """An image in pieces."""

    layers: list[bytes]
    """Packed."""
    config: bytes
    manifest: bytes

    @property
    def blobs(self) -> list[bytes]:
        """All that the manifest points to."""
        return [self.config, *self.layers]

    @property
    def digest(self) -> str:
        """Of the manifest."""
        return digest(self.manifest)

    def index(self, name: str = "") -> bytes:
        """Give an index that lists the image, beside one for another machine."""
        entry = _descriptor(MANIFEST_TYPE, self.manifest)
        entry |= {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
        ours = {"platform": {"os": "linux", "architecture": "amd64"}}
        other = {"mediaType": MANIFEST_TYPE, "digest": f"sha256:{'0' * 64}", "size": 1,
                 "platform": {"os": "linux", "architecture": "s390x"}}  # fmt: skip
        return json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [other, entry | ours]}).encode()

    def write_archive(self, file: Path, name: str = "") -> Path:
        """Write an OCI image layout as a tar archive."""
        files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": self.index(name)}
        files |= {f"blobs/{digest(blob).replace(':', '/')}": blob for blob in [self.manifest, *self.blobs]}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(layer(Entry(path, content=content) for path, content in files.items()))
        return file


def image(*layers: Iterable[Entry] | bytes, packed: bool = True, **config: Any) -> Image:
    """Make an image of layers, the lowest first; the configuration's fields are those of the image specification."""
    plain = [one if isinstance(one, bytes) else layer(one) for one in layers]
    blobs = [gzip.compress(one, mtime=0) if packed else one for one in plain]
    document = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]} | config,
                "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in plain]}}  # fmt: skip
    content = json.dumps(document).encode()
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": _descriptor(CONFIG_TYPE, content),
                "layers": [_descriptor(LAYER_TYPE, blob) for blob in blobs]}  # fmt: skip
    return Image(blobs, content, json.dumps(manifest).encode())


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def push_archive(registry: Registry, archive: Path, name: str) -> str:
    """Push the image of an archive with one; gives the reference by which a guest pulls it."""
    with tarfile.open(archive) as opened:
        files = {member.name: opened.extractfile(member) for member in opened if member.isreg()}
        content = {path: file.read() for path, file in files.items() if file}
    (listed,) = json.loads(content["index.json"])["manifests"]
    manifest = content.pop(f"blobs/{listed['digest'].replace(':', '/')}")
    blobs = [blob for path, blob in content.items() if path.startswith("blobs/")]
    return registry.push_blobs(name, blobs, manifest)
