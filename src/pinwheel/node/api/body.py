# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What requests carry: JSON or TOML to plain values. Whether they are settings is the actuator's to say.

Nothing here trusts the sender: JSON that Python would take and nobody else (`NaN`, two keys of one name, half a
surrogate pair, numbers without end) is refused, and so is what is nested beyond use.
"""

import json
import math
from typing import Any, NamedTuple, NoReturn

from pinwheel.api.endpoint import JSON, TOML
from pinwheel.api.problem import ApiError, one, problem
from pinwheel.node.api.message import Asked, Request

MAX_DEPTH = 64
"""As of documents of settings."""
_MAX_INTEGER = 2**63 - 1
_MAX_DIGITS = 40


class Carried(NamedTuple):
    """The body of a request."""

    value: Any
    toml: str = ""
    """The text that it was read from, if it was TOML: problems can name lines of it."""


async def read_body(asked: Asked) -> Carried:
    """Read the body of a request in any of the forms that its endpoint takes.

    Raises:
        ApiError: it has none, another form, or is broken.
    """
    media = media_type(asked.request, asked.endpoint.body.media if asked.endpoint.body else ())
    content = await asked.request.read_body()
    if not content.strip():
        raise one(400, "no-body", "the request has no body")
    text = _decoded(content)
    value = _toml(text) if media == TOML else _json(text)
    check_depth(value)
    return Carried(value, text if media == TOML else "")


def media_type(request: Request, accepted: tuple[str, ...]) -> str:
    """Give the kind of the body; JSON where the client does not say.

    Raises:
        ApiError: it is none of those accepted, or it is compressed.
    """
    encoding = request.header(b"content-encoding")
    if encoding not in {"", "identity"}:
        raise one(415, "encoding", f"no body in the encoding {encoding[:40]!a}", hint="send it as it is")
    media, _, parameters = request.header(b"content-type").lower().partition(";")
    media = media.strip() or JSON
    media = JSON if media == "application/x-www-form-urlencoded" and JSON in accepted else media  # curl's --data
    charset = parameters.partition("charset=")[2].strip().strip('"')
    if media not in accepted or charset not in {"", "utf-8"}:
        hint = f"it can be {' or '.join(accepted)}, in UTF-8"
        raise one(415, "media-type", f"no body of the type {request.header(b'content-type')[:80]!a}", hint=hint)
    return media


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the body is not UTF-8 text (line {line})"
        raise ApiError(400, message, [problem("not-utf-8", message, line=line)]) from None


def _json(text: str) -> Any:  # noqa: ANN401
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_float,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise ApiError(400, message, [problem("not-json", message, line=error.lineno)]) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # UnicodeEncodeError is one
        words = "half a surrogate pair in a text" if isinstance(error, UnicodeError) else str(error)
        raise one(400, "not-json", f"the body is not JSON: {words}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!a} is there twice in one table")
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _integer(text: str) -> int:
    number = int(text) if len(text) <= _MAX_DIGITS else _MAX_INTEGER + 1
    if abs(number) > _MAX_INTEGER:
        raise ValueError("a number does not fit into 64 bits")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _toml(text: str) -> Any:  # noqa: ANN401
    import tomllib

    from pinwheel.settings.positions import positions

    source = text.replace("\r\n", "\n")
    try:
        positions(source)  # refuses what would keep tomllib busy for very long
        value = tomllib.loads(source, parse_float=_float)
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(str(error)) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise _no_toml(str(error) or "nested too deeply") from None
    _plain(value)
    return value


def _no_toml(words: str) -> ApiError:
    place = words.partition("(at line ")[2].partition(",")[0]
    message = f"the body is not TOML: {words[:200]}"
    return ApiError(400, message, [problem("not-toml", message, line=int(place) if place.isdigit() else 0)])


def _plain(value: Any) -> None:  # noqa: ANN401
    """Refuse what TOML has and JSON has not."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _plain(item)
    elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise one(400, "not-toml", "a number does not fit into 64 bits")
    elif value is not None and not isinstance(value, str | int | float):
        raise one(400, "bad-value", f"no setting is a date or a time: {value}", hint="write it as a text, in quotes")


def check_depth(value: Any, left: int = MAX_DEPTH) -> None:  # noqa: ANN401
    """Raise ApiError when a value goes deeper than `left` tables and lists."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and not left:
        raise _too_deep()
    for item in inner:
        check_depth(item, left - 1)


def _too_deep() -> ApiError:
    return one(400, "too-deep", f"lists or tables are nested more than {MAX_DEPTH} deep")


def document(carried: Carried) -> dict[str, Any]:
    """Give settings without the outer table `settings`, which may be there or not.

    Raises:
        ApiError: it is no table.
    """
    value = carried.value
    if isinstance(value, dict) and "settings" in value:
        others = sorted(set(value) - {"settings"})
        if others:
            raise ApiError(
                400,
                "there is more than `settings` in the body",
                [problem("unknown-key", "unknown key", path=key[:100]) for key in others[:20]],
            )
        value = value["settings"]
    if not isinstance(value, dict):
        raise one(400, "bad-value", "the body must be a table of settings")
    return value
