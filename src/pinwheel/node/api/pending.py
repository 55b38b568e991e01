# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Transactions: changes that wait for their commit, each a file in the service's own directory, gone at boot.

They hold secrets in clear, as their clients wrote them, so nobody else may read them. What is kept is one change in the
actuator's form: paths to unset first, then a patch to merge, in which null unsets (RFC 7396).
"""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pinwheel.api.problem import one

Document = dict[str, Any]

MAX_TRANSACTIONS = 100
MAX_BYTES = 1024 * 1024
"""Of one transaction, as JSON."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Pending(NamedTuple):
    """What a transaction holds."""

    patch: Document
    unset: tuple[tuple[str, ...], ...] = ()

    def with_patch(self, patch: Document) -> "Pending":
        """Give this and then another patch as one change."""
        unset = list(self.unset)
        return Pending(_overlaid(self.patch, patch, (), unset), tuple(unset))


def _overlaid(under: Document, over: Document, path: tuple[str, ...], unset: list[tuple[str, ...]]) -> Document:
    """Lay one patch over another. Null under a table means: forget what there was, then take the table."""
    result = dict(under)
    for key, value in over.items():
        below = under.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            value = _overlaid(below, value, (*path, key), unset)
        elif isinstance(value, dict) and key in under and (*path, key) not in unset:
            unset.append((*path, key))
        result[key] = value
    return result


def leaves(document: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give the path and the value of everything in a document that is no table with something in it."""
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


class Transactions:
    """The transactions of one service."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, name: str) -> asyncio.Lock:
        """Give what whoever reads, and then writes or commits a transaction, holds meanwhile."""
        _check(name)
        if len(self._locks) > MAX_TRANSACTIONS:
            self._locks = {known: lock for known, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(name, asyncio.Lock())

    def names(self) -> list[str]:
        """Name those that hold something."""
        try:
            entries = os.listdir(self._directory)  # noqa: PTH208 - names are all that is wanted
        except FileNotFoundError:
            return []
        return sorted(name.removesuffix(".json") for name in entries if name.endswith(".json") and name[0] != ".")

    def get(self, name: str) -> Pending:
        """Give what a transaction holds; nothing where there is no such transaction."""
        try:
            content = json.loads(self._file(name).read_bytes())
        except FileNotFoundError:
            return Pending({})
        return Pending(content["patch"], tuple(tuple(path) for path in content["unset"]))

    def put(self, name: str, pending: Pending) -> None:
        """Keep a transaction.

        Raises:
            ApiError: it is too large, or there are too many.
        """
        from pinwheel.node.files import write_atomically

        content = json.dumps({"patch": pending.patch, "unset": pending.unset}).encode()
        if len(content) > MAX_BYTES:
            raise one(413, "too-large", f"a transaction holds at most {MAX_BYTES // 1024} KiB")
        names = self.names()
        if name not in names and len(names) >= MAX_TRANSACTIONS:
            raise one(429, "too-many", f"there are {len(names)} transactions", hint="DELETE /tx?tx=NAME forgets one")
        write_atomically(self._file(name), content, 0o600)

    def delete(self, name: str) -> None:
        """Forget a transaction."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        _check(name)
        return self._directory / f"{name}.json"


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        hint = "letters, digits, `-`, `_` and `.`, the first a letter or digit; at most 64"
        raise one(400, "bad-parameter", f"tx: no name of a transaction: {name[:80]!a}", path="tx", hint=hint)
