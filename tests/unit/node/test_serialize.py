# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Values never become syntax, whatever is in them."""

import configparser
import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwheel.node.serialize import environment_file, hosts_file, ini_file, modprobe_file, sysctl_file, unit_file


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
        assert reader["Time"]["NTP"] == value


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


def test_sections_and_keys_may_repeat_where_systemd_takes_lists():
    assert unit_file([("Route", [("Gateway", "a")]), ("Route", [("Gateway", "b"), ("Gateway", "c")])]) == (
        b"[Route]\nGateway=a\n\n[Route]\nGateway=b\nGateway=c\n\n"
    )


@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\u2003"])
def test_spaces_that_a_reader_would_drop_are_refused(value):
    with pytest.raises(ValueError, match="cannot hold"):
        ini_file({"Time": {"NTP": value}})


@pytest.mark.parametrize("name", ["a]b", "a=b", "", "#a", "a b", "a\nb"])
def test_names_of_sections_and_keys_are_plain_words(name):
    with pytest.raises(ValueError, match="cannot hold"):
        ini_file({name: {}})
    with pytest.raises(ValueError, match="cannot hold"):
        ini_file({"Time": {name: "x"}})


@pytest.mark.parametrize("word", ["a b", "a\nb", "#a", "", "a\\"])
def test_words_of_a_hosts_file_stay_words(word):
    with pytest.raises(ValueError, match="cannot hold"):
        hosts_file([("192.0.2.1", [word])])


@pytest.mark.parametrize("line", [("a b",), ("a\nb",), ("#a",), ("",), ("a", 'b"c'), ("a", "b'c"), ("a", "\u00e9")])
def test_words_of_a_modprobe_file_stay_words(line):
    with pytest.raises(ValueError, match="cannot hold"):
        modprobe_file([line])


def test_backslash_at_the_end_of_a_modprobe_line_continues_nothing():
    assert modprobe_file([("options", "a", "b=c\\"), ("blacklist", "d")]) == b"options a b=c\\ \nblacklist d\n"


def test_hosts_and_modprobe_have_a_line_each():
    assert hosts_file([("::1", ["a", "b"]), ("192.0.2.1", ["c"])]) == b"::1 a b\n192.0.2.1 c\n"
    assert modprobe_file([("blacklist", "sctp")]) == b"blacklist sctp\n"
