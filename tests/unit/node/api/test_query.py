# SPDX-License-Identifier: Apache-2.0 OR MIT
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.api.endpoint import Endpoint, Parameter
from pinwheel.api.problem import ApiError
from pinwheel.node.api.query import read_query

ENDPOINT = Endpoint(
    "GET", "/x", "x", "x", "X", "reader", (),
    parameters=(
        Parameter("text", "", maximum=10),
        Parameter("texts", "", "texts"),
        Parameter("number", "", "number", default=7, minimum=1, maximum=100),
        Parameter("flag", "", "flag"),
        Parameter("choice", "", "choice", choices=("json", "text")),
    ),
)  # fmt: skip
REQUIRED = ENDPOINT._replace(parameters=(Parameter("keys", "", "texts", required=True),))
NOTHING = {"text": None, "texts": None, "number": 7, "flag": False, "choice": None}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {}),
        ("text=a%20b", {"text": "a b"}),
        ("texts=a,b", {"texts": ["a", "b"]}),
        ('texts=a."b,c",d', {"texts": ['a."b,c"', "d"]}),
        ("number=100&flag=true", {"number": 100, "flag": True}),
        ("flag=false&choice=text", {"choice": "text"}),
    ],
)
def test_parameters_are_read_as_declared(query: str, values: dict[str, Any]) -> None:
    assert read_query(ENDPOINT, query) == NOTHING | values


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("text=", "is empty"),
        ("text=12345678901", "longer than 10"),
        ("text=a%00b", "not printable"),
        ("text=%ff", "not UTF-8"),
        ("text=a&text=b", "given twice"),
        ("texts=a,,b", "empty item"),
        ("number=0", "from 1 to 100"),
        ("number=101", "from 1 to 100"),
        ("number=1e1", "from 1 to 100"),
        ("number=%D9%A3", "from 1 to 100"),
        ("number=" + "9" * 5000, "from 1 to 100"),
        ("flag=yes", "one of true, false"),
        ("flag=TRUE", "one of true, false"),
        ("choice=xml", "one of json, text"),
        ("dryrun=true", "unknown parameter"),
        ("&".join(f"p{n}=1" for n in range(60)), "far too long"),
    ],
)
def test_what_is_wrong_is_said(query: str, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        read_query(ENDPOINT, query)
    assert caught.value.status == 400


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ApiError) as caught:
        read_query(ENDPOINT, "number=0&flag=yes&more=1&text=")
    assert sorted(problem["path"] for problem in caught.value.problems) == ["flag", "more", "number", "text"]


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(ApiError, match="keys: is missing"):
        read_query(REQUIRED, "")


@given(st.text(max_size=200))
def test_no_query_does_anything_but_fit_or_be_refused(query: str) -> None:
    refused: list[ApiError] = []
    try:
        assert set(read_query(ENDPOINT, query)) == set(NOTHING)
    except ApiError as error:
        refused.append(error)
    assert all(error.problems and error.body.isascii() for error in refused)
