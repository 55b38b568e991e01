# SPDX-License-Identifier: Apache-2.0 OR MIT
"""All consumers of settings of this system. A variant's packages add theirs: `extensions`."""

from typing import Any

from pinwheel.node import paths as places
from pinwheel.node.services.service import Lazy, Service, UnitAction


def _in(module: str) -> Any:  # noqa: ANN401 - functions of several kinds
    """Give the functions of a module of this package."""
    return lambda name: Lazy(f"pinwheel.node.services.{module}", name)


_ENGINE, _HOSTNAME, _MOTD, _NTP, _SYSCTL = map(_in, ("engine", "hostname", "motd", "ntp", "sysctl"))

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
        name="ntp",
        settings=("ntp",),
        owned=(places.TIMESYNCD,),
        render=_NTP("render"),
        restart=(UnitAction("systemd-timesyncd.service", "try-restart"),),
    ),
    Service(
        name="sysctl",
        settings=("kernel.sysctl",),
        owned=(places.SYSCTL,),
        render=_SYSCTL("render"),
        activate=_SYSCTL("activate"),
    ),
    Service(
        name="docker",
        settings=(
            "docker",
            "container-registry",
            "network.http-proxy",
            "network.https-proxy",
            "network.no-proxy",
        ),
        # Its configuration last, as it names the others.
        owned=(*places.TLS_FILES, places.PROXY_ENV, places.DAEMON_JSON),
        secret=(places.TLS_KEY, places.PROXY_ENV),
        render=_ENGINE("render"),
        check=_ENGINE("check"),
        fallback=_ENGINE("fallback"),
        restart=(UnitAction("docker.service", "try-restart"),),
        by_default=True,
    ),
)
"""In the order in which they are applied: what others build on first, the engine last."""
