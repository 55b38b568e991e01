# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The query of a request, read as the table of endpoints declares it: every mistake is named, none is passed over."""

from collections.abc import Iterator
from typing import Any

from pinwheel.api.endpoint import MAX_TEXT, Endpoint, Parameter
from pinwheel.api.problem import ApiError, Problem, problem

MAX_ITEMS = 1000
"""Of a list."""
_MAX_DIGITS = 12


def read_query(endpoint: Endpoint, query: str) -> dict[str, Any]:
    """Give the value of every parameter that the endpoint declares.

    Raises:
        ApiError: with all that is wrong.
    """
    if not query and not endpoint.parameters:
        return {}
    given, problems = _split(query)
    values: dict[str, Any] = {}
    for parameter in endpoint.parameters:
        try:
            values[parameter.name] = _value(parameter, given.pop(parameter.name, None))
        except ValueError as error:
            problems.append(problem("bad-parameter", f"{parameter.name}: {error}", path=parameter.name))
    problems += _unknown(endpoint, given)
    if problems:
        raise ApiError(400, problems[0]["message"] if len(problems) == 1 else "wrong parameters", problems)
    return values


def _split(query: str) -> tuple[dict[str, str], list[Problem]]:
    if not query:
        return {}, []
    from urllib.parse import parse_qsl  # costs start time, and most requests have no query

    problems: list[Problem] = []
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:  # UnicodeDecodeError is one
        return {}, [problem("bad-query", "the query is not UTF-8 text in percent encoding, or far too long")]
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            problems.append(problem("bad-parameter", f"{name[:60]!a} is given twice", path=name[:60]))
        given[name] = value
    return given, problems


def _unknown(endpoint: Endpoint, given: dict[str, str]) -> Iterator[Problem]:
    known = ", ".join(parameter.name for parameter in endpoint.parameters)
    hint = f"there are: {known}" if known else "there are none here"
    for name in given:
        yield problem("unknown-parameter", f"unknown parameter {name[:60]!a}", path=name[:60], hint=hint)


def _value(parameter: Parameter, text: str | None) -> Any:  # noqa: ANN401
    if text is None:
        if parameter.required:
            raise ValueError("is missing")
        return False if parameter.kind == "flag" else parameter.default
    if not text:
        raise ValueError("is empty")
    match parameter.kind:
        case "flag":
            return _choice(text, ("true", "false")) == "true"
        case "choice":
            return _choice(text, parameter.choices)
        case "number":
            return _number(parameter, text)
        case "texts":
            return _texts(text)
    return _text(text, parameter.maximum or MAX_TEXT)


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}, not {text[:60]!a}")
    return text


def _number(parameter: Parameter, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else -1
    if not parameter.minimum <= number <= parameter.maximum:
        raise ValueError(f"must be a whole number from {parameter.minimum} to {parameter.maximum}, not {text[:60]!a}")
    return number


def _texts(text: str) -> list[str]:
    """Split at commas that are not in quotes: a key may have one in it."""
    items, item, quote = [], "", ""
    for character in text:
        if character == "," and not quote:
            items.append(item)
            item = ""
            continue
        if character in "\"'" and quote in {"", character}:
            quote = "" if quote else character
        item += character
    items.append(item)
    if len(items) > MAX_ITEMS:
        raise ValueError(f"has more than {MAX_ITEMS} items")
    return [_text(one, MAX_TEXT) for one in items]


def _text(text: str, maximum: int) -> str:
    if not text:
        raise ValueError("has an empty item")
    if len(text) > maximum:
        raise ValueError(f"is longer than {maximum} characters")
    if not text.isprintable():
        raise ValueError("has a character that is not printable")
    return text
