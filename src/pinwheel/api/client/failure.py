# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The one error of the client: what the node answered, or why it did not answer."""

import json
from collections.abc import Iterable
from enum import IntEnum

from pinwheel.api.problem import Problem

NO_ANSWER = 0
"""The status of a request that the node did not answer."""


class ExitCode(IntEnum):
    """What the clients exit with; the same numbers as for `pinwheel`. `exec` passes on the command's own code."""

    OK = 0
    ENVIRONMENT = 1
    """The node cannot be reached, is busy, or failed itself."""
    USAGE = 2
    """The request was wrong, or not allowed; the same again will fail again."""
    CHECK_FAILED = 3
    """The node looked at the change, or at its own state, and refused: nothing has changed."""
    INTERRUPTED = 130


_CODES = {
    NO_ANSWER: ExitCode.ENVIRONMENT,
    408: ExitCode.ENVIRONMENT,
    409: ExitCode.CHECK_FAILED,
    423: ExitCode.ENVIRONMENT,
    429: ExitCode.ENVIRONMENT,
    501: ExitCode.USAGE,
}


class ApiFailed(Exception):
    """A request that came to nothing, with all that is wrong."""

    def __init__(
        self, message: str, problems: Iterable[Problem] = (), *, status: int = NO_ANSWER, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.problems = list(problems)
        """Each with code, path, line, message and hint; see `pinwheel.settings.problem.Problem`."""
        self.status = status
        """Of the HTTP answer, or `NO_ANSWER`."""
        self.hint = hint

    @property
    def exit_code(self) -> ExitCode:
        """What a command ends with when this ends it."""
        return _CODES.get(self.status, ExitCode.ENVIRONMENT if self.status >= 500 else ExitCode.USAGE)


def wrong_usage(message: str, hint: str = "") -> ApiFailed:
    """Give the error of a request that need not be sent to be known as wrong."""
    return ApiFailed(message, status=400, hint=hint)


def read_failure(status: int, reason: str, body: bytes) -> ApiFailed:
    """Read an answer that is an error.

    The body is `{"message": ..., "problems": [...]}`; of anything else (another server, another version) its text is
    the message.
    """
    try:
        content = json.loads(body)
        message, problems = str(content["message"]), [dict(one) for one in content.get("problems", ())]
    except (ValueError, TypeError, KeyError, AttributeError):
        text = body.decode(errors="replace").strip()
        return ApiFailed(text[:1000] or f"{status} {reason}", status=status)
    return ApiFailed(message, problems, status=status)
