# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What every image boots with."""

import pytest

from pinwheel.image.uki import command_line, entry_name

ROOT_HASH = "ab" * 32


@pytest.mark.parametrize(
    "word",
    [
        "lockdown=integrity",
        "module.sig_enforce=1",
        "panic=10",
        f"roothash={ROOT_HASH}",
        "ro",
        "systemd.machine_id=firmware",
    ],
)
def test_command_line_has(word: str) -> None:
    assert command_line(ROOT_HASH).split().count(word) == 1


def test_lockdown_is_among_the_security_modules() -> None:
    modules = next(word for word in command_line(ROOT_HASH).split() if word.startswith("lsm=")).removeprefix("lsm=")
    assert modules.split(",")[0] == "lockdown"


@pytest.mark.parametrize("word", ["init", "rd.break", "systemd.debug_shell", "rescue", "single", "rw"])
def test_command_line_opens_no_back_door(word: str) -> None:
    assert word not in {part.split("=")[0] for part in command_line(ROOT_HASH).split()}


def test_entry_carries_the_tries_that_are_left() -> None:
    assert entry_name("1.2.3") == "pinwheel_1.2.3+3.efi"
