# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How an endpoint of the API is declared. The table itself is `pinwheel.api.endpoints`.

Everything that is said of an endpoint is said once, here: the service's router and its checks, OpenAPI, the reference
page and the clients' help are derived from it. Types are named as texts (`pinwheel.api.types.named` finds them): the
service starts for a single request, and has no use for them.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

Role = Literal["reader", "operator", "admin"]
ROLES: tuple[Role, ...] = ("reader", "operator", "admin")
"""What a client may do, each including those before it: look; operate the node; change what it is."""

Method = Literal["GET", "POST", "PATCH", "DELETE"]

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
TOML = "application/toml"
EVENTS = "text/event-stream"
TEXT = "text/plain"
TAR = "application/x-tar"
METRICS = "text/plain; version=0.0.4"
"""The text format of Prometheus."""


class Parameter(NamedTuple):
    """One parameter of the query."""

    name: str
    description: str
    kind: Literal["text", "texts", "number", "flag", "choice"] = "text"
    """`texts`: one or more, with commas between; `flag`: `true` or `false`."""
    required: bool = False
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0
    """Of a number; for a text the most characters, 0 for `MAX_TEXT`."""


MAX_TEXT = 4096
"""Characters of a parameter's value."""


class Body(NamedTuple):
    """What a request carries."""

    type: str
    description: str
    media: tuple[str, ...] = (JSON,)
    required: bool = True


class Answer(NamedTuple):
    """What is answered when all went well."""

    status: int
    description: str
    type: str = ""
    """Empty for an answer without a body."""
    media: str = JSON


class Endpoint(NamedTuple):
    """One thing that the API can be asked."""

    method: Method
    path: str
    """Parts in braces are numbers: `/settings/generations/{number}`."""
    name: str
    """For programs: OpenAPI's operationId."""
    group: str
    summary: str
    role: Role
    answers: tuple[Answer, ...]
    errors: tuple[int, ...] = ()
    """Statuses beyond those that every request can end with (`pinwheel.api.problem.GENERAL`)."""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    description: str = ""
    later: str = ""
    """What it will do once it is there; until then it answers 501. Empty for one that works."""

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names in braces."""
        parts = self.path.split("/")
        return tuple(part[1:-1] for part in parts if part.startswith("{"))


def find(table: tuple[Endpoint, ...], path: str) -> Iterator[tuple[Endpoint, dict[str, int]]]:
    """Give the endpoints of a path, one for each method, and the numbers that the path has in the place of names."""
    for endpoint in table:
        numbers = _match(endpoint.path, path)
        if numbers is not None:
            yield endpoint, numbers


MAX_DIGITS = 10


def _match(pattern: str, path: str) -> dict[str, int] | None:
    if "{" not in pattern:
        return {} if pattern == path else None
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    numbers = {}
    for name, part in zip(wanted, given, strict=True):
        if not name.startswith("{"):
            if name != part:
                return None
        elif part.isascii() and part.isdigit() and len(part) <= MAX_DIGITS:
            numbers[name[1:-1]] = int(part)
        else:
            return None
    return numbers
