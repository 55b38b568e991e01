# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The reference part of `docs/api.md`, written from the table of endpoints.

A test compares the page with what this module gives, and fails where the table has changed since.
`python -m pinwheel.api` writes both that part and `docs/openapi.json` anew.
"""

from collections.abc import Iterable

from pinwheel.api.endpoint import Endpoint, Parameter
from pinwheel.api.endpoints import ENDPOINTS
from pinwheel.api.problem import STATUSES

BEGIN = "<!-- endpoints: begin -->"
END = "<!-- endpoints: end -->"


def reference(endpoints: Iterable[Endpoint] = ENDPOINTS) -> str:
    """Give a section for each group of endpoints, in Markdown."""
    groups: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        groups.setdefault(endpoint.group, []).append(endpoint)
    sections = (
        "\n".join([f"### {group.capitalize()}", "", *_table(members)]) + "\n" for group, members in groups.items()
    )
    return "\n".join([*sections, _statuses()])


def with_reference(page: str) -> str:
    """Give a page with its part between the marks written anew; raises ValueError when a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{reference()}{END}{after}"


def _table(endpoints: list[Endpoint]) -> list[str]:
    head = ["| request | role | what it does | parameters | answers |", "|---|---|---|---|---|"]
    return [*head, *map(_row, endpoints)]


def _row(endpoint: Endpoint) -> str:
    words = [f"{endpoint.summary}."]
    words += [f"{endpoint.description}"] if endpoint.description else []
    words += [f"Body: {endpoint.body.description}"] if endpoint.body else []
    answers = (
        []
        if endpoint.later
        else [
            _answer(entry.status, entry.description)
            for entry in endpoint.answers
            if entry.description or len(endpoint.answers) == 1
        ]
    )
    statuses = [501] if endpoint.later else endpoint.errors
    cells = (
        f"`{endpoint.method} {endpoint.path}`",
        endpoint.role,
        " ".join(words),
        "<br>".join(map(_parameter, endpoint.parameters)),
        "<br>".join([*answers, ", ".join(map(str, statuses))]).removesuffix("<br>"),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _answer(status: int, description: str) -> str:
    return f"{status}: {description}" if description else str(status)


def _parameter(parameter: Parameter) -> str:
    notes = ["required"] if parameter.required else []
    notes += [", ".join(parameter.choices)] if parameter.choices else []
    if parameter.kind == "number":
        notes.append(f"{parameter.minimum} to {parameter.maximum}")
    notes += [f"default {parameter.default}"] if parameter.default is not None else []
    return f"`{parameter.name}`" + (f" ({'; '.join(notes)})" if notes else "") + f": {parameter.description}"


def _statuses() -> str:
    rows = (f"| {status} | {words} |" for status, words in STATUSES.items())
    return "\n".join(["### Statuses of errors", "", "| status | meaning |", "|---|---|", *rows]) + "\n"
