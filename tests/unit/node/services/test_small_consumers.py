# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Consumers of a page each: hosts, DNS, authorities, modules, memory, log, remote API, Amazon's cloud."""

import base64
import json
from typing import Any

import pytest
from tests.support.systemd_files import sections

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths
from pinwheel.node.services import aws, dns, hosts, kernel_modules, logging, pki, remote_api, workload, zram
from pinwheel.settings.reading import read
from pinwheel.settings.system import ZramSwap
from pinwheel.settings.tree import Settings

GIB = 1024**3


def pem(body: str = "MA==") -> str:
    return base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()).decode()


def settings(**document: Any) -> Settings:
    given = {key.replace("_", "-"): value for key, value in document.items()}
    result, mistakes = read(Settings, given)
    assert not mistakes
    return result


def test_node_knows_its_own_name_and_those_of_its_settings():
    network = {"hostname": "node-1", "hosts": [["192.0.2.10", ["db.example.com", "db"]], ["2001:db8::1", ["six"]]]}
    assert hosts.render(settings(network=network))[places.HOSTS].content == (
        b"127.0.0.1 localhost node-1\n"
        b"::1 localhost ip6-localhost ip6-loopback node-1\n"
        b"192.0.2.10 db.example.com db\n"
        b"2001:db8::1 six\n"
    )


def test_node_without_a_name_still_knows_localhost():
    assert hosts.render(Settings())[places.HOSTS].content.startswith(b"127.0.0.1 localhost\n")


def test_resolved_is_told_servers_and_domains():
    given = settings(dns={"name-servers": ["192.0.2.53", "2001:db8::53"], "search-list": ["example.com"]})
    assert sections(dns.render(given)[places.RESOLVED].content) == [
        ("Resolve", [("DNS", "192.0.2.53 2001:db8::53"), ("Domains", "example.com")])
    ]
    assert dns.render(Settings()) == {}


def test_authorities_that_are_trusted_have_a_file_each_and_the_engine_is_told():
    files = pki.render(settings(pki={"a": {"data": pem(), "trusted": True}, "b": {"data": pem()}}))
    assert set(files) == {f"{places.TRUSTED}a.pem", places.TRUST_ENV}
    assert files[f"{places.TRUSTED}a.pem"].content.startswith(b"-----BEGIN CERTIFICATE")
    assert files[places.TRUST_ENV].content == b'SSL_CERT_DIR="/etc/ssl/certs:/run/pinwheel/pki/trusted"\n'


def test_authorities_that_nobody_trusts_change_nothing():
    assert pki.render(settings(pki={"b": {"data": pem()}})) == {}


def test_modules_are_forbidden_by_name_and_by_device_and_have_their_parameters():
    given = settings(
        kernel={"modules": {"sctp": {"allowed": False}, "zram": {"autoload": True}}},
        boot={"kernel-parameters": {"nvme_core.io_timeout": ["1", "4294967295"], "sysctl.vm.swappiness": ["1"]}},
    )
    assert kernel_modules.render(given)[places.MODPROBE_RULES].content == (
        b"blacklist sctp\ninstall sctp /usr/bin/false\noptions nvme_core io_timeout=4294967295\n"
    )


@pytest.mark.parametrize(
    ("reserved", "left"), [("1G", 3 * GIB), ("25%", 3 * GIB), ("512M", 4 * GIB - 512 * 1024**2), ("100G", 0)]
)
def test_workload_is_left_what_is_not_reserved(reserved, left):
    assert workload.left_over(reserved, 4 * GIB) == left


def test_workload_that_would_be_left_nothing_is_refused():
    given = settings(memory={"reserved": "100%"})
    (problem,) = workload.check(Paths(), given, {})
    assert (problem.code, problem.path) == ("bad-value", "settings.memory.reserved")
    small = settings(memory={"reserved": "1M"})
    assert workload.check(Paths(), small, {}) == []


def test_swap_space_is_a_part_of_memory_or_so_many_bytes():
    assert zram.disk_size(ZramSwap(enabled=True), 4 * GIB) == 2 * GIB
    assert zram.disk_size(ZramSwap(enabled=True, size="1500M"), 4 * GIB) == 1500 * 1024**2
    assert zram.disk_size(ZramSwap(size="33%"), 1000 * 1024**2 + 7) % 1024**2 == 0


def test_log_goes_where_it_is_told_with_its_secrets_kept():
    given = settings(
        logging={
            "level": "warning",
            "syslog": {"host": "logs.example.com", "protocol": "tls"},
            "otlp": {"endpoint": "https://otlp.example.com:4318", "headers": {"api-key": "s3cret"}},
        }
    )
    file = logging.render(given)[places.LOG_FORWARDING]
    assert file.mode == 0o600
    assert json.loads(file.content) == {
        "level": "warning",
        "syslog": {"host": "logs.example.com", "port": 6514, "protocol": "tls"},
        "otlp": {"url": "https://otlp.example.com:4318/v1/logs", "headers": {"api-key": "s3cret"}},
    }


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://collector:4318/", "http://collector:4318/v1/logs"),
        ("http://collector/otlp/v1/logs", "http://collector/otlp/v1/logs"),
    ],
)
def test_path_of_a_collector_stays_when_it_has_one(endpoint, url):
    file = logging.render(settings(logging={"otlp": {"endpoint": endpoint}}))[places.LOG_FORWARDING]
    assert json.loads(file.content)["otlp"]["url"] == url


def test_level_alone_starts_no_forwarder():
    assert logging.render(settings(logging={"level": "debug"})) == {}


def test_remote_api_has_its_port_and_its_clients_authorities():
    given = settings(api={"remote": {"enabled": True, "port": 9443, "client-ca": pem()}})
    files = remote_api.render(given)
    assert sections(files[places.API_SOCKET_SETTINGS].content) == [
        ("Socket", [("ListenStream", ""), ("ListenStream", "9443")])
    ]
    assert files[places.API_CLIENTS].content.startswith(b"-----BEGIN CERTIFICATE")
    assert remote_api.render(settings(api={"remote": {"port": 9443, "client-ca": pem()}})) == {}


def test_amazon_sdks_find_their_files():
    encoded = base64.b64encode(b"[default]\n").decode()
    files = aws.render(settings(aws={"region": "eu-central-1", "credentials": encoded}))
    assert files[places.AWS_CREDENTIALS] == (b"[default]\n", 0o600)
    assert files[places.AWS_ENV].content == (
        b'AWS_SHARED_CREDENTIALS_FILE="/run/pinwheel/aws/credentials"\n'
        b'AWS_REGION="eu-central-1"\nAWS_PROFILE="default"\n'
    )
    assert aws.render(Settings()) == {}
