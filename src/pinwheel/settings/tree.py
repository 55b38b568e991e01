# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The whole tree of settings of the `docker` variant. `pinwheel.settings.model.extended` adds a variant's own."""

from typing import Annotated

from pinwheel.settings.engine import ContainerRegistry, Docker
from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.system import Dns, Kernel, Network, Ntp
from pinwheel.settings.types import Motd


class Settings(Namespace, frozen=True):
    """Everything that a node can be told. Without arguments: a node without user data."""

    motd: Annotated[
        Motd,
        setting(
            "The message on the node's status screen.",
            example="This node belongs to the web team.",
            allowed="plain text of at most 4096 characters",
        ),
    ] = "Welcome to Pinwheel!"
    network: Annotated[Network, setting("Name, proxies and interfaces.", example={})] = Network()
    dns: Annotated[Dns, setting("Looking up names.", example={})] = Dns()
    ntp: Annotated[Ntp, setting("The clock.", example={})] = Ntp()
    kernel: Annotated[Kernel, setting("Kernel parameters.", example={})] = Kernel()
    container_registry: Annotated[ContainerRegistry, setting("Registries.", example={})] = ContainerRegistry()
    docker: Annotated[Docker, setting("The container engine.", example={})] = Docker()
