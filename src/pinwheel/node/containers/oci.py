# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The documents of an OCI image, read from bytes that somebody else wrote: index, manifest, and what these point to.

Pure. Formats: OCI image specification 1.1 (image-index.md, manifest.md, descriptor.md) and the Docker media types that
registries still serve for the same documents (image manifest version 2, schema 2).
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
"""What a registry is told that we understand."""

MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a manifest or a configuration: what registries accept."""
MAX_LAYERS = 256
MAX_LAYER = 16 * 1024**3
"""Bytes of a packed layer."""
NAME_ANNOTATION = "org.opencontainers.image.ref.name"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
"""uname(2) -> GOARCH, which the image specification uses."""


class ImageError(Exception):
    """An image is not what it should be. Trying again gives the same."""


class Descriptor(NamedTuple):
    """Points to a blob."""

    media_type: str
    digest: str
    size: int


class Manifest(NamedTuple):
    """What an image consists of."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    """The lowest first."""


def digest_of(content: bytes) -> str:
    """Give the digest of a blob."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def verified(content: bytes, digest: str) -> bytes:
    """Give the content back when it has this digest; raises ImageError otherwise."""
    if digest_of(content) != digest:
        raise ImageError(f"what came is not what was asked for: {digest}")
    return content


def read_document(content: bytes) -> dict[str, Any]:
    """Read a JSON document; raises ImageError when it is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ImageError("a document of the image is no JSON object")
    return document


def is_index(document: dict[str, Any]) -> bool:
    """Say whether a document lists images for several platforms."""
    kind = document.get("mediaType")
    return kind in (OCI_INDEX, DOCKER_LIST) or (kind is None and "manifests" in document)


def choose(document: dict[str, Any], machine: str, name: str = "") -> Descriptor:
    """Choose the image for a platform from an index.

    Args:
        document: the index.
        machine: as uname(2) names it.
        name: of the image, where an archive holds several; empty for whichever fits.

    Raises:
        ImageError: there is none.
    """
    wanted = _MACHINES.get(machine, machine)
    listed = [entry for entry in _list(document, "manifests") if isinstance(entry, dict)]
    fitting = [entry for entry in listed if _fits(entry, wanted) and (not name or _annotation(entry) == name)]
    if not fitting:
        raise ImageError(
            f"the image {name!a:.100} is not there" if name else f"the image is not made for linux/{wanted}"
        )
    return descriptor(fitting[0])


def read_manifest(document: dict[str, Any]) -> Manifest:
    """Read an image's manifest; raises ImageError when it is none that we can use."""
    if document.get("schemaVersion") != 2 or not isinstance(document.get("config"), dict):
        raise ImageError("not an image manifest of version 2")
    layers = tuple(descriptor(entry) for entry in _list(document, "layers"))
    config = descriptor(document["config"])
    if len(layers) > MAX_LAYERS:
        raise ImageError(f"the image has {len(layers)} layers, more than {MAX_LAYERS}")
    if config.size > MAX_DOCUMENT or any(layer.size > MAX_LAYER for layer in layers):
        raise ImageError("a part of the image is too large")
    return Manifest(config, layers)


def descriptor(entry: Any) -> Descriptor:  # noqa: ANN401 - whatever a registry sent
    """Read a descriptor; raises ImageError when it is not valid."""
    values = (entry.get("mediaType", ""), entry.get("digest"), entry.get("size")) if isinstance(entry, dict) else ()
    match values:
        case (str(media_type), str(digest), int(size)) if _DIGEST.fullmatch(digest) and size >= 0:
            return Descriptor(media_type, digest, size)
    raise ImageError("a descriptor of the image is not valid, or has no SHA-256 digest")


def _list(document: dict[str, Any], key: str) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list):
        raise ImageError(f"a document of the image has no {key}")
    return value


def _fits(entry: dict[str, Any], architecture: str) -> bool:
    platform = entry.get("platform")
    if platform is None:  # in the index of an archive
        return True
    return isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == ("linux", architecture)


def _annotation(entry: dict[str, Any]) -> object:
    annotations = entry.get("annotations")
    return annotations.get(NAME_ANNOTATION) if isinstance(annotations, dict) else None
