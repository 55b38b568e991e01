# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ask the sources of user data in order, and take the first document."""

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pinwheel.node.paths import Paths
from pinwheel.node.user_data.credential import IMDS_ENDPOINT, CredentialSource, read_credential
from pinwheel.node.user_data.disk import DiskSource
from pinwheel.node.user_data.imds import EC2_ENDPOINT, ImdsSource, is_ec2
from pinwheel.node.user_data.source import SourceError, UserDataSource
from pinwheel.settings.problem import Problem, quoted
from pinwheel.settings.user_data import MAX_USER_DATA

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
"""zlib's window for a gzip header (zlib.h, inflateInit2)."""


class Found(NamedTuple):
    """What the sources gave."""

    source: str
    """The name of the source that had a document, or `none`."""
    text: bytes
    """The document, unpacked; empty when there is none or it cannot be unpacked."""
    problems: tuple[Problem, ...] = ()


def sources(paths: Paths, environment: Mapping[str, str] = os.environ) -> Iterator[UserDataSource]:
    """Give the sources of this node, in order. Each is looked for only when those before it had nothing."""
    given = environment.get("CREDENTIALS_DIRECTORY")
    directory = Path(given) if given else None
    yield CredentialSource(directory)
    yield DiskSource(paths)
    try:
        endpoint = (read_credential(directory, IMDS_ENDPOINT) or b"").decode("ascii", "replace").strip()
    except SourceError:
        endpoint = ""
    if endpoint or is_ec2(paths):
        yield ImdsSource(endpoint or EC2_ENDPOINT)


def find_user_data(candidates: Iterable[UserDataSource]) -> Found:
    """Take the first document that a source gives. A source that fails is reported, and the next one asked."""
    problems: list[Problem] = []
    for source in candidates:
        try:
            raw = source.read()
        except SourceError as error:
            words = quoted(str(error), 300)[1:-1]
            problems.append(Problem("source-failed", "", 0, words, f"the source {source.name} is passed over"))
            continue
        if raw is not None:
            text, more = _unpacked(raw)
            return Found(source.name, text, (*problems, *more))
    return Found("none", b"", tuple(problems))


def _unpacked(raw: bytes) -> tuple[bytes, list[Problem]]:
    """Unpack a document that is compressed with gzip, up to a byte more than is allowed: the parser refuses that."""
    if not raw.startswith(_GZIP_MAGIC):
        return raw, []
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        text = inflater.decompress(raw, MAX_USER_DATA + 1)
    except zlib.error:
        text = b""
    if not inflater.eof and len(text) <= MAX_USER_DATA:
        return b"", [Problem("not-gzip", "", 0, "damaged gzip data", "all settings have their defaults")]
    return text, []
