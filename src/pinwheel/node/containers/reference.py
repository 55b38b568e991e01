# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where an image comes from: `registry/name:tag`, `registry/name@sha256:...`, or `oci:/path` on the node.

Grammar and defaults are those of container engines (https://github.com/distribution/reference): `busybox` is
`docker.io/library/busybox:latest`. `oci:` takes an OCI image layout, as a directory or as a tar archive of one.
"""

import re
from typing import NamedTuple

ARCHIVE_SCHEMES = ("oci-archive:", "oci:")
DEFAULT_REGISTRY = "docker.io"

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"{_PART}(?:/{_PART})*"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}"
_REFERENCE = rf"(?:(?P<registry>{_HOST})/)?(?P<name>{_NAME})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
_MAX_NAME = 255


class SourceError(ValueError):
    """Not the source of an image."""


class Reference(NamedTuple):
    """An image in a registry."""

    registry: str
    """`host` or `host:port`."""
    name: str
    tag: str
    digest: str = ""
    """When there is one, it alone counts."""

    @property
    def version(self) -> str:
        """What a registry is asked for."""
        return self.digest or self.tag

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}" + (f"@{self.digest}" if self.digest else f":{self.tag}")


class ArchiveReference(NamedTuple):
    """An image in a file or a directory of the node."""

    path: str
    tag: str = ""
    """Which of the archive's images (`org.opencontainers.image.ref.name`); empty when it holds one."""

    def __str__(self) -> str:
        return f"oci:{self.path}" + (f":{self.tag}" if self.tag else "")


def parse_source(source: str) -> Reference | ArchiveReference:
    """Read the source of an image; raises SourceError with words for people."""
    for scheme in ARCHIVE_SCHEMES:
        if source.startswith(scheme):
            return _archive(source, source.removeprefix(scheme))
    match = re.fullmatch(_REFERENCE, source)
    if match is None or len(match["name"]) > _MAX_NAME:
        raise SourceError(f'not the source of an image such as "registry.example.com/name:tag": {source!a:.200}')
    registry, name = _split(match["registry"], match["name"])
    return Reference(registry, name, match["tag"] or "latest", match["digest"] or "")


def _split(registry: str | None, name: str) -> tuple[str, str]:
    """Tell a registry from the first part of a name: it has a dot or a port, or is called localhost."""
    if registry is None:
        return DEFAULT_REGISTRY, name if "/" in name else f"library/{name}"
    if "." in registry or ":" in registry or registry == "localhost":
        library = registry == DEFAULT_REGISTRY and "/" not in name
        return registry, f"library/{name}" if library else name
    if re.fullmatch(_PART, registry) is None:
        raise SourceError(f"not the name of an image: {registry + '/' + name!a:.200}")
    return DEFAULT_REGISTRY, f"{registry}/{name}"


def _archive(source: str, place: str) -> ArchiveReference:
    directory, slash, last = place.rpartition("/")
    file, _, tag = last.partition(":")
    if not place.startswith("/") or ".." in place.split("/") or "\0" in place:
        raise SourceError(f'not an archive on the node such as "oci:/usr/share/pinwheel/x.oci": {source!a:.200}')
    return ArchiveReference(f"{directory}{slash}{file}", tag)
