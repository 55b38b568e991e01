# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Settings of an agent that somebody adds to a variant of their own: a small, whole example."""

from pinwheel.node.services.service import Lazy, Service, UnitAction

from .models import Agent

NAMESPACES = {"acme_agent": Agent}
SERVICES = (
    Service(
        name="acme-agent",
        settings=("acme-agent", "network.no-proxy"),
        owned=("/run/acme-agent/config.json",),
        secret=("/run/acme-agent/config.json",),
        render=Lazy("acme_agent.render", "render"),
        restart=(UnitAction("acme-agent.service", "try-restart"),),
    ),
)
