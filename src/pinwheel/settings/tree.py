# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The whole tree of settings of the `docker` variant. `pinwheel.settings.model.extended` adds a variant's own."""

from pinwheel.settings.engine import ContainerRegistry, Docker
from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.system import Kernel, Network, Ntp
from pinwheel.settings.types import Motd


class Settings(Namespace):
    """Everything that a node can be told. Without arguments: a node without user data."""

    motd: Motd = setting(
        "Welcome to Pinwheel!",
        "The message on the node's status screen.",
        example="This node belongs to the web team.",
        allowed="plain text of at most 4096 characters",
    )
    network: Network = setting(Network(), "Name and proxies.", example={})
    ntp: Ntp = setting(Ntp(), "The clock.", example={})
    kernel: Kernel = setting(Kernel(), "Kernel parameters.", example={})
    container_registry: ContainerRegistry = setting(ContainerRegistry(), "Registries.", example={})
    docker: Docker = setting(Docker(), "The container engine.", example={})
