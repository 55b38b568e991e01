# SPDX-License-Identifier: Apache-2.0 OR MIT
import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.api.endpoint import JSON, TOML, Body, Endpoint
from pinwheel.api.problem import ApiError
from pinwheel.node.api.body import Carried, document, read_body
from pinwheel.node.api.message import Asked, Request
from pinwheel.node.api.peer import Client

ENDPOINT = Endpoint("PATCH", "/x", "x", "x", "X", "admin", (), body=Body("Settings", "", (JSON, TOML)))


def read(content: bytes, media: str = JSON, **headers: str) -> Any:
    async def body() -> bytes:
        return content

    sent = ((b"content-type", media.encode()), *((name.encode(), value.encode()) for name, value in headers.items()))
    request = Request("PATCH", "/x", sent, Client("admin", {}, ""), body)
    return asyncio.run(read_body(Asked(ENDPOINT, request, {}, {}))).value


@pytest.mark.parametrize("media", [JSON, "application/JSON; charset=UTF-8", "application/x-www-form-urlencoded", ""])
def test_json_is_read(media: str) -> None:
    assert read(b'\xef\xbb\xbf{"a": [1, 2.5, true, null, "\xc3\xa4"]}', media) == {"a": [1, 2.5, True, None, "ä"]}


def test_toml_is_read() -> None:
    assert read(b'[settings]\r\nmotd = "x"\r\n', TOML) == {"settings": {"motd": "x"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no body"),
        (b" \n ", "no body"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,\n "b" 2}', "line 2"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 99999999999999999999}', "64 bits"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "64 bits"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\xff"}', "not UTF-8 text \\(line 1\\)"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8|not JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested more than 64 deep"),
        (b"\x1f\x8b\x08\x00", "not UTF-8"),
    ],
)
def test_json_that_is_none_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        read(content)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = ", "not TOML"),
        (b"a = 1\na = 2\n", "not TOML"),
        (b"a = 2026-01-01", "no setting is a date"),
        (b"a = inf", "too large"),
        (b"a = nan", "too large"),
        (b"a = 9223372036854775808", "64 bits"),
        (b"a = " + b"[" * 100_000, "nested"),
        (b".".join([b"a"] * 32_000) + b" = 1", "nested"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_toml_that_is_none_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        read(content, TOML)
    assert caught.value.status == 400


def test_a_mistake_in_toml_has_its_line() -> None:
    with pytest.raises(ApiError) as caught:
        read(b'a = "x"\nb = \n', TOML)
    assert caught.value.problems[0]["line"] == 2


@pytest.mark.parametrize(
    ("media", "headers"),
    [
        ("text/html", {}),
        ("application/json; charset=latin-1", {}),
        ("application/xml", {}),
        (JSON, {"content-encoding": "gzip"}),
        (JSON, {"content-encoding": "br"}),
    ],
)
def test_bodies_of_other_kinds_and_compressed_ones_are_refused(media: str, headers: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        read(b"{}", media, **headers)
    assert caught.value.status == 415


@pytest.mark.parametrize("value", [{"settings": {"motd": "x"}}, {"motd": "x"}])
def test_settings_come_with_or_without_their_outer_table(value: dict[str, Any]) -> None:
    assert document(Carried(value)) == {"motd": "x"}


@pytest.mark.parametrize("value", [[], "x", None, 7, {"settings": 1}, {"settings": {}, "more": 1}])
def test_what_is_no_table_of_settings_is_refused(value: Any) -> None:
    with pytest.raises(ApiError) as caught:
        document(Carried(value))
    assert caught.value.status == 400


@given(st.binary(max_size=300), st.sampled_from([JSON, TOML]))
def test_no_bytes_do_anything_but_be_read_or_refused(content: bytes, media: str) -> None:
    refused: list[ApiError] = []
    try:
        json.dumps(read(content, media))
    except ApiError as error:
        refused.append(error)
    assert all(error.status == 400 and json.loads(error.body)["message"] for error in refused)
