# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Each namespace's own rules: what is taken, and what a mistake costs."""

import base64
from typing import Any

import pytest
import tomli_w

from pinwheel.settings.changes import diff
from pinwheel.settings.engine import OWNED_OPTIONS
from pinwheel.settings.model import dump, prefixes
from pinwheel.settings.oci import ULIMITS, UNLIMITED, Limit, ResourceLimits
from pinwheel.settings.secret import Secret
from pinwheel.settings.system import Module
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import decoded, size_bytes
from pinwheel.settings.user_data import parse_user_data


def read(path: str, value: Any) -> tuple[Settings, list[str]]:
    """Read one value; give the settings, and for each problem its path below the value's, and its message."""
    document = value
    for key in reversed(path.split(".")):
        document = {key: document}
    settings, problems = parse_user_data(tomli_w.dumps({"settings": document}))
    return settings, [f"{problem.path.removeprefix(f'settings.{path}')}: {problem.message}" for problem in problems]


def pem(label: str = "CERTIFICATE") -> str:
    return base64.b64encode(f"-----BEGIN {label}-----\nMA==\n-----END {label}-----\n".encode()).decode()


@pytest.mark.parametrize("option", OWNED_OPTIONS)
def test_engine_options_that_others_set_cost_themselves_alone(option):
    settings, messages = read("docker.engine-options", {option: True, "debug": True})
    assert settings.docker.engine_options == {"debug": True}
    assert len(messages) == 1
    assert messages[0].startswith(f".{option}: ")
    assert "cannot be changed" in messages[0] or "is for that" in messages[0]


def test_settings_that_set_an_engine_option_exist():
    paths = {".".join(path) for path in prefixes(Settings)}
    assert {owner for owner in OWNED_OPTIONS.values() if owner} <= paths


def test_engine_options_hold_whatever_json_holds():
    options = {"debug": True, "mtu": 1400, "dns": ["192.0.2.1"], "runtimes": {"x": {"path": "/var/x"}}, "x": 0.5}
    settings, messages = read("docker.engine-options", options)
    assert (settings.docker.engine_options, messages) == (options, [])
    deep: Any = {}
    for _ in range(20):
        deep = {"a": deep}
    for bad in (float("inf"), 2**63, deep, [float("nan")]):
        assert read("docker.engine-options", {"a": bad, "mtu": 1400})[0].docker.engine_options == {"mtu": 1400}
    assert "not the name of an option" in read("docker.engine-options", {"A b": 1})[1][0]


@pytest.mark.parametrize(
    "login",
    [
        {"username": "me"},
        {"password": "hunter2"},
        {},
        {"auth": "bWU6aHVudGVyMg==", "identitytoken": "hunter2"},
        {"auth": "hunter2!"},
        {"registry": "https://x", "auth": "bWU6aHVudGVyMg=="},
    ],
)
def test_credentials_are_one_way_to_log_in(login):
    settings, messages = read("container-registry.credentials", [{"registry": "r.example.com"} | login])
    assert settings.container_registry.credentials == []
    assert len(messages) in (1, 2)
    assert "hunter2" not in repr(messages)


def test_credentials_are_shown_nowhere():
    login = {"registry": "r.example.com:5000", "username": "me", "password": "hunter2"}
    settings, messages = read("container-registry.credentials", [login])
    assert messages == []
    assert settings.container_registry.credentials[0].password == Secret("hunter2")
    changes = diff(Settings, {}, {"container-registry": {"credentials": [login]}})
    assert "hunter2" not in repr(dump(settings)) + repr(changes) + repr(settings)
    assert "r.example.com" in repr(changes)


def test_certificates_are_trusted_only_where_there_are_any():
    settings, messages = read("pki", {"a": {"data": pem(), "trusted": True}, "b": {"trusted": True}, "c": {}})
    assert messages == [".b: trusted, but without data"]
    assert set(settings.pki) == {"a", "c"}
    assert "not base64 of PEM text that holds certificates" in read("pki", {"a": {"data": pem("PRIVATE KEY")}})[1][0]


def test_kernel_modules():
    settings, messages = read(
        "kernel.modules", {"sctp": {"allowed": False}, "x.ko": {}, "dm_crypt": {"autoload": True}}
    )
    assert settings.kernel.modules == {"sctp": Module(allowed=False), "dm_crypt": Module(autoload=True)}
    assert messages == ['."x.ko": not the name of a kernel module: "x.ko"']


@pytest.mark.parametrize(("text", "size"), [("1%", 20), ("100%", 2000), ("3K", 3072), ("2M", 2 << 20), ("1G", 1 << 30)])
def test_sizes_are_of_a_power_of_1024_or_of_the_memory(text, size):
    assert read("memory.zram-swap.size", text)[1] == []
    assert size_bytes(text, 2000) == size


@pytest.mark.parametrize("text", ["0", "0%", "101%", "1", "1T", "-1M", "1.5G", "1 M", "999999999999G", ""])
def test_other_sizes_are_refused(text):
    assert "not an amount of memory" in read("memory.reserved", text)[1][0]


def test_the_api_opens_no_port_without_an_authority():
    assert read("api.remote", {"enabled": True, "client-ca": pem()})[0].api.remote.enabled
    for bad in ({}, {"client-ca": "x"}, {"client-ca": pem(), "port": 0}):
        settings, messages = read("api.remote", {"enabled": True} | bad)
        assert not settings.api.remote.enabled
        assert len(messages) == 1


def test_a_log_is_never_sent_in_clear_by_mistake():
    settings, messages = read("logging.syslog", {"host": "logs.example.com", "protocol": "tsl"})
    assert settings.logging.syslog.host is None
    assert len(messages) == 1
    assert read("logging.syslog", {"host": "a", "protocol": "tls"})[0].logging.syslog.effective_port == 6514
    assert read("logging.syslog", {"host": "a", "port": 5})[0].logging.syslog.effective_port == 5


def test_headers_for_a_collector_are_secret_lines():
    settings, messages = read(
        "logging.otlp", {"endpoint": "https://o.example.com:4318", "headers": {"api-key": "hunter2"}}
    )
    assert messages == []
    assert "hunter2" not in repr(dump(settings)) + repr(
        diff(Settings, {}, {"logging": {"otlp": {"headers": {"k": "hunter2"}}}})
    )
    for headers in ({"a b": "hunter2"}, {"a": "hunter2\nb: c"}, {"a": ["hunter2"]}):
        settings, messages = read("logging.otlp", {"endpoint": "https://o.example.com", "headers": headers})
        assert settings.logging.otlp.endpoint is None
        assert "hunter2" not in repr(messages)


def test_limits_are_numbers_or_unlimited():
    limits = {
        "max-open-files": {"soft-limit": 1024, "hard-limit": "unlimited"},
        "max-processes": {"soft-limit": "unlimited", "hard-limit": 4},
        "max-core-file-size": {"soft-limit": -2, "hard-limit": 4},
        "max-cpu-time": {"soft-limit": 1},
        "max-stack-size": {"soft-limit": "none", "hard-limit": 4},
    }
    settings, messages = read("oci-defaults.resource-limits", limits)
    found = settings.oci_defaults.resource_limits
    assert found == ResourceLimits(max_open_files=Limit(1024, UNLIMITED))
    assert messages == [
        ".max-processes: soft-limit is above hard-limit",
        f".max-core-file-size.soft-limit: must be a whole number from -1 to {2**63 - 1}, not -2",
        '.max-cpu-time: "hard-limit" is missing',
        f'.max-stack-size.soft-limit: must be a whole number from -1 to {2**63 - 1}, not "none"',
    ]


def test_every_limit_has_the_name_that_the_engine_knows():
    assert set(ULIMITS) == set(ResourceLimits.__struct_fields__)


@pytest.mark.parametrize("options", [["minpoll 9", "maxpoll 8"], ["minpoll 3"], ["iburst "], ["prefer"]])
def test_options_of_time_servers_are_those_that_the_node_can_follow(options):
    settings, messages = read("ntp.options", options)
    assert (settings.ntp.options, len(messages)) == ([], 1)
    assert read("ntp.options", ["iburst", "minpoll 5", "maxpoll 8"])[0].ntp.poll_seconds == (32, 256)


def test_parameters_that_need_no_command_line_are_taken():
    parameters = {"sysctl.vm.max_map_count": ["1", "2"], "nvme_core.io_timeout": ["4294967295"]}
    settings, messages = read("boot.kernel-parameters", parameters)
    assert messages == []
    assert settings.boot.sysctl == {"vm.max_map_count": "2"}
    assert settings.boot.module_parameters == {("nvme_core", "io_timeout"): "4294967295"}


@pytest.mark.parametrize(
    "name",
    [
        "quiet",
        "console",
        "systemd.unit",
        "net.ifnames",
        "netdog.default-interface",
        "sysctl.a/../b",
        "a.b.c",
        "a/b.c",
        "a b.c",
    ],
)
def test_parameters_that_need_the_command_line_cost_themselves_alone(name):
    settings, messages = read("boot.kernel-parameters", {name: ["1"], "printk.devkmsg": ["on"]})
    assert list(settings.boot.kernel_parameters) == ["printk.devkmsg"]
    assert "command line is signed" in messages[0]


def test_values_of_parameters_are_words():
    for bad in ([], [""], ["a b"], ['a"'], "a"):
        assert len(read("boot.kernel-parameters", {"a.b": bad})[1]) == 1
    assert read("boot.init-parameters", {"systemd.log_level": ["debug"], "systemd.unit": ["x"]})[1] == [
        '."systemd.unit": the command line is signed and cannot be changed; what can be set is systemd.log_level, not: '
        '"systemd.unit"'
    ]
    assert len(read("boot.init-parameters", {"systemd.log_level": ["loud"]})[1]) == 1


def test_half_specified_containers_cost_themselves_alone():
    entries = {
        "admin": {"source": "registry.example.com:5000/tools/admin:1.2", "enabled": True, "user-data": "aHVudGVyMg=="},
        "control": {"enabled": True},
        "later": {},
        "bad name!": {},
        "worse": {"source": "https://x", "user-data": "hunter2!"},
    }
    settings, messages = read("host-containers", entries)
    assert set(settings.host_containers) == {"admin", "later"}
    assert settings.host_containers["admin"].user_data == Secret("aHVudGVyMg==")
    assert len(messages) == 4
    assert "hunter2" not in repr(messages)
    assert decoded(Secret("aHVudGVyMg==")) == b"hunter2"


@pytest.mark.parametrize(
    "image",
    [
        "alpine",
        "alpine:3",
        "a/b/c:v1",
        "localhost:5000/x",
        "x@sha256:" + "0" * 64,
        "r.example.com/a_b/c-d__e:T@sha256:" + "f" * 64,
    ],
)
def test_images_are_named_as_registries_do(image):
    assert read("host-containers.x.source", image)[1] == []


@pytest.mark.parametrize("image", ["", "A", "https://x/y", "a b", "x:", "x@sha256:0", "x/", "/x", "x:é"])
def test_what_names_no_image_is_refused(image):
    assert "not an image" in read("host-containers.x.source", image)[1][0]


def test_bootstrap_containers_and_commands():
    settings, messages = read(
        "bootstrap-containers", {"a": {"mode": "once"}, "b": {"mode": "often"}, "c": {"source": "x"}}
    )
    assert list(settings.bootstrap_containers) == ["c"]
    assert set(messages) == {
        '.b.mode: "often" is not one of off, once, always',
        ".a: mode is once, but without source",
    }
    good = {"commands": [["apiclient", "set", "motd=x"]], "mode": "always"}
    bad: Any
    for bad in ([["sh"]], [[]], [["apiclient", "exec", "admin", "sh"]], [["apiclient", 5]], ["apiclient"]):
        settings, messages = read("bootstrap-commands", {"a": good, "b": good | {"commands": bad}})
        assert list(settings.bootstrap_commands) == ["a"]
        assert len(messages) == 1


def test_updates():
    windows = [{"start": "03:30", "minutes": 90, "days": ["sat"]}]
    assert read("updates", {"version-lock": "v1.2.3", "windows": windows, "automatic": "apply", "seed": 7})[1] == []
    for bad in ({"start": "24:00"}, {"minutes": 5}, {"start": "03:30", "days": ["saturday"]}):
        assert len(read("updates.windows", [bad])[1]) == 1
    assert len(read("updates.version-lock", "1.2")[1]) == 1
    assert len(read("updates.metadata-base-url", "ftp://x/")[1]) == 1


def test_health_checks_are_one_question():
    good: Any = {"a": {"http": "http://127.0.0.1/"}, "b": {"container": "web", "command": ["true"]}}
    settings, messages = read("health-checks", good | {"c": {}, "d": good["a"] | good["b"], "e": {"container": "x"}})
    assert set(settings.health_checks) == {"a", "b"}
    assert {message.partition(":")[0] for message in messages} == {".c", ".d", ".e"}


def test_nothing_is_said_to_send_metrics():
    assert read("metrics", {"send-metrics": False})[1] == []
    settings, messages = read("metrics", {"send-metrics": True, "enabled": False})
    assert not settings.metrics.send_metrics
    assert not settings.metrics.enabled
    assert "sends no metrics by itself" in messages[0]


def test_a_cloud_has_regions():
    assert read("aws", {"region": "us-gov-west-1", "profile": "default", "config": "W2RlZmF1bHRdCg=="})[1] == []
    assert len(read("aws", {"region": "Frankfurt", "profile": "", "credentials": "!"})[1]) == 3


def test_a_line_of_hosts_is_a_list_and_no_table():
    _, problems = read("network.hosts", [{"address": "192.0.2.1", "names": ["db"]}])
    assert problems == ["[0]: must be a list of address, names"]
