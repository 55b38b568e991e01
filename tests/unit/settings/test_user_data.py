# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Mistakes in user data: each is reported with its line, and costs its own key alone."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Annotated

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.settings.model import Namespace, dump, extended, setting
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings
from pinwheel.settings.user_data import MAX_PROBLEMS, MAX_USER_DATA, find_line, parse_user_data, parse_user_data_as

TOML_ALPHABET = st.text(st.sampled_from(list("settings.docker=[]{},#\"'\\ \n1-")), max_size=80)


def pem(label: str) -> str:
    body = base64.b64encode(b"\x30\x03\x02\x01\x05").decode()
    return base64.b64encode(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()).decode()


CERTIFICATE, KEY = pem("CERTIFICATE"), pem("PRIVATE KEY")
REMOTE = {
    "enabled": True,
    "client-ca": CERTIFICATE,
    "server-certificate": CERTIFICATE,
    "server-key": KEY,
}


def only_problem(text: bytes | str) -> tuple[Settings, Problem]:
    settings, problems = parse_user_data(text)
    assert len(problems) == 1, problems
    return settings, problems[0]


def test_no_text_gives_the_defaults():
    assert parse_user_data(b"") == (Settings(), [])


def test_good_values_are_taken():
    settings, problems = parse_user_data("""
        [settings]
        motd = "hello"
        [settings.network]
        hostname = "node-1"
        https-proxy = "http://user:word@proxy.example.com:3128"
        no-proxy = ["10.0.0.0/8", ".example.com"]
        [settings.ntp]
        time-servers = ["ntp.example.com", "192.0.2.1", "2001:db8::1"]
        [settings.kernel.sysctl]
        "vm.max_map_count" = "262144"
        "net.ipv4.conf.eth0/100.forwarding" = 1
        [settings.docker]
        log-driver = "local"
        log-opts = { max-size = "20m" }
        insecure-registries = ["10.0.2.2:5000", "10.0.0.0/8"]
        default-address-pools = [{ base = "172.30.0.0/16", size = 24 }]
        [[settings.container-registry.mirrors]]
        registry = "docker.io"
        endpoint = ["http://10.0.2.2:5000/"]
    """)
    assert problems == []
    assert settings.motd == "hello"
    assert settings.network.https_proxy is not None
    assert settings.network.https_proxy.get_secret_value() == "http://user:word@proxy.example.com:3128"
    assert settings.kernel.sysctl == {"vm.max_map_count": "262144", "net.ipv4.conf.eth0/100.forwarding": "1"}
    assert settings.docker.default_address_pools[0].size == 24
    assert settings.container_registry.mirrors[0].endpoint == ["http://10.0.2.2:5000"]


def test_unknown_key_is_reported_with_its_line_and_the_nearest_known_key():
    settings, problem = only_problem('[settings.docker]\nlog-driver = "local"\nlog-optz = {}\n')
    assert (problem.code, problem.path, problem.line) == ("unknown-key", "settings.docker.log-optz", 3)
    assert "log-opts" in problem.hint
    assert settings.docker.log_driver == "local"


def test_unknown_key_that_belongs_elsewhere_is_sent_there():
    _, problem = only_problem('[settings]\nhostname = "a"\n')
    assert "settings.network.hostname" in problem.hint


def test_python_names_are_not_keys():
    _, problem = only_problem('[settings.docker]\nlog_driver = "local"')
    assert problem.code == "unknown-key"
    assert "log-driver" in problem.hint


def test_top_level_keys_other_than_settings_are_reported():
    settings, problem = only_problem('setings = 1\n[settings]\nmotd = "x"')
    assert (problem.code, problem.path, problem.line) == ("unknown-key", "setings", 1)
    assert settings.motd == "x"


def test_bad_value_takes_its_default_and_says_so_in_one_line():
    settings, problem = only_problem('[settings]\nmotd = "x"\n[settings.docker]\n\nlog-driver = "x"\n')
    assert settings.motd == "x"
    assert settings.docker.log_driver == "json-file"
    assert str(problem) == (
        'user data line 5: settings.docker.log-driver: "x" is not one of json-file, local, journald, none, syslog, '
        "gelf, fluentd, awslogs (using the default json-file)"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("docker.remote.port = 70000", "must be a whole number from 1 to 65535, not 70000"),
        ('docker.remote.port = "2376"', 'must be a whole number from 1 to 65535, not "2376"'),
        ("docker.remote.port = true", "must be a whole number from 1 to 65535, not true"),
        ("docker.remote.enabled = 1", "must be true or false, not 1"),
        ("motd = 2026-11-22", "must be a text, not 2026-11-22"),
        ("motd = []", "must be a text, not a list"),
        ("ntp.time-servers = {}", "must be a list, not a table"),
        ("network = []", "must be a table"),
        ("docker.log-driver = 5", "5 is not one of json-file, local, journald, none, syslog, gelf, fluentd, awslogs"),
        ('container-registry.mirrors = [{registry = "docker.io"}]', '"endpoint" is missing'),
        ('container-registry.mirrors = [{registry = "docker.io", endpoint = []}]', "must have at least 1 item"),
        ('kernel.sysctl = {"vm b" = 1}', 'not the name of a kernel parameter such as vm.max_map_count: "vm b"'),
    ],
)
def test_messages_say_what_is_allowed_and_what_was_given(line, message):
    assert only_problem(f"settings.{line}")[1].message == message


def test_unknown_key_inside_an_item_of_a_list_costs_itself_alone():
    settings, problem = only_problem(
        'settings.docker.default-address-pools = [{base = "10.9.0.0/16", size = 24, siz = 1}]'
    )
    assert (problem.code, problem.path) == ("unknown-key", "settings.docker.default-address-pools[0].siz")
    assert "size" in problem.hint
    assert settings.docker.default_address_pools[0].size == 24


def test_bad_item_makes_its_list_bad_and_nothing_else():
    settings, problem = only_problem(
        '[settings.ntp]\ntime-servers = [\n  "good.example.com",\n  "a b",\n]\n[settings.network]\nhostname = "a"'
    )
    assert (problem.path, problem.line) == ("settings.ntp.time-servers[1]", 4)
    assert problem.message == 'not a host name or IP address: "a b"'
    assert settings.ntp.time_servers == []
    assert settings.network.hostname == "a"


def test_each_kernel_parameter_stands_for_itself():
    settings, problems = parse_user_data('[settings.kernel.sysctl]\n"vm.a" = "1"\n"vm b" = "2"\n"vm.c" = "a\\nb"\n')
    assert settings.kernel.sysctl == {"vm.a": "1"}
    assert [(problem.path, problem.line) for problem in problems] == [
        ('settings.kernel.sysctl."vm b"', 3),
        ('settings.kernel.sysctl."vm.c"', 4),
    ]


def test_all_mistakes_are_reported_at_once_in_the_order_of_lines():
    _, problems = parse_user_data(
        '[settings.docker]\nlog-driver = 5\nbogus = 1\n[settings.network]\nhostname = "A"\n[x]\n'
    )
    assert [problem.line for problem in problems] == [2, 3, 5, 6]


def test_log_options_are_those_of_the_driver_that_is_used():
    settings, problems = parse_user_data(
        '[settings.docker]\nlog-driver = "fluentdd"\nlog-opts = { fluentd-address = "x" }\n'
    )
    assert [problem.path for problem in problems] == ["settings.docker.log-driver", "settings.docker.log-opts"]
    assert settings.docker.log_opts == {}
    settings, problems = parse_user_data('settings.docker = { log-opts = {fluentd-address="x"}, log-driver="fluentd" }')
    assert problems == []


@pytest.mark.parametrize(
    "pool", ['{base="172.30.0.0/16", size=8}', '{base="172.30.0.0/16", size=33}', '{base="x", size=8}']
)
def test_address_pools_that_would_stop_the_engine_are_refused(pool):
    settings, problem = only_problem(f"settings.docker.default-address-pools = [{pool}]")
    assert problem.path == "settings.docker.default-address-pools[0]"
    assert settings.docker.default_address_pools == []


def test_mirrors_of_other_registries_are_refused():
    _, problem = only_problem(
        '[[settings.container-registry.mirrors]]\nregistry = "quay.io"\nendpoint = ["https://mirror.example.com"]'
    )
    assert (problem.path, problem.line) == ("settings.container-registry.mirrors[0].registry", 2)
    assert '"docker.io" only' in problem.message


def remote(**changes: object) -> str:
    values = {key: value for key, value in (REMOTE | changes).items() if value is not None}
    return tomli_w.dumps({"settings": {"docker": {"remote": values}}})


def test_remote_with_everything_is_on():
    settings, problems = parse_user_data(remote())
    assert problems == []
    assert settings.docker.remote.enabled


@pytest.mark.parametrize("key", ["client-ca", "server-certificate", "server-key"])
@pytest.mark.parametrize(
    "value", [None, "", "no base64!", base64.b64encode(b"no PEM").decode(), pem("PUBLIC KEY"), KEY + CERTIFICATE, 5]
)
def test_remote_without_all_of_its_tls_is_off(key, value):
    settings, problem = only_problem(remote(**{key: value}))
    assert not settings.docker.remote.enabled
    assert problem.path.startswith("settings.docker.remote")
    assert "opens no port" in problem.hint


def test_key_that_needs_a_pass_phrase_is_refused():
    settings, problem = only_problem(remote(**{"server-key": pem("ENCRYPTED PRIVATE KEY")}))
    assert "pass phrase" in problem.message
    assert not settings.docker.remote.enabled


def test_one_bad_value_in_remote_drops_all_of_it():
    settings, _ = only_problem(remote(port=70000))
    assert not settings.docker.remote.enabled
    assert settings.docker.remote.server_key is None


def test_mistyped_key_of_remote_is_named_and_no_port_opens():
    text = remote().replace("client-ca", "client_ca")
    settings, problems = parse_user_data(text)
    assert not settings.docker.remote.enabled
    assert {problem.code for problem in problems} == {"unknown-key", "bad-value"}


@pytest.mark.parametrize(
    "text",
    [
        '[settings.docker.remote]\nserver-key = "hunter2"\n',
        '[settings.docker.remote]\nserver-kei = "hunter2"\n',
        '[settings.docker]\nremote = "hunter2"\n',
        '[settings]\ndocker = "hunter2"\n',
        '[settings.network]\nhttps-proxy = "http://me:hunter2@ x"\n',
        '[settings.docker.remote]\nserver-key = ["hunter2"]\n',
    ],
)
def test_secrets_are_in_no_message(text):
    _, problem = only_problem(text)
    assert "hunter2" not in repr(problem)


def test_secrets_are_in_no_dump():
    settings, _ = parse_user_data(remote())
    for shown in (repr(settings), str(dump(settings)), json.dumps(dump(settings)), str(settings)):
        assert KEY not in shown


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("[settings]\na = \n", "not-toml", 2),
        ("[settings]\n\nmotd = 'x", "not-toml", 3),
        ("[settings]\nmotd = 'x'\nmotd = 'x'", "not-toml", 3),
        (b"[settings]\nmotd = '\xff'", "not-utf-8", 2),
        ("#" * (MAX_USER_DATA + 1), "too-large", 0),
        ("a = " + "[" * 5000, "too-deep", 0),
        (".".join("a" * 50_000) + " = 1", "too-deep", 0),
        ("a = " + "1" * 5000, "not-toml", 0),
    ],
)
def test_document_that_cannot_be_read_leaves_the_defaults(text, code, line):
    settings, problem = only_problem(text)
    assert (problem.code, problem.line) == (code, line)
    assert settings == Settings()


def test_settings_must_be_a_table():
    settings, problem = only_problem("settings = 5")
    assert (problem.path, problem.line) == ("settings", 1)
    assert settings == Settings()


def test_byte_order_mark_and_windows_line_ends_are_accepted():
    settings, problem = only_problem(b"\xef\xbb\xbf[settings]\r\nmotd = 'x'\r\nbogus = 1\r\n")
    assert settings.motd == "x"
    assert problem.line == 3


def test_control_characters_never_reach_the_console():
    _, problems = parse_user_data(
        '[settings]\nmotd = "\\u001b[2J"\n"\\u001b]0;x\\u0007" = 1\n[settings.network]\nhostname="\\u0085\\u007f"'
    )
    assert len(problems) == 3
    assert all(str(problem).isprintable() for problem in problems)


def test_long_lists_of_problems_are_cut():
    _, problems = parse_user_data("[settings]\n" + "".join(f"key{number} = 1\n" for number in range(1000)))
    assert len(problems) == MAX_PROBLEMS + 1
    assert "950 more" in problems[-1].message


def test_largest_documents_take_seconds_at_most():
    started = time.monotonic()
    parse_user_data("[settings]\n" + "".join(f"k{number}=1\n" for number in range(5_000)))
    parse_user_data("settings.ntp.time-servers = [" + '"a b",' * 8_000 + "]")
    assert time.monotonic() - started < 10


def test_line_of_any_key_can_be_found_again():
    assert find_line(b"[settings]\n[settings.docker]\nport = 1", ["settings", "docker"]) == 2
    assert find_line(b"\xff", ["settings"]) == 0


class Extra(Namespace, frozen=True):
    """A third party's namespace."""

    level: Annotated[int, setting("How much.", example=4)] = 3


def test_a_namespace_can_join():
    model = extended(Settings, {"third_party": Extra})
    settings, problems = parse_user_data_as(
        model, "[settings]\nmotd = 'x'\n[settings.third-party]\nlevel = 7\nlevl = 1\n"
    )
    assert dump(settings)["third-party"] == {"level": 7}
    assert settings.motd == "x"
    assert [problem.path for problem in problems] == ["settings.third-party.levl"]


class Range(Namespace, frozen=True):
    """A third party's namespace whose values depend on each other."""

    low: Annotated[int, setting("The least.", example=1)] = 1
    high: Annotated[int, setting("The most.", example=9)] = 9
    whole_table: bool = False

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """The least must not be above the most."""
        if self.low > self.high:
            yield ("" if self.whole_table else "low" if self.high == 9 else "high"), "low is above high"


@pytest.mark.parametrize(
    ("given", "fallen"),
    [
        ("low = 8", []),
        ("low = 7\nhigh = 5", ["high"]),
        ("low = 12\nhigh = 10", ["high", "low"]),
        ("high = 0", ["high"]),
        ("low = 7\nhigh = 5\nwhole-table = true", ["low", "high", "whole-table"]),
    ],
)
def test_values_that_conflict_fall_until_none_do(given, fallen):
    model = extended(Settings, {"range": Range})
    settings, problems = parse_user_data_as(model, f"[settings.range]\n{given}")
    assert sorted(problem.path for problem in problems) == sorted(f"settings.range.{name}" for name in fallen)
    assert list(settings.range.conflicts()) == []  # type: ignore[attr-defined]


def test_a_namespace_cannot_take_a_name_that_is_taken():
    with pytest.raises(ValueError, match="docker"):
        extended(Settings, {"docker": Extra})


@given(st.text(max_size=100) | st.binary(max_size=100) | TOML_ALPHABET)
def test_no_content_stops_the_parser(text):
    settings, problems = parse_user_data(text)
    assert isinstance(settings, Settings)
    assert all(str(problem).isprintable() for problem in problems)


JUNK = st.recursive(
    st.none().map(lambda _: 0) | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KNOWN = [
    "motd",
    "network",
    "hostname",
    "docker",
    "log-driver",
    "log-opts",
    "remote",
    "enabled",
    "port",
    "ntp",
    "kernel",
]
NAMES = st.sampled_from([*KNOWN, "sysctl", "container-registry", "mirrors"])
SHAPED = st.dictionaries(
    NAMES, JUNK | st.dictionaries(NAMES, JUNK | st.dictionaries(NAMES, JUNK, max_size=3), max_size=4)
)


@given(SHAPED, st.sampled_from([1, 65535, 2376]), st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True))
def test_valid_keys_keep_their_values_among_any_junk(junk, port, hostname):
    document = {"settings": {**junk, "network": {"hostname": hostname, "junk": 1}}}
    document["settings"]["docker"] = {"remote": REMOTE | {"port": port}, "log-driver": "local", "nonsense": junk}
    settings, _ = parse_user_data(tomli_w.dumps(document))
    assert settings.network.hostname == hostname
    assert settings.docker.remote.enabled
    assert settings.docker.remote.port == port
    assert settings.docker.log_driver == "local"
