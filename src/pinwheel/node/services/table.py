# SPDX-License-Identifier: Apache-2.0 OR MIT
"""All consumers of settings of this system. A variant's packages add theirs: `extensions`."""

from typing import Any

from pinwheel.node import paths as places
from pinwheel.node.containers import places as container_places
from pinwheel.node.services.service import Lazy, Service, UnitAction


def _in(module: str) -> Any:  # noqa: ANN401 - functions of several kinds
    """Give the functions of a module of this package."""
    return lambda name: Lazy(f"pinwheel.node.services.{module}", name)


_AWS, _DNS, _ENGINE, _HOSTNAME, _HOSTS, _INIT = map(_in, ("aws", "dns", "engine", "hostname", "hosts", "init"))
_LOCKDOWN, _LOGGING, _MODULES, _MOTD = map(_in, ("lockdown", "logging", "kernel_modules", "motd"))
_NETWORK, _NTP, _PKI, _REMOTE_API = map(_in, ("network", "ntp", "pki", "remote_api"))
_SYSCTL, _WORKLOAD, _ZRAM = map(_in, ("sysctl", "workload", "zram"))
_BOOTSTRAP, _HOST_CONTAINERS, _REGISTRIES = map(_in, ("bootstrap", "host_containers", "registries"))

_ENGINE_UNIT = UnitAction("docker.service", "try-restart")

SERVICES: tuple[Service, ...] = (
    Service(
        name="motd",
        settings=("motd",),
        owned=(places.MOTD,),
        render=_MOTD("render"),
        by_default=True,
    ),
    Service(
        name="hostname",
        settings=("network.hostname",),
        activate=_HOSTNAME("activate"),
    ),
    Service(
        name="hosts",
        settings=("network.hosts", "network.hostname"),
        owned=(places.HOSTS,),
        render=_HOSTS("render"),
        by_default=True,
    ),
    Service(
        name="network",
        settings=("network.interfaces", "dns"),
        owned=(places.NETWORKS,),
        render=_NETWORK("render"),
        activate=_NETWORK("activate"),
        restart=(UnitAction("systemd-networkd.service", "reload-or-try-restart", early=True),),
    ),
    Service(
        name="dns",
        settings=("dns",),
        owned=(places.RESOLVED,),
        render=_DNS("render"),
        # A reload would keep the domains to search that are there no longer.
        restart=(UnitAction("systemd-resolved.service", "try-restart"),),
    ),
    Service(
        name="ntp",
        settings=("ntp",),
        owned=(places.TIMESYNCD,),
        render=_NTP("render"),
        restart=(UnitAction("systemd-timesyncd.service", "try-restart"),),
    ),
    Service(
        name="sysctl",
        settings=("kernel.sysctl", "boot.kernel-parameters"),
        owned=(places.SYSCTL,),
        render=_SYSCTL("render"),
        activate=_SYSCTL("activate"),
    ),
    Service(
        name="kernel-modules",
        settings=("kernel.modules", "boot.kernel-parameters"),
        owned=(places.MODPROBE_RULES,),
        render=_MODULES("render"),
        activate=_MODULES("activate"),
    ),
    Service(
        name="lockdown",
        settings=("kernel.lockdown",),
        activate=_LOCKDOWN("activate"),
    ),
    Service(
        name="init",
        settings=("boot.init-parameters",),
        activate=_INIT("activate"),
    ),
    Service(
        name="zram-swap",
        settings=("memory.zram-swap",),
        activate=_ZRAM("activate"),
    ),
    Service(
        name="workload",
        settings=("memory.reserved",),
        check=_WORKLOAD("check"),
        activate=_WORKLOAD("activate"),
    ),
    Service(
        name="pki",
        settings=("pki",),
        owned=(places.TRUSTED, places.TRUST_ENV),
        render=_PKI("render"),
        restart=(_ENGINE_UNIT,),
    ),
    Service(
        name="aws",
        settings=("aws",),
        owned=(places.AWS_CONFIG, places.AWS_CREDENTIALS, places.AWS_ENV),
        secret=(places.AWS_CONFIG, places.AWS_CREDENTIALS),
        render=_AWS("render"),
        restart=(_ENGINE_UNIT,),
    ),
    Service(
        name="remote-api",
        settings=("api.remote",),
        owned=(places.API_CLIENTS, places.API_SOCKET_SETTINGS),
        render=_REMOTE_API("render"),
        activate=_REMOTE_API("activate"),
        # systemd opens no socket while the service runs that it is for. The socket's unit starts if a file is there.
        restart=(
            UnitAction("pinwheel-api-remote.service", "stop"),
            UnitAction("pinwheel-api-remote.socket", "restart", early=True),
        ),
        # On the first boot it makes a key and a certificate.
        engine_waits=False,
    ),
    Service(
        name="logging",
        settings=("logging",),
        owned=(places.LOG_FORWARDING,),
        secret=(places.LOG_FORWARDING,),
        render=_LOGGING("render"),
        # The unit starts only if the file is there.
        restart=(UnitAction("pinwheel-forward-logs.service", "restart", early=True),),
        engine_waits=False,
    ),
    Service(
        name="docker",
        settings=(
            "docker",
            "container-registry.mirrors",
            "network.http-proxy",
            "network.https-proxy",
            "network.no-proxy",
            "oci-defaults",
        ),
        # Its configuration last, as it names the others.
        owned=(*places.TLS_FILES, places.PROXY_ENV, places.DAEMON_JSON),
        secret=(places.TLS_KEY, places.PROXY_ENV),
        render=_ENGINE("render"),
        check=_ENGINE("check"),
        fallback=_ENGINE("fallback"),
        restart=(_ENGINE_UNIT,),
        by_default=True,
    ),
    Service(
        name="registries",
        settings=(
            "container-registry",
            "docker.insecure-registries",
            "network.http-proxy",
            "network.https-proxy",
            "network.no-proxy",
        ),
        owned=(container_places.REGISTRIES,),
        secret=(container_places.REGISTRIES,),
        render=_REGISTRIES("render"),
    ),
    Service(
        name="bootstrap-containers",
        settings=(
            "bootstrap-containers",
            "bootstrap-commands",
            "network.http-proxy",
            "network.https-proxy",
            "network.no-proxy",
        ),
        owned=(container_places.BOOTSTRAP_DEFINITIONS, container_places.BOOTSTRAP_COMMANDS),
        secret=(container_places.BOOTSTRAP_DEFINITIONS, container_places.BOOTSTRAP_COMMANDS),
        render=_BOOTSTRAP("render"),
    ),
    Service(
        name="host-containers",
        settings=("host-containers", "network.http-proxy", "network.https-proxy", "network.no-proxy"),
        owned=(container_places.HOST_DEFINITIONS,),
        secret=(container_places.HOST_DEFINITIONS,),
        render=_HOST_CONTAINERS("render"),
        activate=_HOST_CONTAINERS("activate"),
        engine_waits=False,
    ),
)
"""In the order in which they are applied: what others build on first, the engine, and what runs beside it."""
