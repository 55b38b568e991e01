# SPDX-License-Identifier: Apache-2.0 OR MIT
import json

import pytest

from pinwheel.api.client.failure import ApiFailed, ExitCode, read_failure
from pinwheel.api.problem import STATUSES


def test_an_error_of_the_api_keeps_all_that_it_says() -> None:
    problems = [{"code": "c", "path": "p", "line": 1, "message": "m", "hint": "h"}]
    failure = read_failure(400, "", json.dumps({"message": "words", "problems": problems}).encode())
    assert (failure.message, failure.problems, failure.status) == ("words", problems, 400)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"{}", b"\xff\xfe", b'{"message": 1, "problems": 2}'])
def test_an_error_of_anything_else_is_its_text(body: bytes) -> None:
    failure = read_failure(502, "Bad Gateway", body)
    assert failure.status == 502
    assert failure.message


def test_a_body_without_text_is_the_status() -> None:
    assert read_failure(502, "Bad Gateway", b"").message == "502 Bad Gateway"


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_api_has_an_exit_code(status: int) -> None:
    expected = {408: 1, 423: 1, 429: 1, 500: 1, 503: 1, 409: 3}
    assert ApiFailed("x", status=status).exit_code == expected.get(status, ExitCode.USAGE)


def test_no_answer_is_the_environments_fault() -> None:
    assert ApiFailed("x").exit_code == ExitCode.ENVIRONMENT
