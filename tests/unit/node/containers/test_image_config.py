# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What an image says is to start, and as whom."""

import pytest

from pinwheel.node.containers.image_config import DEFAULT_PATH, Account, ImageConfig, ImageConfigError, find_account

PASSWD = "root:x:0:0:root:/root:/bin/sh\nagent:x:998:997:Agent:/:/bin/false\nbroken\n"
GROUP = "root:x:0:\nadm:x:4:syslog,agent\nagent:x:997:\nvideo:x:44:agent\n"


def config(**values):
    return ImageConfig.from_document({"config": values})


def test_the_command_follows_the_entry_point():
    assert config(Entrypoint=["/init"], Cmd=["--fast"]).command == ("/init", "--fast")


@pytest.mark.parametrize("document", [{}, {"config": None}, {"config": {"Cmd": None}}, {"config": {"Cmd": []}}, []])
def test_an_image_that_starts_nothing_is_refused(document):
    with pytest.raises(ImageConfigError, match="neither an entry point nor a command"):
        ImageConfig.from_document(document)


def test_there_is_a_path_unless_the_image_says_another():
    assert config(Cmd=["x"]).environment == {"PATH": DEFAULT_PATH}
    assert config(Cmd=["x"], Env=["PATH=/opt", "A=b=c"]).environment == {"PATH": "/opt", "A": "b=c"}


@pytest.mark.parametrize("values", [
    {"Cmd": "sh"}, {"Cmd": [1]}, {"Cmd": ["a\0b"]}, {"Cmd": ["x"], "Env": {"A": "b"}}, {"Cmd": ["x"], "User": 5},
    {"Cmd": ["x"], "WorkingDir": "../.."},
])  # fmt: skip
def test_values_of_another_type_are_refused(values):
    with pytest.raises(ImageConfigError):
        config(**values)


@pytest.mark.parametrize(("user", "account"), [
    ("", Account()),
    ("root", Account()),
    ("0", Account()),
    ("agent", Account(998, 997, (4, 44))),
    ("998", Account(998, 997, (4, 44))),
    ("agent:adm", Account(998, 4)),
    ("agent:20", Account(998, 20)),
    ("1234", Account(1234, 0)),
    ("1234:5678", Account(1234, 5678)),
])  # fmt: skip
def test_users_are_names_or_numbers(user, account):
    assert find_account(user, PASSWD, GROUP) == account


@pytest.mark.parametrize("user", ["nobody", "agent:nobody", "a:b:c", ":", "-1", "4294967295", "99999999999"])
def test_a_user_that_the_image_does_not_have_is_refused(user):
    with pytest.raises(ImageConfigError):
        find_account(user, PASSWD, GROUP)


def test_numbers_need_no_files():
    assert find_account("7:8", "", "") == Account(7, 8)
