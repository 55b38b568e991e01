# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A secret is shown nowhere, and msgspec reads and writes it with the hooks that are made for it."""

import msgspec
import pytest

from pinwheel.settings.secret import Secret, hidden, secret_from_text


def test_a_secret_gives_its_text_only_when_asked_by_name():
    secret = Secret("hunter2")
    assert secret.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"


def test_secrets_are_equal_by_their_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_msgspec_reads_a_secret_from_a_text_only():
    assert msgspec.convert("a", Secret, dec_hook=secret_from_text) == Secret("a")
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(["hunter2"], Secret, dec_hook=secret_from_text)
    assert "hunter2" not in str(caught.value)


def test_msgspec_writes_a_secret_hidden_or_not_at_all():
    assert b"hunter2" not in msgspec.json.encode({"key": Secret("hunter2")}, enc_hook=hidden)
    with pytest.raises(TypeError):
        msgspec.json.encode({"key": Secret("hunter2")})


def test_other_types_are_left_to_msgspec():
    with pytest.raises(NotImplementedError):
        secret_from_text(complex, "1")
    with pytest.raises(NotImplementedError):
        hidden(1j)
