# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reading logs that grow."""

from pinwheel.machine.follow import Follower, last_line, plain_text, tail

CONSOLE = (
    b"\x1b[2J\x1b[01;01HBdsDxe: loading\r\n[    1.234567] Linux version 6.12\r\n"
    b"[\x1b[0;32m  OK  \x1b[0m] Started docker.service\r\n\r\n"
)


def test_only_what_is_new_is_given(tmp_path):
    log = Follower(tmp_path / "console.log")
    assert log.read_new() == b""
    (tmp_path / "console.log").write_bytes(b"one\n")
    assert log.read_new() == b"one\n"
    with (tmp_path / "console.log").open("ab") as file:
        file.write(b"two\n")
    assert log.read_new() == b"two\n"
    assert log.read_new() == b""


def test_console_becomes_plain_lines():
    assert plain_text(CONSOLE).splitlines() == [
        "BdsDxe: loading", "[    1.234567] Linux version 6.12", "[  OK  ] Started docker.service", "",
    ]  # fmt: skip


def test_note_is_the_last_line_without_its_prefix():
    assert last_line(CONSOLE) == "Started docker.service"
    assert last_line(b"[    1.234567] Linux version 6.12\r\n") == "Linux version 6.12"
    assert last_line(b"\r\n\x1b[0m\r\n") == ""


def test_tail_has_the_last_lines_that_say_something():
    assert tail(CONSOLE, 1) == "[  OK  ] Started docker.service"
    assert len(tail(CONSOLE, 10).splitlines()) == 3


def test_bytes_that_are_no_text_do_no_harm():
    assert plain_text(b"\xff\x00ok\x1b]0;title\x07\n") == "\ufffdok\n"
