# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The view: the file in which boot and actuator say what is set. Reading it is all that most requests need."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from pinwheel.api.problem import one
from pinwheel.node.api.message import Response, generation_header


class View(NamedTuple):
    """One state of the settings, secrets hidden."""

    content: dict[str, Any]
    settings: Response
    """The answer to the question for all settings, ready."""

    @property
    def generation(self) -> int:
        """The newest generation."""
        return int(self.content["generation"])

    @property
    def all_settings(self) -> dict[str, Any]:
        """The settings in effect, defaults filled in."""
        return dict(self.content["settings"])

    @property
    def what_is_set(self) -> dict[str, Any]:
        """The settings without defaults."""
        return dict(self.content["set"])


class ViewFile:
    """Reads the view anew when it has been replaced."""

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._known: View | None = None
        self._identity: tuple[int, int, int] | None = None

    def read(self) -> View:
        """Give the view as it is now.

        Raises:
            ApiError: there is none yet.
        """
        try:
            status = os.stat(self._path)  # noqa: PTH116 - a text, as the system call takes it: this is every request's way
        except OSError:
            raise one(503, "no-view", "the settings have not been read yet", hint="the node is starting") from None
        identity = (status.st_ino, status.st_mtime_ns, status.st_size)
        if self._known is None or identity != self._identity:
            self._known, self._identity = _read(self._path), identity
        return self._known


def _read(path: str) -> View:
    with open(path, "rb") as file:  # noqa: PTH123 - a path as the system calls take it
        content = json.loads(file.read())
    settings = json.dumps(content["settings"], ensure_ascii=False).encode() + b"\n"
    return View(content, Response(200, settings, headers=generation_header(content["generation"])))
