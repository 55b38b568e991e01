# SPDX-License-Identifier: Apache-2.0 OR MIT
"""An image of one layer as an archive: the same bytes for the same layer.

Format: OCI image specification 1.1, "OCI Image Layout", in a tar archive.
"""

import datetime as dt
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ARCHITECTURE = "amd64"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_PIECE = 1 << 20


class ImageFacts(NamedTuple):
    """What an image says about itself."""

    name: str
    version: str
    created: int
    """Seconds since 1970."""
    entrypoint: Sequence[str]
    environment: Mapping[str, str]


def write_archive(facts: ImageFacts, layer: Path, plain_digest: str, target: Path) -> str:
    """Write an image.

    Args:
        facts: what it says.
        layer: the packed layer, gzip.
        plain_digest: the digest of the layer before it was packed.
        target: the archive's file.

    Returns:
        The digest of the image's manifest.
    """
    config = _json(_config(facts, plain_digest))
    digest, size = digest_of(layer), layer.stat().st_size
    packed = {"mediaType": _LAYER, "digest": digest, "size": size}
    manifest = _json({
        "schemaVersion": 2, "mediaType": _MANIFEST, "config": _descriptor(_CONFIG, config), "layers": [packed],
    })  # fmt: skip
    listed = _descriptor(_MANIFEST, manifest) | {
        "platform": {"os": "linux", "architecture": ARCHITECTURE},
        "annotations": {"org.opencontainers.image.ref.name": facts.version},
    }
    index = _json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [listed]})
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}), facts.created)
        _add(archive, "index.json", index, facts.created)
        for content in sorted((config, manifest), key=_digest):
            _add(archive, _blob(_digest(content)), content, facts.created)
        with layer.open("rb") as stream:
            archive.addfile(_entry(_blob(digest), size, facts.created), stream)
    return _digest(manifest)


def digest_of(file: Path) -> str:
    """Give the digest of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return f"sha256:{digest.hexdigest()}"


def _config(facts: ImageFacts, plain_digest: str) -> dict[str, Any]:
    when = dt.datetime.fromtimestamp(facts.created, dt.UTC).isoformat().replace("+00:00", "Z")
    return {
        "created": when,
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {
            "Entrypoint": list(facts.entrypoint),
            "Env": [f"{name}={value}" for name, value in sorted(facts.environment.items())],
            "Labels": {
                "org.opencontainers.image.title": facts.name,
                "org.opencontainers.image.version": facts.version,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [plain_digest]},
    }


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _entry(name: str, size: int, modified: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, modified
    return entry


def _add(archive: tarfile.TarFile, name: str, content: bytes, modified: int) -> None:
    archive.addfile(_entry(name, len(content), modified), io.BytesIO(content))
