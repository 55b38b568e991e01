# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What handlers work with: where things are on the node, and what the service knows while it runs."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinwheel.api.problem import ApiError, one
from pinwheel.node import paths as places
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.message import Asked, Response
from pinwheel.node.api.pending import Transactions
from pinwheel.node.api.view import ViewFile
from pinwheel.node.paths import Paths

if TYPE_CHECKING:
    from pinwheel.node.actuator.protocol import Verb

ACTUATOR = "/run/pinwheel/actuator.sock"
OPENAPI = "/usr/share/pinwheel/openapi.json"
SCHEMA = "/usr/share/pinwheel/settings.schema.json"
"""Written at the image's build (`pinwheel.image.api_description`)."""


class Node:
    """One node, as the API service sees it."""

    def __init__(self, paths: Paths, runtime: Path, limits: Limits) -> None:
        """Take the places.

        Args:
            paths: the file system.
            runtime: the service's own directory: all that it can write to.
            limits: of the service.
        """
        self.paths = paths
        self.runtime = runtime
        self.limits = limits
        self.view = ViewFile(paths.at(places.VIEW))
        self.started = time.monotonic()
        self.answered: Counter[int] = Counter()
        """Answers by their status."""
        self.commits = 0
        self.transactions = Transactions(runtime / "tx")
        self.streams = asyncio.Semaphore(limits.streams)
        """Answers without an end: `take_stream` before one, `release` after it."""

    async def take_stream(self) -> None:
        """Count an answer without an end; raises ApiError when there are enough of them."""
        if self.streams.locked():
            raise one(429, "too-many", f"{self.limits.streams} answers without an end are being given already")
        await self.streams.acquire()

    async def ask(self, verb: "Verb") -> Any:  # noqa: ANN401 - each verb has its own
        """Have the actuator do something, and give the result.

        Raises:
            ApiError: it refused, or does not answer.
        """
        from pinwheel.node.actuator.client import ActuatorFailed, call
        from pinwheel.node.actuator.protocol import MAX_REQUEST, Commit, line

        if len(line(verb)) > MAX_REQUEST:
            raise ApiError(413, f"the request is larger than {MAX_REQUEST // 1024} KiB")
        try:
            result = await call(self.paths.at(ACTUATOR), verb)
        except ActuatorFailed as error:
            raise ApiError(error.status, error.message, error.problems) from None
        self.commits += isinstance(verb, Commit) and not verb.dry_run
        return result


Handler = Callable[[Node, Asked], Awaitable[Response]]
