# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Documents of settings from where the user says they are: standard input, files, web servers.

What reads them is imported where it is needed: most calls of the client have no document.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pinwheel.api.client.failure import wrong_usage
from pinwheel.api.endpoint import JSON, TOML

MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes that are read at most. The node refuses far smaller ones; this only keeps an endless one out of memory."""
FETCH_TIMEOUT = 30.0
"""Seconds without a byte from a web server."""
FETCHES_AT_ONCE = 4

STANDARD_INPUT = "-"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""How a URI begins (RFC 3986, 3.1)."""


class Source(NamedTuple):
    """A document as it was found."""

    name: str
    content: bytes

    @property
    def media(self) -> str:
        """Whether it is JSON, or TOML: no TOML document begins with a brace."""
        return JSON if self.content.lstrip().startswith(b"{") else TOML

    def parse(self) -> dict[str, Any]:
        """Give the settings in it, without the outer `settings`.

        Raises:
            ApiFailed: it is neither TOML nor JSON.
        """
        import tomllib

        try:
            text = self.content.decode("utf-8-sig")
            document = json.loads(text) if self.media == JSON else tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise wrong_usage(f"{self.name} cannot be read: {error}", "write TOML or JSON, in UTF-8") from error
        inner = document.get("settings", document)
        if not isinstance(inner, dict):
            raise wrong_usage(f"{self.name}: `settings` is no table")
        return inner


def read_sources(names: list[str]) -> list[Source]:
    """Read documents: `-`, paths, `file:`, `http:` and `https:` URIs; standard input without any name.

    Raises:
        ApiFailed: one cannot be read.
    """
    wanted = names or [STANDARD_INPUT]
    if len(wanted) == 1:
        return [read_source(wanted[0])]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        return list(pool.map(read_source, wanted))


def read_source(name: str) -> Source:
    """Read one document; raises ApiFailed."""
    if name == STANDARD_INPUT:
        return Source("standard input", _limited(name, sys.stdin.buffer.read(MAX_DOCUMENT + 1)))
    scheme = name.partition(":")[0].lower() if _URI.match(name) else ""
    if scheme in ("http", "https"):
        return Source(name, _limited(name, _fetch(name)))
    if scheme not in ("", "file"):
        raise wrong_usage(f"{name}: the scheme {scheme} is not known", "use -, a path, file:, http: or https:")
    path = Path(unquote(urlsplit(name).path) if scheme else name)
    try:
        with path.open("rb") as file:
            return Source(name, _limited(name, file.read(MAX_DOCUMENT + 1)))
    except OSError as error:
        raise wrong_usage(f"cannot read {name}: {error.strerror or error}") from error


def _fetch(url: str) -> bytes:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT) as response:  # noqa: S310 - http and https only
            content: bytes = response.read(MAX_DOCUMENT + 1)
    except (OSError, ValueError) as error:  # URLError is an OSError
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise wrong_usage(f"cannot fetch {url}: {reason}") from error
    return content


def _limited(name: str, content: bytes) -> bytes:
    if len(content) > MAX_DOCUMENT:
        raise wrong_usage(f"{name} is larger than {MAX_DOCUMENT // 1024**2} MiB")
    return content


def merged(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge documents, later ones over earlier ones, tables by their keys (RFC 7396 without removals)."""
    result: dict[str, Any] = {}
    for document in documents:
        result = _merge(result, document)
    return result


def _merge(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merge(base[key], value) for key, value in patch.items() if _tables(base.get(key), value)}
    return {**base, **patch, **both}


def _tables(old: object, new: object) -> bool:
    return isinstance(old, dict) and isinstance(new, dict)
