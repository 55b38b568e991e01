# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Errors as the API answers them: always `{"message": ..., "problems": [...]}`, all problems of a request at once."""

import json
from collections.abc import Iterable
from typing import Any

Problem = dict[str, Any]
"""With the fields of `pinwheel.settings.problem.Problem`: code, path, line, message, hint."""

STATUSES: dict[int, str] = {
    400: "The request is wrong: a parameter, the body, a setting.",
    403: "The client's role does not allow it.",
    404: "There is no such thing.",
    405: "The path has no such method.",
    408: "The request took too long to arrive.",
    409: "It does not fit the node's state, or a service refused the change: nothing has changed.",
    413: "The body is too large.",
    415: "The body is of a kind, or in an encoding, that is not read here.",
    422: "The transaction holds nothing.",
    423: "Somebody else is at it.",
    426: "This is asked for over a websocket.",
    429: "Too much at once.",
    431: "The request's head is too large.",
    500: "The node's fault.",
    501: "A later version does this.",
    503: "What does the work does not answer.",
}
"""Every status that an error can have, and what it means."""

GENERAL = (400, 403, 429, 431, 500)
"""What every request can end with, whatever it asks for."""
WITH_BODY = (408, 413, 415)
"""What a request with a body can end with besides."""


def problem(code: str, message: str, *, path: str = "", line: int = 0, hint: str = "") -> Problem:
    """Give one problem."""
    return {"code": code, "path": path, "line": line, "message": message, "hint": hint}


class ApiError(Exception):
    """A request that cannot be done, with all that is wrong."""

    def __init__(self, status: int, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = list(problems)

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return json.dumps({"message": self.message, "problems": self.problems}).encode() + b"\n"


def one(status: int, code: str, message: str, *, path: str = "", hint: str = "") -> ApiError:
    """Give the error of a request that has one thing wrong."""
    return ApiError(status, message, [problem(code, message, path=path, hint=hint)])
