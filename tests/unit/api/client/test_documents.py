# SPDX-License-Identifier: Apache-2.0 OR MIT
from pathlib import Path

import pytest

from pinwheel.api.client import documents
from pinwheel.api.client.documents import Source, merged, read_source
from pinwheel.api.client.failure import ApiFailed


@pytest.mark.parametrize(
    "content",
    [
        b'[settings]\nmotd = "x"\n',
        b'motd = "x"\n',
        b'\xef\xbb\xbf[settings]\nmotd = "x"\n',
        b' {"settings": {"motd": "x"}}',
        b'{"motd": "x"}',
    ],
)
def test_toml_and_json_with_and_without_the_outer_table(content: bytes) -> None:
    assert Source("a", content).parse() == {"motd": "x"}


@pytest.mark.parametrize("content", [b"motd =", b"{", b"\xff", b"settings = 1", b"{" * 100_000, b'{"settings": []}'])
def test_what_is_no_document_is_named(content: bytes) -> None:
    with pytest.raises(ApiFailed, match=r"a\.toml") as raised:
        Source("a.toml", content).parse()
    assert raised.value.exit_code == 2


def test_later_documents_win_key_by_key() -> None:
    first = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    second = {"a": {"c": [3]}, "d": {"e": 1}}
    assert merged([first, second]) == {"a": {"b": 1, "c": [3]}, "d": {"e": 1}}
    assert first == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merged([]) == {}


def test_a_file_is_read_by_path_and_by_uri(tmp_path: Path) -> None:
    file = tmp_path / "with space.toml"
    file.write_bytes(b"a = 1")
    assert read_source(str(file)).content == b"a = 1"
    assert read_source(file.as_uri()).content == b"a = 1"


@pytest.mark.parametrize("name", ["/not/there", "ftp://a/b", "file:///not/there", "http://[bad", "s3://bucket/key"])
def test_what_cannot_be_read_is_wrong_usage(name: str) -> None:
    with pytest.raises(ApiFailed) as raised:
        read_source(name)
    assert raised.value.exit_code == 2


def test_a_document_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENT", 10)
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(ApiFailed, match="larger"):
        read_source(str(tmp_path / "a"))
