# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Docker Engine: its configuration, its certificates, its proxies, and what it thinks of them itself."""

from typing import Any

import msgspec

from pinwheel.node import paths as places
from pinwheel.node.files import RenderedFile, write_atomically
from pinwheel.node.paths import Paths
from pinwheel.node.programs import run
from pinwheel.node.serialize import environment_file, json_file
from pinwheel.node.services.service import Files
from pinwheel.settings.engine import JSON_FILE_DEFAULTS, Docker, Remote
from pinwheel.settings.oci import ULIMITS, OciDefaults, ResourceLimits
from pinwheel.settings.problem import Problem, quoted
from pinwheel.settings.system import Network
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import pem_text

SECRET_MODE = 0o600
VALIDATE_SECONDS = 60.0
"""How long `dockerd --validate` may take: 0.07 s on hardware, twenty times that under emulation."""


def render(settings: Settings) -> Files:
    """Give the engine's configuration and what it names."""
    files = _tls(settings.docker.remote)
    proxies = proxy_variables(settings.network)
    if proxies:
        files[places.PROXY_ENV] = RenderedFile(environment_file(proxies), SECRET_MODE)
    files[places.DAEMON_JSON] = RenderedFile(json_file(configuration(settings)))
    return files


def configuration(settings: Settings) -> dict[str, Any]:
    """Give what daemon.json says (docs.docker.com, "dockerd", "Daemon configuration file")."""
    docker = settings.docker
    result: dict[str, Any] = {
        "cgroup-parent": places.WORKLOAD_SLICE,
        "exec-opts": ["native.cgroupdriver=systemd"],
        "hosts": ["unix:///run/docker.sock"],
        "iptables": True,
        "live-restore": True,
        "log-driver": docker.log_driver,
        "log-opts": (JSON_FILE_DEFAULTS if docker.log_driver == "json-file" else {}) | docker.log_opts,
        "storage-driver": "overlay2",
    }
    endpoints = [endpoint for mirror in settings.container_registry.mirrors for endpoint in mirror.endpoint]
    if endpoints:
        result["registry-mirrors"] = endpoints
    if docker.insecure_registries:
        result["insecure-registries"] = docker.insecure_registries
    if docker.default_address_pools:
        pools = [{"base": pool.base, "size": pool.size} for pool in docker.default_address_pools]
        result["default-address-pools"] = pools
    limits = _limits(settings.oci_defaults.resource_limits)
    if limits:
        result["default-ulimits"] = limits
    if docker.remote.enabled:
        _open_port(result, docker.remote)
    return {**result, **docker.engine_options}


def _limits(limits: ResourceLimits) -> dict[str, Any]:
    """Give `default-ulimits`, by the names of setrlimit(2)'s limits."""
    given = {name: getattr(limits, field) for field, name in ULIMITS.items()}
    return {
        name: {"Name": name, "Soft": limit.soft_limit, "Hard": limit.hard_limit}
        for name, limit in given.items()
        if limit is not None
    }


def proxy_variables(network: Network) -> dict[str, str]:
    """Give the proxies as the environment variables that programs look for."""
    variables = {}
    if network.http_proxy:
        variables["HTTP_PROXY"] = network.http_proxy.get_secret_value()
    if network.https_proxy:
        variables["HTTPS_PROXY"] = network.https_proxy.get_secret_value()
    if variables and network.no_proxy:
        variables["NO_PROXY"] = ",".join(network.no_proxy)
    return variables


def check(paths: Paths, settings: Settings, files: Files) -> list[Problem]:
    """Have the engine look at its configuration, with the certificates it names, before it has to start with it.

    Boots without settings of the engine's, nearly all, skip it: it starts dockerd once more.
    """
    if not needs_validation(settings):
        return []
    words = _objection(paths, files)
    if words is None:
        return []
    hint = "the engine's settings have their defaults, docker.remote apart"
    return [Problem("engine-refused", "settings.docker", 0, f"the engine refuses it: {words}", hint)]


def needs_validation(settings: Settings) -> bool:
    """Say whether anything of the engine is set but its remote API, whose rules are checked already."""
    return settings.docker != Docker(remote=settings.docker.remote) or settings.oci_defaults != OciDefaults()


def fallback(settings: Settings) -> Settings:
    """Take the engine's defaults, and leave the way to it open."""
    docker = Docker(remote=settings.docker.remote)
    return msgspec.structs.replace(settings, docker=docker, oci_defaults=OciDefaults())


def _open_port(result: dict[str, Any], remote: Remote) -> None:
    result["hosts"].append(f"tcp://0.0.0.0:{remote.port}")
    result |= {
        "tls": True,
        "tlsverify": True,
        "tlscacert": places.TLS_CA,
        "tlscert": places.TLS_CERTIFICATE,
        "tlskey": places.TLS_KEY,
    }


def _tls(remote: Remote) -> dict[str, RenderedFile]:
    if not (remote.enabled and remote.client_ca and remote.server_certificate and remote.server_key):
        return {}
    return {
        places.TLS_CA: RenderedFile(pem_text(remote.client_ca)),
        places.TLS_CERTIFICATE: RenderedFile(pem_text(remote.server_certificate)),
        places.TLS_KEY: RenderedFile(pem_text(remote.server_key.get_secret_value()), SECRET_MODE),
    }


def _objection(paths: Paths, files: Files) -> str | None:
    candidate = places.CANDIDATES + places.DAEMON_JSON
    written = {name: places.CANDIDATES + name for name in (*places.TLS_FILES, places.DAEMON_JSON) if name in files}
    document = json_file(_moved(msgspec.json.decode(files[places.DAEMON_JSON].content), paths, written))
    try:
        for name, place in written.items():
            content = document if name == places.DAEMON_JSON else files[name].content
            write_atomically(paths.at(place), content, SECRET_MODE)
        return _validate(paths, str(paths.at(candidate)))
    finally:
        for place in written.values():
            paths.at(place).unlink(missing_ok=True)


def _moved(document: dict[str, Any], paths: Paths, written: dict[str, str]) -> dict[str, Any]:
    """Have the configuration name the candidates of the files that it names."""
    return {
        key: str(paths.at(written[value])) if isinstance(value, str) and value in written else value
        for key, value in document.items()
    }


def _validate(paths: Paths, candidate: str) -> str | None:
    """Give the engine's words against a configuration file, or None."""
    try:
        outcome = run(paths.at(places.ENGINE), "--validate", "--config-file", candidate, seconds=VALIDATE_SECONDS)
    except OSError as error:
        return quoted(str(error), 300)[1:-1]
    if outcome.status == 0:
        return None
    words = " ".join((outcome.errors or outcome.output).split())
    return quoted(words.replace(candidate, "daemon.json"), 300)[1:-1] or f"exit status {outcome.status}"
