# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Values never become syntax, whatever is in them."""

import configparser
import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwheel.node.serialize import environment_file, ini_file, sysctl_file


def systemd_environment(text: str) -> dict[str, str]:
    """Read an EnvironmentFile as systemd.exec(5) says: in double quotes a backslash keeps `"`, `\\`, "`" and `$`."""
    found = re.findall(r'^([A-Z_]+)="((?:[^"\\]|\\.)*)"\n', text, re.MULTILINE)
    return {name: re.sub(r'\\(["\\`$])', r"\1", value) for name, value in found}


@settings(deadline=None)  # a busy machine would break it
@given(st.text(max_size=30))
def test_environment_values_come_back_as_they_were(value):
    with contextlib.suppress(ValueError):
        text = environment_file({"A": value, "B": "end"}).decode()
        assert text.count("\n") == 2
        assert systemd_environment(text) == {"A": value, "B": "end"}


@settings(deadline=None)  # a busy machine would break it
@given(st.text(max_size=30))
def test_ini_values_stay_values(value):
    with contextlib.suppress(ValueError):
        reader = configparser.ConfigParser(interpolation=None)
        reader.read_string(ini_file({"Time": {"NTP": value}, "Last": {"x": "y"}}).decode())
        assert reader.sections() == ["Time", "Last"]
        assert reader["Time"]["NTP"] == value.strip()


def test_ini_keys_keep_their_case_and_percent_signs_mean_nothing():
    assert ini_file({"Time": {"NTP": "a%b"}}) == b"[Time]\nNTP=a%b\n\n"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_line_breaks_are_refused_everywhere(value):
    with pytest.raises(ValueError, match="cannot hold"):
        environment_file({"A": value})
    with pytest.raises(ValueError, match="cannot hold"):
        ini_file({"Time": {"NTP": value}})
    with pytest.raises(ValueError, match="cannot hold"):
        sysctl_file({"a.b": value})


@pytest.mark.parametrize("name", ["-a.b", "a=b", "a b", "#a", "a\nb", ""])
def test_names_that_mean_more_in_a_sysctl_file_are_refused(name):
    with pytest.raises(ValueError, match="cannot hold"):
        sysctl_file({name: "1"})


def test_a_value_that_would_continue_on_the_next_line_is_refused():
    with pytest.raises(ValueError, match="cannot hold"):
        ini_file({"Time": {"NTP": "a\\"}})
