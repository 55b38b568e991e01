# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Host containers: a file for each that is to run; just those units start, stop or restart whose file has changed."""

from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container, Kind, unit_name
from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import Paths
from pinwheel.node.services.engine import SECRET_MODE, proxy_variables
from pinwheel.node.services.service import Files
from pinwheel.node.units import Systemd
from pinwheel.settings.problem import Problem, path_text
from pinwheel.settings.system import Network
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give the files of those that are enabled; all that is said of a container is in its file, secrets included."""
    environment = container_environment(settings.network)
    containers = [
        Container(
            kind=Kind.HOST,
            name=name,
            source=entry.source,
            superpowered=entry.superpowered,
            user_data=entry.user_data.get_secret_value() if entry.user_data else "",
            environment=environment,
        )
        for name, entry in settings.host_containers.items()
        if entry.enabled and entry.source
    ]
    return {container.file: RenderedFile(container.to_json(), SECRET_MODE) for container in containers}


def container_environment(network: Network) -> dict[str, str]:
    """Give the proxies as variables, in both spellings that programs look for."""
    variables = proxy_variables(network)
    return variables | {name.lower(): value for name, value in variables.items()}


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Have systemd start, stop and restart what has changed. Nobody waits: a start may have to fetch an image first."""
    before, after = render(old), render(new)
    verbs = {
        _name(file): "start" if file not in before else "restart" if file in after else "stop"
        for file in (*before, *after)
        if before.get(file) != after.get(file)
    }
    units = Systemd(paths)
    return [
        Problem("unit-refused", path_text(("settings", "host-containers", name)), 0, words, "it stays as it is")
        for name, verb in sorted(verbs.items())
        if (words := units.enqueue(unit_name(Kind.HOST, name), verb))
    ]


def _name(file: str) -> str:
    return file.removeprefix(places.HOST_DEFINITIONS).removesuffix(".json")
