# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Bootstrap containers and commands: written down for the part of the boot that runs them before the engine.

A change at run time takes effect at the next boot.
"""

from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.files import RenderedFile
from pinwheel.node.serialize import json_file
from pinwheel.node.services.engine import SECRET_MODE
from pinwheel.node.services.host_containers import container_environment
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give a file for each container that is to run, and one for all commands."""
    return _containers(settings) | _commands(settings)


def _containers(settings: Settings) -> dict[str, RenderedFile]:
    environment = container_environment(settings.network)
    containers = [
        Container(
            kind=Kind.BOOTSTRAP,
            name=name,
            source=entry.source,
            user_data=entry.user_data.get_secret_value() if entry.user_data else "",
            essential=entry.essential,
            once=entry.mode == "once",
            environment=environment,
        )
        for name, entry in settings.bootstrap_containers.items()
        if entry.mode != "off" and entry.source
    ]
    return {container.file: RenderedFile(container.to_json(), SECRET_MODE) for container in containers}


def _commands(settings: Settings) -> dict[str, RenderedFile]:
    entries = {
        name: {"commands": entry.commands, "essential": entry.essential, "once": entry.mode == "once"}
        for name, entry in sorted(settings.bootstrap_commands.items())
        if entry.mode != "off" and entry.commands
    }
    return {places.BOOTSTRAP_COMMANDS: RenderedFile(json_file(entries), SECRET_MODE)} if entries else {}
