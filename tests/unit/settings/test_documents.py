# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What holds for every document there is: good values, bad ones, and documents that were made to do harm."""

import gzip
import json
from typing import Any

import msgspec
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.documents import FREE, documents

from pinwheel.settings.accepted import accepted
from pinwheel.settings.changes import diff, merge, replace
from pinwheel.settings.documents import hide_secrets, normal
from pinwheel.settings.model import dump
from pinwheel.settings.reading import read
from pinwheel.settings.secret import HIDDEN, Secret
from pinwheel.settings.tree import Settings
from pinwheel.settings.user_data import MAX_PROBLEMS, MAX_USER_DATA, parse_user_data

slow = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
SHAPED = documents(Settings)
JUNK = st.dictionaries(st.sampled_from([*Settings.__struct_encode_fields__, "x"]), FREE | st.none(), max_size=4)


def in_clear(found: Settings) -> dict[str, Any]:
    """Write settings as a document: secrets in clear, and without what is not set."""
    plain: dict[str, Any] = without_none(msgspec.to_builtins(found, enc_hook=Secret.get_secret_value))
    return normal(Settings, plain)


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return [without_none(item) for item in value] if isinstance(value, list) else value


@slow
@given(SHAPED | JUNK)
def test_any_document_is_read_and_what_is_left_has_no_mistake(document):
    before = json.dumps(document)
    found, mistakes = read(Settings, document)
    assert not list(found.conflicts())
    assert all(str(mistake.message).isprintable() for mistake in mistakes)
    assert json.dumps(document) == before
    again, kept, more = accepted(Settings, document)
    assert (again, more) == (found, mistakes)
    assert read(Settings, kept) == (found, [])


@slow
@given(SHAPED)
def test_settings_that_are_written_out_are_read_back(document):
    found = read(Settings, document)[0]
    assert read(Settings, in_clear(found)) == (found, [])


@slow
@given(SHAPED)
def test_a_dump_is_read_back_but_for_secrets(document):
    found = read(Settings, document)[0]
    shown = dump(found)
    mistakes = read(Settings, shown)[1]
    assert bool(mistakes) == (HIDDEN in json.dumps(shown))
    assert replace(Settings, in_clear(found), shown) == in_clear(found)


@slow
@given(SHAPED | JUNK, SHAPED)
def test_documents_are_merged_compared_and_shown_whatever_they_hold(first, patch):
    base = merge(Settings, {}, first)
    merged = merge(Settings, base, patch)
    assert merge(Settings, merged, patch) == merged
    assert (diff(Settings, base, merged) == []) == (written(base) == written(merged))
    json.dumps(hide_secrets(Settings, merged))


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True)


@slow
@given(SHAPED)
def test_toml_says_what_json_says(document):
    found, problems = parse_user_data(tomli_w.dumps({"settings": document}))
    expected, mistakes = read(Settings, document)
    assert found == expected
    assert len(problems) == min(len(mistakes), MAX_PROBLEMS + 1)
    assert all(problem.line for problem in problems if problem.code != "more-problems")


def nested(opening: str, closing: str, depth: int) -> str:
    return opening * depth + closing * depth


HOSTILE = {
    "nothing": b"",
    "zeros": bytes(1000),
    "every byte": bytes(range(256)),
    "gzip": gzip.compress(b"[settings]"),
    "gzip bomb": gzip.compress(bytes(10_000_000)),
    "latin-1": '[settings]\nmotd = "ä"'.encode("latin-1"),
    "utf-16": '[settings]\nmotd = "x"'.encode("utf-16"),
    "utf-32": '[settings]\nmotd = "x"'.encode("utf-32"),
    "lone surrogate": b'[settings]\nmotd = "\xed\xa0\x80"',
    "overlong": b'[settings]\nmotd = "\xc0\xaf"',
    "cut short": '[settings]\nmotd = "ä'.encode()[:-1],
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbf[settings]",
    "largest": b"#" * MAX_USER_DATA,
    "too large": b"#" * (MAX_USER_DATA + 1),
    "deep lists": b"settings.docker.engine-options.a = " + nested("[", "]", 50_000).encode(),
    "deep tables": b"settings.docker.engine-options = " + b"{a=" * 40_000 + b"1" + b"}" * 40_000,
    "deep keys": b".".join([b"settings"] * 30_000) + b" = 1",
    "deep headers": b"[" + b".".join([b"a"] * 30_000) + b"]",
    "deep brackets": b"[" * 200_000,
    "quotes": b'"' * 200_000,
    "many keys": b"[settings.kernel.sysctl]\n" + b"".join(b'"vm.k%d" = 1\n' % number for number in range(15_000)),
    "many tables": b"".join(b"[settings.host-containers.c%d]\n" % number for number in range(8_000)),
    "many items": b"settings.network.no-proxy = [" + b"'a b'," * 40_000 + b"]",
    "huge number": b"settings.docker.remote.port = " + b"9" * 200_000,
    "huge text": b"settings.network.hostname = '" + b"a" * 200_000 + b"'",
    "huge base64": b"settings.pki.a.data = '" + b"LS0tLS1CRUdJTi" * 15_000 + b"'",
    "dates": b"settings = {motd = 2026-11-22T22:00:00Z, docker.engine-options.a = 07:00:00}",
    "numbers that are none": b"settings.docker.engine-options = {a = nan, b = inf, c = -inf}",
    "escapes": b'"\\u001b[2J" = 1\n[settings]\n"\\u0000\\u202e" = "\\u001b]0;x\\u0007"\nmotd = "\\u009b31m"',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(30)
def test_documents_made_to_do_harm_do_none(name):
    found, problems = parse_user_data(HOSTILE[name])
    assert isinstance(found, Settings)
    assert len(problems) <= MAX_PROBLEMS + 1
    assert all(str(problem).isprintable() and len(str(problem)) < 2000 for problem in problems)


@slow
@given(st.binary(max_size=300) | SHAPED.map(lambda document: tomli_w.dumps({"settings": document}).encode()), st.data())
def test_flipped_bytes_stop_nothing(text, data):
    broken = bytearray(text)
    for _ in range(data.draw(st.integers(0, 3))):
        if broken:
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    found, problems = parse_user_data(bytes(broken))
    assert isinstance(found, Settings)
    assert all(str(problem).isprintable() for problem in problems)
