# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Settings to the agent's configuration."""

from typing import Any

from pinwheel.node.files import RenderedFile
from pinwheel.node.serialize import json_file


def render(settings: Any) -> dict[str, RenderedFile]:
    """Give the agent's configuration."""
    agent = settings.acme_agent
    if not agent.server:
        return {}
    token = agent.token.get_secret_value() if agent.token else None
    document = {"server": f"{agent.server}:{agent.port}", "token": token, "direct": settings.network.no_proxy}
    return {"/run/acme-agent/config.json": RenderedFile(json_file(document), 0o600)}
