# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The whole tree of settings of the `docker` variant. `pinwheel.settings.model.extended` adds a variant's own."""

from typing import Annotated

from msgspec import field

from pinwheel.settings.access import Api, Logging
from pinwheel.settings.engine import Docker
from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.oci import OciDefaults
from pinwheel.settings.pki import Bundle
from pinwheel.settings.registry import ContainerRegistry
from pinwheel.settings.system import Dns, Kernel, Memory, Network, Ntp
from pinwheel.settings.types import Identifier, Motd


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
    pki: Annotated[
        dict[Identifier, Bundle],
        setting(
            "Certificates of authorities, by a name of your choice.",
            example={"company": {"trusted": False}},
            allowed="letters, digits and `-`, at most 76 characters",
        ),
    ] = field(default_factory=dict)
    kernel: Annotated[Kernel, setting("The kernel.", example={})] = Kernel()
    memory: Annotated[Memory, setting("Memory.", example={})] = Memory()
    container_registry: Annotated[ContainerRegistry, setting("Registries.", example={})] = ContainerRegistry()
    docker: Annotated[Docker, setting("The container engine.", example={})] = Docker()
    oci_defaults: Annotated[OciDefaults, setting("Defaults of containers.", example={})] = OciDefaults()
    api: Annotated[Api, setting("The node's API.", example={})] = Api()
    logging: Annotated[Logging, setting("The log.", example={})] = Logging()
