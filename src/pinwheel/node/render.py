# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Settings to the files that services read. Pure: nothing is written here."""

from typing import Any

from pinwheel.node import paths
from pinwheel.node.files import RenderedFile
from pinwheel.node.serialize import environment_file, ini_file, json_file, sysctl_file
from pinwheel.settings.engine import JSON_FILE_DEFAULTS, ContainerRegistry, Docker, Remote
from pinwheel.settings.system import Network
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import pem_text

SECRET_MODE = 0o600


def render(settings: Settings) -> dict[str, RenderedFile]:
    """Give every file that the settings ask for, by its absolute path on the node."""
    files = {
        paths.DAEMON_JSON: RenderedFile(json_file(engine_configuration(settings.docker, settings.container_registry))),
        paths.MOTD: RenderedFile(settings.motd.encode() + b"\n"),
    }
    files.update(_tls(settings.docker.remote))
    proxies = _proxies(settings.network)
    if proxies:
        files[paths.PROXY_ENV] = RenderedFile(environment_file(proxies), SECRET_MODE)
    if settings.ntp.time_servers:
        section = {"Time": {"NTP": " ".join(settings.ntp.time_servers)}}
        files[paths.TIMESYNCD] = RenderedFile(ini_file(section))
    if settings.kernel.sysctl:
        files[paths.SYSCTL] = RenderedFile(sysctl_file(settings.kernel.sysctl))
    return files


def engine_configuration(docker: Docker, registry: ContainerRegistry) -> dict[str, Any]:
    """Give what daemon.json says (docs.docker.com, "dockerd", "Daemon configuration file")."""
    configuration: dict[str, Any] = {
        "exec-opts": ["native.cgroupdriver=systemd"],
        "hosts": ["unix:///run/docker.sock"],
        "iptables": True,
        "live-restore": True,
        "log-driver": docker.log_driver,
        "log-opts": (JSON_FILE_DEFAULTS if docker.log_driver == "json-file" else {}) | docker.log_opts,
        "storage-driver": "overlay2",
    }
    endpoints = [endpoint for mirror in registry.mirrors for endpoint in mirror.endpoint]
    if endpoints:
        configuration["registry-mirrors"] = endpoints
    if docker.insecure_registries:
        configuration["insecure-registries"] = docker.insecure_registries
    if docker.default_address_pools:
        pools = [{"base": pool.base, "size": pool.size} for pool in docker.default_address_pools]
        configuration["default-address-pools"] = pools
    if docker.remote.enabled:
        _open_port(configuration, docker.remote)
    return configuration


def _open_port(configuration: dict[str, Any], remote: Remote) -> None:
    configuration["hosts"].append(f"tcp://0.0.0.0:{remote.port}")
    configuration |= {
        "tls": True,
        "tlsverify": True,
        "tlscacert": paths.TLS_CA,
        "tlscert": paths.TLS_CERTIFICATE,
        "tlskey": paths.TLS_KEY,
    }


def _tls(remote: Remote) -> dict[str, RenderedFile]:
    if not (remote.enabled and remote.client_ca and remote.server_certificate and remote.server_key):
        return {}
    return {
        paths.TLS_CA: RenderedFile(pem_text(remote.client_ca)),
        paths.TLS_CERTIFICATE: RenderedFile(pem_text(remote.server_certificate)),
        paths.TLS_KEY: RenderedFile(pem_text(remote.server_key.get_secret_value()), SECRET_MODE),
    }


def _proxies(network: Network) -> dict[str, str]:
    variables = {}
    if network.http_proxy:
        variables["HTTP_PROXY"] = network.http_proxy.get_secret_value()
    if network.https_proxy:
        variables["HTTPS_PROXY"] = network.https_proxy.get_secret_value()
    if variables and network.no_proxy:
        variables["NO_PROXY"] = ",".join(network.no_proxy)
    return variables
