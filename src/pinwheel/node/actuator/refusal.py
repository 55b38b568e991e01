# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Why the actuator does not do what it was asked to."""

from collections.abc import Sequence

from pinwheel.settings.problem import Problem

BAD_REQUEST = 400
NOT_FOUND = 404
CONFLICT = 409
FAILED = 500
NOT_IMPLEMENTED = 501


class Refusal(Exception):
    """The request was not carried out. The node is as it was."""

    def __init__(self, status: int, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.status = status
        """What an HTTP answer would say."""
        self.message = message
        self.problems = list(problems)


def plural(count: int, noun: str) -> str:
    """Give `1 problem` or `2 problems`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
