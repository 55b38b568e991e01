# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The engine's configuration and the files that it names, with their modes."""

import base64
import json
from typing import Any

from msgspec.structs import replace

from pinwheel.node import paths
from pinwheel.node.services import engine as consumer
from pinwheel.node.services.engine import render
from pinwheel.settings.engine import AddressPool, Docker, Remote
from pinwheel.settings.oci import Limit, OciDefaults, ResourceLimits
from pinwheel.settings.registry import ContainerRegistry, Mirror
from pinwheel.settings.secret import Secret
from pinwheel.settings.system import Network
from pinwheel.settings.tree import Settings


def pem(label: str) -> str:
    return base64.b64encode(f"-----BEGIN {label}-----\nMA==\n-----END {label}-----\n".encode()).decode()


REMOTE = Remote(
    enabled=True,
    port=2377,
    client_ca=pem("CERTIFICATE"),
    server_certificate=pem("CERTIFICATE"),
    server_key=Secret(pem("PRIVATE KEY")),
)


def engine(settings: Settings) -> dict[str, Any]:
    configuration: dict[str, Any] = json.loads(render(settings)[paths.DAEMON_JSON].content)
    return configuration


def test_node_without_user_data_has_an_engine_that_listens_on_its_socket_alone():
    assert engine(Settings()) == {
        "cgroup-parent": "workload.slice",
        "exec-opts": ["native.cgroupdriver=systemd"],
        "hosts": ["unix:///run/docker.sock"],
        "iptables": True,
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        "storage-driver": "overlay2",
    }
    assert set(render(Settings())) == {paths.DAEMON_JSON}


def test_remote_access_is_verified_tls_and_the_key_is_for_root_alone():
    files = render(Settings(docker=Docker(remote=REMOTE)))
    configuration = json.loads(files[paths.DAEMON_JSON].content)
    assert configuration["hosts"] == ["unix:///run/docker.sock", "tcp://0.0.0.0:2377"]
    assert configuration["tlsverify"] is True
    assert {configuration["tlscacert"], configuration["tlscert"], configuration["tlskey"]} == set(paths.TLS_FILES)
    assert files[paths.TLS_KEY].mode == 0o600
    assert files[paths.TLS_KEY].content.startswith(b"-----BEGIN PRIVATE KEY")
    assert files[paths.TLS_CA].mode == 0o644


def test_remote_access_that_is_off_leaves_no_port_and_no_key():
    files = render(Settings(docker=Docker(remote=replace(REMOTE, enabled=False))))
    assert not set(paths.TLS_FILES) & set(files)
    assert b"tcp" not in files[paths.DAEMON_JSON].content


def test_logs_of_the_default_driver_stay_bounded():
    assert engine(Settings(docker=Docker(log_opts={"labels": "x"})))["log-opts"] == {
        "max-size": "10m",
        "max-file": "3",
        "labels": "x",
    }
    assert engine(Settings(docker=Docker(log_driver="journald")))["log-opts"] == {}


def test_registries_and_pools_reach_the_engine():
    docker = Docker(
        insecure_registries=["10.0.2.2:5000"], default_address_pools=[AddressPool(base="10.9.0.0/16", size=24)]
    )
    mirrors = ContainerRegistry(
        mirrors=[Mirror(registry="docker.io", endpoint=["https://a.example", "http://b.example"])]
    )
    configuration = engine(Settings(docker=docker, container_registry=mirrors))
    assert configuration["registry-mirrors"] == ["https://a.example", "http://b.example"]
    assert configuration["insecure-registries"] == ["10.0.2.2:5000"]
    assert configuration["default-address-pools"] == [{"base": "10.9.0.0/16", "size": 24}]


def test_limits_of_containers_are_the_engines_default_ulimits():
    limits = ResourceLimits(max_open_files=Limit(1024, 4096), max_locked_memory=Limit(-1, -1))
    assert engine(Settings(oci_defaults=OciDefaults(limits)))["default-ulimits"] == {
        "memlock": {"Name": "memlock", "Soft": -1, "Hard": -1},
        "nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096},
    }


def test_any_other_option_reaches_the_engine_as_it_is():
    options = {"debug": True, "features": {"buildkit": False}, "max-concurrent-downloads": 5}
    configuration = engine(Settings(docker=Docker(engine_options=options)))
    assert configuration | options == configuration
    assert configuration["storage-driver"] == "overlay2"


def test_proxies_are_kept_from_other_users_and_escaped():
    network = Network(https_proxy=Secret("http://u:p$x@proxy:1"), no_proxy=["a.example", "10.0.0.0/8"])
    file = render(Settings(network=network))[paths.PROXY_ENV]
    assert file.content == b'HTTPS_PROXY="http://u:p\\$x@proxy:1"\nNO_PROXY="a.example,10.0.0.0/8"\n'
    assert file.mode == 0o600


def test_engine_is_asked_about_settings_of_its_own_alone():
    assert not consumer.needs_validation(Settings(motd="x", docker=Docker(remote=REMOTE)))
    assert consumer.needs_validation(Settings(docker=Docker(log_driver="local", remote=REMOTE)))


def test_what_the_engine_refuses_falls_and_the_way_to_it_stays_open():
    settings = Settings(docker=Docker(log_driver="local", remote=REMOTE))
    assert consumer.fallback(settings) == Settings(docker=Docker(remote=REMOTE))
